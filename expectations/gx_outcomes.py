"""What Great Expectations' two engines share:
an expectation that counts, and what came of each rule.

Belongs here: nothing of an engine (`gx_duckdb`, `gx_spark`). Importing GX costs seconds: import
this inside functions.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import great_expectations as gx
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.core import UnexpectedRowsExpectation

_log = logging.getLogger("great_expectations")
_log.addHandler(logging.NullHandler())
_log.propagate = False
"""GX logs the text of an engine's error, which may quote a value: outcomes are ours to tell."""


@dataclass(frozen=True)
class Outcome:
    """What came of one rule: whether it could run, and how many rows broke it. Never a value."""

    could_run: bool
    unexpected_count: int


class NoUnexpectedRows(UnexpectedRowsExpectation):
    """`UnexpectedRowsExpectation` that counts and never fetches a row,
    so that no value gets into a result.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        return counted(metrics["unexpected_rows_query.row_count"])


def counted(count: Any) -> dict[str, Any]:
    """An expectation's answer: a count, and success where it is none."""
    return {"success": int(count) == 0, "result": {"observed_value": int(count)}}


def ephemeral_context() -> Any:
    """A GX context that writes nothing anywhere."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def outcomes_of(results: Iterable[Any], rules: Iterable[str]) -> dict[str, Outcome]:
    """The outcome of each of `rules`; one that GX does not answer for could not run.
    GX's order is its own.
    """
    answers: dict[str, Outcome] = {}
    for result in results:
        rule = str((result.expectation_config.meta or {}).get("rule"))
        observed = (result.result or {}).get("observed_value")
        answers[rule] = Outcome(observed is not None, int(observed or 0))
    return {rule: answers.get(rule, Outcome(False, 0)) for rule in rules}
