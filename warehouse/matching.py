"""From a record to a person and a household, by ID number, set-wise on the engine.

Belongs here: the spine of the day, `person`, and `matched_<table>` for any contract. Not here: what a number or a name
is (`identity`, `names`), the review queue (`review`), the published quality (`linkage`).

A run makes the spine once (`build_spine`), then matches any record type against it (`build_matched`). Nearly every record
is one plain join: its number, as delivered, is a person's, and the name is the same. Only what is left (each distinct
number and name once) goes through normalising, repair and proposals: for all the types that are there in one pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from expectations.contract import Contract, Field
from expectations.engine import SqlEngine
from warehouse import identity, names
from warehouse.keys import first_key
from warehouse.model import render

PERSONAL_OUTCOMES = ("linked", "unregistered", "ambiguous", "unidentifiable")
AREA_OUTCOMES = ("placed", "unplaced")
"""Of records of the subject area, which are nobody's household: tied to a village by its code, or not."""
OUTCOMES = (*PERSONAL_OUTCOMES, *AREA_OUTCOMES)
METHODS = (*identity.FORMS, "repaired", "decided", "household_id")
REASONS = (*identity.PROBLEMS, "name_differs", "tie", "register_conflict", "not_registered")

MATCHED_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("person_key", "varchar", "the person it is about"),
    ("member_id", "varchar", "the person's row in the base register"),
    ("household_id", "varchar", "the person's household"),
    ("outcome", "varchar", "linked; unregistered; ambiguous; unidentifiable; of subject area: placed; unplaced"),
    ("method", "varchar", "; ".join(METHODS)),
    ("name_agreement", "varchar", "same; absent; different"),
    ("reason", "varchar", "; ".join(REASONS)),
    ("_arrived_on", "date", "the day on which this version arrived"),
)
"""What matching adds to a record type: name, type, meaning. `record_id` stands before them, the contract's fields between."""

PERSON_ORDER = "member_id"
PERSON_KEY_MAP_ORDER = "member_id, number_hash nulls first"

_RECORD_ID = "record_id"
_TEN_THOUSAND_YUAN = "10k yuan"


def _rowless(**columns: str) -> str:
    return "select " + ", ".join(f"cast(null as {kind}) as {name}" for name, kind in columns.items()) + " where false"


NO_PERSON_KEY_MAP = _rowless(
    member_id="varchar", person_key="varchar", first_key="varchar", number_hash="varchar", first_seen_on="date", is_current="boolean"
)
NO_REVIEW_QUEUE = _rowless(
    queue_id="varchar", department="varchar", records="varchar", record_id="varchar", outcome="varchar", reason="varchar",
    candidate_count="integer", candidates="varchar[]", number_hash="varchar", first_seen_on="date",
)  # fmt: skip
NO_REVIEW_DECISION = _rowless(queue_id="varchar", decision="varchar", person_key="varchar", decided_by="varchar", decided_at="timestamp")
"""What stands in for the day before's map and queue and for the stewards' decisions where there are none."""


class MatchingError(ValueError):
    """A record type that cannot be matched; the message names it and what to mend."""


@dataclass(frozen=True)
class Delivered:
    """What of a contract matters to matching, as SQL over its view `v`."""

    table: str
    department: str
    records: str
    record_key: str
    """The key that the record's id is made of, of the row `v`."""
    is_pseudonymous: bool
    number: str
    name: str

    @property
    def valid(self) -> str:
        return f"valid_{self.table}"

    @property
    def name_value(self) -> str:
        return f"v.{self.name}" if self.name else "cast(null as varchar)"

    @property
    def pair(self) -> str:
        """Number and name as delivered in one text, as in the engine table `pair_answer`."""
        return pair_text(f"coalesce(v.{self.number}, '')", f"coalesce({self.name_value}, '')")


def at_once(name: str) -> str:
    """The plain join to `spine_number` as `s` decides: one person has the number as delivered, and the name is the same, or absent.

    A number that ends in 000 needs the same name.
    """
    return f"coalesce(s.member_id is not null and ({name} = s.name or ({name} is null and right(s.number, 3) <> '000')), false)"


def pair_text(number: str, name: str) -> str:
    """Two texts as one that no other two give: the length of the first stands before them."""
    return f"cast(length({number}) as varchar) || '|' || {number} || {name}"


def day(as_of: date) -> str:
    """A day as an SQL literal."""
    return f"date '{as_of.isoformat()}'"


def build_spine(engine: SqlEngine, as_of: date, pseudonym_key: bytes) -> int:
    """Makes the engine tables of the spine where this engine has not made them for the day; returns the rows of `spine`.

    `spine` (member_id, household_id, status, person_key, number, name, …) holds identities: for the vault and for
    matching, never for the lake. Reads `valid_rural_revitalisation__members`, and, each where it is there:
    `review_decision`, `previous_review_queue`, `previous_person_key_map` (or else the day's own `person_key_map`, so that
    a run that only matches finds the keys which the day was given).
    """
    if engine.exists("spine_day") and engine.scalar(f"select count(*) from spine_day where as_of = {day(as_of)}"):
        return int(engine.scalar("select count(*) from spine"))
    before = "previous_person_key_map"
    if not engine.exists(before) and engine.exists("person_key_map"):
        before = "person_key_map_given"  # copied, since the day's own map may itself be a view on what it came from
        engine.table(before, "select * from person_key_map")
    return _make_spine(engine, as_of, pseudonym_key, before)


def build_person(engine: SqlEngine, as_of: date, pseudonym_key: bytes) -> int:
    """Makes `person` and `person_key_map` of the day, views on the spine, and that anew; returns the persons.

    Reads what `build_spine` reads, but of the map only `previous_person_key_map`.
    """
    rows = _make_spine(engine, as_of, pseudonym_key, "previous_person_key_map")
    engine.view("person_key_map", _rendered("household/person_key_map", as_of=day(as_of)))
    engine.view("person", _rendered("household/person"))
    return rows


def _make_spine(engine: SqlEngine, as_of: date, pseudonym_key: bytes, map_before: str) -> int:
    _prepare(engine, pseudonym_key)
    _stand_in(engine, "map_before", map_before, NO_PERSON_KEY_MAP)
    _stand_in(engine, "queue_before", "previous_review_queue", NO_REVIEW_QUEUE)
    _stand_in(engine, "steward_decision", "review_decision", NO_REVIEW_DECISION)
    forget_answers(engine)
    for table in ("known_key", "register_number", "register_claim", "steward_answer", "register_role"):
        make(engine, table, f"matching/{table}", as_of=day(as_of))
    rows = make(engine, "spine_row", "matching/spine_row", as_of=day(as_of))
    engine.drop("register_number")  # as large as the spine, and read no more
    for view in ("spine", "spine_number"):
        engine.view(view, _rendered(f"matching/{view}"))
    make(engine, "known_number", "matching/known_number")
    engine.table("spine_day", f"select {day(as_of)} as as_of")
    return rows


def _prepare(engine: SqlEngine, pseudonym_key: bytes) -> None:
    """What the expressions of `identity` and `names` read."""
    identity.use_pseudonym_key(engine, pseudonym_key)
    names.use_variants(engine)


def _stand_in(engine: SqlEngine, name: str, source: str, nothing: str) -> None:
    """`name` is a view of `source` where that is there, and of nothing where it is not."""
    columns = ", ".join(column for column, _ in engine.columns(nothing))
    engine.view(name, f"select {columns} from {source}" if engine.exists(source) else nothing)


def build_matched(engine: SqlEngine, contract: Contract, as_of: date, pseudonym_key: bytes) -> int:
    """Makes the engine table `matched_<table>` from `valid_<table>` and the spine; returns its rows, as many as are valid.

    Needs `build_spine` of the same day, and `valid_rural_revitalisation__households` for what is tied by household.
    Raises `MatchingError` for a contract that says nothing of whom its records are about.
    """
    model, parameters = _matched(engine, contract, as_of, pseudonym_key, ())
    return make(engine, f"matched_{contract.table}", model, **parameters)


def view_matched(engine: SqlEngine, contract: Contract, as_of: date, pseudonym_key: bytes, beside: Sequence[Contract] = ()) -> None:
    """As `build_matched`, but `matched_<table>` is a view, to be written out at once.

    Open numbers and names are answered for the record types `beside` it too, so that theirs need no pass of their own.
    """
    model, parameters = _matched(engine, contract, as_of, pseudonym_key, beside)
    engine.view(f"matched_{contract.table}", _rendered(model, **parameters))


def _matched(
    engine: SqlEngine, contract: Contract, as_of: date, pseudonym_key: bytes, beside: Sequence[Contract]
) -> tuple[str, dict[str, Any]]:
    """The model of a record type's matched rows and its parameters; what it reads is there."""
    _prepare(engine, pseudonym_key)
    common: dict[str, Any] = {
        "valid": f"valid_{contract.table}",
        "record_id": record_id(contract, first_key(engine, contract, "v")),
        "fields": _fields(contract),
        "as_of": day(as_of),
    }
    if contract.subject == "area":
        area = contract.by_role("area_code").name
        return "matched_area", common | {"area_code": area, "amounts": _amounts(contract, "v")}
    household = household_field(contract)
    if household is not None:
        has_member = any(f.name == "member_id" for f in contract.fields)
        return "matched_household", common | {
            "household_id": household.name, "has_member_id": has_member, "amounts": _amounts(contract, "v"),
            "person_key": "p.person_key" if has_member else "cast(null as varchar)", "member_id": "cast(null as varchar)",
        }  # fmt: skip
    delivered = _delivered(engine, contract)
    if not _answers(engine).get(contract.table):
        _answer(engine, [contract, *(other for other in beside if other.table != contract.table)], as_of)
    _note_answered(engine, {table: table != contract.table and waits for table, waits in _answers(engine).items()})
    return "matched", common | {
        "record_type": contract.table, "record_key": delivered.record_key, "number": delivered.number, "name_value": delivered.name_value,
        "at_once": at_once(delivered.name_value), "pair": delivered.pair, "amounts": _amounts(contract, "r"),
    }  # fmt: skip


def ask(engine: SqlEngine, contracts: Sequence[Contract], as_of: date) -> None:
    """Makes `question` and `asked_candidate` where this run has not answered for all of `contracts`."""
    if not {contract.table for contract in contracts} <= _answers(engine).keys():
        _answer(engine, contracts, as_of)


def matched_order(contract: Contract) -> str:
    """The columns that order `matched_<table>` totally."""
    return _RECORD_ID


def household_field(contract: Contract) -> Field | None:
    """The field that ties a record type to its household by number, None where an ID number or an area code does it."""
    if contract.subject == "area":
        return None
    field = contract.find_role("household_id")
    if field is None and contract.record_key.name == "household_id":
        field = contract.record_key
    return field


def number_field(contract: Contract) -> Field:
    """The field that holds the ID number: by its role, or a record key that is classed identity (the certificate number)."""
    field = contract.find_role("id_number") or contract.find_role("head_id_number")
    if field is None and contract.record_key.holds_number:
        field = contract.record_key
    if field is None:
        raise MatchingError(
            f"{contract.department}.{contract.records}: nothing says whom a record is about; "
            f"give a field the role id_number, head_id_number or household_id in {contract.path.name}"
        )
    return field


def _delivered(engine: SqlEngine, contract: Contract) -> Delivered:
    name = contract.find_role("name") or contract.find_role("head_name")
    return Delivered(
        contract.table,
        contract.department,
        contract.records,
        first_key(engine, contract, "v"),
        contract.is_pseudonymous,
        number_field(contract).name,
        name.name if name else "",
    )


def _answer(engine: SqlEngine, contracts: Sequence[Contract], as_of: date) -> None:
    """Answers every distinct number and name that the plain join leaves open in these record types; keeps the questions for the queue.

    An answer depends on the spine and on what was delivered alone, so it does not matter in whose company it is asked.
    """
    asked = [contract for contract in contracts if contract.subject != "area" and household_field(contract) is None]
    parameters: dict[str, Any] = {
        "types": [_delivered(engine, contract) for contract in asked],
        "at_once": at_once("d.name"), "as_of": day(as_of), "pair_text": pair_text,
    }  # fmt: skip
    for table in ("open_record", "open_pair", "candidate", "pair_answer", "question", "decided", "asked_candidate"):
        make(engine, table, f"matching/{table}", **parameters)
    _note_answered(engine, {contract.table: True for contract in asked})


def forget_answers(engine: SqlEngine) -> None:
    """To be called when valid rows change: the engine's answers were for what was there before."""
    engine.drop("answered_type")


def _answers(engine: SqlEngine) -> dict[str, bool]:
    """The record types that the engine's answers are for, and whether each is still to be matched with them."""
    rows = engine.rows("select record_type, is_waiting from answered_type") if engine.exists("answered_type") else []
    return {str(record_type): bool(is_waiting) for record_type, is_waiting in rows}


def _note_answered(engine: SqlEngine, answered: Mapping[str, bool]) -> None:
    rows = ", ".join(f"('{record_type}', {str(is_waiting).lower()})" for record_type, is_waiting in answered.items())
    engine.table("answered_type", f"select record_type, is_waiting from (values {rows}) as entry(record_type, is_waiting)")


def _fields(contract: Contract) -> list[dict[str, str]]:
    """The fields that leave, under their names; one that has the name of a column of matching's own goes as `delivered_…`."""
    own = {name for name, _, _ in MATCHED_COLUMNS} | {_RECORD_ID}
    if household_field(contract) is not None:
        own -= {"household_id", "member_id"}
    return [{"delivered": f.name, "name": f"delivered_{f.name}" if f.name in own else f.name} for f in contract.unnamed]


def _amounts(contract: Contract, row: str) -> list[dict[str, str]]:
    """A column in yuan for each amount that the department reports in ten thousand yuan: `loss_amount`, `loss_yuan`."""
    return [
        {
            "name": f"{f.name.removesuffix('_amount')}_yuan",
            "expression": f"try_cast(cast({row}.{f.name} as decimal(28,2)) * 10000 as decimal(18,2))",
        }
        for f in contract.fields
        if f.unit == _TEN_THOUSAND_YUAN
    ]


def record_id(contract: Contract, key: str) -> str:
    """The record key, or its pseudonym where the key itself is an identity or the contract says so."""
    return identity.pseudonym(f"'{contract.records}|' || {key}") if contract.is_pseudonymous else key


def make(engine: SqlEngine, table: str, model: str, **parameters: Any) -> int:
    """Computes a model. An error of the engine may quote a row, so only its kind is passed on."""
    sql = _rendered(model, **parameters)
    try:
        return engine.table(table, sql)
    except Exception as error:
        raise MatchingError(f"{table} could not be computed by {model}.sql ({type(error).__name__}); see docs/matching.md") from None


def _rendered(model: str, **parameters: Any) -> str:
    return render(model, ids=identity, names=names, **parameters)
