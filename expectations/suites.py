"""The GX suites of a batch, built from its contract and run on the engine.

Belongs here: running rules, one outcome each. Not here: what the rules are (`rules`), what follows
from them (`validation`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from expectations.contract import Contract
from expectations.engine import SqlEngine
from expectations.rules import Rule


@dataclass(frozen=True)
class RuleResult:
    """What came of one rule: counts, never a value."""

    rule: str
    severity: str
    passed: bool
    could_run: bool
    element_count: int
    unexpected_count: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class BatchViews:
    """The engine's views of one landed batch: every row, and the rows that are no withdrawals."""

    delivered: str
    records: str
    delivered_count: int
    records_count: int

    def of(self, rule: Rule) -> str:
        """The view that a rule looks at."""
        return self.delivered if rule.on_withdrawals else self.records


def batch_views(engine: SqlEngine, contract: Contract, rows: str) -> BatchViews:
    """Registers the views over `rows` (a relation in SQL)."""
    delivered, records = f"batch_{contract.table}", f"batch_{contract.table}_records"
    engine.view(delivered, f"select * from {rows}")
    engine.view(records, f"select * from {rows} where _op is distinct from 'D'")
    total, alive = engine.rows(
        f"select count(*), count(*) filter (where _op is distinct from 'D') from {rows}"
    )[0]
    return BatchViews(delivered, records, int(total), int(alive))


def applicable(engine: SqlEngine, rules: Sequence[Rule]) -> list[Rule]:
    """The rules whose needed views are there:
    a reference to a record type that is not at hand cannot be asked.
    """
    return [rule for rule in rules if all(engine.exists(view) for view in rule.needs)]


def gx_on(kind: str) -> ModuleType:
    """GX on one kind of engine; importing it costs seconds."""
    return import_module(f"expectations.gx_{kind}")


def run_rules(
    engine: SqlEngine, contract: Contract, views: BatchViews, rules: Sequence[Rule]
) -> list[RuleResult]:
    """Runs the rules as GX suites on the engine; the results in the order of `rules`.

    An empty batch passes every row rule.
    """
    outcomes: dict[str, Any] = {}
    run_suite = gx_on(engine.kind).run_suite
    for view, withdrawals in ((views.delivered, True), (views.records, False)):
        queries = {rule.name: rule.query for rule in rules if rule.on_withdrawals is withdrawals}
        if queries:
            outcomes |= run_suite(engine, view, f"{contract.table}:{view}", queries)
    return [_result(rule, outcomes[rule.name], views) for rule in rules]


def _result(rule: Rule, outcome: Any, views: BatchViews) -> RuleResult:
    count = views.delivered_count if rule.on_withdrawals else views.records_count
    passed = outcome.could_run and outcome.unexpected_count == 0
    return RuleResult(
        rule.name, rule.severity, passed, outcome.could_run, count, outcome.unexpected_count
    )
