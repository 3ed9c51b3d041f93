"""From a record to a person and a household, by ID number, set-wise on the engine.

Belongs here: the spine of the day, `person`, and `matched_<table>` for any contract. Not here: what
a number or a name is (`identity`, `names`), the review queue (`review`), the published quality
(`linkage`).

A run makes the spine once, then matches any record type against it (`models/matching`,
`models/matched*.sql`). Nearly every record is one plain join: its number, as delivered, is a
person's, and the name is the same. Only what is left (each distinct number and name once) goes
through normalising, repair and proposals: for all the types that are there in one pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from expectations.contract import Contract, Field
from expectations.errors import ConfigurationError
from expectations.idnumber import somebodys
from warehouse import identity
from warehouse.keys import first_key

PERSONAL_OUTCOMES = ("linked", "unregistered", "ambiguous", "unidentifiable")
AREA_OUTCOMES = ("placed", "unplaced")
"""Of records of the subject area: tied to a village by its code, or not.
Nobody's household, but where the record names one.
"""
OUTCOMES = (*PERSONAL_OUTCOMES, *AREA_OUTCOMES)
METHODS = (*identity.FORMS, "repaired", "decided", "household_id")
REASONS = (*identity.PROBLEMS, "name_differs", "tie", "register_conflict", "not_registered")

MATCHED_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("person_key", "varchar", "the person it is about"),
    ("member_id", "varchar", "the person's row in the base register"),
    ("household_id", "varchar", "the person's household"),
    (
        "outcome",
        "varchar",
        "linked; unregistered; ambiguous; unidentifiable; of subject area: placed; unplaced",
    ),
    ("method", "varchar", "; ".join(METHODS)),
    ("name_agreement", "varchar", "same; absent; different"),
    ("reason", "varchar", "; ".join(REASONS)),
    ("_arrived_on", "date", "the day on which this version arrived"),
)
"""What matching adds to a record type: name, type, meaning.
`record_id` stands before them, the contract's fields between.
"""

_RECORD_ID = "record_id"
_TEN_THOUSAND_YUAN = "10k yuan"


class MatchingError(ConfigurationError):
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
    """The plain join to `spine_number` as `s` decides: one person has the number as delivered, and
    the name is the same, or absent.

    A number that ends in 000 needs the same name.
    """
    return (
        f"coalesce(s.member_id is not null and ({name} = s.name or ({name} is null and"
        " right(s.number, 3) <> '000')), false)"
    )


def pair_text(number: str, name: str) -> str:
    """Two texts as one that no other two give: the length of the first stands before them."""
    return f"cast(length({number}) as varchar) || '|' || {number} || {name}"


def household_field(contract: Contract) -> Field | None:
    """The field that ties a record type to its household by number,
    None where an ID number or an area code does it.
    """
    if contract.subject == "area":
        return None
    field = contract.find_role("household_id")
    if field is None and contract.record_key.name == "household_id":
        field = contract.record_key
    return field


def model_name(contract: Contract) -> str:
    """The model that matches a record type."""
    if contract.subject == "area":
        return "matched_area"
    return "matched" if household_field(contract) is None else "matched_household"


def is_identified(contract: Contract) -> bool:
    """Whether an ID number says whom its records are about."""
    return model_name(contract) == "matched"


def number_field(contract: Contract) -> Field:
    """The field that holds the ID number: by its role,
    or a record key that is classed identity (the certificate number).
    """
    field = contract.find_role("id_number") or contract.find_role("head_id_number")
    if field is None and contract.record_key.holds_number:
        field = contract.record_key
    if field is None:
        raise MatchingError(
            f"{contract.department}.{contract.records}: nothing says whom a record is about",
            "give a field the role id_number, head_id_number or household_id in"
            f" {contract.path.name}",
        )
    return field


def delivered(contract: Contract) -> Delivered:
    """What of a contract matters to matching.

    Raises `MatchingError` where it says nothing of whom its records are about.
    """
    name = contract.find_role("name") or contract.find_role("head_name")
    return Delivered(
        contract.table,
        contract.department,
        contract.records,
        first_key(contract, "v"),
        contract.is_pseudonymous,
        number_field(contract).name,
        name.name if name else "",
    )


def delivered_fields(contract: Contract) -> list[dict[str, str]]:
    """The fields that leave, under their names;
    one that has the name of a column of matching's own goes as `delivered_…`.
    """
    own = {name for name, _, _ in MATCHED_COLUMNS} | {_RECORD_ID}
    if household_field(contract) is not None:
        own -= {"household_id", "member_id"}
    return [
        {
            "delivered": f.name,
            "name": f"delivered_{f.name}" if f.name in own else f.name,
            "expression": staff_number(f"v.{f.name}") if f.is_staff_number else f"v.{f.name}",
        }
        for f in contract.unnamed
    ]


def staff_number(value: str) -> str:
    """An officer's number as it leaves: as the office wrote it, or its pseudonym where it looks
    like somebody's number.
    """
    told = identity.pseudonym(f"'officer|' || {value}")
    return f"case when {somebodys(value)} then {told} else {value} end"


def amount_fields(contract: Contract) -> list[str]:
    """The columns in yuan that a record type gets for its amounts in ten thousand yuan."""
    return [amount["name"] for amount in _amounts(contract, "r")]


def _amounts(contract: Contract, row: str) -> list[dict[str, str]]:
    """A column in yuan for each amount that the department reports in ten thousand yuan:
    `loss_amount`, `loss_yuan`.
    """
    return [
        {
            "name": f"{f.name.removesuffix('_amount')}_yuan",
            "expression": (
                f"try_cast(cast({row}.{f.name} as decimal(28,2)) * 10000 as decimal(18,2))"
            ),
        }
        for f in contract.fields
        if f.unit == _TEN_THOUSAND_YUAN
    ]


def record_id(contract: Contract) -> str:
    """The record key, or its pseudonym where the key itself is an identity or the
    contract says so.
    """
    key = first_key(contract, "v")
    return (
        identity.pseudonym(f"'{contract.records}|' || {key}") if contract.is_pseudonymous else key
    )


def type_parameters(contract: Contract) -> Mapping[str, Any]:
    """What the models of a record type's matched rows take from its contract.

    Raises `MatchingError`.
    """
    common: dict[str, Any] = {
        "record_id": record_id(contract),
        "fields": delivered_fields(contract),
    }
    if contract.subject == "area":
        named = contract.find_role("household_id")
        return common | {
            "area_code": contract.by_role("area_code").name,
            "household_id": named.name if named else None,
            "amounts": _amounts(contract, "v"),
        }
    household = household_field(contract)
    if household is not None:
        has_member = any(f.name == "member_id" for f in contract.fields)
        return common | {
            "household_id": household.name, "has_member_id": has_member,
            "amounts": _amounts(contract, "v"),
            "person_key": "p.person_key" if has_member else "cast(null as varchar)",
            "member_id": "cast(null as varchar)",
        }  # fmt: skip
    told = delivered(contract)
    return common | {
        "record_type": contract.table, "record_key": told.record_key, "number": told.number,
        "name_value": told.name_value, "pair": told.pair, "amounts": _amounts(contract, "r"),
    }  # fmt: skip
