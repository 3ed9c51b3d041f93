"""The tables of persons, of what they decided, and of the seals over the access log.

Belongs here: those tables. Not here: what writes them (`looking.sql`, `deciding.sql`), who may read
them (`roles`).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from warehouse.schema.tables import _column, _key, _login, _number, _os_user, _table, _when


def _signature() -> tuple[sa.Column[Any], ...]:
    """Who did it: the login, the system's user, and what was typed beside them."""
    return (
        _login("made_by | text | the login that did it"),
        _os_user(),
        _column("remark | text | BY= as it was typed"),
    )


OFFICER = _table(
    "ops",
    "person",
    "Whose a login is: a person may have several, and counts once where two have to agree.",
    _key("login | text"),
    _column("person | text | who; the login itself where nobody said", nullable=False),
    _column(
        "officer_id | text | the staff number that assignments and visits name; never an ID number"
    ),
    _when("added_at"),
    _login("added_by | text | the login that said so"),
    _os_user(),
    sa.CheckConstraint("length(trim(person)) > 0", name="says_who"),
)
GRANT_LOG = _table(
    "ops",
    "grant_log",
    "Every grant and every revocation, appended only; area_grant and department_grant say what"
    " counts now.",
    _number("change_id"),
    _when("at"),
    _column("action | text | login; grant; revoke", nullable=False),
    _column("login | text | whose rights changed", nullable=False),
    _column("role | text"),
    _column("area_code | text"),
    _column("department | text"),
    _column("ends_on | date | the last day on which it counts"),
    *_signature(),
    sa.Index("grant_log_login_idx", "login"),
)
ROLLBACK = _table(
    "ops",
    "rollback",
    "Every time that another release was made current by hand, appended only; kept when a release"
    " is brought back.",
    _number("rollback_id"),
    _when("at"),
    _column("from_release | integer", nullable=False),
    _column("to_release | integer", nullable=False),
    _column("reason | text", nullable=False),
    *_signature(),
)
ACCESS_SEAL = _table(
    "ops",
    "access_seal",
    "Seals over the access log: what was there then can be neither changed nor removed unseen (make"
    " verify-log).",
    _key("seal_id | integer"),
    _when("sealed_at"),
    _login("sealed_by | text"),
    _column("from_id | bigint | the first row", nullable=False),
    _column("to_id | bigint | the last row", nullable=False),
    _column("row_count | bigint", nullable=False),
    sa.Column(
        "ids",
        pg.INT8MULTIRANGE(),
        nullable=False,
        comment="which rows: one that was committed late is in a later seal",
    ),
    _column(
        "hash | text | SHA-256 over the last seal's hash and these rows, in order of id",
        nullable=False,
    ),
)
OFFICER_NAME = _table(
    "vault",
    "officer",
    "The names of the officers whom assignments name; given by yihu.officer().",
    _key("officer_id | text | as it is published"),
    _column("officer_name | text"),
)
RECORD_NUMBER = _table(
    "vault",
    "record_number",
    "A department's own number behind a pseudonym that stands in its place.",
    _key("department | text"),
    _key("records | text"),
    _key("record_id | text | the pseudonym that is published"),
    _column("record_key | text | as the department wrote it", nullable=False),
    _column("household_id | text | whose record it is"),
    sa.Index("record_number_record_id_idx", "record_id"),
)
