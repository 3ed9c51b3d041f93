"""Making an extract for an analyst: a name, columns, what it is for, its key, what it leaves out.

Belongs here: that. Not here: what may be in one and how it is read (`schema.extracting`), which
groups go beside small ones (`small_groups`).
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from expectations.errors import UsageError
from warehouse.database.actor import NOBODY, Actor, acting_as
from warehouse.database.small_groups import Group, Groups, Margin
from warehouse.schema.extracting import COUNTED, FACTS, MOST_COLUMNS, counted_by, extractable
from warehouse.schema.leaving import HIDDEN, THRESHOLD

NAME = re.compile(r"[a-z][a-z0-9_]{2,40}")
CURRENT = "select release_id from ops.current_release"
EARLIER = """
select x.name, x.release_id, x.columns, x.hidden_towns, x.also_hidden
from vault.extract as x
inner join ops.release as r on r.release_id = x.release_id and r.pruned_at is null
order by x.made_at
"""
"""Those of a release that was rolled back too: analysts have read them, and it may come back."""
COUNTS = f"select facts, count(*) from {FACTS}(:release, :columns) group by facts"
HIDDEN_TOWNS = f"""
select distinct h.area_code from {HIDDEN} as h
where length(h.area_code) = 9 and h.family = any(:families)
    and split_part(h.instance, '|', 1)
        = (select as_of::text from ops.release where release_id = :release)
order by 1
"""
INSERT = """
insert into vault.extract (
    name, release_id, columns, reason, pseudonym_key, made_by, hidden_towns, also_hidden
) values (
    :name, :release, :columns, :reason, :key, coalesce(:by, session_user), :hidden_towns,
    cast(:also_hidden as jsonb)
)
"""


class ExtractError(UsageError):
    """The extract cannot be made; says what to write."""


@dataclass(frozen=True)
class Hidden:
    """What an extract leaves out beside its small groups: towns, and groups by their facts."""

    towns: tuple[str, ...]
    groups: tuple[dict[str, object], ...]


@dataclass(frozen=True)
class Made:
    """An extract that can be read."""

    name: str
    release: int
    columns: tuple[str, ...]
    hidden: Hidden


def make_extract(
    engine: sa.Engine,
    name: str,
    columns: Sequence[str],
    reason: str,
    maker: Actor = NOBODY,
) -> int:
    """Makes an extract of the current release, for `yihu.extract(name)`; returns its number.

    Raises:
        ExtractError: with every mistake at once; or where an earlier extract, less this one, would
            tell a small group.
    """
    problems = _problems(name, columns, reason)
    if problems:
        raise ExtractError("; ".join(problems), "docs/query.md has an example")
    wanted = tuple(sorted(set(columns)))
    try:
        with acting_as(engine, maker) as connection:
            connection.exec_driver_sql("lock table vault.extract in share row exclusive mode")
            release = connection.scalar(sa.text(CURRENT))
            if release is None:
                raise ExtractError("nothing was published yet:", "make sync")
            hidden = _hidden(connection, int(release), wanted)
            told = {
                "name": name,
                "release": release,
                "columns": list(columns),
                "reason": reason.strip(),
                "key": secrets.token_bytes(32),
                "by": maker.login,
                "hidden_towns": list(hidden.towns),
                "also_hidden": json.dumps(hidden.groups),
            }
            connection.execute(sa.text(INSERT), told)
    except sa.exc.IntegrityError:
        raise ExtractError(
            f"there is an extract {name} already:",
            "take another name, since a pseudonym never changes",
        ) from None
    return int(release)


def _hidden(connection: sa.Connection, release: int, columns: tuple[str, ...]) -> Hidden:
    """What this extract leaves out beside its small groups, so that nothing else tells these.

    Raises:
        ExtractError: where an earlier extract hides too little for that.
    """
    others = [
        Made(
            made.name,
            made.release_id,
            tuple(sorted(set(made.columns))),
            Hidden(tuple(made.hidden_towns), tuple(made.also_hidden)),
        )
        for made in connection.execute(sa.text(EARLIER)).all()
    ]
    for other in others:
        if (other.release, other.columns) == (release, columns):
            return other.hidden  # the same groups: what was left out once stays out
    _check_earlier(connection, columns, others)
    towns = _towns_of_the_exit(connection, release, columns)
    groups = _groups(connection, release, columns)
    gone = groups.small() | groups.in_towns(towns)
    also = groups.hidden_beside(gone, _margins(columns, [other.columns for other in others]))
    if len(gone | also) == len(groups.counts):
        raise ExtractError(
            "nothing would be left:", "name fewer columns, so that groups are larger"
        )
    values = (map(json.loads, group) for group in sorted(also))
    return Hidden(tuple(towns), tuple(dict(zip(columns, found, strict=True)) for found in values))


def _margins(columns: tuple[str, ...], others: Sequence[tuple[str, ...]]) -> list[Margin]:
    """By what the one exit and other extracts count that is by some of these columns."""
    shared = {tuple(c for c in columns if c in other) for other in others if other != columns}
    return sorted({*counted_by(columns), *shared})


def _check_earlier(
    connection: sa.Connection,
    columns: tuple[str, ...],
    others: Sequence[Made],
) -> None:
    """Refuses an extract that, less an earlier one, would tell a small group of that one."""
    for other in others:
        known = _margins(other.columns, [another.columns for another in others])
        more = _margins(other.columns, [columns, *(another.columns for another in others)])
        if more == known:
            continue
        groups = _groups(connection, other.release, other.columns)
        also = {_group(facts, other.columns) for facts in other.hidden.groups}
        gone = groups.small() | groups.in_towns(other.hidden.towns) | also
        if groups.lacking(gone, more) and not groups.lacking(gone, known):
            shared = ", ".join(column for column in other.columns if column in columns)
            raise ExtractError(
                f"beside the extract {other.name} it would tell groups under {THRESHOLD},"
                f" by {shared}:",
                "take the columns of both into one, or leave these out",
            )


def _towns_of_the_exit(
    connection: sa.Connection,
    release: int,
    columns: tuple[str, ...],
) -> list[str]:
    """The towns that ledgers, rates and rhythms hide of what the columns count."""
    families = [family for by, of in COUNTED.items() if set(by) <= set(columns) for family in of]
    asked = {"families": families, "release": release}
    return list(connection.scalars(sa.text(HIDDEN_TOWNS), asked))


def _groups(connection: sa.Connection, release: int, columns: tuple[str, ...]) -> Groups:
    found = connection.execute(sa.text(COUNTS), {"release": release, "columns": list(columns)})
    return Groups(columns, {_group(facts, columns): int(n) for facts, n in found})


def _group(facts: Mapping[str, object], columns: tuple[str, ...]) -> Group:
    """Values as JSON texts: what is 1 and what is '1' are two."""
    return tuple(json.dumps(facts[column]) for column in columns)


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
