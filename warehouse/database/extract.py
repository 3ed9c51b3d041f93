"""Making an extract for an analyst: a name, the columns, what it is for, and a key of its own.

Belongs here: that. Not here: what may be in one and how it is read (`schema.extracting`).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

import sqlalchemy as sa

from expectations.errors import UsageError
from warehouse.database.actor import NOBODY, Actor, acting_as
from warehouse.schema.extracting import MOST_COLUMNS, extractable

NAME = re.compile(r"[a-z][a-z0-9_]{2,40}")
INSERT = """
insert into vault.extract (name, release_id, columns, reason, pseudonym_key, made_by)
select :name, c.release_id, :columns, :reason, :key, coalesce(:by, session_user)
from ops.current_release as c returning release_id
"""


class ExtractError(UsageError):
    """The extract cannot be made; says what to write."""


def make_extract(
    engine: sa.Engine, name: str, columns: Sequence[str], reason: str, maker: Actor = NOBODY
) -> int:
    """Makes an extract of the current release; returns the release's number.
    Analysts read it by `yihu.extract(name)`.

    Raises:
        ExtractError: with every mistake at once.
    """
    problems = _problems(name, columns, reason)
    if problems:
        raise ExtractError("; ".join(problems), "docs/query.md has an example")
    told = {
        "name": name,
        "columns": list(columns),
        "reason": reason.strip(),
        "key": secrets.token_bytes(32),
        "by": maker.login,
    }
    try:
        with acting_as(engine, maker) as connection:
            release = connection.scalar(sa.text(INSERT), told)
    except sa.exc.IntegrityError:
        raise ExtractError(
            f"there is an extract {name} already:",
            "take another name, since a pseudonym never changes",
        ) from None
    if release is None:
        raise ExtractError("nothing was published yet:", "make sync")
    return int(release)


def _problems(name: str, columns: Sequence[str], reason: str) -> list[str]:
    known = extractable()
    problems = []
    if not NAME.fullmatch(name):
        problems.append("NAME: use 3 to 41 lower-case letters, digits and _, a letter first")
    if not columns or len(columns) > MOST_COLUMNS:
        problems.append(
            f"COLUMNS: name 1 to {MOST_COLUMNS} of household, household_indicator and warning_flag"
        )
    unknown = [column for column in columns if column not in known]
    if unknown:
        problems.append(
            f"COLUMNS: {len(unknown)} of these are not for extracts; there are"
            f" {', '.join(list(known)[:12])}, … (docs/query.md)"
        )
    if not reason.strip():
        problems.append("WHY: say what it is for")
    return problems
