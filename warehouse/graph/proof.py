"""That a day laid over the one before is what a full run makes: some towns each day, everything on
Sundays.

The towns whose code falls into the day's bucket are made from everybody's records; only the
register and the earlier days are narrowed to their households, so that a fault in what reaches
whom shows. Records are held against the whole plain join, by their own bucket.

Belongs here: which towns, and comparing. Not here: laying over (`laying`), what follows from a
difference (`assets.laying`).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from expectations.contract import Contract
from expectations.engine import SqlEngine, literal, name
from warehouse.graph.inputs import PROVED
from warehouse.graph.laying import matched_of
from warehouse.graph.moment import Moment, Towns
from warehouse.graph.runner import Runner
from warehouse.matching import record_id
from warehouse.schema.lake import types_of

BUCKETS = 28
"""Every town's turn comes within so many days."""
SUNDAY = 6
WHOLE_UP_TO = 500_000
"""Households up to which the whole day is made on Sundays: that takes less than ten minutes."""


@dataclass
class Proof:
    """What a day's proof came to: the tables that were laid over, and where rows differ."""

    tables: list[str] = field(default_factory=list)
    differing: dict[str, int] = field(default_factory=dict)
    what: str = ""

    def add(self, tables: Sequence[str], differing: Mapping[str, int], what: str = "") -> None:
        """Further tables, and the rows of them that differ."""
        self.tables += [table for table in tables if table not in self.tables]
        self.differing |= differing
        self.what = what or self.what

    @property
    def failed(self) -> bool:
        return bool(self.differing)


def is_whole(as_of: date, households: int) -> bool:
    """Whether everything is proved on a day."""
    return as_of.weekday() == SUNDAY and households <= WHOLE_UP_TO


def is_of_bucket(town: str, as_of: date) -> bool:
    """Whether a town is proved on a day."""
    return zlib.crc32(town.encode()) % BUCKETS == as_of.toordinal() % BUCKETS


def choose(runner: Runner, moment: Moment) -> str:
    """Makes `proved_household`: the households that prove the day; says which they are."""
    engine, as_of = runner.engine, moment.as_of
    households, members = (
        runner.inputs.relation(f"matched_rural_revitalisation__{part}", as_of)
        for part in ("households", "members")
    )
    placed = (
        f"select household_id, coalesce(substr(area_code, 1, 9), '') as town from {households}"
        f" union all select distinct m.household_id, '' from {members} as m where m.household_id is"
        f" not null and m.household_id not in (select household_id from {households})"
    )
    engine.table("placed_household", placed)
    count = int(engine.scalar("select count(*) from placed_household"))
    if is_whole(as_of, count):
        engine.table(PROVED, "select distinct household_id from placed_household")
        return f"all {count:,} households"
    towns = engine.rows("select distinct town from placed_household order by 1")
    chosen = [str(town) for (town,) in towns if is_of_bucket(str(town), as_of)]
    listed = ", ".join(map(literal, chosen)) or "null"
    engine.table(
        PROVED,
        f"select distinct household_id from placed_household where town in ({listed})",
    )
    proved = int(engine.scalar(f"select count(*) from {PROVED}"))
    return f"{proved:,} of {count:,} households: towns {', '.join(t or 'none' for t in chosen)}"


def differences(
    runner: Runner, moment: Moment, tables: Sequence[str]
) -> tuple[dict[str, int], str]:
    """The rows of the tables, as they lie in the lake, that a full run makes otherwise; and which
    households were held against it."""
    engine = runner.engine
    said = choose(runner, moment)
    if not engine.scalar(f"select count(*) from {PROVED}"):
        return {}, said
    runner.make(tables, moment, Towns((moment.as_of, said)))
    found: dict[str, int] = {}
    for table in tables:
        laid = runner.inputs.relation(table, moment.as_of)
        columns = ", ".join(name(column) for column in types_of(table))
        theirs = f"where household_id in (select household_id from {PROVED})"
        rows = _unlike(
            engine,
            f"select {columns} from {laid} {theirs}",
            f"select {columns} from {name(table)} {theirs}",
        )
        if rows:
            found[table] = rows
    for table in tables:
        runner.use(table, moment.as_of)
    return found, said


def matched_difference(runner: Runner, contract: Contract, moment: Moment, select: str) -> int:
    """The records of a type's bucket, as they are laid over, that the whole join has otherwise."""
    rows, key = runner.rows(f"valid_{contract.table}", moment.as_of), contract.record_key.name
    keys = f"select v.{name(key)} from {rows} as v"
    ids = f"select {record_id(contract)} as record_id from {rows} as v"
    if moment.as_of.weekday() == SUNDAY:
        whole = f"select * from {name(f'matched_{contract.table}')}"
        return _unlike(runner.engine, select, whole)
    bucket = f" where hash(v.{name(key)}) % {BUCKETS} = {moment.as_of.toordinal() % BUCKETS}"
    return _unlike(
        runner.engine,
        f"select * from ({select}) as laid where record_id in ({ids}{bucket})",
        matched_of(runner, contract, moment, keys + bucket),
    )


def _unlike(engine: SqlEngine, one: str, other: str) -> int:
    """Rows that the two do not have equally often; each is read once."""
    return int(
        engine.scalar(
            "select coalesce(sum(abs(apart)), 0) from (select * exclude (_times), sum(_times) as"
            f" apart from (select *, 1 as _times from ({one}) as one union all select *, -1 as"
            f" _times from ({other}) as other) group by all having sum(_times) <> 0) as unlike"
        )
    )
