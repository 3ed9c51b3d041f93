"""A county's day from `valid` to what follows, and the rhythms, on any engine: every model once.

Belongs here: the one runner on a lake that is only read, without Dagster. Not here: comparing
(`twin`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pyarrow as pa

from expectations.contract import load_contracts
from expectations.engine import SqlEngine
from resources.lake import Lake
from warehouse import linkage
from warehouse.graph.inputs import LakeInputs
from warehouse.graph.moment import day_moment
from warehouse.graph.registry import stored_tables
from warehouse.graph.runner import Runner
from warehouse.periodic_reports import PERIODIC_REPORTS
from warehouse.schema.lake import CONTRADICTION_ALIAS, OPENING, STEWARD_DECISION
from warehouse.sources import ledger_table

KEY = b"a key for tests, of 32 characters"


def no_decisions(as_of: date) -> pa.Table:
    """Nobody has answered anything."""
    return STEWARD_DECISION.arrow.empty_table()


def make_day(
    engine: SqlEngine, lake: Lake, as_of: date, decisions: Callable[[date], pa.Table] = no_decisions
) -> None:
    """Every table of the day from `valid` on, by their own names on the engine."""
    contracts = load_contracts()
    ledgers = ledger_table(
        lake.read_note("ledger", contract.table, as_of) for contract in contracts
    )
    sources = {
        "steward_decision": decisions,
        "source_ledger": lambda day: ledgers,
        "contradiction_alias": lambda day: CONTRADICTION_ALIAS.arrow.empty_table(),
        "opening": lambda day: OPENING.arrow.empty_table(),
    }
    inputs = LakeInputs(lake, sources)
    runner = Runner(engine, inputs, contracts, KEY, keeps_views=False)
    made = (
        *(f"matched_{contract.table}" for contract in contracts),
        *stored_tables(),
        "review_candidate",
    )
    runner.make(made, day_moment(as_of))
    engine.view(
        "linkage_quality_history",
        "select department, records, in_force, match_rate, as_of from linkage_quality where false",
    )
    linkage.match_rate_falls(engine)
    # each rhythm's period that holds the day, counted on it
    periods: dict[str, Any] = {
        "weekly_statistics": date.fromordinal(as_of.toordinal() - as_of.weekday())
    }
    for rhythm in PERIODIC_REPORTS:
        quarter = date(as_of.year, 3 * ((as_of.month - 1) // 3) + 1, 1)
        period_on = periods.get(
            rhythm.name, as_of.replace(day=1) if rhythm.months == 1 else quarter
        )
        moment = replace(
            rhythm.moment(period_on, day_moment(as_of)),
            earlier_than=as_of,
            not_before=None,
            flag_days=(as_of,),
            history=(as_of,),
        )
        runner.make((rhythm.name,), moment)
