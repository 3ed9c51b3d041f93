"""The rules of a suite counted by the engine itself:
for trials, where importing Great Expectations costs more than all else.

Belongs here: the same counts as on `gx_duckdb`, from the same queries. Not here: which rules
(`rules`); runs use GX.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from expectations.engine import SqlEngine, name


@dataclass(frozen=True)
class Outcome:
    """What came of one rule, as `gx_outcomes.Outcome` says it."""

    could_run: bool
    unexpected_count: int


def run_suite(
    engine: SqlEngine, view: str, suite: str, queries: Mapping[str, str]
) -> dict[str, Outcome]:
    """The outcome of each rule over `view`; one whose query cannot run could not run."""
    return {
        rule: _counted(engine, query.format(batch=name(view))) for rule, query in queries.items()
    }


def _counted(engine: SqlEngine, query: str) -> Outcome:
    try:
        return Outcome(True, int(engine.scalar(f"select count(*) from ({query}) as unexpected")))
    except Exception:
        # whatever the engine says may quote a value
        return Outcome(False, 0)
