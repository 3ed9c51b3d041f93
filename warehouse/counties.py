"""A day county by county: what of the lake belongs to the households of one county.

Belongs here: which rows a county's indicators and lamps read, so that going county by county comes to the same as all at once.
Not here: what is computed of them (`indicators`, `scoring`, `follow_up`), going through the counties (`assets.by_county`).

A household's facts depend only on records linked to its members, so a record lies in the county of the household that it is
linked to. Three things reach over the border: a settlement's reversal counts with its original, whoever it names; a retrofit
counts where its dwelling is; and a household that moved brings its yesterday along.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Protocol

from expectations.engine import SqlEngine, literal, parquet
from warehouse.model import render

NO_COUNTY = "000000"
"""The county of what is linked to no household, and of households whose register row is out of force."""

REACHING = ("reversal_anywhere", "placed_retrofit")
"""What `reach_over` makes."""

SETTLEMENTS, RETROFITS = "health_insurance__settlements", "housing__retrofits"


class CountyLake(Protocol):
    """What is needed of the lake; `resources.lake.Lake` is the one in use."""

    def files(self, layer: str, table: str, as_of: date, county: str | None = None) -> str | None: ...
    def counties(self, layer: str, table: str, as_of: date) -> list[str]: ...
    def relation(self, layer: str, table: str, as_of: date, county: str | None = None) -> str: ...


def place_households(engine: SqlEngine) -> None:
    """Makes `household_county` from the register's valid rows."""
    engine.table("household_county", render("counties/household_county", no_county=NO_COUNTY))


def placed(relation: str, order: str) -> str:
    """The rows of `relation`, which has a household_id, with their `_county`, county by county, each in the order `order`."""
    return (
        f"select r.*, coalesce(c.county, '{NO_COUNTY}') as _county from {relation} as r "
        f"left join household_county as c on c.household_id = r.household_id order by _county, {order}"
    )


def reach_over(engine: SqlEngine) -> None:
    """Makes what reaches over the border, from the whole `matched_…` of the day: `reversal_anywhere` and `placed_retrofit`."""
    engine.table("reversal_anywhere", f"select * from matched_{SETTLEMENTS} where reverses_id is not null")
    engine.table("placed_retrofit", render("counties/placed_retrofit", no_county=NO_COUNTY))


def matched_of(lake: CountyLake, table: str, as_of: date, county: str) -> str:
    """The rows of `matched_<table>` that a county's indicators read."""
    if table == RETROFITS:
        return f"select * exclude (placed_in, county) from placed_retrofit where county = '{county}'"
    own = rows_of(lake, "matched", table, as_of, county)
    if table == SETTLEMENTS:
        return f"select * from ({own}) where reverses_id is null union all by name select * from reversal_anywhere"
    return own


def rows_of(lake: CountyLake, layer: str, table: str, as_of: date, county: str) -> str:
    """The rows of a table with a household_id that lie in a county; of a table that was kept whole, those that would."""
    found = lake.counties(layer, table, as_of)
    if found != [NO_COUNTY]:
        files = lake.files(layer, table, as_of, county)
        nothing = f"{_read(lake.files(layer, table, as_of, found[0]))} where false"
        return _read(files) if county in found else nothing
    whole = _read(lake.files(layer, table, as_of))
    return (
        f"select r.* from ({whole}) as r left join household_county as c on c.household_id = r.household_id "
        f"where coalesce(c.county, '{NO_COUNTY}') = '{county}'"
    )


def note_moved(engine: SqlEngine, lake: CountyLake, places: Mapping[str, tuple[str, str]], days: Mapping[str, date]) -> list[str]:
    """Makes `moved_<table>` of each table that has an earlier day; returns the counties that those days had.

    `places` gives the layer and folder of each table, `days` its earlier day.
    """
    counties: set[str] = set()
    for table, day in days.items():
        layer, name = places[table]
        counties.update(lake.counties(layer, name, day))
        parts = [
            f"select *, {literal(code)} as county from {lake.relation(layer, name, day, code)}" for code in lake.counties(layer, name, day)
        ]
        previous = f"({' union all by name '.join(parts)})"
        engine.table(f"moved_{table}", f"select * exclude (county) from ({render('counties/moved', previous=previous)})")
    return sorted(counties)


def previous_of(lake: CountyLake, table: str, place: tuple[str, str], day: date, county: str) -> str:
    """The earlier day's rows of the households that a county has today, and of those that it had and that nobody has."""
    layer, name = place
    found = lake.counties(layer, name, day)
    stayed = (
        _read(lake.files(layer, name, day, county)) if county in found else f"{_read(lake.files(layer, name, day, found[0]))} where false"
    )
    return (
        f"select *, date '{day}' as _as_of from (select s.* from ({stayed}) as s "
        f"where s.household_id not in (select household_id from moved_{table} where from_county = '{county}') "
        f"union all by name select * exclude (from_county, to_county) from moved_{table} where to_county = '{county}')"
    )


def _read(files: str | None) -> str:
    if files is None:
        raise ValueError("a table of the day is not in the lake: run the steps before this one first")
    return f"select * from {parquet(files)}"
