"""A day worked through county by county: household tables, lamps and what follows, in the memory that one county takes.

Belongs here: the way through the counties, and what is put aside for the steps that keep it. Not here: which rows a county
reads (`warehouse.counties`), what is computed of them (`warehouse.indicators`, `scoring`, `follow_up`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import dagster as dg

from expectations.contract import Contract
from resources.house import House, place
from warehouse import counties, follow_up, indicators, scoring
from warehouse.following_rules import load_following
from warehouse.scoring_rules import load_rules

ORDER: Mapping[str, str] = {
    **indicators.ORDER,
    **scoring.ORDER,
    **{table: order for table, order in follow_up.ORDER.items() if table != "bulletin"},
    "bulletin_rate": "area_code, measure",
}
"""What is made of each county, and what orders it totally; the ranks of the bulletin need every county's rates."""


def made_by_county(house: House, contracts: Sequence[Contract], as_of: date, table: str) -> bool:
    """Makes all tables of the day county by county, where the day is worked through so and this run has not made `table` yet.

    Leaves each table on the engine under its name, and put aside for `House.keep`; returns whether the day is by county.
    """
    if not house.is_by_county(as_of):
        return False
    return house.stashed(table, as_of) is not None or _make(house, contracts, as_of)


def _make(house: House, contracts: Sequence[Contract], as_of: date) -> bool:
    engine, log = house.engine, dg.get_dagster_logger()
    for table in ORDER:
        house.unstash(table)
    days = {table: day for table in follow_up.NO_PREVIOUS if (day := house.lake.latest(*place(table), as_of)) is not None}
    found = sorted({*house.counties(as_of), *_reach_over(house, contracts, as_of, days)})
    there = {str(name) for (name,) in engine.rows("select table_name from information_schema.tables")}
    for number, county in enumerate(found, 1):
        _use_county(house, contracts, as_of, county, days)
        rules = load_rules(as_of)
        made = indicators.build_indicators(engine, as_of, rules)
        scoring.build_flags(engine, as_of, rules)
        follow_up.build_following(engine, as_of, rules, load_following(as_of), has_previous="warning_flag" in days)
        for table, order in ORDER.items():
            house.stash(table, as_of, order, county)
        log.info(f"county {county}, {number} of {len(found)}: {made.households:,} households")
    _forget_last(house, contracts, as_of, there)
    for table in ORDER:
        house.use_stash(table)
    follow_up.build_bulletin(engine)
    engine.drop("bulletin_rate")
    house.unstash("bulletin_rate")
    return True


def _reach_over(house: House, contracts: Sequence[Contract], as_of: date, days: Mapping[str, date]) -> list[str]:
    """What counties read of each other, from the whole day; returns the counties that the days before had."""
    for contract in contracts:
        house.use(f"matched_{contract.table}", as_of)
    house.use("source_status", as_of)
    house.engine.view("source_state", "select records, state from source_status")
    counties.reach_over(house.engine)
    return counties.note_moved(house.engine, house.lake, {table: place(table) for table in days}, days)


def _use_county(house: House, contracts: Sequence[Contract], as_of: date, county: str, days: Mapping[str, date]) -> None:
    engine, lake = house.engine, house.lake
    for contract in contracts:
        engine.view(f"matched_{contract.table}", counties.matched_of(lake, contract.table, as_of, county))
        house.forget(f"matched_{contract.table}")
    engine.view("person", counties.rows_of(lake, *place("person"), as_of, county))
    house.forget("person")
    for table, nothing in follow_up.NO_PREVIOUS.items():
        engine.view(f"previous_{table}", counties.previous_of(lake, table, place(table), days[table], county) if table in days else nothing)


def _forget_last(house: House, contracts: Sequence[Contract], as_of: date, there: set[str]) -> None:
    """Takes the last county's tables off the engine, and puts the whole day's back."""
    for (name,) in house.engine.rows("select table_name from information_schema.tables"):
        if str(name) not in there:
            house.engine.drop(str(name))
    for table in (*ORDER, "bulletin", "indicator_day"):
        house.forget(table)
        house.engine.drop(table)
    for contract in contracts:
        house.use(f"matched_{contract.table}", as_of)
    house.use("person", as_of)
