"""What validation needs of a compute engine; `resources.engine.Engine` is the one in use.

Belongs here: the protocol and quoting. Not here: any engine (`resources`), nor models (`warehouse`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol


class SqlEngine(Protocol):
    """A DuckDB connection with views and tables by name; GX runs on `connection`."""

    connection: Any

    def execute(self, sql: str, parameters: list[Any] | None = None) -> None: ...
    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]: ...
    def scalar(self, sql: str, parameters: list[Any] | None = None) -> Any: ...
    def columns(self, select: str) -> list[tuple[str, str]]: ...
    def view(self, name: str, select: str) -> None: ...
    def parquet_view(self, name: str, files: str) -> None: ...
    def table(self, name: str, select: str) -> int: ...
    def exists(self, name: str) -> bool: ...
    def copy(self, select: str, path: Path) -> int: ...


def literal(value: object) -> str:
    """`value` as an SQL string literal."""
    return "'" + str(value).replace("'", "''") + "'"


def name(column: str) -> str:
    """`column` as a quoted SQL identifier."""
    return '"' + column.replace('"', '""') + '"'
