"""A day county by county: what of the lake belongs to the households of one county.

Belongs here: which rows a county's indicators and lamps read, so that going county by county comes
to the same as all at once. Not here: what is computed of them (`models`), going through the
counties (`assets.by_county`).

A household's facts depend only on records linked to its members, so a record lies in the county of
the household that it is linked to. Three things reach over the border: a settlement's reversal
counts with its original, whoever it names; a retrofit counts where its dwelling is; and a household
that moved brings its earlier days along.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from expectations.engine import SqlEngine, literal
from warehouse.graph.inputs import RETROFITS, SETTLEMENTS, Inputs, LakeInputs
from warehouse.graph.moment import Scope
from warehouse.graph.parameters import NO_COUNTY
from warehouse.graph.registry import layer_and_folder
from warehouse.model import render
from warehouse.schema.lake import types_of

REACHING = ("reversal_anywhere", "placed_retrofit")
"""What is made of the whole day for every county to read."""

Day = tuple[str, date]
"""A table and one of its days."""


def placed(relation: str) -> str:
    """The rows of `relation`, which has a household_id, with their `_county`."""
    return (
        f"select r.*, coalesce(c.county, '{NO_COUNTY}') as _county from {relation} as r left join"
        " household_county as c on c.household_id = r.household_id"
    )


def moved(table: str, as_of: date) -> str:
    """The engine table of the rows of an earlier day whose household is in another county today."""
    return f"moved_{table}_{as_of:%Y%m%d}"


def note_moved(engine: SqlEngine, inputs: LakeInputs, days: Iterable[Day]) -> list[str]:
    """Makes `moved(table, day)` of each of these earlier days;
    returns the counties that they had.
    """
    counties: set[str] = set()
    for table, as_of in days:
        layer, folder = layer_and_folder(table)
        found = inputs.lake.counties(layer, folder, as_of)
        counties.update(found)
        parts = [
            f"select *, {literal(code)} as county from"
            f" {inputs.lake.relation(layer, folder, as_of, code)}"
            for code in found
        ]
        previous = f"({' union all by name '.join(parts)})"
        engine.table(
            moved(table, as_of),
            f"select * exclude (county) from ({render('counties/moved', previous=previous)})",
        )
    return sorted(counties)


@dataclass(frozen=True)
class CountyInputs:
    """The lake as far as one county's households reach;
    needs `household_county`, `REACHING` and `moved(…)` on the engine.
    """

    whole: LakeInputs
    county: str
    as_of: date
    """The day that is made; others are earlier ones."""

    def days(self, table: str) -> Sequence[date]:
        return self.whole.days(table)

    def held_back(self) -> Collection[date]:
        return self.whole.held_back()

    def version(self, table: str, as_of: date) -> Hashable:
        version = self.whole.version(table, as_of)
        return None if version is None else (version, self.county)

    def difference(self, table: str, base: date, as_of: date) -> str | None:
        return None

    def outside(self, name: str, as_of: date) -> pa.Table:
        return self.whole.outside(name, as_of)

    def within(self, scope: Scope) -> Inputs:
        return self.whole.within(scope)

    def relation(self, table: str, as_of: date) -> str:
        """The county's rows of a day of a table; of a table without households, all of them."""
        if "household_id" not in types_of(table):
            return self.whole.relation(table, as_of)
        if as_of != self.as_of:
            return self._earlier(table, as_of)
        if table == RETROFITS:
            return (
                "(select * exclude (placed_in, county) from placed_retrofit where county ="
                f" {literal(self.county)})"
            )
        own = self._rows(table, as_of)
        if table == SETTLEMENTS:
            return (
                f"(select * from {own} where reverses_id is null union all by name select * from"
                " reversal_anywhere)"
            )
        return own

    def _rows(self, table: str, as_of: date) -> str:
        """The rows that lie in the county; of a table that was kept whole, those that would."""
        layer, folder = layer_and_folder(table)
        found = self.whole.lake.counties(layer, folder, as_of)
        if found == [NO_COUNTY]:
            return (
                f"(select r.* from {self.whole.relation(table, as_of)} as r "
                "left join household_county as c on c.household_id = r.household_id "
                f"where coalesce(c.county, '{NO_COUNTY}') = {literal(self.county)})"
            )
        if self.county in found:
            return self.whole.lake.relation(layer, folder, as_of, self.county)
        return f"(select * from {self.whole.relation(table, as_of)} where false)"

    def _earlier(self, table: str, as_of: date) -> str:
        """An earlier day's rows of the households that the county has today,
        and of those that it had and that nobody has.
        """
        layer, folder = layer_and_folder(table)
        went = moved(table, as_of)
        there = self.county in self.whole.lake.counties(layer, folder, as_of)
        stayed = (
            self.whole.lake.relation(layer, folder, as_of, self.county)
            if there
            else f"(select * from {self.whole.relation(table, as_of)} where false)"
        )
        code = literal(self.county)
        return (
            f"(select s.* from {stayed} as s where s.household_id not in (select household_id from"
            f" {went} where from_county = {code}) union all by name select * exclude (from_county,"
            f" to_county) from {went} where to_county = {code})"
        )
