"""A day worked through county by county:
household tables, lamps and what follows, in the memory that a county on each core takes.

Belongs here: the way through the counties, and laying what they made into the lake. Not here: which
rows a county reads (`warehouse.counties`), what is computed of them (the models, by
`warehouse.graph.runner`).

Each core has an engine of its own with one thread: a county's tables are too small for two cores to
share, and a county needs nothing of another but what `warehouse.counties` notes for all.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from queue import SimpleQueue

import dagster as dg

from assets import laying
from expectations.engine import name, parquet, pattern
from resources.engines.duckdb import Engine
from resources.lake import CountyWriter
from resources.runtime.context import RunContext
from warehouse import counties
from warehouse.graph import registry
from warehouse.graph.heads import Kind
from warehouse.graph.inputs import TOUCHED, LakeInputs, earlier_day, released_day
from warehouse.graph.laying import overlay
from warehouse.graph.moment import County, Moment, Touched
from warehouse.graph.runner import Runner

EVERYBODY = "all"
"""The grain of what a county cannot be made of by itself."""


def steps_of_counties(tables: Iterable[str]) -> frozenset[str]:
    """Those of the kept tables that are made county by county:
    not the spine and the links, which need everybody.
    """
    return frozenset(
        t for t in tables if registry.maker(t).layer in ("household", "flags") and _reads_matched(t)
    )


def _reads_matched(table: str) -> bool:
    """Whether it is made of matched rows or of what is: after the links."""
    found = registry.inputs_of(table)
    return any(t.startswith("matched_") and "*" not in t for t in found) or any(
        _reads_matched(t) for t in found if not registry.is_of_type(t)
    )


@dataclass(frozen=True)
class Day:
    """What every county of a day is made from, and where its tables go."""

    house: RunContext
    moment: Moment
    tables: tuple[str, ...]
    """What a county makes, each after what it reads."""
    writers: Mapping[str, CountyWriter]
    """What writes each table that the lake keeps."""
    folders: Mapping[str, Path]
    """Where the files of the others are put, a folder a county."""
    earlier: Sequence[counties.Day]
    """The earlier days that are read, whose moved households are noted."""
    touched: Touched | None
    """For whom it is made, where the rest is the day before's."""

    @property
    def over(self) -> tuple[str, ...]:
        """The tables that are laid over the day before's."""
        laid = registry.laid_over() if self.touched is not None else ()
        return tuple(table for table in self.tables if table in laid)

    @property
    def as_of(self) -> date:
        return self.moment.as_of

    @property
    def inputs(self) -> LakeInputs:
        return LakeInputs(self.house.lake, self.house.sources)


def made_by_county(
    house: RunContext, as_of: date, tables: Sequence[str], ahead: Iterable[str]
) -> bool:
    """Makes `tables` and those `ahead` of the day county by county into the lake, where the day is
    worked through so and this run has not made them yet; returns whether it is.
    """
    if not (steps_of_counties(tables) and house.is_by_county(as_of)):
        return False
    if not all(house.is_written(table, as_of) for table in tables):
        asked = steps_of_counties({*tables, *ahead})
        _make(house, as_of, asked)
        laid = [table for table in registry.laid_over() if table in asked]
        if house.scope(as_of) is not None and not laying.is_proved(house, as_of, laid):
            house.in_full(as_of, laying.OTHERWISE)
            _make(house, as_of, asked)
    house.runner.bind(tables, house.moment(as_of))
    for table in tables:
        house.use(table, as_of)
    return True


def _make(house: RunContext, as_of: date, asked: frozenset[str]) -> None:
    touched, moment = house.scope(as_of), house.moment(as_of)
    in_counties = {table for table in asked if registry.maker(table).grain != EVERYBODY}
    rest = registry.ordered(asked - in_counties)
    handed_on = _handed_on(rest)
    with ExitStack() as handed:
        folders = {table: handed.enter_context(_for_the_run(house, table)) for table in handed_on}
        with ExitStack() as written:
            writers = {
                table: written.enter_context(
                    house.lake.writing(
                        house.engine,
                        *registry.layer_and_folder(table),
                        moment.as_of,
                        registry.order_of(table),
                        registry.key_of(table),
                    )
                )
                for table in in_counties
            }
            tables = registry.ordered(in_counties | handed_on)
            earlier = _earlier_days(house, moment, tables)
            day = Day(house, moment, tables, writers, folders, earlier, touched)
            _go_through(day)
        given = {
            table: parquet(pattern(folders[table], "county=*", "*.parquet")) for table in handed_on
        }
        # what needs every county, of what they made and of what they handed on
        house.runner.make(rest, moment, given=given)
        for table in rest:
            house.keep(table, moment.as_of)
        for table in handed_on:
            house.runner.drop(table)
    for table in handed_on:
        shutil.rmtree(folders[table], ignore_errors=True)
    house.note_written(asked, moment.as_of)


def _handed_on(tables: Iterable[str]) -> set[str]:
    """What the counties make for `tables`, which need every county: through what does too."""
    found, waiting, seen = set[str](), list(tables), set(tables)
    while waiting:
        for read in registry.reads(waiting.pop(), Kind.SAME_DAY):
            if read in seen or registry.is_stored(read):
                continue
            seen.add(read)
            if registry.maker(read).grain == EVERYBODY:
                waiting.append(read)
            else:
                found.add(read)
    return found


def _go_through(day: Day) -> None:
    house, log = day.house, dg.get_dagster_logger()
    house.runner.make(["household_county", *counties.REACHING], day.moment)
    had = counties.note_moved(house.engine, day.inputs, day.earlier)
    has = [
        str(code) for (code,) in house.engine.rows("select distinct county from household_county")
    ]
    found = sorted({*had, *has})
    with _engines(day) as engines, ThreadPoolExecutor(engines.qsize()) as pool:
        made = [pool.submit(_make_county, day, engines, county) for county in found]
        try:
            for number, done in enumerate(as_completed(made), 1):
                county, rows = done.result()
                log.info(
                    f"county {county}, {number} of {len(found)}: {rows:,} rows in its largest table"
                )
        finally:
            pool.shutdown(
                cancel_futures=True
            )  # one that failed ends the day; the counties that wait are not begun
    for table in _of_all(day):
        house.runner.drop(table)


@contextmanager
def _for_the_run(house: RunContext, table: str) -> Iterator[Path]:
    """A folder for what the counties hand on, gone with the run."""
    folder = house.settings.home / "tmp" / "by_county" / table
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    yield folder


def _earlier_days(house: RunContext, moment: Moment, tables: Iterable[str]) -> list[counties.Day]:
    """The earlier days that the models of `tables`, and what they need, read."""
    inputs, found = LakeInputs(house.lake, {}), set[counties.Day]()
    for model in registry.with_needs(tables):
        for read in model.reads(Kind.EARLIER_DAY, Kind.RELEASED_DAY):
            of = released_day if read.kind is Kind.RELEASED_DAY else earlier_day
            if (day := of(inputs, read.table, moment.earlier_than)) is not None:
                found.add((read.table, day))
    if moment.base is not None:
        found.update((table, moment.base) for table in tables if table in registry.laid_over())
    return sorted(found)


@contextmanager
def _engines(day: Day) -> Iterator[SimpleQueue[Runner]]:
    """A runner for each of the house's threads, on an engine of its own,
    with what reaches over the borders.
    """
    house, free = day.house, SimpleQueue[Runner]()
    of_all = [*_of_all(day), *([TOUCHED] if day.touched is not None else [])]
    shared = {table: house.share(table) for table in ("household_county", *of_all)}
    with ExitStack() as opened:
        cores = int(house.engine.scalar("select current_setting('threads')"))
        amount, unit = str(house.engine.scalar("select current_setting('memory_limit')")).split()
        for _ in range(cores):
            engine = Engine(
                house.settings.home / "tmp",
                threads=1,
                memory_limit=f"{float(amount) / cores:.3f} {unit}",
            )
            opened.callback(engine.close)
            for table, file in shared.items():
                engine.view(table, f"select * from {parquet(file)}")
            free.put(Runner(engine, day.inputs, house.contracts()))
        yield free


def _of_all(day: Day) -> list[str]:
    """The engine tables that are made of the whole day for every county to read."""
    return [*counties.REACHING, *(counties.moved(*earlier) for earlier in day.earlier)]


def _make_county(day: Day, free: SimpleQueue[Runner], county: str) -> tuple[str, int]:
    """Makes and writes every table of one county, on an engine that is free; returns the county and
    the rows of its largest table.
    """
    runner = free.get()
    try:
        scope, rows = County(county, day.as_of), 0
        laid = _lay_county(day, runner, scope)
        given = {table: name(whole) for table, whole in laid.items()}
        runner.make([t for t in day.tables if t not in laid], day.moment, scope, given=given)
        for table in day.tables:
            if table in day.writers:
                whole = laid.get(table, table)
                rows = max(rows, day.writers[table].add(runner.engine, county, name(whole)))
                continue
            folder = day.folders[table] / f"county={county}"
            folder.mkdir(mode=0o700)
            order = registry.order_of(table) or ", ".join(registry.maker(table).key)
            select = f"select * from {name(table)} order by {order}"
            rows = max(rows, runner.engine.copy(select, folder / "part-0.parquet"))
        for whole in laid.values():
            runner.engine.drop(whole)
        return county, rows
    finally:
        free.put(runner)


def _lay_county(day: Day, runner: Runner, county: County) -> dict[str, str]:
    """Makes the county's tables that are laid over the day before's; by table, the engine's table
    of all of its rows.
    """
    if day.touched is None or day.moment.base is None:
        return {}
    runner.make(day.over, day.moment, replace(day.touched, county=county))
    before, laid = runner.inputs.within(county), dict[str, str]()
    for table in day.over:
        # of a name of its own: what is made of it hangs on the county
        laid[table] = f"laid_{table}_{county.code}"
        was = before.relation(table, day.moment.base)
        runner.engine.table(laid[table], overlay(runner.engine, table, was, name(table)))
    return laid
