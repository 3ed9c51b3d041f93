"""The lake: a day of a table as one relation, however it lies on disk; notes, and raw batches.

Belongs here: what others ask of the lake. Not here: how a day lies on disk (`states`), is read
(`reading`) and written (`writing`), nor what is in it.
"""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from expectations.engine import SqlEngine, name
from expectations.errors import YihuError
from resources.lake.anew import DaysAnew
from resources.lake.beside import (
    line_of,
)
from resources.lake.reading import Chain, came_of, chain_of, keys_of, rows_of, same
from resources.lake.states import Base, Columns, Places, State, of_content, unwritten
from resources.lake.writing import (
    NO_COUNTY,
    CountyWriter,
    Day,
    Differing,
    Ground,
    OtherBase,
    compared,
    counties_of,
    described,
    digest_of,
    free_dependents,
    ground_of,
    is_heavy,
    make_whole,
    of_county,
    put_came,
    put_keys,
    put_snapshot,
    resting_on,
    rows_among,
    seal_difference,
    seal_snapshot,
    stands,
)
from warehouse.row_hash import Sum

LAYERS = (
    "raw",
    "ledger",
    "valid",
    "withdrawn",
    "quarantine",
    "matched",
    "household",
    "flags",
    "release",
)
_A_TABLE = re.compile(r'select \* from ("(?:[^"]|"")+")')


@dataclass(frozen=True)
class Written:
    """What one write left in the lake."""

    path: Path
    rows: int
    counties: tuple[str, ...]
    changed: int | None = None
    """The keys that differ from the day before; None where the day was not compared with it."""


@dataclass(frozen=True)
class Difference:
    """What differs between two days of a table, as relations: the rows that came,
    and every key whose rows are not the same.
    """

    came: str
    keys: str
    key: tuple[str, ...]


class NotInLake(YihuError):
    """A day that was asked for is not there."""

    next_step = "make sync AS_OF=… of that day first"


class Lake(DaysAnew):
    """The folder tree under `YIHU_HOME/lake`; folders of mode 0700, files of mode 0600."""

    def table(self, layer: str, table: str) -> Path:
        """The folder of what is no day of a table: raw batches, notes."""
        return self.root / layer / table

    # reading

    def relation(self, layer: str, table: str, as_of: date, county: str | None = None) -> str:
        """The rows of a day of a table, or of one county of it, as what stands after `from`.

        Raises `NotInLake`, `BrokenChain`.
        """
        return rows_of(self._chain(layer, table, as_of), county)

    def version(self, layer: str, table: str, as_of: date) -> str | None:
        """Another text for another writing of the day, the same where it was written with the same
        rows as a difference; None where it was not written.
        """
        state = self._places.state(layer, table, as_of)
        return None if state is None else state.version

    def counties(self, layer: str, table: str, as_of: date) -> list[str]:
        """The counties that a day of a table may have rows of, ascending."""
        if self._places.state(layer, table, as_of) is None:
            return []
        return list(self._chain(layer, table, as_of).counties)

    def days(self, layer: str, table: str) -> list[date]:
        """The days that a table has, ascending."""
        return self._places.days(layer, table)

    def latest(self, layer: str, table: str, before: date) -> date | None:
        """The newest day strictly before `before` that a table has."""
        return max((day for day in self.days(layer, table) if day < before), default=None)

    def tables(self) -> list[tuple[str, str]]:
        """Layer and name of every table that has a day."""
        return self._places.tables()

    def folder(self, layer: str, table: str, as_of: date) -> Path | None:
        """Where the day lies; None where it was not written."""
        state = self._places.state(layer, table, as_of)
        return None if state is None else state.folder

    def digest(self, engine: SqlEngine, layer: str, table: str, as_of: date) -> str:
        """The digest of the day's rows (`warehouse.row_hash`). Raises `NotInLake`."""
        return str(described(engine, self._places, self._state(layer, table, as_of)).digest)

    def difference(self, layer: str, table: str, base: date, as_of: date) -> Difference | None:
        """What differs between two days, where it is known without comparing them."""
        first, last = (self._places.state(layer, table, day) for day in (base, as_of))
        if first is None or last is None:
            return None
        chain = chain_of(self._places, layer, table, last)
        before = chain_of(self._places, layer, table, first)
        if chain.snapshot != before.snapshot:
            return None
        known = len(before.steps)
        if chain.steps[:known] != before.steps:
            return None
        steps = chain.steps[known:]
        columns = [column for column, _ in chain.snapshot.columns]
        if not steps:
            rows, key = rows_of(Chain(chain.snapshot)), last.key or first.key
            if not key:
                return None
            listed = ", ".join(name(column) for column in key)
            nothing = f"(select * from {rows} where false)"
            return Difference(nothing, f"(select {listed} from {nothing} as nothing)", key)
        keys, key = f"({keys_of(steps)})", steps[0].key
        came = rows_among(rows_of(chain), keys, key)
        if len(steps) == 1 and steps[0].counties:
            came = f"({came_of(self._places, steps[0], columns)})"
        return Difference(came, keys, key)

    # writing

    def write(
        self,
        engine: SqlEngine,
        layer: str,
        table: str,
        as_of: date,
        select: str,
        order_by: str,
        county: str | None = None,
        key: Sequence[str] = (),
    ) -> Written:
        """Writes a whole day of a table: as what differs from the newest earlier day by `key`,
        or as a snapshot.

        `order_by` is a list of columns that orders the rows totally. `county` is an expression over
        the columns of `select` that gives six digits; without one, all rows go under `000000`.
        `key`: the columns by which rows take the place of others; without it, always a snapshot.
        """
        day = Day(layer, table, as_of, tuple(key), order_by)
        with self._keeping(day):
            ground = ground_of(engine, self._places, day, self.latest(layer, table, as_of))
            if ground is None or tuple(engine.columns(select)) != ground.columns:
                return self._write_whole(engine, day, select, county)
            with _staged(engine, select) as today:
                before = rows_of(ground.chain)
                with compared(engine, today, before, ground.columns, day.key) as differing:
                    return self._settle(engine, day, ground, today, county, differing)

    @contextmanager
    def _keeping(self, day: Day) -> Iterator[None]:
        """The day counts as kept when the block ends well."""
        yield
        self._kept.add((day.layer, day.table, day.as_of))

    def _write_whole(self, engine: SqlEngine, day: Day, select: str, county: str | None) -> Written:
        """A snapshot; nothing where the day lies there with the same rows already."""
        if self._places.state(day.layer, day.table, day.as_of) is None:
            return self._write_snapshot(engine, day, f"({select})", county, None)
        with _staged(engine, select) as today:
            columns = tuple(engine.columns(f"select * from {today}"))
            total = digest_of(engine, today, columns)
            if (same := self._standing(engine, day, total.digest, columns)) is not None:
                return self._written(day, same, 0)
            return self._write_snapshot(engine, day, today, county, total)

    def _standing(self, engine: SqlEngine, day: Day, digest: str, columns: Columns) -> State | None:
        """The day as it lies there, where it has these rows and columns already."""
        described(engine, self._places, self._state(day.layer, day.table, day.as_of))
        same = stands(self._places, day, digest)
        if same is None:
            return None
        chain = self._chain(day.layer, day.table, day.as_of)
        return same if chain.snapshot.columns == columns else None

    def _settle(
        self,
        engine: SqlEngine,
        day: Day,
        ground: Ground,
        today: str,
        county: str | None,
        differing: Differing,
    ) -> Written:
        after = Sum(ground.base.rows or 0, str(ground.base.digest)).plus(differing.sum)
        if (there := stands(self._places, day, after.digest)) is not None:
            return self._written(day, there, differing.touched)
        if differing.touched and is_heavy(ground.base.weight + differing.touched, after.rows):
            return self._write_snapshot(engine, day, today, county, after, differing.touched)
        return self._write_changes(
            engine, day, ground, rows_among(today, differing.keys, day.key), county, differing
        )

    def _write_snapshot(
        self,
        engine: SqlEngine,
        day: Day,
        relation: str,
        county: str | None,
        total: Sum | None,
        changed: int | None = None,
    ) -> Written:
        if resting_on(self._places, day):
            columns = tuple(engine.columns(f"select * from {relation}"))
            total = total or digest_of(engine, relation, columns)
            free_dependents(engine, self._places, day, total.digest)
        final, other = self._folders(day)
        with self._places.replacing(final, other) as work:
            counties, rows = counties_of(engine, relation, county), 0
            for code in counties:
                select = of_county(relation, county, code, counties)
                rows += put_snapshot(engine, work, code, select, day.order_by)
            state = seal_snapshot(engine, self._places, work, day, rows, total)
        return Written(final, rows, state.counties, changed)

    def _write_changes(
        self,
        engine: SqlEngine,
        day: Day,
        ground: Ground,
        came: str,
        county: str | None,
        differing: Differing,
    ) -> Written:
        other, final = self._folders(day)
        after = Sum(ground.base.rows or 0, str(ground.base.digest)).plus(differing.sum)
        free_dependents(engine, self._places, day, after.digest)
        with self._places.replacing(final, other) as work:
            if differing.touched:
                put_keys(engine, work, "all", differing.keys, day.key)
                counties = counties_of(engine, came, county)
                for code in counties:
                    select = of_county(came, county, code, counties)
                    put_came(engine, work, code, select, day.order_by)
            state = seal_difference(
                self._places, work, day, ground, differing.touched, differing.sum
            )
        return self._written(day, replace(state, folder=final), differing.touched)

    def write_difference(
        self,
        engine: SqlEngine,
        layer: str,
        table: str,
        as_of: date,
        *,
        base: date,
        base_version: str,
        came: str,
        went: str,
        key: Sequence[str],
        order_by: str,
        county: str | None = None,
    ) -> Written:
        """Writes a day of which the difference from `base` is known.

        `came`: a SELECT of the rows that `base` does not have; `went`: one of the keys of its rows
        that are no more, or whose place others take. Where `went` has all columns, its rows are
        taken for those of `base`; else they are read there. A day that is due to be a snapshot is
        written as one.

        Raises:
            OtherBase: `base` is not what it was when the difference was taken.
        """
        day = Day(layer, table, as_of, tuple(key), order_by)
        if self.version(layer, table, base) != base_version or base >= as_of:
            raise OtherBase(f"{layer} {table} of {as_of}: {base} is another day than was compared")
        ground = ground_of(engine, self._places, day, base)
        with (
            self._keeping(day),
            _staged(engine, came) as rows,
            _staged(engine, went) as gone,
        ):
            listed = ", ".join(name(column) for column in key)
            before = self.relation(layer, table, base)
            if ground is None or tuple(engine.columns(f"select * from {rows}")) != ground.columns:
                stayed = (
                    f"select b.* from {before} as b where not exists (select 1 from"
                    f" (select {listed} from {gone} union select {listed} from {rows}) as k where"
                    f" {same(key, 'k', 'b')})"
                )
                whole = f"{stayed} union all by name select * from {rows}"
                return self._write_whole(engine, day, whole, county)
            went_columns = tuple(engine.columns(f"select * from {gone}"))
            old = gone if went_columns == ground.columns else rows_among(before, gone, key)
            keys = f"(select {listed} from {gone} union select {listed} from {rows})"
            total = digest_of(engine, rows, ground.columns).minus(
                digest_of(engine, old, ground.columns)
            )
            touched = int(engine.scalar(f"select count(*) from {keys} as k"))
            differing = Differing(keys, touched, total)
            after = Sum(ground.base.rows or 0, str(ground.base.digest)).plus(total)
            if (there := stands(self._places, day, after.digest)) is not None:
                return self._written(day, there, touched)
            return self._write_changes(engine, day, ground, rows, county, differing)

    @contextmanager
    def writing(
        self,
        engine: SqlEngine,
        layer: str,
        table: str,
        as_of: date,
        order_by: str,
        key: Sequence[str],
    ) -> Iterator[CountyWriter]:
        """A day that is written county by county (`CountyWriter.add`, from any thread);
        in the lake when the block ends well.
        """
        day = Day(layer, table, as_of, tuple(key), order_by)
        ground = ground_of(engine, self._places, day, self.latest(layer, table, as_of))
        if ground is not None and ground.chain.counties == (NO_COUNTY,):
            ground = None  # the day before was kept whole
        snapshot, change = self._folders(day)
        final, other = (snapshot, change) if ground is None else (change, snapshot)
        with self._keeping(day), self._places.replacing(final, other) as work:
            writer = CountyWriter(engine, self._places, day, ground, work)
            yield writer
            state = writer.finish()
            there = self._places.state(layer, table, as_of)
            if there is not None or resting_on(self._places, day):
                sealed = replace(state, folder=work)
                known = sealed if sealed.digest else described(engine, self._places, sealed)
                columns = known.columns if ground is None else ground.columns
                if there and self._standing(engine, day, str(known.digest), columns):
                    shutil.rmtree(work)
                    return
                free_dependents(engine, self._places, day, known.digest)

    def carry(self, engine: SqlEngine, layer: str, table: str, source: date, as_of: date) -> None:
        """The day `as_of` has the rows of `source`: the last good state, carried forward."""
        state = described(engine, self._places, self._state(layer, table, source))
        base = state.base if state.is_empty_difference else None
        day = Day(layer, table, as_of, state.key, state.order_by)
        carried = replace(
            of_content(unwritten(as_of), str(state.digest)),
            rows=state.rows,
            base=base or Base(state.day, str(state.digest)),
            key=state.key,
            weight=state.weight,
            order_by=state.order_by,
        )
        other, final = self._folders(day)
        with self._keeping(day):
            if stands(self._places, day, str(state.digest)) is not None:
                return
            free_dependents(engine, self._places, day, state.digest)
            with self._places.replacing(final, other) as work:
                self._places.seal(work, carried)

    def export(self, engine: SqlEngine, layer: str, table: str, as_of: date, file: Path) -> int:
        """Writes a day of a table whole into one Parquet file; returns its rows."""
        order = self._state(layer, table, as_of).order_by
        select = f"select * from {self.relation(layer, table, as_of)}"
        return engine.copy(f"{select} order by {order}" if order else select, file)

    def forget(self, engine: SqlEngine, layer: str, table: str, days: Collection[date]) -> None:
        """Gives up days of a table; what rests on them becomes whole before, and stays the same.
        Killed in between, every day that is kept can be read.
        """
        gone, line = set(days), line_of(self.root)
        home = Places(self.root)
        taken_over: dict[Base, Base] = {}
        roots = [home] if line is None else [home, Places(self.root, line.root)]
        for places in roots:
            own = Places(places.over or self.root)
            for on in own.days(layer, table):
                state = own.state(layer, table, on)
                if state is None or state.base is None or state.base.day not in gone:
                    continue
                if own.root == self.root and on in gone:
                    continue
                if state.base in taken_over:
                    own.described(replace(state, base=taken_over[state.base]))
                    continue
                make_whole(engine, places, Day(layer, table, on, state.key, state.order_by))
                if not state.touched and own.root == self.root:
                    taken_over[state.base] = Base(on, state.base.digest)
        for on in gone:
            home.remove(home.change(layer, table, on))
            home.remove(home.snapshot(layer, table, on))

    def make_whole(self, engine: SqlEngine, layer: str, table: str, as_of: date) -> bool:
        """Writes a day that is a difference as a snapshot of the same rows; whether it was one."""
        return make_whole(engine, self._places, Day(layer, table, as_of, (), "")) is not None

    def lend(self, other: Lake, layer: str, table: str, as_of: date) -> None:
        """Lays links to the day, and to what it rests on, into another lake."""
        if self.version(layer, table, as_of) is None:
            return
        chain, own = self._chain(layer, table, as_of), self._state(layer, table, as_of)
        for folder in {state.folder for state in (chain.snapshot, *chain.steps, own)}:
            home = self.root if self._line is None else self._line.root
            target = other.root / folder.relative_to(home if home in folder.parents else self.root)
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not target.exists():
                target.symlink_to(folder)

    # how a day lies

    def _state(self, layer: str, table: str, as_of: date) -> State:
        state = self._places.state(layer, table, as_of)
        if state is None:
            raise NotInLake(f"{layer} {table} has no day {as_of} in the lake")
        return state

    def _chain(self, layer: str, table: str, as_of: date) -> Chain:
        return chain_of(self._places, layer, table, self._state(layer, table, as_of))

    def _folders(self, day: Day) -> tuple[Path, Path]:
        """Where the day lies as a snapshot, and as a difference."""
        where = (day.layer, day.table, day.as_of)
        return self._places.snapshot(*where), self._places.change(*where)

    def _written(self, day: Day, state: State, changed: int) -> Written:
        counties = self._chain(day.layer, day.table, day.as_of).counties
        return Written(state.folder, state.rows or 0, counties, changed)


@contextmanager
def _staged(engine: SqlEngine, select: str) -> Iterator[str]:
    """A relation of what `select` gives, computed once: it is read several times."""
    if (found := _A_TABLE.fullmatch(select)) is not None:
        yield found.group(1)
        return
    staged = f"_staged_{uuid.uuid4().hex[:8]}"
    try:
        engine.table(staged, select)
        yield name(staged)
    finally:
        engine.drop(staged)
