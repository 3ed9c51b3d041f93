"""Great Expectations on its own Spark engine, over the compute engine's session.

Belongs here: GX on Spark (`gx_duckdb` has it on DuckDB). Importing GX costs seconds: import this
inside functions. Not here: which rules (`rules`).

Rules that ask one row at a time are GX aggregates, so that GX counts them all in one pass over the
batch; a rule that looks at several rows is a query of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Literal, Protocol

import great_expectations as gx
import sqlglot
from great_expectations.compatibility import pydantic
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.core.result_format import ResultFormat
from great_expectations.datasource.fluent import SparkDatasource
from great_expectations.execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_partial
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from sqlglot import exp
from sqlglot.errors import SqlglotError

from expectations.engine import SqlEngine, name
from expectations.errors import YihuError
from expectations.gx_outcomes import (
    NoUnexpectedRows,
    Outcome,
    counted,
    ephemeral_context,
    outcomes_of,
)

BATCH = "gx_batch"
"""What stands for `{batch}` while a rule is put into Spark's words."""

GX_VIEW = "tmp_view"
"""The view that GX leaves behind."""


class RowsWhere(TableMetricProvider):
    """How many rows of the batch a condition holds for:
    one of the aggregates that GX computes together.
    """

    metric_name = "table.rows_where"
    value_keys = ("condition",)

    @metric_partial(
        engine=SparkDFExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _spark(
        cls,  # GX calls it as a class method
        execution_engine: SparkDFExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any],
    ) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        from pyspark.sql import functions

        return (
            functions.count_if(functions.expr(metric_value_kwargs["condition"])),
            metric_domain_kwargs,
            {},
        )


class NoRowsWhere(BatchExpectation):
    """No row of the batch for which `condition`, in Spark's words, holds."""

    condition: str
    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.rows_where",)
    success_keys: ClassVar[tuple[str, ...]] = ("condition",)
    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id", "row_condition", "condition_parser")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        return counted(metrics["table.rows_where"])


class EngineSparkDatasource(SparkDatasource):
    """`context.data_sources.add_engine_spark(...)`; `attach` gives it the engine's session."""

    # GX tells its datasources apart by `type`.
    type: Literal["engine_spark"] = "engine_spark"  # type: ignore[assignment]
    _attached: Any = pydantic.PrivateAttr(None)

    def attach(self, session: Any) -> None:
        self._attached = SparkDFExecutionEngine(spark=session, persist=False)

    def get_execution_engine(self) -> SparkDFExecutionEngine:
        return self._attached

    def test_connection(self, test_assets: bool = True) -> None:
        """The session is the engine's own, and open."""


@cache
def _checked() -> tuple[EngineSparkDatasource, Any]:
    """The datasource, and the batch definition:
    made once a process, since each writes GX's config.
    """
    source = ephemeral_context().data_sources.add_engine_spark(name="engine")
    return source, source.add_dataframe_asset(name="batch").add_batch_definition_whole_dataframe(
        "whole"
    )


class OnSession(SqlEngine, Protocol):
    """Spark's engine: GX looks at its session's tables."""

    @property
    def session(self) -> Any: ...


def run_suite(
    engine: OnSession, view: str, suite_name: str, queries: Mapping[str, str]
) -> dict[str, Outcome]:
    """Runs a suite of one expectation per rule on the engine, over the view or table `view`.

    `queries` is rule → query over `{batch}` for what breaks it. A rule that raises is
    `could_run=False`; a rule that GX does not answer for is that too.
    """
    session = engine.session
    batch = session.table(view)
    asked = {rule: _expectation(engine, batch, rule, query) for rule, query in queries.items()}
    together = {rule: expectation for rule, expectation in asked.items() if expectation is not None}
    outcomes = _run(session, batch, suite_name, together)
    # One rule that raises takes those counted with it along: each is asked once more by itself.
    lost = [
        rule
        for rule, expectation in together.items()
        if isinstance(expectation, NoRowsWhere) and not outcomes[rule].could_run
    ]
    if lost:
        outcomes |= _run(
            session,
            batch,
            suite_name,
            {rule: _query_expectation(engine, rule, queries[rule]) for rule in lost},
        )
    return {rule: outcomes.get(rule, Outcome(False, 0)) for rule in queries}


def _run(
    session: Any, batch: Any, suite_name: str, expectations: Mapping[str, Any]
) -> dict[str, Outcome]:
    source, definition = _checked()
    source.attach(session)
    suite = gx.ExpectationSuite(name=suite_name, expectations=list(expectations.values()))
    try:
        results = (
            definition.get_batch({"dataframe": batch})
            .validate(suite, result_format=ResultFormat.BASIC)
            .results
        )
    finally:
        session.catalog.dropTempView(GX_VIEW)
    return outcomes_of(results, expectations)


def _expectation(engine: SqlEngine, batch: Any, rule: str, query: str) -> Any:
    """The expectation that asks a rule; None where its query cannot be put into Spark's words."""
    try:
        condition = _row_condition(query)
        if condition is not None:
            spark_condition = engine.translated(f"select {condition}").removeprefix("SELECT ")
            if _is_known(batch, spark_condition):
                return NoRowsWhere(condition=spark_condition, meta={"rule": rule})
        return _query_expectation(engine, rule, query)
    except (SqlglotError, YihuError, ValueError):
        return None


def _is_known(batch: Any, condition: str) -> bool:
    """Whether Spark can read a condition over the batch:
    a wrong name in one would fail all that are counted together.
    """
    from pyspark.errors import AnalysisException, ParseException
    from pyspark.sql import functions

    try:
        batch.select(functions.expr(condition))
    except (AnalysisException, ParseException):
        return False
    return True


def _query_expectation(engine: SqlEngine, rule: str, query: str) -> NoUnexpectedRows:
    text = engine.translated(query.format(batch=name(BATCH)))
    formatted = text.replace("{", "{{").replace("}", "}}").replace(f"`{BATCH}`", "{batch}")
    return NoUnexpectedRows(unexpected_rows_query=formatted, meta={"rule": rule})


def _row_condition(query: str) -> str | None:
    """The condition of `select _row from {batch} where …` where each row answers for itself;
    None for any other query.
    """
    tree = sqlglot.parse_one(query.format(batch=name(BATCH)), read="duckdb")
    where = tree.args.get("where")
    plain = f'select _row from "{BATCH}"'
    if (
        not isinstance(tree, exp.Select)
        or where is None
        or where.find(exp.Query, exp.Window, exp.AggFunc) is not None
    ):
        return None
    rest = tree.copy()
    rest.set("where", None)
    return (
        str(where.this.sql(dialect="duckdb"))
        if rest == sqlglot.parse_one(plain, read="duckdb")
        else None
    )
