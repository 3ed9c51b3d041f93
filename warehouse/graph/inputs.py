"""Where the runner's inputs lie: the lake, whole or as far as a scope reaches;
what comes from outside.

Belongs here: which days there are, and a day's rows as a relation. Not here: which input is read
(`heads`), by what name (`runner`), how a county is told from the next (`warehouse.counties`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

import pyarrow as pa

from expectations.contract import Contract
from expectations.engine import literal
from expectations.engine import name as identifier
from expectations.errors import YihuError
from warehouse.graph.moment import County, Households, Scope, Touched, Towns
from warehouse.graph.registry import is_of_type, layer_and_folder, published_tables
from warehouse.known import county_known_from
from warehouse.schema.lake import types_of

HELD_BACK = ("release", "held_back")
"""Notes in the lake: the days whose release did not pass its audit."""
MADE_OF = ("release", "made_of")
"""Notes in the lake: the versions of the tables that a day's release was made of."""
SETTLEMENTS, RETROFITS = "matched_health_insurance__settlements", "matched_housing__retrofits"
DWELLINGS = "matched_housing__dwellings"
REGISTER = ("matched_rural_revitalisation__households", "matched_rural_revitalisation__members")
TOUCHED, PROVED = "touched_household", "proved_household"
"""The engine's tables of the households that a day touches, and of those that prove it."""


class MissingInput(YihuError):
    """A table has no such day: what is missing, and what to make first."""


class GraphLake(Protocol):
    """What is needed of the lake; `resources.lake.Lake` is the one in use."""

    def days(self, layer: str, table: str) -> list[date]: ...
    def counties(self, layer: str, table: str, as_of: date) -> list[str]: ...
    def version(self, layer: str, table: str, as_of: date) -> str | None: ...
    def relation(self, layer: str, table: str, as_of: date, county: str | None = None) -> str: ...
    def difference(self, layer: str, table: str, base: date, as_of: date) -> Any: ...
    def note_days(self, layer: str, table: str) -> list[date]: ...
    def read_note(self, layer: str, table: str, as_of: date) -> dict[str, Any] | None: ...
    def write_note(self, layer: str, table: str, as_of: date, note: dict[str, Any]) -> Any: ...
    def remove_note(self, layer: str, table: str, as_of: date) -> None: ...


def made_of(lake: GraphLake, as_of: date, release_id: int) -> dict[str, Any]:
    """What the lake notes of a release: the versions of the tables that it was made of."""
    versions = {
        table: lake.version(*layer_and_folder(table), as_of) for table in published_tables()
    }
    return {"release_id": release_id, "tables": versions}


def can_make_again(lake: GraphLake, as_of: date, release_id: int) -> bool:
    """Whether the lake still has what the release was made of."""
    return lake.read_note(*MADE_OF, as_of) == made_of(lake, as_of, release_id)


class Inputs(Protocol):
    """Tables by name and day, as far as a scope reaches."""

    def days(self, table: str) -> Sequence[date]: ...
    def held_back(self) -> Collection[date]: ...
    def version(self, table: str, as_of: date) -> Hashable: ...
    def relation(self, table: str, as_of: date) -> str: ...
    def difference(self, table: str, base: date, as_of: date) -> str | None: ...
    def outside(self, name: str, as_of: date) -> pa.Table: ...
    def within(self, scope: Scope) -> Inputs: ...


def earlier_day(
    inputs: Inputs, table: str, before: date, not_before: date | None = None
) -> date | None:
    """The newest day of a table before `before`."""
    newest = max((day for day in inputs.days(table) if day < before), default=None)
    return None if newest is None or (not_before is not None and newest < not_before) else newest


def released_day(inputs: Inputs, table: str, before: date) -> date | None:
    """The newest earlier day of a table that was not held back: what readers saw."""
    held_back = inputs.held_back()
    return max(
        (day for day in inputs.days(table) if day < before and day not in held_back), default=None
    )


@dataclass(frozen=True)
class LakeInputs:
    """The whole lake, with what comes from outside: a function by name, of the day."""

    lake: GraphLake
    sources: Mapping[str, Callable[[date], pa.Table]]

    def days(self, table: str) -> Sequence[date]:
        """The days of a table, but of those on which the county was not whole."""
        first = county_known_from(self.lake)
        days = self.lake.days(*layer_and_folder(table))
        return days if first is None else [day for day in days if day >= first]

    def held_back(self) -> Collection[date]:
        return set(self.lake.note_days(*HELD_BACK))

    def version(self, table: str, as_of: date) -> Hashable:
        return self.lake.version(*layer_and_folder(table), as_of)

    def relation(self, table: str, as_of: date) -> str:
        """The rows of the day; raises `MissingInput`."""
        if self.version(table, as_of) is None:
            raise MissingInput(
                f"{table} has no day {as_of} in the lake:",
                f"materialise {table} for {as_of} first, then this asset again",
            )
        return self.lake.relation(*layer_and_folder(table), as_of)

    def difference(self, table: str, base: date, as_of: date) -> str | None:
        """A SELECT of the rows that differ between two days, each with its `_side` (`now`,
        `before`), where the lake knows them without comparing.
        """
        found = self.lake.difference(*layer_and_folder(table), base, as_of)
        if found is None:
            return None
        before = self.relation(table, base)
        key = [identifier(column) for column in found.key]
        same = " and ".join(f"k.{column} is not distinct from b.{column}" for column in key)
        return (
            f"select *, 'now' as _side from {found.came} as c union all by name select b.*,"
            f" 'before' as _side from {before} as b where exists (select 1 from {found.keys} as k"
            f" where {same})"
        )

    def outside(self, name: str, as_of: date) -> pa.Table:
        """Rows of what comes from outside; raises `MissingInput` where nobody brings it."""
        if name not in self.sources:
            raise MissingInput(f"nobody brings {name}", "hand it to LakeInputs among its sources")
        return self.sources[name](as_of)

    def within(self, scope: Scope) -> Inputs:
        """The same as far as a scope reaches."""
        match scope:
            case County(code, as_of):
                from warehouse.counties import CountyInputs

                return CountyInputs(self, code, as_of)
            case _:
                return narrowed(self, scope)


def narrowed(inputs: Inputs, scope: Scope) -> Inputs:
    """Inputs as far as a set of households reaches; all of them for what is no such set."""
    match scope:
        case Households(ids):
            listed = ", ".join(literal(household) for household in sorted(ids))
            return HouseholdInputs(inputs, listed or "null", ids)
        case Touched(version, county):
            reached = inputs if county is None else inputs.within(county)
            touched = f"select household_id from {TOUCHED}"
            return HouseholdInputs(reached, touched, version, with_nobodys=True)
        case Towns(version):
            return TownInputs(inputs, version)
        case _:
            return inputs


@dataclass(frozen=True)
class HouseholdInputs:
    """What lies with a set of households: their rows, and what reaches over to them."""

    whole: Inputs
    ids: str
    """What stands in `household_id in (…)`."""
    mark: Hashable
    """Another one for another set."""
    with_nobodys: bool = False
    """Whether rows in no household are among theirs."""

    def days(self, table: str) -> Sequence[date]:
        return self.whole.days(table)

    def held_back(self) -> Collection[date]:
        return self.whole.held_back()

    def version(self, table: str, as_of: date) -> Hashable:
        version = self.whole.version(table, as_of)
        return None if version is None else (version, self.mark)

    def relation(self, table: str, as_of: date) -> str:
        whole = self.whole.relation(table, as_of)
        if "household_id" not in types_of(table):
            return whole
        theirs = self._theirs("household_id")
        if table == SETTLEMENTS:  # a reversal counts with its original, whoever it names
            return f"(select * from {whole} where {theirs} or reverses_id is not null)"
        if table == RETROFITS:  # a retrofit counts where its dwelling is
            dwellings = self.whole.relation(DWELLINGS, as_of)
            return (
                f"(select r.* from {whole} as r left join (select record_id, household_id from"
                f" {dwellings} where outcome = 'linked') as d on d.record_id = r.dwelling_id where"
                f" {self._theirs('coalesce(d.household_id, r.household_id)')})"
            )
        return f"(select * from {whole} where {theirs})"

    def _theirs(self, household: str) -> str:
        """SQL: whether a household is one of theirs."""
        none = f" or {household} is null" if self.with_nobodys else ""
        return f"({household} in ({self.ids}){none})"

    def difference(self, table: str, base: date, as_of: date) -> str | None:
        return None

    def outside(self, name: str, as_of: date) -> pa.Table:
        return self.whole.outside(name, as_of)

    def within(self, scope: Scope) -> Inputs:
        return self.whole.within(scope)


@dataclass(frozen=True)
class TownInputs:
    """Everybody's records, with the register and the earlier days of some towns' households: what
    is made of them are these households, whoever else their records reach over to.
    """

    whole: Inputs
    mark: Hashable

    def days(self, table: str) -> Sequence[date]:
        return self.whole.days(table)

    def held_back(self) -> Collection[date]:
        return self.whole.held_back()

    def version(self, table: str, as_of: date) -> Hashable:
        version = self.whole.version(table, as_of)
        return None if version is None else (version, "towns", self.mark)

    def relation(self, table: str, as_of: date) -> str:
        whole = self.whole.relation(table, as_of)
        is_earlier = not is_of_type(table) and "household_id" in types_of(table)
        if table in REGISTER or (is_earlier and table != "person"):
            theirs = f"household_id in (select household_id from {PROVED})"
            return f"(select * from {whole} where {theirs})"
        return whole

    def difference(self, table: str, base: date, as_of: date) -> str | None:
        return None

    def outside(self, name: str, as_of: date) -> pa.Table:
        return self.whole.outside(name, as_of)

    def within(self, scope: Scope) -> Inputs:
        return self.whole.within(scope)


def there(inputs: Inputs, contracts: Sequence[Contract], as_of: date) -> tuple[Contract, ...]:
    """The record types whose valid rows of the day are there."""
    return tuple(
        contract
        for contract in contracts
        if inputs.version(f"valid_{contract.table}", as_of) is not None
    )
