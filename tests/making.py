"""Makes tables on an engine as a run would, from what a test has put there: the runner, on inputs
that stand on the engine.

Belongs here: the calls. Not here: any facts (`tests.indicators.facts`, `tests.matching.county`),
what must come of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from weakref import WeakKeyDictionary

from expectations.contract import Contract, load_contracts
from resources.engines.duckdb import Engine
from warehouse.following_rules import FollowingRules
from warehouse.graph.engine_inputs import EngineInputs
from warehouse.graph.moment import Moment, day_moment
from warehouse.graph.registry import stored_tables
from warehouse.graph.runner import Runner
from warehouse.scoring_rules import Rules

KEY = b"a key for tests only"
HOUSEHOLDS = ("household", "household_member", "household_indicator")
FLAGS = ("warning_flag", "warning_reason")
FOLLOWING = (
    "flag_change",
    "verify_item",
    "follow_up_task",
    "case_progress",
    "area_ledger",
    "bulletin",
    "household_card",
)

_standing: WeakKeyDictionary[Engine, EngineInputs] = WeakKeyDictionary()


def standing(engine: Engine, as_of: date | None = None) -> EngineInputs:
    """What stands on an engine, as the inputs of a day."""
    found = _standing.setdefault(engine, EngineInputs(engine, as_of or date.max))
    if as_of is not None:
        found.as_of = as_of
    return found


def runner(engine: Engine, as_of: date, contracts: Sequence[Contract] | None = None) -> Runner:
    """A runner of a day; by all contracts, or by some."""
    return Runner(
        engine,
        standing(engine, as_of),
        contracts if contracts is not None else load_contracts(),
        KEY,
    )


def make(
    engine: Engine,
    tables: Iterable[str],
    as_of: date,
    rules: Rules | None = None,
    following: FollowingRules | None = None,
    contracts: Sequence[Contract] | None = None,
    moment: Moment | None = None,
) -> None:
    """Makes tables of a day under the rules in force on it, or under others."""
    runner(engine, as_of, contracts).make(tables, moment or day_moment(as_of, rules, following))


def make_lamps(engine: Engine, as_of: date) -> None:
    """The household tables and the lamps of a day."""
    make(engine, (*HOUSEHOLDS, *FLAGS), as_of)


def remember(engine: Engine, as_of: date, tables: Iterable[str] | None = None) -> None:
    """What was made of a day is an earlier day's from now on."""
    made = (
        tables
        if tables is not None
        else [table for table in stored_tables() if engine.exists(table)]
    )
    standing(engine, as_of).keep(made)


def forget(engine: Engine) -> None:
    """No earlier day."""
    standing(engine).kept.clear()
