"""Two engines that do the same, and what they do differently.

Belongs here: an engine that hands everything to DuckDB and to Spark, and compares every table, row
for row, as it is made. Not here: what is made (`county_day`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from resources.engines.duckdb import Engine, EngineError
from resources.engines.spark import SparkEngine


class TwinEngine:
    """Has the interface of an engine; `differences` tells, by table, where the two do not agree."""

    def __init__(self, duckdb: Engine, spark: SparkEngine) -> None:
        self.duckdb, self.spark = duckdb, spark
        self.compared: dict[str, int] = {}
        """The rows of each table that was compared."""
        self.differences: list[str] = []
        self.types: dict[str, list[tuple[str, str, str]]] = {}
        """By table, the columns whose types differ: name, DuckDB's, Spark's."""

    def execute(self, sql: str, parameters: list[Any] | None = None) -> None:
        self.duckdb.execute(sql, parameters)
        self.spark.execute(sql, parameters)

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        ours, theirs = self.duckdb.rows(sql, parameters), self.spark.rows(sql, parameters)
        ordered = "order by" in sql.lower()
        if (ours != theirs) if ordered else (sorted(map(repr, ours)) != sorted(map(repr, theirs))):
            self.differences.append(f"rows of {sql[:200]!r}: {len(ours)} and {len(theirs)} rows")
        return ours

    def scalar(self, sql: str, parameters: list[Any] | None = None) -> Any:
        ours, theirs = self.duckdb.scalar(sql, parameters), self.spark.scalar(sql, parameters)
        if ours != theirs:
            self.differences.append(f"value of {sql[:200]!r}")
        return ours

    def columns(self, select: str) -> list[tuple[str, str]]:
        return self.duckdb.columns(select)

    def view(self, name: str, select: str) -> None:
        self.duckdb.view(name, select)
        self.spark.view(name, select)

    def parquet_view(self, name: str, files: str) -> None:
        self.duckdb.parquet_view(name, files)
        self.spark.parquet_view(name, files)

    def table(self, name: str, select: str) -> int:
        rows = self.duckdb.table(name, select)
        try:
            self.spark.table(name, select)
        except EngineError as error:
            self.differences.append(f"{name}: {error}")
            self.spark.from_arrow(name, self.duckdb.arrow(f'select * from "{name}"').read_all())
        else:
            self.compare(name)
        return rows

    def exists(self, name: str) -> bool:
        ours = self.duckdb.exists(name)
        if ours != self.spark.exists(name):
            self.differences.append(f"{name}: is on one engine only")
        return ours

    def copy(self, select: str, path: Path) -> int:
        """Writes both, and compares them in their order; the file is DuckDB's."""
        other = path.with_suffix(".spark")
        rows, theirs = self.duckdb.copy(select, path), self.spark.copy(select, other)
        numbered = (
            "(select *, file_row_number as _place from read_parquet('{}', file_row_number = true))"
        )
        if rows != theirs or self._unlike(numbered.format(path), numbered.format(other)):
            self.differences.append(f"{path.parent.name}: the files differ, or their order does")
        other.unlink()
        return rows

    def arrow(self, select: str) -> pa.RecordBatchReader:
        return self.duckdb.arrow(select)

    def from_arrow(self, name: str, table: pa.Table) -> None:
        self.duckdb.from_arrow(name, table)
        self.spark.from_arrow(name, table)

    def drop(self, name: str) -> None:
        self.duckdb.drop(name)
        self.spark.drop(name)

    def compare(self, name: str) -> None:
        """Holds a table or view of both engines against each other; where they differ, both go on
        with DuckDB's.
        """
        ours, theirs = (
            dict(engine.columns(f'select * from "{name}"')) for engine in (self.duckdb, self.spark)
        )
        if list(ours) != list(theirs):
            self.differences.append(
                f"{name}: the columns are {sorted(set(ours) ^ set(theirs)) or 'in another order'}"
            )
            return
        if unlike := [
            (column, kind, theirs[column])
            for column, kind in ours.items()
            if kind != theirs[column]
        ]:
            self.types[name] = unlike
        self.duckdb.from_arrow("_other", self.spark.arrow(f'select * from "{name}"').read_all())
        if unlike_rows := self._unlike(f'"{name}"', "_other"):
            columns = [
                column
                for column in ours
                if self._unlike(
                    f'(select "{column}" from "{name}")', f'(select "{column}" from _other)'
                )
            ]
            self.differences.append(
                f"{name}: {unlike_rows} rows differ, in"
                f" {', '.join(columns) or 'how columns go together'}"
            )
            self.spark.from_arrow(name, self.duckdb.arrow(f'select * from "{name}"').read_all())
        self.duckdb.drop("_other")
        self.compared[name] = int(self.duckdb.scalar(f'select count(*) from "{name}"'))

    def _unlike(self, one: str, other: str) -> int:
        """The rows that are in one and not, or not as often, in the other."""
        both = (
            f"(select * from {one} except all select * from {other}) union all (select * from"
            f" {other} except all select * from {one})"
        )
        return int(self.duckdb.scalar(f"select count(*) from ({both})"))
