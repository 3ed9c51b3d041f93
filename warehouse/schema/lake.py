"""What the lake keeps, table by table:
columns, types and meanings, and so the table that is there when there is nothing.

Belongs here: the declaration of tables that are not published; of published ones what they carry
besides; of a record type's tables what its contract makes of them. Not here: what consumers read
(`declared`), who makes a table and in what order (`warehouse.graph`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from expectations.casting import sql_type
from expectations.contract import Contract, contract_for
from expectations.engine import name
from warehouse.layouts import FIRST
from warehouse.merge_state import VALID_EXTRAS, state_columns
from warehouse.schema.declared import HOUSEHOLD_ID, PLACE, VIEW, Column, columns

OUTCOMES = (
    "linked | bigint | records that are tied to a household",
    "unregistered | bigint | whose person the base register does not have",
    "ambiguous | bigint | that could be several persons'",
    "unidentifiable | bigint | that name nobody who could be found",
)
LINKED_BY = {
    "exact": "by the number as delivered",
    "upgraded": "by a number of 15 digits, made one of 18",
    "certificate": "by the number within a certificate's",
    "repaired": "by a number with one fault, and the name",
    "decided": "by a steward's answer",
    "household_id": "by the household's number",
}
NAME_IS = {"same": "the register's", "absent": "empty", "different": "another one"}
STATE_COUNTS = {
    "received": "rows of the day's batch",
    "accepted": "of these: new, or newer than what was in force",
    "unchanged": "of these: as they were in force",
    "superseded": "of these: older than what is in force, or than another row of the batch",
    "withdrawn": "records that were in force and are no more",
    "quarantined": "rows that are set aside",
    "in_force": "records that count on the day",
}
LINK_RATES = (
    "match_rate | numeric(7,6) | linked / in force; null where nothing is in force",
    (
        "false_link_rate | numeric(7,6) | of sound numbers of registered persons, those under"
        " another name"
    ),
)


ARROW: Mapping[str, pa.DataType] = {
    "text": pa.string(),
    "text[]": pa.list_(pa.string()),
    "jsonb": pa.string(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}

PLACED = (
    "placed | bigint | of records about areas: tied to a village",
    "unplaced | bigint | of records about areas: tied to none",
)


@dataclass(frozen=True)
class LakeTable:
    """A table of the lake; types are PostgreSQL's names, as in `declared`."""

    name: str
    columns: tuple[Column, ...]
    meaning: str

    @property
    def types(self) -> Mapping[str, str]:
        """Type by column, as the engine calls it."""
        return {column.name: engine_type(column.type) for column in self.columns}

    @property
    def arrow(self) -> pa.Schema:
        """The same in Arrow."""
        return pa.schema([(column.name, arrow_type(column.type)) for column in self.columns])

    @property
    def empty(self) -> str:
        """No rows, of these columns."""
        return empty_select(self.types)


def engine_type(kind: str) -> str:
    """PostgreSQL's name of a type as the engine's."""
    plain = {"text": "varchar", "text[]": "varchar[]", "jsonb": "varchar"}
    return plain.get(kind, kind.replace("numeric", "decimal"))


def arrow_type(kind: str) -> pa.DataType:
    """PostgreSQL's name of a type as Arrow's."""
    if kind.startswith("numeric("):
        precision, scale = (
            int(part) for part in kind.removeprefix("numeric(").removesuffix(")").split(",")
        )
        return pa.decimal128(precision, scale)
    return ARROW[kind]


def empty_select(types: Mapping[str, str]) -> str:
    """No rows, of these columns."""
    return (
        "select"
        f" {', '.join(f'cast(null as {kind}) as {name(column)}' for column, kind in types.items())}"
        " where false"
    )


PERSON = LakeTable(
    "person",
    columns(
        "person_key | text | the pseudonym: the same from day to day",
        "member_id | text | the person's number in the base register (人编号)",
        HOUSEHOLD_ID,
        "status | text | 1 active; 2 moved out, or merged into another row; 3 deceased",
        "birth_on | date | from the ID number",
        "id_state | text | established; placeholder; conflict",
        "id_method | text | how the number was established",
        "name_masked | text | the surname and *",
        "valid_from | date | the day on which the key was first seen",
        "valid_until | date | the day since which the row is not active",
        "_arrived_on | date | the day on which this version arrived",
    ),
    "The spine: everybody in the base register once, by a pseudonym, and how the ID number was"
    " established.",
)
PERSON_KEY_MAP = LakeTable(
    "person_key_map",
    columns(
        "member_id | text | the person's number in the base register",
        "person_key | text | the pseudonym that the member has",
        "first_key | text | the key that the number gave first",
        "number_hash | text | the number as a pseudonym; null without a sound one",
        "first_seen_on | date | the first day on which the member had this number",
        "is_current | boolean | the number that the register has on the day",
    ),
    "Which member has which person_key, from day to day: a key stays when a number appears or"
    " changes.",
)
REVIEW_QUEUE = LakeTable(
    "review_queue",
    columns(
        "queue_id | text | the same from day to day",
        "department | text | whose record it is",
        "records | text | record type",
        "record_id | text | the record's own number",
        "outcome | text | ambiguous; unregistered; unidentifiable",
        "reason | text | why it is asked",
        "candidate_count | integer | how many it may be",
        "candidates | text[] | person keys",
        "number_hash | text | the number as delivered, as a pseudonym",
        "first_seen_on | date | the first day on which it was asked",
    ),
    "What a steward must decide: ambiguous records and conflicts of the register, by keys, without"
    " identities.",
)
LINKAGE_QUALITY = LakeTable(
    "linkage_quality",
    columns(
        "as_of | date | the day",
        "department | text | whose records",
        "records | text | record type",
        "in_force | bigint | records that count on the day",
        *OUTCOMES,
        *(f"by_{method} | bigint | linked {how}" for method, how in LINKED_BY.items()),
        *(
            f"name_{agreement} | bigint | of the linked: the name delivered is {what}"
            for agreement, what in NAME_IS.items()
        ),
        *LINK_RATES,
        "false_link_low | numeric(7,6) | lower end of its 95% interval",
        "false_link_high | numeric(7,6) | upper end",
        *PLACED,
    ),
    "Match rate, outcomes, methods and the false-link rate estimated from names, per record type.",
)
LEDGER = columns(
    "department | text | who delivers",
    "records | text | record type",
    "batch_id | text | the newest accepted batch",
    "extract_date | date | the day of that batch",
    "age_days | integer | days since that day",
    "state | text | ok; stale; missing",
    *(f"{count} | bigint | {meaning}" for count, meaning in STATE_COUNTS.items()),
)
SAID = columns(
    "notes | bigint | lines of the extract that are no records: titles, totals, notes",
    "behind_window | bigint | rows that changed later than they were read",
    "left_lying | integer | files that lie there and that nothing reads",
    "rejected_batch | text | the extract that was rejected, while nothing newer followed",
    "rejected_on | date | the day of that extract",
    "rejected_rule | text | what it was rejected by",
    "rejected_rows | bigint | how many rows it has",
    "next_step | text | what to do about a source that is not well",
)
SOURCE_LEDGER = LakeTable(
    "source_ledger", (*LEDGER, *SAID), "The day's ledgers, a row per record type."
)
SOURCE_STATUS = LakeTable(
    "source_status",
    (
        *LEDGER,
        *columns(*OUTCOMES, *LINK_RATES, *PLACED),
        *SAID,
    ),
    "Every source: newest accepted batch, age, state, the counts of the day's batch and of its"
    " links.",
)
STEWARD_DECISION = LakeTable(
    "steward_decision",
    columns(
        "queue_id | text | the question that it answers",
        "decision | text | link; unregistered; merge; keep_apart",
        "person_key | text | the person that it names",
        "decided_by | text | the login that answered",
        "decided_at | timestamp | when it was answered",
    ),
    "The stewards' answers that count on a day.",
)
CONTRADICTION_SPAN = LakeTable(
    "contradiction_span",
    (
        *columns("contradiction_id | text | its id, as it was last", HOUSEHOLD_ID),
        *PLACE,
        *columns(
            "member_id | text | empty where it is the household's",
            "code | text | the rule",
            "version | text | of the rule, when it was last open",
            "since | date | first day without a break",
            "is_standing | boolean | on the last day on which its rule ran",
            "stood_on | date | the last day on which it stood",
            "opened_on | date | the first day on which it was open under this version",
            "open_on | date | the last one",
            "content | text | hash of what its rows say",
            "changed_on | date | the day on which that last changed",
        ),
    ),
    "Every contradiction that stands or stood in the last 13 months, as a span.",
)
RUN = columns(
    "code | text | the rule, or the line",
    "run_on | date | a day on which it ran",
    "row_count | integer | rows found",
    "household_count | integer | households among them",
    "is_high | boolean | far more than on the days before, or than a first day may have",
    "flooded_on | date | since when it waits for a steward",
)
CROSSCHECK_RUN = LakeTable(
    "crosscheck_run", RUN, "The last days on which each rule of the contradictions ran."
)
ENTITLEMENT_RUN = LakeTable(
    "entitlement_run", RUN, "The last days on which each line of entitlement was reckoned."
)
ENTITLEMENT_STANDING = LakeTable(
    "entitlement_standing",
    columns(
        "entitlement_id | text | household, scheme and member, joined by |",
        HOUSEHOLD_ID,
        "scheme | text | the line",
        "state | text | met; gap; beyond; unknown",
        "is_standing | boolean | on the day",
        "is_sure | boolean | on the last day on which no source was stale or missing",
        "since | date | first day without a break",
    ),
    "Since when a line of entitlement has its state, carried from day to day.",
)
CONTRADICTION_LIST = LakeTable(
    "contradiction_list",
    (
        *columns("contradiction_id | text | its id, as it was last", HOUSEHOLD_ID),
        *PLACE,
        *columns(
            "member_id | text | empty where it is the household's",
            "code | text | the rule",
            "owner | text | whose list it is",
            "weight | integer | how far up it stands",
            "state | text | open; confirmed",
            "is_drawn | boolean | drawn by lot for the quarter",
            "listed_since | date | first day on the list",
            "listed_on | date | last day on it",
        ),
    ),
    "What the offices are asked, today and in the last 13 months.",
)
STOPPED_AFTER_LISTING = LakeTable(
    "stopped_after_listing",
    columns(
        "code | text | the rule",
        "area_code | text | a county or a town: 6 or 9 digits",
        "month | text | in which the assistance ended",
        "count | integer | awards that ended soon after their household was on a list",
    ),
    "Assistance that ended within some days after its household was on a list.",
)
CONTRADICTION_ALIAS = LakeTable(
    "contradiction_alias",
    columns(
        "old_id | text | an id that a rerun of past days replaced",
        "contradiction_id | text | the id that stands for it now",
        "as_of | date | the day that was made again",
    ),
    "Ids of contradictions of before past days were made again.",
)
OPENING = LakeTable(
    "opening",
    columns(
        "code | text | a rule, or a line of entitlement",
        "opens_on | date | the day from which it goes to the offices",
    ),
    "Who listed too many and was opened by name.",
)
LAMP_SPAN = LakeTable(
    "lamp_span",
    columns(
        HOUSEHOLD_ID,
        "level | text | red; yellow; green; none",
        "is_held | boolean | kept at red by what is not seen",
        "from_on | date | the first day on which it stood so",
        "until_on | date | the last one; null while it stands",
    ),
    "From when to when a lamp stood as it was, carried from day to day.",
)
SUPPORT_STANDING = LakeTable(
    "support_standing",
    columns(
        "list_name | text | the view in which it stands",
        HOUSEHOLD_ID,
        "item | text | which of its rows",
        "is_standing | boolean | on the day",
        "is_sure | boolean | on the last day on which no source was stale or missing",
        "since | date | first day without a break",
    ),
    "Since when a household stands in a list, carried from day to day.",
)
CARRIED: Mapping[str, tuple[Column, ...]] = {
    "warning_flag": columns(
        "_red_codes | text[] | what made the lamp red; carried for the next day, never published"
    ),
    "contradiction": columns(
        "_content | text | hash of what its rows say",
        "_changed_on | date | the day on which that last changed",
    ),
    "contradiction_accuracy": columns(
        "_drawn | integer | of the listed those drawn by lot",
        "_drawn_checked | integer | of these with a verdict",
        "_drawn_confirmed | integer | of these found to be so",
        "_drawn_low | numeric(12,4) | the interval of these alone",
        "_drawn_high | numeric(12,4) | upper end",
    ),
}
"""Columns of published tables that stay in the lake."""

OWN = (
    PERSON,
    PERSON_KEY_MAP,
    REVIEW_QUEUE,
    LINKAGE_QUALITY,
    SOURCE_STATUS,
    SOURCE_LEDGER,
    STEWARD_DECISION,
    CONTRADICTION_SPAN,
    CROSSCHECK_RUN,
    CONTRADICTION_LIST,
    STOPPED_AFTER_LISTING,
    CONTRADICTION_ALIAS,
    OPENING,
    ENTITLEMENT_RUN,
    ENTITLEMENT_STANDING,
    LAMP_SPAN,
    SUPPORT_STANDING,
)


@lru_cache(maxsize=1)
def declared() -> Mapping[str, LakeTable]:
    """Every table that is not one of a record type."""
    published = (
        LakeTable(view.name, (*view.stored, *CARRIED.get(view.name, ())), view.meaning)
        for view in VIEW.values()
    )
    return {table.name: table for table in (*published, *OWN)}


@lru_cache(maxsize=64)
def has_grown(table: str) -> bool:
    """Whether columns of the table came later: days that were kept before lack them."""
    found = declared().get(table)
    return found is not None and any(
        column.since != FIRST or column.effective_from is not None for column in found.columns
    )


def types_of(table: str, contracts: Iterable[Contract] = ()) -> Mapping[str, str]:
    """Type by column of a table of the lake, as the engine calls them; `contracts`: of what record
    types, besides those that there are. Raises `KeyError` for a table that nobody declares."""
    layer, _, record_type = table.partition("_")
    if table in declared():
        return declared()[table].types
    if layer not in ("valid", "matched") or "__" not in record_type:
        raise KeyError(f"{table} is declared nowhere; see warehouse/schema")
    of_type = {contract.table: contract for contract in contracts}.get(record_type)
    contract = of_type or contract_for(record_type.partition("__")[2], with_drafts=True)
    return valid_types(contract) if layer == "valid" else matched_types(contract)


def valid_types(contract: Contract) -> Mapping[str, str]:
    """Columns of the state of a record type."""
    return dict(state_columns(contract, VALID_EXTRAS))


def matched_types(contract: Contract) -> Mapping[str, str]:
    """Columns of a record type once it is matched."""
    # which fields leave, and under what name, is matching's to say
    from warehouse.matching import MATCHED_COLUMNS, amount_fields, delivered_fields

    fields = {
        str(field["name"]): sql_type(contract.field(field["delivered"]).type)
        for field in delivered_fields(contract)
    }
    own = {column: kind for column, kind, _ in MATCHED_COLUMNS}
    arrived = {"_arrived_on": own.pop("_arrived_on")}
    return {
        "record_id": "varchar",
        **fields,
        **own,
        **dict.fromkeys(amount_fields(contract), "decimal(18,2)"),
        **arrived,
    }
