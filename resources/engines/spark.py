"""The compute engine where one machine is outgrown:
Spark over the lake's Parquet files, with the same SQL.

Belongs here: views, tables, copies, as `resources.engines.duckdb.Engine` has them. Not here: what
is computed (`warehouse/models`), how a statement is put into Spark's words (`dialect`), the session
and its settings (`spark_session`).

pyspark is an extra with an environment of its own, so this module is imported only where
YIHU_ENGINE says spark. On a cluster, YIHU_HOME must be a folder that every worker sees under the
same path: tables pass through it.

Most of a day's statements are over a few rows, for which a job on workers, a Parquet file and its
reading again cost many times what they compute. So the driver holds small tables itself, as
relations of the plan; what stands on nothing else is computed with hardly a job.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import uuid
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql import types as st

from resources.engines.dialect import TABLE_LIST, to_spark
from resources.engines.duckdb import Engine
from resources.engines.spark_session import (
    PARTITIONS,
    close_session,
    explained,
    open_session,
    private,
    sweep,
    type_name,
)

HELD_ROWS = 5_000
"""A table or file of at most so many rows is held by the driver."""

BYTES_A_PARTITION = 8 * 1024 * 1024
"""Parquet bytes among all that the session has read for which a shuffle gets another partition."""

MOST_PARTITIONS = 2_000

_FILES = re.compile(r"\bparquet\.`([^`]+)`")
_FILES_VIEW = "_files_"
_WORD = re.compile(r"\w+")


def _joined(parts: list[Path], path: Path) -> int:
    """Puts the files of a sorted table, which are in its order, into one; returns the rows."""
    if len(parts) == 1:
        shutil.move(parts[0], path)
    else:
        with pq.ParquetWriter(
            path, pq.read_schema(parts[0]).remove_metadata(), compression="zstd"
        ) as writer:
            for part in parts:
                file = pq.ParquetFile(part)
                for group in range(file.num_row_groups):
                    writer.write_table(file.read_row_group(group).replace_schema_metadata(None))
    return int(pq.read_metadata(path).num_rows)


def _rows_in(files: list[str]) -> int:
    return sum(int(pq.read_metadata(file).num_rows) for file in files)


def _held_table(files: list[str]) -> pa.Table | None:
    """The rows of files that are small and alike; None where they are not."""
    if not files or _rows_in(files) > HELD_ROWS:
        return None
    parts = [pq.read_table(file, partitioning=None).replace_schema_metadata(None) for file in files]
    return (
        pa.concat_tables(parts)
        if all(part.schema.equals(parts[0].schema) for part in parts)
        else None
    )


class SparkEngine:
    """One Spark session for one run; rows pass through Python only where they are few.

    Takes the same DuckDB SQL as `Engine`. Tables are held by the driver, or Parquet folders under
    `temp_dir` (mode 0700); either are gone with the engine.
    """

    kind = "spark"

    def __init__(self, temp_dir: Path, master: str = "local[*]") -> None:
        sweep(temp_dir)
        self.folder = temp_dir / f"spark-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        for folder in (temp_dir, self.folder, self.folder / "tables"):
            private(folder)
        self.session = open_session(temp_dir, master)
        self._is_open = True
        self._tables: dict[str, Path | None] = {}
        """The folder of each table; None where the driver holds it."""
        self._large: set[str] = set()
        """Tables and files that are more than the driver holds."""
        self._views: dict[str, set[str]] = {}
        """The words of each view's statement: among them, what it stands on."""
        self._files: dict[str, tuple[object, str]] = {}
        """The view of each glob of files that was read, and the state of the files that it is of.
        """
        self._bytes = 0
        self._has_set_partitions = self.session.sparkContext.getConf().contains(PARTITIONS)
        self._size(0)
        self._reader: Engine | None = None

    @property
    def reader(self) -> Engine:
        """DuckDB in this process, which parses the bytes that departments deliver;
        models run on Spark.
        """
        if self._reader is None:
            self._reader = Engine(self.folder / "reader")
        return self._reader

    def translated(self, sql: str) -> str:
        """`sql`, a DuckDB statement, in Spark's words."""
        with explained():
            return to_spark(sql)

    def frame(self, sql: str, parameters: list[Any] | None = None) -> DataFrame:
        """What `sql`, a DuckDB SELECT, gives; nothing is computed yet."""
        return self._frame(self._text(sql), parameters)

    def _frame(self, text: str, parameters: list[Any] | None = None) -> DataFrame:
        with explained():
            if TABLE_LIST in text:
                self._list_tables()
            return self.session.sql(text, args=parameters or None)

    def _text(self, sql: str) -> str:
        """A statement in Spark's words that reads files by views,
        so that files are listed and their columns read once.
        """
        with explained():
            return _FILES.sub(lambda found: f"`{self._files_view(found.group(1))}`", to_spark(sql))

    def _is_large(self, text: str) -> bool:
        """Whether a statement in Spark's words may read more than the driver holds,
        itself or by views.
        """
        words, seen = set(_WORD.findall(text)), set[str]()
        while words:
            if not self._large.isdisjoint(words):
                return True
            seen |= words
            words = set[str]().union(*(self._views.get(word, ()) for word in words)) - seen
        return False

    def _list_tables(self) -> None:
        found = [
            table.name for table in self.session.catalog.listTables() if table.name != TABLE_LIST
        ]
        listed = [
            (name, "BASE TABLE" if name in self._tables else "VIEW")
            for name in found
            if not name.startswith(_FILES_VIEW)
        ]
        rows = ", ".join(f"('{name}', '{kind}')" for name, kind in listed) or "('', '')"
        self.session.sql(
            f"create or replace temporary view {TABLE_LIST} as select * from values {rows} as"
            " t(table_name, table_type)"
        )

    def execute(self, sql: str, parameters: list[Any] | None = None) -> None:
        self.rows(sql, parameters)

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        frame = self.frame(sql, parameters)
        with explained():
            return [tuple(row) for row in frame.collect()]

    def scalar(self, sql: str, parameters: list[Any] | None = None) -> Any:
        frame = self.frame(sql, parameters)
        with explained():
            row = frame.first()
        return None if row is None else row[0]

    def columns(self, select: str) -> list[tuple[str, str]]:
        """Name and type, as DuckDB calls it, of each column that `select` gives."""
        frame = self.frame(select)
        with explained():
            return [(field.name, type_name(field.dataType)) for field in frame.schema.fields]

    def view(self, name: str, select: str) -> None:
        """`name` stands for `select` from now on; nothing is computed yet."""
        self.drop(name)
        text = self._text(select)
        with explained():
            self.session.sql(f"create temporary view `{name}` as {text}")
        self._views[name] = set(_WORD.findall(text))

    def parquet_view(self, name: str, files: str) -> None:
        """`name` reads the Parquet files of a glob."""
        self.drop(name)
        with explained():
            view = self._files_view(files)
            self.session.table(view).createOrReplaceTempView(name)
        if view in self._large:
            self._large.add(name)

    def _files_view(self, files: str) -> str:
        """The view of a glob's files, made where there is none or where the files have changed."""
        paths = sorted(glob.glob(files))
        state = [(path, os.stat(path).st_mtime_ns, os.stat(path).st_size) for path in paths]
        before, name = self._files.get(files, (None, ""))
        if before == state and name:
            return name
        name = f"{_FILES_VIEW}{len(self._files)}_{uuid.uuid4().hex[:8]}"
        held = _held_table(paths)
        frame = (
            self.session.read.parquet(files) if held is None else self.session.createDataFrame(held)
        )
        frame.createOrReplaceTempView(name)
        if held is None:
            self._large.add(name)
            self._size(sum(size for _, _, size in state))
        self._files[files] = (state, name)
        return name

    def table(self, name: str, select: str) -> int:
        """`name` holds the rows of `select`, computed now; returns their number."""
        frame, is_large = self._storable(select)
        with explained():
            if not is_large:
                rows = frame._jdf.collectAsList()
                frame = self._of_rows(rows, frame)
                if rows.size() <= HELD_ROWS:
                    return self._hold(name, frame, int(rows.size()))
            path = self._place(name)
            frame.write.option("compression", "snappy").parquet(str(path))
        return self._stored(name, path, frame.schema)

    def _of_rows(self, rows: Any, like: DataFrame) -> DataFrame:
        """A frame of Java's rows, which stay with Java."""
        return DataFrame(
            self.session._jsparkSession.createDataFrame(rows, like._jdf.schema()), self.session
        )

    def _hold(self, name: str, frame: DataFrame, rows: int) -> int:
        self.drop(name)
        frame.createOrReplaceTempView(name)
        self._tables[name] = None
        return rows

    def exists(self, name: str) -> bool:
        with explained():
            return self.session.catalog.tableExists(name)

    def copy_apart(self, select: str, path: Path) -> int:
        """As `copy`: Spark has its own way of sharing the cores."""
        return self.copy(select, path)

    def copy(self, select: str, path: Path) -> int:
        """Writes `select`, which states its order, to one Parquet file; returns its rows."""
        frame, is_large = self._storable(select)
        if is_large:
            folder = self._place("copy")
            with explained():
                frame.write.parquet(str(folder))
            rows = _joined(sorted(folder.glob("part-*.parquet")), path)
            shutil.rmtree(folder)
        else:
            with explained():
                table = frame.toArrow().replace_schema_metadata(None)
            pq.write_table(table, path, compression="zstd")
            rows = table.num_rows
        path.chmod(0o600)
        return rows

    def arrow(self, select: str) -> pa.RecordBatchReader:
        """The rows of `select` as Arrow batches, for a bulk load;
        lists and decimals keep their types.
        """
        frame = self.frame(select)
        with explained():
            return frame.toArrow().to_reader(100_000)

    def from_arrow(self, name: str, table: pa.Table) -> None:
        """`name` holds the rows of an Arrow table, copied."""
        if table.num_rows <= HELD_ROWS:
            with explained():
                self._hold(name, self.session.createDataFrame(table), table.num_rows)
            return
        path = self._place(name)
        path.mkdir(mode=0o700)
        pq.write_table(table, path / "part-0.parquet")
        with explained():
            schema = self.session.read.parquet(str(path)).schema
        self._stored(name, path, schema)

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            if self._reader is not None:
                self._reader.close()
            for name in list(self._tables):
                self.drop(name)
            close_session(self.session)
        shutil.rmtree(self.folder, ignore_errors=True)

    def drop(self, name: str) -> None:
        """Gives up the table or view `name`, where there is one."""
        with explained():
            self.session.catalog.dropTempView(name)
        self._large.discard(name)
        self._views.pop(name, None)
        path = self._tables.pop(name, None)
        if path is not None:
            shutil.rmtree(path, ignore_errors=True)

    def _place(self, name: str) -> Path:
        return self.folder / "tables" / f"{name}-{uuid.uuid4().hex[:8]}"

    def _storable(self, select: str) -> tuple[DataFrame, bool]:
        """What `select` gives, and whether it stands on more than the driver holds.

        A column of nothing but `null` has no type that Parquet knows: INTEGER, as in DuckDB.
        """
        text = self._text(select)
        frame = self._frame(text)
        for field in frame.schema.fields:
            if isinstance(field.dataType, st.NullType):
                frame = frame.withColumn(field.name, frame[field.name].cast("int"))
        return frame, self._is_large(text)

    def _stored(self, name: str, path: Path, schema: st.StructType) -> int:
        """`name` reads the folder, or is held where that is small."""
        files = sorted(str(file) for file in path.glob("*.parquet"))
        rows, held = _rows_in(files), _held_table(files)
        with explained():
            if held is not None:
                frame = self.session.createDataFrame(held, schema)
                shutil.rmtree(path)
                return self._hold(name, frame, rows)
            frame = self.session.read.schema(schema).parquet(str(path))
            self.drop(name)
            frame.createOrReplaceTempView(name)
        self._tables[name] = path
        self._large.add(name)
        self._size(sum(os.stat(file).st_size for file in files))
        return rows

    def _size(self, more: int) -> None:
        """Shuffles in as many parts as what was read asks for,
        where the operator has not said how many.
        """
        self._bytes += more
        if not self._has_set_partitions:
            least = max(self.session.sparkContext.defaultParallelism, 2)
            asked = min(MOST_PARTITIONS, least + self._bytes // BYTES_A_PARTITION)
            self.session.conf.set(PARTITIONS, str(asked))
