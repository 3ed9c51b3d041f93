"""Writing a day: as the rows that came and the keys that differ since the newest earlier day,
or as a snapshot again where there is no such day, or where the differences weigh too much.

Belongs here: comparing, deciding, putting files into a day's folder. Not here: where it lies
(`states`), reading it back (`reading`).
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from expectations.engine import SqlEngine, literal, name, parquet, pattern
from expectations.errors import DefectError, YihuError
from resources.lake.reading import BrokenChain, Chain, chain_of, rows_of, same
from resources.lake.states import Base, Columns, Places, State, of_content, unwritten
from warehouse.row_hash import NO_ROWS, Sum, row_hash, summed

NO_COUNTY = "000000"
"""The county of tables whose rows do not name one."""
QUARTER = 4
"""Differences of more than a quarter of the rows: a snapshot is cheaper to read."""
MONTH = timedelta(days=31)
"""Differences are taken from a snapshot for so long."""


class OtherBase(YihuError):
    """A difference was taken from rows that the base does not have, or has no more."""

    next_step = "compare with the day as it lies in the lake"


@dataclass(frozen=True)
class Day:
    """One day of one table that is to be written."""

    layer: str
    table: str
    as_of: date
    key: tuple[str, ...]
    order_by: str


@dataclass(frozen=True)
class Ground:
    """What a day can be written as a difference from."""

    base: State
    chain: Chain

    @property
    def columns(self) -> Columns:
        return self.chain.snapshot.columns


@dataclass(frozen=True)
class Differing:
    """What differs between two relations: the keys, on the engine, and the difference's sum."""

    keys: str
    touched: int
    sum: Sum


def digest_of(engine: SqlEngine, relation: str, columns: Columns) -> Sum:
    """The rows of a relation and their digest; reads all of them."""
    return summed(engine.arrow(f"select {row_hash(columns)} as row_hash from {relation}"))


def described(engine: SqlEngine, places: Places, state: State) -> State:
    """The state with its digest, rows and columns; where they are not known, by reading it."""
    if state.digest is not None and state.rows is not None:
        return state
    rows = rows_of(Chain(state))
    columns = state.columns or tuple(engine.columns(f"select * from {rows}"))
    found = digest_of(engine, rows, columns)
    known = replace(state, digest=found.digest, rows=found.rows, columns=columns)
    places.described(known)
    return known


def ground_of(engine: SqlEngine, places: Places, day: Day, earlier: date | None) -> Ground | None:
    """What the day is a difference from; None where it is to be a snapshot."""
    state = None if earlier is None else places.state(day.layer, day.table, earlier)
    if state is None or not day.key:
        return None
    if state.is_empty_difference and state.base is not None:
        state = places.state(day.layer, day.table, state.base.day) or state
    chain = chain_of(places, day.layer, day.table, state)
    if chain.steps and chain.steps[0].key != day.key:
        return None
    if state.weight and (
        day.as_of - chain.snapshot.day > MONTH or is_heavy(state.weight, state.rows)
    ):
        return None
    known = described(engine, places, state)
    return Ground(known, replace(chain, snapshot=known) if known.is_snapshot else chain)


def is_heavy(weight: int, rows: int | None) -> bool:
    return weight * QUARTER > (rows or 0)


@contextmanager
def compared(
    engine: SqlEngine, today: str, before: str, columns: Columns, key: Sequence[str]
) -> Iterator[Differing]:
    """What differs between two relations, by key and row hash: any row of a key that is not in
    both, as often.
    """
    differing, keys = (f"_{what}_{uuid.uuid4().hex[:8]}" for what in ("differing", "keys"))
    listed, digest = ", ".join(name(column) for column in key), row_hash(columns)
    try:
        rows = engine.table(
            differing,
            f"select {listed}, row_hash, cast(sum(_n) as bigint) as _n from (select {listed},"
            f" {digest} as row_hash, 1 as _n from {today} union all select {listed}, {digest} as"
            f" row_hash, -1 as _n from {before}) as _both group by {listed}, row_hash having"
            " sum(_n) <> 0",
        )
        if not rows:
            yield Differing("", 0, NO_ROWS)
            return
        total = summed(engine.arrow(f"select row_hash, _n from {differing}"))
        touched = engine.table(keys, f"select distinct {listed} from {differing}")
        yield Differing(keys, touched, total)
    finally:
        engine.drop(keys)
        engine.drop(differing)


def rows_among(today: str, keys: str, key: Sequence[str]) -> str:
    """The rows of a relation whose key is among `keys`, as a relation."""
    return (
        f"(select t.* from {today} as t where exists (select 1 from {keys} as k where"
        f" {same(key, 'k', 't')}))"
    )


def counties_of(engine: SqlEngine, relation: str, county: str | None) -> list[str]:
    """The counties of a relation's rows, ascending; one where it does not tell them apart."""
    if county is None:
        return [NO_COUNTY]
    code = f"coalesce({county}, '{NO_COUNTY}')"
    found = engine.rows(f"select distinct {code} from {relation} order by 1")
    return [str(c) for (c,) in found] or [NO_COUNTY]


def of_county(relation: str, county: str | None, code: str, counties: Sequence[str]) -> str:
    """A SELECT of the rows of one county of a relation."""
    if county is None or len(counties) == 1:
        return f"select * from {relation}"
    return f"select * from {relation} where coalesce({county}, '{NO_COUNTY}') = {literal(code)}"


def put_snapshot(engine: SqlEngine, work: Path, code: str, select: str, order_by: str) -> int:
    """One county's file of a snapshot."""
    folder = work / f"county={code}"
    folder.mkdir(mode=0o700)
    return engine.copy(f"{select} order by {order_by}", folder / "part-0.parquet")


def put_came(engine: SqlEngine, work: Path, code: str, select: str, order_by: str) -> int:
    """One county's file of the rows that came; none where there is no row."""
    file = work / f"came-{code}.parquet"
    rows = engine.copy(f"{select} order by {order_by}", file)
    if not rows:
        file.unlink()
    return rows


def put_keys(engine: SqlEngine, work: Path, part: str, keys: str, key: Sequence[str]) -> None:
    listed = ", ".join(name(column) for column in key)
    engine.copy(
        f"select distinct {listed} from {keys} order by {listed}", work / f"keys-{part}.parquet"
    )


def seal_snapshot(
    engine: SqlEngine, places: Places, work: Path, day: Day, rows: int, total: Sum | None
) -> State:
    """Writes what the folder of a snapshot says of itself."""
    files = pattern(work, "county=*", "*.parquet")
    counties = tuple(sorted(path.name[7:] for path in work.glob("county=*")))
    state = replace(
        unwritten(day.as_of),
        counties=counties,
        rows=rows,
        columns=tuple(engine.columns(f"select * from {parquet(files)}")),
        key=day.key,
        order_by=day.order_by,
    )
    if total is not None:
        state = of_content(state, total.digest)
    return places.seal(work, state)


def seal_difference(
    places: Places, work: Path, day: Day, ground: Ground, differing: int, total: Sum
) -> State:
    """Writes what the folder of a difference says of itself."""
    base = ground.base
    after = Sum(base.rows or 0, str(base.digest)).plus(total)
    state = replace(
        unwritten(day.as_of),
        counties=tuple(sorted(path.stem[5:] for path in work.glob("came-*.parquet"))),
        key_parts=tuple(sorted(path.stem[5:] for path in work.glob("keys-*.parquet"))),
        rows=after.rows,
        base=Base(base.day, str(base.digest)),
        key=day.key,
        touched=differing,
        weight=base.weight + differing,
        order_by=day.order_by,
    )
    return places.seal(work, of_content(state, after.digest))


def resting_on(places: Places, day: Day) -> list[State]:
    """The later days, of those that lie with it, whose difference is from this one."""
    own = Places(places.root if places.over is None else places.over)
    later = [on for on in own.days(day.layer, day.table) if on > day.as_of]
    states = (own.state(day.layer, day.table, on) for on in later)
    return [s for s in states if s is not None and s.base is not None and s.base.day == day.as_of]


def stands(places: Places, day: Day, digest: str) -> State | None:
    """The day as it lies there, where it has these rows already and can be read."""
    there = places.state(day.layer, day.table, day.as_of)
    if there is None or there.digest != digest:
        return None
    try:
        chain_of(places, day.layer, day.table, there)
    except BrokenChain:
        return None
    return there


def make_whole(engine: SqlEngine, places: Places, day: Day) -> State | None:
    """Writes a day that is a difference as a snapshot, of the same rows and digest;
    None where it is one.
    """
    state = places.state(day.layer, day.table, day.as_of)
    if state is None or state.is_snapshot:
        return None
    chain = chain_of(places, day.layer, day.table, state)
    order = state.order_by or day.order_by
    final, other = (f(day.layer, day.table, day.as_of) for f in (places.snapshot, places.change))
    with places.replacing(final, other) as work:
        rows = 0
        for code in chain.counties:
            select = f"select * from {rows_of(chain, code)}"
            rows += put_snapshot(engine, work, code, select, order)
        whole = Sum(rows, str(state.digest))
        made = replace(day, key=state.key, order_by=order)
        sealed = seal_snapshot(engine, places, work, made, rows, whole)
    return replace(sealed, folder=final)


def free_dependents(engine: SqlEngine, places: Places, day: Day, digest: str | None) -> None:
    """Before a day gets other rows: what rests on it becomes whole, and stays what it was."""
    for state in resting_on(places, day):
        if state.base is not None and state.base.digest != digest:
            make_whole(engine, places, replace(day, as_of=state.day, order_by=state.order_by))


@dataclass
class CountyWriter:
    """A day that is written county by county, from threads with engines of their own."""

    engine: SqlEngine
    places: Places
    day: Day
    ground: Ground | None
    work: Path
    rows: int = 0
    touched: int = 0
    total: Sum = NO_ROWS
    seen: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, engine: SqlEngine, code: str, relation: str) -> int:
        """Writes the rows of one county, on the engine that has them; returns how many they are."""
        with self._lock:
            self.seen.add(code)
        if self.ground is None:
            rows = put_snapshot(
                engine, self.work, code, f"select * from {relation}", self.day.order_by
            )
            with self._lock:
                self.rows += rows
            return rows
        if tuple(engine.columns(f"select * from {relation}")) != self.ground.columns:
            raise DefectError(
                f"{self.day.table} of county {code} has other columns than the day before",
                "report it",
            )
        self._add_difference(engine, code, relation, self.ground)
        return int(engine.scalar(f"select count(*) from {relation}"))

    def _add_difference(self, engine: SqlEngine, code: str, relation: str, ground: Ground) -> None:
        day, before = self.day, rows_of(ground.chain, code)
        with compared(engine, relation, before, ground.columns, day.key) as differing:
            if differing.touched:
                put_keys(engine, self.work, code, differing.keys, day.key)
                came = f"select * from {rows_among(relation, differing.keys, day.key)}"
                put_came(engine, self.work, code, came, day.order_by)
            with self._lock:
                self.touched += differing.touched
                self.total = self.total.plus(differing.sum)

    def finish(self) -> State:
        """What no county has any more goes; then the day is what was added."""
        if self.ground is None:
            if not self.seen:
                raise DefectError(f"{self.day.table} has no county", "report it")
            return seal_snapshot(self.engine, self.places, self.work, self.day, self.rows, None)
        nothing = f"(select * from {rows_of(Chain(self.ground.chain.snapshot))} where false)"
        for code in sorted(set(self.ground.chain.counties) - self.seen):
            self._add_difference(self.engine, code, nothing, self.ground)
        state = seal_difference(
            self.places, self.work, self.day, self.ground, self.touched, self.total
        )
        self._refuse_shared_keys(self.ground, state)
        return state

    def _refuse_shared_keys(self, ground: Ground, state: State) -> None:
        """A key that two counties have would take the place of the other's row."""
        if not state.touched:
            return
        chain = replace(ground.chain, steps=(*ground.chain.steps, replace(state, folder=self.work)))
        read = int(self.engine.scalar(f"select count(*) from {rows_of(chain)}"))
        if read != state.rows:
            raise DefectError(
                f"{self.day.table} of {self.day.as_of} would be read with {read:,} rows and has"
                f" {state.rows:,}: two counties have rows of one key",
                "report it, and do not publish this day",
            )
