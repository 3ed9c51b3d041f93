"""The compute engine: DuckDB in memory over the lake's Parquet files.

Belongs here: one connection, views, tables, copies. Not here: what is computed
(`warehouse/models`).
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from expectations.engine import SqlEngine, literal, parquet
from expectations.engine import name as identifier
from expectations.errors import YihuError


class EngineError(YihuError):
    """What the engine could not do, without the values or the SQL that its own message quotes."""

    next_step = "see that disk and memory suffice, then run the day again"


_TELLING = (
    duckdb.CatalogException,
    duckdb.BinderException,
    duckdb.ParserException,
    duckdb.IOException,
    duckdb.OutOfMemoryException,
)
"""Errors about names, files and memory: their first line holds no row's value."""


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except _TELLING as error:
        raise EngineError(f"{type(error).__name__}: {str(error).splitlines()[0]}") from None
    except duckdb.Error as error:
        raise EngineError(
            f"{type(error).__name__} in the engine: a value did not fit",
            "run the model on a copy of the day to see which",
        ) from None


class ComputeEngine(SqlEngine, Protocol):
    """What a run computes on: `Engine` here, or `resources.engines.spark.SparkEngine`."""

    @property
    def reader(self) -> Engine: ...
    def close(self) -> None: ...


class Engine:
    """One DuckDB connection for one run; rows never pass through Python.

    Timestamps are naive, in Asia/Shanghai. Spills go to a folder of this engine's own under
    `temp_dir` (mode 0700), never to the working folder: two processes that share one would write
    over each other, and what a killed one leaves is found by name.
    """

    kind = "duckdb"

    def __init__(
        self, temp_dir: Path, threads: int | None = None, memory_limit: str | None = None
    ) -> None:
        temp_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        temp_dir.chmod(0o700)
        self._spill = temp_dir / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._spill.mkdir(mode=0o700)
        config: dict[str, Any] = {
            "temp_directory": str(self._spill),
            "preserve_insertion_order": True,
        }
        if threads:
            config["threads"] = threads
        if memory_limit:
            config["memory_limit"] = memory_limit
        # tables here are made once and dropped whole: a checkpoint, which looks through all of
        # them, has nothing to gain
        config["checkpoint_threshold"] = "1TB"
        self.connection = duckdb.connect(":memory:", config=config)
        self.connection.execute("set TimeZone = 'Asia/Shanghai'")

    @property
    def reader(self) -> Engine:
        """The engine that parses the bytes that departments deliver: this one."""
        return self

    def translated(self, sql: str) -> str:
        """`sql` in this engine's words: the models are written in them."""
        return sql

    def execute(self, sql: str, parameters: list[Any] | None = None) -> None:
        with _explained():
            self.connection.execute(sql, parameters)

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        with _explained():
            return self.connection.execute(sql, parameters).fetchall()

    def scalar(self, sql: str, parameters: list[Any] | None = None) -> Any:
        with _explained():
            row = self.connection.execute(sql, parameters).fetchone()
        return None if row is None else row[0]

    def columns(self, select: str) -> list[tuple[str, str]]:
        """Name and type of each column that `select` gives."""
        return [(name, kind) for name, kind, *_ in self.rows(f"describe {select}")]

    def view(self, name: str, select: str) -> None:
        """`name` stands for `select` from now on; nothing is computed yet."""
        self.drop(name)
        self.execute(f"create view {identifier(name)} as {select}")

    def parquet_view(self, name: str, files: str) -> None:
        """`name` reads the Parquet files of a glob."""
        self.view(name, f"select * from {parquet(files)}")

    def table(self, name: str, select: str) -> int:
        """`name` holds the rows of `select`, computed now; returns their number."""
        self.drop(name)
        return int(self.scalar(f"create table {identifier(name)} as {select}"))

    def exists(self, name: str) -> bool:
        """Whether there is a table or view `name`.

        Asked hundreds of times a run, so not of the catalogue, which takes milliseconds.
        """
        try:
            self.connection.execute(f"describe {identifier(name)}")
        except duckdb.CatalogException:
            return False
        except duckdb.Error:
            return True  # a view whose files cannot be read is there
        return True

    def copy(self, select: str, path: Path) -> int:
        """Writes `select`, which states its order, to one Parquet file; returns its rows."""
        return self._copied(self.connection, select, path)

    def copy_apart(self, select: str, path: Path) -> int:
        """As `copy`, on a connection of its own:
        two may run at once, which a table of one row group needs to use two cores.
        """
        with self.connection.cursor() as apart:
            apart.execute("set TimeZone = 'Asia/Shanghai'")
            return self._copied(apart, select, path)

    @staticmethod
    def _copied(connection: duckdb.DuckDBPyConnection, select: str, path: Path) -> int:
        # what repeats less often than 4,000 values a row group is not worth the search for a
        # dictionary, a quarter of the encoding
        options = (
            "format parquet, compression zstd, compression_level 1, row_group_size 122880,"
            " dictionary_size_limit 4000"
        )
        with _explained():
            row = connection.execute(f"copy ({select}) to {literal(path)} ({options})").fetchone()
        return 0 if row is None else int(row[0])

    def arrow(self, select: str) -> pa.RecordBatchReader:
        """The rows of `select` as Arrow batches, for a bulk load;
        lists and decimals keep their types.
        """
        return self.connection.execute(select).to_arrow_reader(100_000)

    def from_arrow(self, name: str, table: pa.Table) -> None:
        """`name` holds the rows of an Arrow table, copied."""
        self.drop(name)
        self.connection.register("_arrow", table)
        self.execute(f"create table {identifier(name)} as select * from _arrow")
        self.connection.unregister("_arrow")

    def close(self) -> None:
        self.connection.close()
        shutil.rmtree(self._spill, ignore_errors=True)

    def drop(self, name: str) -> None:
        """Gives up the table or view `name`, where there is one."""
        try:
            self.connection.execute(f"drop table if exists {identifier(name)}")
        except duckdb.CatalogException:
            self.execute(f"drop view {identifier(name)}")
