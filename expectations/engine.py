"""What rules and models need of a compute engine;
`resources.engines.duckdb.Engine` and `resources.engines.spark.SparkEngine` are those in use.

Belongs here: the protocol, and the one place where texts, names, days and paths are quoted for SQL.
Not here: any engine (`resources`), nor models (`warehouse`).
"""

from __future__ import annotations

import glob
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa


class SqlEngine(Protocol):
    """Views and tables by name, in DuckDB's SQL.

    GX runs on `connection` (DuckDB) or `session` (Spark).
    """

    kind: str

    @property
    def reader(self) -> SqlEngine: ...
    def translated(self, sql: str) -> str: ...
    def execute(self, sql: str, parameters: list[Any] | None = None) -> None: ...
    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]: ...
    def scalar(self, sql: str, parameters: list[Any] | None = None) -> Any: ...
    def columns(self, select: str) -> list[tuple[str, str]]: ...
    def view(self, name: str, select: str) -> None: ...
    def parquet_view(self, name: str, files: str) -> None: ...
    def table(self, name: str, select: str) -> int: ...
    def exists(self, name: str) -> bool: ...
    def copy(self, select: str, path: Path) -> int: ...
    def copy_apart(self, select: str, path: Path) -> int: ...
    def arrow(self, select: str) -> pa.RecordBatchReader: ...
    def from_arrow(self, name: str, table: pa.Table) -> None: ...
    def drop(self, name: str) -> None: ...


def literal(value: object) -> str:
    """`value` as an SQL string literal."""
    return "'" + str(value).replace("'", "''") + "'"


def name(column: str) -> str:
    """`column` as a quoted SQL identifier."""
    return '"' + column.replace('"', '""') + '"'


def day(as_of: date | None) -> str:
    """A day as an SQL literal; no day as a null of that type."""
    return "cast(null as date)" if as_of is None else f"date '{as_of.isoformat()}'"


def parquet(files: Path | str) -> str:
    """The rows of one Parquet file (a path), or of a glob made by `pattern` (text), as a relation:
    what stands after `from`.
    """
    text = glob.escape(str(files)) if isinstance(files, Path) else files
    return f"read_parquet({literal(text)}, hive_partitioning = false)"


def pattern(folder: Path | str, *parts: str) -> str:
    """A glob of `parts` in `folder`, which is meant as it stands, whatever characters it has."""
    return "/".join([glob.escape(str(folder)), *parts])
