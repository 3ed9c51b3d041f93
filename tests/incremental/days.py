"""Days of a few households in a lake of their own, each made in full and laid over the one before.

Belongs here: writing a day's facts, making it both ways, what differs. Not here: the facts and what
happens to them overnight (`overnight`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from expectations.contract import load_contracts
from expectations.engine import name
from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.indicators.facts import Facts
from tests.making import KEY
from warehouse.graph.inputs import LakeInputs
from warehouse.graph.laying import overlay
from warehouse.graph.moment import Moment, Touched, day_moment
from warehouse.graph.registry import key_of, laid_over, layer_and_folder, order_of
from warehouse.graph.runner import Runner
from warehouse.graph.touched import TouchedSet, touch
from warehouse.schema.lake import types_of

INPUTS = (
    *(f"matched_{c.table}" for c in load_contracts()),
    *("person", "review_queue", "source_status"),
)


def unlike(engine: Engine, one: str, other: str) -> int:
    """Rows that two SELECTs do not have in common."""
    return int(
        engine.scalar(
            f"select count(*) from (({one} except all {other}) union all ({other} except all"
            f" {one}))"
        )
    )


class Days:
    """A lake, and the days that were written to it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.lake = folder, Lake(folder / "lake")

    def write(self, facts: Facts, day: date) -> None:
        """The day's matched rows, persons, questions and sources."""
        engine = Engine(self.folder / "tmp")
        facts.register(engine)
        for table in INPUTS:
            layer, folder = layer_and_folder(table)
            key = "record_id" if layer == "matched" else order_of(table).split(",")[0]
            select = f"select * from {name(table)}"
            self.lake.write(engine, layer, folder, day, select, key, key=key_of(table))
        engine.close()

    def make(self, day: date, rules_of: date | None = None) -> None:
        """The day in full, into the lake."""
        engine = Engine(self.folder / "tmp")
        runner = self._runner(engine)
        runner.make(laid_over(), _moment(day, rules_of))
        for table in laid_over():
            layer, folder = layer_and_folder(table)
            columns = ", ".join(name(column) for column in types_of(table))
            select = f"select {columns} from {name(table)}"
            order, key = order_of(table), key_of(table)
            self.lake.write(engine, layer, folder, day, select, order, key=key)
        engine.close()

    def _runner(self, engine: Engine) -> Runner:
        return Runner(engine, LakeInputs(self.lake, {}), load_contracts(), KEY)

    def touched(self, day: date, base: date) -> TouchedSet:
        """Whom the day touches."""
        engine = Engine(self.folder / "tmp")
        try:
            return touch(self._runner(engine), replace(_moment(day, None), base=base))
        finally:
            engine.close()

    def differences(
        self,
        day: date,
        base: date,
        rules_of: date | None = None,
        after_touching: Callable[[Engine], None] | None = None,
    ) -> tuple[TouchedSet, dict[str, int]]:
        """Whom the day touches, and by table the rows that are others laid over `base` than in
        full, which lies in the lake.
        """
        engine = Engine(self.folder / "tmp")
        try:
            runner = self._runner(engine)
            moment = replace(_moment(day, rules_of), base=base)
            found = touch(runner, moment)
            if found.by_cause == {}:
                return found, {}
            if after_touching is not None:
                after_touching(engine)
            return found, self._unlike(engine, runner, moment, base)
        finally:
            engine.close()

    def _unlike(self, engine: Engine, runner: Runner, moment: Moment, base: date) -> dict[str, int]:
        tables: Sequence[str] = laid_over()
        runner.make(tables, moment, Touched("touched"))
        found: dict[str, int] = {}
        for table in tables:
            columns = ", ".join(name(column) for column in types_of(table))
            laid = overlay(engine, table, runner.inputs.relation(table, base), name(table))
            full = self.lake.relation(*layer_and_folder(table), moment.as_of)
            rows = unlike(
                engine, f"select {columns} from ({laid})", f"select {columns} from {full}"
            )
            if rows:
                found[table] = rows
        return found


def _moment(day: date, rules_of: date | None) -> Moment:
    """A day under the rules of another, where one is named."""
    if rules_of is None:
        return day_moment(day)
    of = day_moment(rules_of)
    return replace(of, as_of=day, earlier_than=day, rules=replace(of.rules, as_of=day))
