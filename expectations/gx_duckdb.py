"""Great Expectations on the engine: a datasource over one open DuckDB connection.

Belongs here: the only module that imports GX (costs seconds; import it inside functions). Not here: which rules (`rules`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal

import great_expectations as gx
import sqlalchemy as sa
from great_expectations.compatibility import pydantic
from great_expectations.core.result_format import ResultFormat
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.core import UnexpectedRowsExpectation
from sqlalchemy.dialects import postgresql, registry
from sqlalchemy.engine.default import DefaultDialect

_log = logging.getLogger("great_expectations")
_log.addHandler(logging.NullHandler())
_log.propagate = False
"""GX logs the text of an engine's error, which may quote a value: outcomes are ours to tell."""


CHECKED = "gx_batch"
"""The engine's view that GX looks at; it stands for one batch after the other."""


@dataclass(frozen=True)
class Outcome:
    """What came of one rule: whether it could run, and how many rows broke it. Never a value."""

    could_run: bool
    unexpected_count: int


class _Cursor:
    """DB-API over a DuckDB connection that stays open: a closed one loses its pending result."""

    arraysize = 1
    rowcount = -1

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @property
    def description(self) -> Any:
        return self._connection.description

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> _Cursor:
        self._connection.execute(sql, list(parameters) or None)
        return self

    def fetchone(self) -> Any:
        return self._connection.fetchone()

    def fetchmany(self, size: int = 1) -> Any:
        return self._connection.fetchmany(size)

    def fetchall(self) -> Any:
        return self._connection.fetchall()

    def close(self) -> None:
        """Nothing to close: the connection is the engine's."""


class _Connection:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def cursor(self) -> _Cursor:
        return _Cursor(self._connection)

    def commit(self) -> None:
        """Queries only: there is nothing to commit."""

    def rollback(self) -> None:
        """Queries only: there is nothing to take back."""

    def close(self) -> None:
        """The connection is the engine's."""


class DuckDBDialect(DefaultDialect):
    """As much of a SQLAlchemy dialect as queries in plain text need."""

    name = "duckdb"
    driver = "duckdb"
    default_paramstyle = "qmark"
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        import duckdb

        return duckdb

    def initialize(self, connection: Any) -> None:
        self.default_schema_name = "main"


registry.register("duckdb", __name__, "DuckDBDialect")


class DuckDBExecutionEngine(SqlAlchemyExecutionEngine):
    """GX's SQL engine, with PostgreSQL's types for regex, on one connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dialect_module = postgresql

    @contextmanager
    def get_connection(self) -> Iterator[sa.Connection]:
        if self._connection is None:
            self._connection = self.engine.connect()
        yield self._connection


EngineType = type[SqlAlchemyExecutionEngine]


class DuckDBDatasource(SQLDatasource):
    """`context.data_sources.add_duckdb(...)`; `attach` gives it the engine's connection."""

    type: Literal["duckdb"] = "duckdb"  # type: ignore[assignment]  # GX tells its datasources apart by it
    connection_string: str = "duckdb://"
    _attached: Any = pydantic.PrivateAttr(None)

    @property
    def execution_engine_type(self) -> EngineType:
        return DuckDBExecutionEngine

    def attach(self, connection: Any) -> None:
        self._attached = DuckDBExecutionEngine(
            engine=sa.create_engine("duckdb://", creator=lambda: _Connection(connection), poolclass=sa.StaticPool),
            create_temp_table=False,
        )

    def get_execution_engine(self) -> SqlAlchemyExecutionEngine:
        return self._attached

    def test_connection(self, test_assets: bool = True) -> None:
        """The connection is the engine's own, and open."""


class NoUnexpectedRows(UnexpectedRowsExpectation):
    """`UnexpectedRowsExpectation` that counts and never fetches a row, so that no value gets into a result."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: dict[str, Any] | None = None, execution_engine: Any = None
    ) -> dict[str, Any]:
        count = int(metrics["unexpected_rows_query.row_count"])
        return {"success": count == 0, "result": {"observed_value": count}}


@cache
def _checked() -> tuple[DuckDBDatasource, Any]:
    """The datasource, and the batch definition over the view `gx_batch`: made once a process, since each writes GX's config."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_duckdb(name="engine")
    return source, source.add_query_asset(name="batch", query=f"select * from {CHECKED}").add_batch_definition_whole_table("whole")


def run_suite(connection: Any, view: str, suite_name: str, queries: Mapping[str, str]) -> dict[str, Outcome]:
    """Runs a suite of one expectation per rule on the engine, over the view or table `view`.

    `queries` is rule → query over `{batch}` for what breaks it. A rule that raises is `could_run=False`; a rule that GX
    does not answer for is that too.
    """
    source, definition = _checked()
    source.attach(connection)
    suite = gx.ExpectationSuite(
        name=suite_name,
        expectations=[NoUnexpectedRows(unexpected_rows_query=query, meta={"rule": rule}) for rule, query in queries.items()],
    )
    connection.execute(f'create or replace view {CHECKED} as select * from "{view}"')
    try:
        results = definition.get_batch().validate(suite, result_format=ResultFormat.BASIC).results
    finally:
        connection.execute(f"drop view {CHECKED}")
    answers: dict[str, Outcome] = {}
    for result in results:
        rule = str((result.expectation_config.meta or {}).get("rule"))
        observed = (result.result or {}).get("observed_value")
        answers[rule] = Outcome(observed is not None, int(observed or 0))
    return {rule: answers.get(rule, Outcome(False, 0)) for rule in queries}
