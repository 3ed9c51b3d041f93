"""The tables of `store`, `ops` and `vault` as SQLAlchemy metadata, with their comments.

Belongs here: tables, keys, indexes. Not here: views, functions, policies (`programs`, `roles`); how
a table came to be what it is (`migrations`).
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from warehouse.schema.declared import VIEWS, Column, View
from warehouse.schema.periodic import PERIODIC

OPEN = 2147483647
"""`until_release` of a row that stands in the last release written."""

PLACE_INDEX = ("town_code", "area_code")
"""By which a login's areas are found without touching another row."""

METADATA = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

SIMPLE: dict[str, sa.types.TypeEngine[Any]] = {
    "text": sa.Text(),
    "integer": sa.Integer(),
    "bigint": sa.BigInteger(),
    "boolean": sa.Boolean(),
    "date": sa.Date(),
    "timestamp": sa.DateTime(),
    "timestamptz": sa.DateTime(timezone=True),
    "jsonb": pg.JSONB(),
    "bytea": sa.LargeBinary(),
    "text[]": pg.ARRAY(sa.Text()),
}


def sql_type(name: str) -> sa.types.TypeEngine[Any]:
    """SQLAlchemy's type for PostgreSQL's name of it."""
    decimal = re.fullmatch(r"numeric\((\d+),(\d+)\)", name)
    return sa.Numeric(int(decimal[1]), int(decimal[2])) if decimal else SIMPLE[name]


def _made(column: Column, key: tuple[str, ...]) -> sa.Column[Any]:
    return sa.Column(
        column.name,
        sql_type(column.type),
        nullable=column.name not in key,
        comment=column.meaning or None,
    )


def _versioned(view: View) -> sa.Table:
    columns = [_made(column, view.key) for column in view.stored]
    versions: list[Any] = [
        sa.Column(
            "from_release",
            sa.Integer,
            autoincrement=False,
            nullable=False,
            comment="first release that has this version",
        ),
        sa.Column(
            "until_release",
            sa.Integer,
            nullable=False,
            server_default=str(OPEN),
            comment="first release that no longer has it",
        ),
        sa.Column(
            "row_hash",
            sa.LargeBinary,
            nullable=False,
            comment="MD5 of the row's content in canonical text",
        ),
    ]
    key = sa.PrimaryKeyConstraint(*view.key, "from_release")
    table = sa.Table(
        view.name, METADATA, *columns, *versions, key, schema="store", comment=view.meaning
    )
    _indexed(table, view)
    # with the versions in it, a login's areas are found without a look at a row that was closed
    place = (*PLACE_INDEX, "until_release", "from_release")
    sa.Index(f"{view.name}_place_idx", *(table.c[name] for name in place))
    return table


def _periodic(view: View) -> sa.Table:
    key = sa.PrimaryKeyConstraint(*view.key)
    table = sa.Table(
        view.name,
        METADATA,
        *(_made(column, view.key) for column in view.stored),
        key,
        schema="store",
        comment=view.meaning,
    )
    _indexed(table, view, PLACE_INDEX)
    return table


def _indexed(table: sa.Table, view: View, *more: tuple[str, ...]) -> None:
    for names in (*view.indexes, *more):
        sa.Index(f"{view.name}_{'_'.join(names)}_idx", *(table.c[name] for name in names))


def _table(
    schema: str, name: str, comment: str, *columns: sa.Column[Any] | sa.Constraint | sa.Index
) -> sa.Table:
    return sa.Table(name, METADATA, *columns, schema=schema, comment=comment)


def _column(text: str, **options: Any) -> sa.Column[Any]:
    name, kind, *meaning = (part.strip() for part in text.split("|", 2))
    return sa.Column(
        name, sql_type(kind), comment=meaning[0] if meaning and meaning[0] else None, **options
    )


def _key(text: str) -> sa.Column[Any]:
    return _column(text, primary_key=True, autoincrement=False)


def _number(name: str) -> sa.Column[int]:
    """A number that the table gives."""
    return sa.Column(name, sa.BigInteger, sa.Identity(always=True), primary_key=True)


def _when(name: str, now: str = "clock_timestamp()") -> sa.Column[Any]:
    return _column(f"{name} | timestamptz", nullable=False, server_default=sa.text(now))


def _login(text: str) -> sa.Column[Any]:
    """Whose session it was, where nobody says otherwise."""
    return _column(text, nullable=False, server_default=sa.text("session_user"))


def _os_user() -> sa.Column[Any]:
    return _column("os_user | text | the operating system's user, as the client says")


STORE = {view.name: _versioned(view) for view in VIEWS} | {
    view.name: _periodic(view) for view in PERIODIC
}

RELEASE = _table(
    "ops",
    "release",
    "Every release that was written, with what it was made from.",
    _key("release_id | integer"),
    _column("as_of | date | the business day", nullable=False),
    _column(
        "is_provisional | boolean | as of a day that was not over; the run after midnight"
        " replaces it",
        nullable=False,
    ),
    _column("published_at | timestamptz", nullable=False),
    _column("rule_version | text | hash of the rules in force on the day", nullable=False),
    _column("code_version | text", nullable=False),
    _column("run_id | text", nullable=False),
    _column(
        "checksum | text | SHA-256 over the content of all tables, whatever the order, the run and"
        " the engine",
        nullable=False,
    ),
    _column("households | integer", nullable=False),
    _column("red | integer", nullable=False),
    _column("yellow | integer", nullable=False),
    _column("row_counts | jsonb | rows of each table", nullable=False),
    _column(
        "changed_rows | jsonb | rows of each table that differ from the release before",
        nullable=False,
    ),
    _column("published_by | text | the login that wrote it", nullable=False),
    _column("withdrawn_at | timestamptz | when it was rolled back; as-of reads pass over it"),
    _column("withdrawn_by | text"),
    _column("withdrawn_reason | text"),
    _column("pruned_at | timestamptz | when its versions were given up; it can no longer be read"),
    _column("following_version | text | hash of the rules of what follows in force on the day"),
    _column(
        "access_seal | text | the access log's last seal when it was published: number and hash;"
        " not part of the checksum"
    ),
    _column(
        "layout | text | the layout of its tables and columns: the version that it was counted by",
        nullable=False,
    ),
    _column(
        "catalogue_version | text | hash of the catalogue of indicators in force on the day",
        nullable=False,
    ),
    _column(
        "further_version | text | hash of the rules of contradictions, issues and entitlements in"
        " force on the day"
    ),
    sa.Index("release_as_of_idx", "as_of"),
)
CURRENT_RELEASE = _table(
    "ops",
    "current_release",
    "One row: the release that readers see.",
    _column("slot | boolean", primary_key=True, server_default=sa.true()),
    sa.Column("release_id", sa.Integer, sa.ForeignKey("ops.release.release_id"), nullable=False),
    sa.CheckConstraint("slot", name="one_row"),
)
TURN = _table(
    "ops",
    "turn",
    "Whose turn it is to write.",
    _column(
        "slot | boolean | never a row: the table is locked by whoever writes", primary_key=True
    ),
)
SOURCE_STATUS = _table(
    "ops",
    "source_status",
    "How fresh and how complete each record type was for a release.",
    _key("release_id | integer"),
    _key("department | text"),
    _key("records | text"),
    _column("batch_id | text | the newest accepted batch"),
    _column("extract_date | date | its day"),
    _column("age_days | integer | as_of - extract_date"),
    _column("state | text | the first that holds of missing; incomplete; rejected; stale; ok"),
    _column("received | bigint | rows of today's batch; null without one"),
    _column("accepted | bigint"),
    _column("unchanged | bigint"),
    _column("superseded | bigint | an older version than the one held"),
    _column("withdrawn | bigint"),
    _column("quarantined | bigint"),
    _column("in_force | bigint | rows of the as-of state"),
    _column("linked | bigint"),
    _column("unregistered | bigint"),
    _column("ambiguous | bigint"),
    _column("unidentifiable | bigint"),
    _column("match_rate | numeric(7,6) | linked / in_force"),
    _column("false_link_rate | numeric(7,6) | estimated from names"),
    _column("placed | bigint | of subject area: records tied to a village; null else"),
    _column("unplaced | bigint | of subject area: records whose area is none of the register's"),
    _column(
        "notes | bigint | lines of today's batch that are no records: titles, totals, signatures;"
        " null without one"
    ),
    _column(
        "behind_window | bigint | rows of today's batch that are dated later than the day; null"
        " without one"
    ),
    _column("left_lying | integer | files in the department's folder that no contract takes"),
    _column(
        "rejected_batch | text | the newest rejected batch, while nothing newer was accepted; null"
        " unless rejected"
    ),
    _column("rejected_on | date | its day"),
    _column("rejected_rule | text | the rule that rejected it"),
    _column("rejected_rows | bigint | the rows that broke the rule"),
    _column("next_step | text | what to do; null where nothing is to be done"),
)
VALIDATION_RESULT = _table(
    "ops",
    "validation_result",
    "What each rule said of each record type on a day: counts, no values.",
    _key("as_of | date"),
    _key("department | text"),
    _key("records | text"),
    _key("rule | text"),
    _column("batch_id | text"),
    _column("severity | text | critical; warning"),
    _column("passed | boolean"),
    _column("could_run | boolean | false where the rule itself failed"),
    _column("element_count | bigint"),
    _column("unexpected_count | bigint"),
)
QUARANTINE = _table(
    "ops",
    "quarantine",
    "Rows that are set aside, by key and rule; what they hold is in vault.quarantine_row.",
    _key("department | text"),
    _key("records | text"),
    _key("batch_id | text"),
    _key("row_number | bigint | the row's place in its batch"),
    _column("as_of | date | the day of this state"),
    _column("record_key | text | the department's key; null where the key itself is an identity"),
    _column("rules | text[] | every rule that the row broke"),
    _column("updated_at | timestamp"),
    _column("first_seen_on | date"),
    _column("last_seen_on | date"),
    _column("times_seen | bigint"),
    _column("is_withdrawal | boolean"),
)
REVIEW_QUEUE = _table(
    "ops",
    "review_queue",
    "Records that wait for a steward: whose are they? Candidates are masked here.",
    _key("queue_id | text | the same from day to day"),
    _column("as_of | date | the day of this state"),
    _column("department | text"),
    _column("records | text"),
    _column("record_id | text"),
    _column("outcome | text | ambiguous; unidentifiable; …"),
    _column("reason | text | why it is here: tie, name_differs, …"),
    _column("candidate_count | integer"),
    _column(
        "candidates | jsonb | masked: person_key, member_id, household_id, name_masked,"
        " name_agreement"
    ),
    _column("first_seen_on | date"),
)
REVIEW_DECISION = _table(
    "ops",
    "review_decision",
    "A steward's answer; two different stewards for a merge.",
    _number("decision_id"),
    _column("queue_id | text", nullable=False),
    _column("department | text"),
    _column("records | text"),
    _column("record_id | text"),
    _column("decision | text | link; unregistered; merge; keep_apart", nullable=False),
    _column("person_key | text | whose it is, for a link"),
    _column("other_person_key | text | the second person, for a merge"),
    _login("decided_by | text"),
    _when("decided_at", "now()"),
    _column("reason | text | why", nullable=False),
    _column("person | text | whose login it was then (ops.person)"),
    _os_user(),
    sa.CheckConstraint(
        "decision in ('link', 'unregistered', 'merge', 'keep_apart')", name="known_decision"
    ),
    sa.CheckConstraint("length(trim(reason)) > 0", name="says_why"),
)
AREA_GRANT = _table(
    "ops",
    "area_grant",
    "Which areas a login of yihu_area sees: a county, a town or a village.",
    _key("login | text"),
    _key("area_code | text | 6, 9 or 12 digits"),
    _login("granted_by | text"),
    _when("granted_at", "now()"),
    _column("ends_on | date | the last day on which it counts; null: until it is revoked"),
    sa.CheckConstraint("area_code ~ '^([0-9]{6}|[0-9]{9}|[0-9]{12})$'", name="is_a_code"),
)
DEPARTMENT_GRANT = _table(
    "ops",
    "department_grant",
    "Which department a login of yihu_department works for.",
    _key("login | text"),
    _key("department | text"),
    _login("granted_by | text"),
    _when("granted_at", "now()"),
    _column("ends_on | date | the last day on which it counts; null: until it is revoked"),
)
GATE_OPENING = _table(
    "ops",
    "gate_opening",
    "A named person let a release pass a gate, and why.",
    _key("as_of | date"),
    _key("gate | text"),
    _column(
        "opened_by | text | a person, not a login: a remark beside login and os_user",
        nullable=False,
    ),
    _column("reason | text", nullable=False),
    _when("opened_at", "now()"),
    _column("used_by_release | integer | the release that passed"),
    _column("login | text | who opened it"),
    _os_user(),
    sa.CheckConstraint(
        "length(trim(opened_by)) > 0 and length(trim(reason)) > 0", name="says_who_and_why"
    ),
)
ACCESS_LOG = _table(
    "ops",
    "access_log",
    "Who asked to look at an identity, when, and why; appended only, and sealed (access_seal).",
    _number("access_id"),
    _when("at"),
    _login("login | text"),
    _column("action | text | the function that was called", nullable=False),
    _column("subject | text | household, person key or queue entry; never an ID number"),
    _column("reason | text"),
    _column("row_count | integer | rows of identities that the ticket shows"),
    _column("purpose | text | visit; verify; correct; help; audit"),
    _column("outcome | text | granted; refused; limit: too many tickets in an hour"),
    _column("households | text[] | whose identities they are"),
    _column(
        "transaction_id | bigint | of the transaction that asked: a ticket is good once that is"
        " committed"
    ),
    _column("ticket_hash | bytea | SHA-256 of the ticket"),
    sa.Index("access_log_login_idx", "login", "at"),
    sa.Index("access_log_ticket_idx", "ticket_hash", unique=True),
)
OPENING = _table(
    "ops",
    "opening",
    "A named person let a rule that listed too many go to the offices, and why; appended only.",
    _number("opening_id"),
    _column("code | text | a rule of the contradictions, or a line of entitlement", nullable=False),
    _column("opens_on | date | the business day from which it goes there", nullable=False),
    _column("reason | text", nullable=False),
    _login("opened_by | text"),
    _when("opened_at", "now()"),
    _column("person | text | whose login it was then (ops.person)"),
    _os_user(),
    sa.CheckConstraint("length(trim(reason)) > 0", name="says_why"),
)
CONTRADICTION_ALIAS = _table(
    "ops",
    "contradiction_alias",
    "Ids of contradictions that a rerun of past days replaced: a verdict finds its question.",
    _key("old_id | text"),
    _column("contradiction_id | text | the id that stands for it now", nullable=False),
    _column("as_of | date | the day that was made again", nullable=False),
)
STOPPED_AFTER_LISTING = _table(
    "ops",
    "stopped_after_listing",
    "Assistance that ended within 60 days after its household was on a list of contradictions:"
    " a question is no reason to stop anything.",
    _key("code | text | the rule"),
    _key("area_code | text | a county or a town: 6 or 9 digits"),
    _key("month | text | in which it ended, 2026-11"),
    _column("count | integer | awards", nullable=False),
)
PERSON = _table(
    "vault",
    "person",
    "Who is behind a person_key.",
    _key("member_id | text"),
    _column("person_key | text", nullable=False),
    _column("household_id | text"),
    _column("id_number | text | as in the base register"),
    _column("name | text"),
    _column("row_hash | bytea | tells a changed row from an unchanged one", nullable=False),
    sa.Index("person_household_id_idx", "household_id"),
)
QUARANTINE_ROW = _table(
    "vault",
    "quarantine_row",
    "The rows of the quarantine as delivered.",
    _key("department | text"),
    _key("records | text"),
    _key("batch_id | text"),
    _key("row_number | bigint"),
    _column("raw | text | JSON text of the row as delivered"),
)
QUEUE_CANDIDATE = _table(
    "vault",
    "queue_candidate",
    "The candidates of a queue entry, unmasked, beside the record's own name and number.",
    _key("queue_id | text"),
    _key("position | integer"),
    _column("person_key | text"),
    _column("member_id | text"),
    _column("household_id | text"),
    _column("id_number | text"),
    _column("name | text"),
    _column("rule | text | why this person is a candidate"),
    _column("name_agreement | text | same; absent; different"),
    _column("record_id_number | text | as the department delivered it"),
    _column("record_name | text"),
)
EXTRACT = _table(
    "vault",
    "extract",
    "Extracts for analysts: households under pseudonyms, in groups of five at least.",
    _key("name | text | what analysts call it"),
    _column("release_id | integer | the release that it is of", nullable=False),
    _column(
        "columns | text[] | of household, household_indicator and warning_flag", nullable=False
    ),
    _column("reason | text | what it is for", nullable=False),
    _login("made_by | text"),
    _when("made_at"),
    _column(
        "pseudonym_key | bytea | of this extract alone: no pseudonym is found again in another",
        nullable=False,
    ),
    _column(
        "hidden_towns | text[] | towns that are left out, since the one exit hides them",
        nullable=False,
        server_default=sa.text("'{}'"),
    ),
    _column(
        "also_hidden | jsonb | facts of groups that are left out, since a difference would tell a"
        " small one",
        nullable=False,
        server_default=sa.text("'[]'"),
    ),
    sa.CheckConstraint("length(trim(reason)) > 0", name="says_why"),
    sa.CheckConstraint("length(pseudonym_key) >= 32", name="long_key"),
)
