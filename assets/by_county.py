"""A day worked through county by county: household tables, lamps and what follows, in the memory that a county on each core takes.

Belongs here: the way through the counties, and what is put aside for the steps that keep it. Not here: which rows a county
reads (`warehouse.counties`), what is computed of them (`warehouse.indicators`, `scoring`, `follow_up`).

Each core has an engine of its own with one thread: a county's tables are too small for two cores to share, and a county
needs nothing of another but what `warehouse.counties` notes for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from queue import SimpleQueue

import dagster as dg

from expectations.contract import Contract
from resources.engine import Engine
from resources.house import House, place
from warehouse import counties, follow_up, indicators, scoring
from warehouse.following_rules import load_following
from warehouse.scoring_rules import load_rules
from warehouse.sources import source_state_select

ORDER: Mapping[str, str] = {
    **indicators.ORDER,
    **scoring.ORDER,
    **{table: order for table, order in follow_up.ORDER.items() if table != "bulletin"},
    "bulletin_rate": "area_code, measure",
}
"""What is made of each county, and what orders it totally; the ranks of the bulletin need every county's rates."""


@dataclass(frozen=True)
class Day:
    """What every county of a day is made from."""

    house: House
    contracts: Sequence[Contract]
    as_of: date
    before: Mapping[str, date]
    """The newest earlier day of each table that a day carries on from, where there is one."""


def made_by_county(house: House, contracts: Sequence[Contract], as_of: date, table: str) -> bool:
    """Makes all tables of the day county by county, where the day is worked through so and this run has not made `table` yet.

    Leaves each table on the engine under its name, and put aside for `House.keep`; returns whether the day is by county.
    """
    if not house.is_by_county(as_of):
        return False
    if house.stashed(table, as_of) is None:
        before = {name: day for name in follow_up.NO_PREVIOUS if (day := house.lake.latest(*place(name), as_of)) is not None}
        _make(Day(house, contracts, as_of, before))
    return True


def _make(day: Day) -> None:
    house, log = day.house, dg.get_dagster_logger()
    for table in ORDER:
        house.begin_stash(table, day.as_of)
    found = sorted({*house.counties(day.as_of), *_reach_over(day)})
    with _engines(day) as engines, ThreadPoolExecutor(engines.qsize()) as pool:
        made = [pool.submit(_make_county, day, engines, county) for county in found]
        try:
            for number, done in enumerate(as_completed(made), 1):
                county, households = done.result()
                log.info(f"county {county}, {number} of {len(found)}: {households:,} households")
        finally:
            pool.shutdown(cancel_futures=True)  # one that failed ends the day; the counties that wait are not begun
    for table in _of_all(day):
        house.engine.drop(table)
    for table in ORDER:
        house.use_stash(table)
    follow_up.build_bulletin(house.engine)
    house.engine.drop("bulletin_rate")
    house.unstash("bulletin_rate")


def _reach_over(day: Day) -> list[str]:
    """Makes what counties read of each other, from the whole day; returns the counties that the days before had."""
    house = day.house
    for contract in day.contracts:
        house.use(f"matched_{contract.table}", day.as_of)
    counties.reach_over(house.engine)
    return counties.note_moved(house.engine, house.lake, {table: place(table) for table in day.before}, day.before)


@contextmanager
def _engines(day: Day) -> Iterator[SimpleQueue[Engine]]:
    """An engine for each of the house's threads, which share its memory, with what reaches over the borders, and the sources' states."""
    house, free = day.house, SimpleQueue[Engine]()
    shared = {name: house.share(name) for name in ("household_county", *_of_all(day))}
    status = str(house.lake.files(*place("source_status"), day.as_of))
    with ExitStack() as opened:
        cores = int(house.engine.scalar("select current_setting('threads')"))
        amount, unit = str(house.engine.scalar("select current_setting('memory_limit')")).split()
        for _ in range(cores):
            engine = Engine(house.settings.home / "tmp", threads=1, memory_limit=f"{float(amount) / cores:.3f} {unit}")
            opened.callback(engine.close)
            for name, file in shared.items():
                engine.parquet_view(name, str(file))
            engine.parquet_view("source_status", status)
            engine.table("source_state", source_state_select())
            free.put(engine)
        yield free


def _of_all(day: Day) -> list[str]:
    """The engine tables that are made of the whole day for every county to read."""
    return [*counties.REACHING, *(f"moved_{table}" for table in day.before)]


def _make_county(day: Day, free: SimpleQueue[Engine], county: str) -> tuple[str, int]:
    """Makes and puts aside every table of one county, on an engine that is free; returns the county and its households."""
    engine = free.get()
    try:
        _use_county(day, engine, county)
        rules = load_rules(day.as_of)
        made = indicators.build_indicators(engine, day.as_of, rules)
        scoring.build_flags(engine, day.as_of, rules)
        follow_up.build_following(engine, day.as_of, rules, load_following(day.as_of), has_previous="warning_flag" in day.before)
        for table, order in ORDER.items():
            day.house.stash(engine, table, order, county)
        return county, made.households
    finally:
        free.put(engine)


def _use_county(day: Day, engine: Engine, county: str) -> None:
    lake = day.house.lake
    for contract in day.contracts:
        engine.view(f"matched_{contract.table}", counties.matched_of(lake, contract.table, day.as_of, county))
    engine.view("person", counties.rows_of(lake, *place("person"), day.as_of, county))
    for table, nothing in follow_up.NO_PREVIOUS.items():
        earlier = day.before.get(table)
        engine.view(f"previous_{table}", nothing if earlier is None else counties.previous_of(lake, table, place(table), earlier, county))
