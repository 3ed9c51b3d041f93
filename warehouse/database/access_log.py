"""The access log from outside the database:
sealing it, finding what was changed or removed, and who looked at a household.

Belongs here: those three. Not here: how a row gets into the log (`schema/looking.sql`). A seal is
computed in the database and checked here, so that one who replaced the database's functions is
found out too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

FIELD, NOTHING = chr(31), chr(29)
ROWS = """
select access_id, to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') as at, login, action,
  subject, reason, row_count, purpose, outcome,
  array_to_string(households, ',', '-') as households, transaction_id,
  encode(ticket_hash, 'hex') as ticket
from ops.access_log order by access_id
"""
SEALS = """
select s.seal_id, s.row_count, s.hash, s.from_id, s.to_id,
  array(select array[lower(r), upper(r)] from unnest(s.ids) as r order by 1) as ranges,
  to_char((s.sealed_at - interval '2 minutes') at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')
    as whole_until
from ops.access_seal as s order by s.seal_id
"""
LOOKED = """
select day, officer, officer_id, login, purpose, action, outcome, reason, at
from ops.who_looked where household_id = :household order by at
"""


@dataclass(frozen=True)
class IdentityAccess:
    """One look at a household, or one that was refused."""

    day: date
    officer: str
    officer_id: str | None
    login: str
    purpose: str
    action: str
    outcome: str
    reason: str | None
    at: datetime


@dataclass(frozen=True)
class Verified:
    """What `make verify-log` found; `problems` is empty where nothing was changed or removed."""

    seals: int
    sealed_rows: int
    unsealed_rows: int
    last: str | None
    problems: tuple[str, ...]
    late: tuple[int, ...] = ()
    """Rows of a time that was sealed already when they came:
    a transaction was held open, or somebody put them in by hand.
    """


def seal(engine: sa.Engine) -> str | None:
    """Seals what is new in the log; number and hash of the last seal, None for an empty log."""
    with engine.begin() as connection:
        found = connection.scalar(sa.text("select ops.seal_log()"))
        return None if found is None else str(found)


def last_seal(engine: sa.Engine) -> str | None:
    """Number and hash of the last seal."""
    with engine.connect() as connection:
        found = connection.scalar(
            sa.text(
                "select seal_id || ':' || hash from ops.access_seal order by seal_id desc limit 1"
            )
        )
        return None if found is None else str(found)


def who_looked(engine: sa.Engine, household: str) -> list[IdentityAccess]:
    """Every look at a household's identities, refused ones too, in order of time."""
    with engine.connect() as connection:
        return [
            IdentityAccess(*row)
            for row in connection.execute(sa.text(LOOKED), {"household": household})
        ]


def verify(engine: sa.Engine, told: Sequence[tuple[str, str]] = ()) -> Verified:
    """Holds the log against its seals, and the seals against those that went out with releases
    (`told`: where, and the seal).
    """
    with engine.connect() as connection, connection.begin():
        # one state of things, whoever seals meanwhile
        connection.exec_driver_sql("set transaction isolation level repeatable read read only")
        lines = dict(_lines(connection))
        seals = connection.execute(sa.text(SEALS)).all()
        releases = connection.execute(
            sa.text(
                "select release_id, access_seal from ops.release where access_seal is not null"
                " order by 1"
            )
        ).all()
    problems: list[str] = []
    known, before, sealed, whole_until = set[str](), "", set[int](), ""
    late: list[int] = []
    for place, row in enumerate(seals, start=1):
        ids = [number for first, end in row.ranges for number in range(first, end)]
        problems += _broken(row, ids, lines, before, sealed, place)
        late += _late(ids, lines, whole_until)
        sealed |= set(ids)
        before, whole_until = row.hash, row.whole_until
        known.add(f"{row.seal_id}:{row.hash}")
    told = [*((f"release {release_id}", text) for release_id, text in releases), *told]
    problems += [
        f"{where} names the seal {_short(text)}, which is not there"
        for where, text in told
        if text not in known
    ]
    last = f"{seals[-1].seal_id}:{seals[-1].hash}" if seals else None
    late += _late(sorted(set(lines) - sealed), lines, whole_until)
    return Verified(
        len(seals),
        len(sealed & set(lines)),
        len(set(lines) - sealed),
        last,
        tuple(problems),
        tuple(late),
    )


def _broken(
    seal: Any, ids: list[int], lines: dict[int, str], before: str, sealed: set[int], place: int
) -> Iterator[str]:
    """What is wrong with one seal: removed rows by number,
    else that a row or the seal was changed.
    """
    if seal.seal_id != place:
        yield f"seal {place} is missing: seal {seal.seal_id} stands in its place"
    if gone := [number for number in ids if number not in lines]:
        yield (
            f"seal {seal.seal_id}: {len(gone)} rows were removed:"
            f" {', '.join(map(str, gone[:10]))}{' …' if gone[10:] else ''}"
        )
        return
    text = before + "\n" + "\n".join(lines[number] for number in ids)
    is_whole = (
        len(ids) == seal.row_count
        and (ids[0], ids[-1]) == (seal.from_id, seal.to_id)
        and not sealed & set(ids)
    )
    if not is_whole or hashlib.sha256(text.encode()).hexdigest() != seal.hash:
        yield (
            f"seal {seal.seal_id}: a row from {seal.from_id} to {seal.to_id}, or the seal itself or"
            " the one before it, was changed"
        )


def _late(ids: Sequence[int], lines: dict[int, str], whole_until: str) -> list[int]:
    """Which rows were not there when the seal before theirs was made,
    though their time was over by then.
    """
    return [
        number for number in ids if number in lines and lines[number].split(FIELD)[1] < whole_until
    ]


def _lines(connection: sa.Connection) -> Iterator[tuple[int, str]]:
    """Each row of the log as the text that a seal is over (`ops.access_line`)."""
    for row in connection.execute(sa.text(ROWS)):
        yield int(row[0]), FIELD.join(NOTHING if value is None else str(value) for value in row)


def seals_in_manifests(release_dir: Path) -> list[tuple[str, str]]:
    """The seals that the manifests of the release folders name."""
    found = []
    for manifest in sorted(release_dir.glob("as_of=*/release=*/manifest.json")):
        seal_then = json.loads(manifest.read_text(encoding="utf-8")).get("access_seal")
        if seal_then:
            found.append(
                (
                    f"the manifest of {manifest.parent.parent.name}/{manifest.parent.name}",
                    str(seal_then),
                )
            )
    return found


def _short(text: str) -> str:
    number, _, value = text.partition(":")
    return f"{number}:{value[:12]}…"
