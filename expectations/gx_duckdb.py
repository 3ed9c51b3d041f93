"""Great Expectations on the engine: a datasource over one open DuckDB connection.

Belongs here: GX on DuckDB (`gx_spark` has it on Spark). Importing GX costs seconds: import this
inside functions. Not here: which rules (`rules`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal, Protocol

import great_expectations as gx
import sqlalchemy as sa
from great_expectations.compatibility import pydantic
from great_expectations.core.result_format import ResultFormat
from great_expectations.datasource.fluent import SQLDatasource
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from sqlalchemy.dialects import postgresql, registry
from sqlalchemy.engine.default import DefaultDialect

from expectations.engine import SqlEngine
from expectations.gx_outcomes import NoUnexpectedRows, Outcome, ephemeral_context, outcomes_of

CHECKED = "gx_batch"
"""The engine's view that GX looks at; it stands for one batch after the other."""


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

    # GX tells its datasources apart by `type`.
    type: Literal["duckdb"] = "duckdb"  # type: ignore[assignment]
    connection_string: str = "duckdb://"
    _attached: Any = pydantic.PrivateAttr(None)

    @property
    def execution_engine_type(self) -> EngineType:
        return DuckDBExecutionEngine

    def attach(self, connection: Any) -> None:
        self._attached = DuckDBExecutionEngine(
            engine=sa.create_engine(
                "duckdb://", creator=lambda: _Connection(connection), poolclass=sa.StaticPool
            ),
            create_temp_table=False,
        )

    def get_execution_engine(self) -> SqlAlchemyExecutionEngine:
        return self._attached

    def test_connection(self, test_assets: bool = True) -> None:
        """The connection is the engine's own, and open."""


@cache
def _checked() -> tuple[DuckDBDatasource, Any]:
    """The datasource, and the batch definition over the view `gx_batch`:
    made once a process, since each writes GX's config.
    """
    context = ephemeral_context()
    source = context.data_sources.add_duckdb(name="engine")
    return source, source.add_query_asset(
        name="batch", query=f"select * from {CHECKED}"
    ).add_batch_definition_whole_table("whole")


class OnConnection(SqlEngine, Protocol):
    """DuckDB's engine: GX looks through its one open connection."""

    @property
    def connection(self) -> Any: ...


def run_suite(
    engine: OnConnection, view: str, suite_name: str, queries: Mapping[str, str]
) -> dict[str, Outcome]:
    """Runs a suite of one expectation per rule on the engine, over the view or table `view`.

    `queries` is rule → query over `{batch}` for what breaks it. A rule that raises is
    `could_run=False`; a rule that GX does not answer for is that too.
    """
    connection = engine.connection
    source, definition = _checked()
    source.attach(connection)
    suite = gx.ExpectationSuite(
        name=suite_name,
        expectations=[
            NoUnexpectedRows(unexpected_rows_query=query, meta={"rule": rule})
            for rule, query in queries.items()
        ],
    )
    connection.execute(f'create or replace view {CHECKED} as select * from "{view}"')
    try:
        results = definition.get_batch().validate(suite, result_format=ResultFormat.BASIC).results
    finally:
        connection.execute(f"drop view {CHECKED}")
    return outcomes_of(results, queries)
