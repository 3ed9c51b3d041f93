"""Inputs without a lake: tables that stand on the engine under their own names,
or none that has a row.

Belongs here: those stand-ins for `inputs.LakeInputs`, for tests, benchmarks and reading the models'
SQL. Not here: anything that a run of a day uses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa

from expectations.contract import Contract
from expectations.engine import SqlEngine, name
from warehouse.graph.inputs import Inputs
from warehouse.graph.moment import Scope
from warehouse.schema.lake import declared, empty_select, types_of


@dataclass
class EngineInputs:
    """A table of the day is the engine's table of that name;
    an earlier day is what `keep` copied.
    """

    engine: SqlEngine
    as_of: date
    sources: Mapping[str, Callable[[date], pa.Table]] = field(default_factory=dict)
    kept: dict[tuple[str, date], str] = field(default_factory=dict)
    held: set[date] = field(default_factory=set)
    """The days that were held back."""
    _looks: int = 0

    def keep(self, tables: Iterable[str]) -> None:
        """What the engine has of these tables is the day's, for the days to come."""
        for table in tables:
            copy = f"{table}__{self.as_of:%Y%m%d}"
            self.engine.table(copy, f"select * from {name(table)}")
            self.kept[table, self.as_of] = copy

    def days(self, table: str) -> Sequence[date]:
        return sorted(day for kept, day in self.kept if kept == table)

    def held_back(self) -> Collection[date]:
        return self.held

    def version(self, table: str, as_of: date) -> Hashable:
        """Another one at every look: who makes the tables may have made them anew."""
        if as_of != self.as_of:
            return self.kept.get((table, as_of))
        return self._looks if self.engine.exists(table) else None

    def relation(self, table: str, as_of: date) -> str:
        return name(table if as_of == self.as_of else self.kept[table, as_of])

    def difference(self, table: str, base: date, as_of: date) -> str | None:
        return None

    def outside(self, source: str, as_of: date) -> pa.Table:
        return (
            self.sources[source](as_of)
            if source in self.sources
            else declared()[source].arrow.empty_table()
        )

    def within(self, scope: Scope) -> Inputs:
        self._looks += 1
        return self


@dataclass(frozen=True)
class Nothing:
    """Inputs without a row: every table that is read has its declared columns."""

    contracts: tuple[Contract, ...] = ()
    """Record types besides those that there are."""

    def days(self, table: str) -> Sequence[date]:
        return ()

    def held_back(self) -> Collection[date]:
        return ()

    def version(self, table: str, as_of: date) -> Hashable:
        return None

    def relation(self, table: str, as_of: date) -> str:
        return f"({empty_select(types_of(table, self.contracts))})"

    def difference(self, table: str, base: date, as_of: date) -> str | None:
        return None

    def outside(self, name: str, as_of: date) -> pa.Table:
        return declared()[name].arrow.empty_table()

    def within(self, scope: Scope) -> Inputs:
        return self
