"""The compute engine where one machine is outgrown: Spark over the lake's Parquet files, with the same SQL.

Belongs here: one session, views, tables, copies, as `resources.engine.Engine` has them. Not here: what is computed
(`warehouse/models`), how a statement is put into Spark's words (`dialect`).

pyspark is an extra with an environment of its own, so this module is imported only where YIHU_ENGINE says spark. On a
cluster, YIHU_HOME must be a folder that every worker sees under the same path: tables pass through it.
"""

from __future__ import annotations

import logging
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as st

from resources.dialect import TABLE_LIST, DialectError, to_spark
from resources.engine import Engine, EngineError
from resources.java import java_home

_NAMED = ("objectName", "relationName", "name", "tableName", "viewName", "functionName", "path")
"""Parameters of Spark's messages about names and files; no other may hold a row's value or the statement."""

_DUCKDB_NAMES: dict[type[st.DataType], str] = {
    st.StringType: "VARCHAR",
    st.LongType: "BIGINT",
    st.IntegerType: "INTEGER",
    st.ShortType: "SMALLINT",
    st.ByteType: "TINYINT",
    st.BooleanType: "BOOLEAN",
    st.DateType: "DATE",
    st.TimestampNTZType: "TIMESTAMP",
    st.TimestampType: "TIMESTAMP WITH TIME ZONE",
    st.DoubleType: "DOUBLE",
    st.FloatType: "FLOAT",
    st.BinaryType: "BLOB",
    st.NullType: "INTEGER",
}

_LOG = """
rootLogger.level = off
"""
"""Spark's log quotes values and statements; what went wrong is told by the exception's class."""

# pyspark's own logger writes whole messages, values and all, to standard error
logging.getLogger("SQLQueryContextLogger").disabled = True
logging.getLogger("DataFrameQueryContextLogger").disabled = True

_open: list[SparkEngine] = []
"""The engines of this process: they share one Spark context, which stops with the last of them."""
_context_folders: list[Path] = []
"""Where that context keeps what it spills."""


def type_name(kind: st.DataType) -> str:
    """A type as DuckDB calls it, so that both engines describe a table alike."""
    if isinstance(kind, st.DecimalType):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if isinstance(kind, st.ArrayType):
        return f"{type_name(kind.elementType)}[]"
    return _DUCKDB_NAMES.get(type(kind), kind.simpleString().upper())


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except DialectError as error:
        raise EngineError(str(error)) from None
    except PySparkException as error:
        parameters = error.getMessageParameters() or {}
        named = ", ".join(str(parameters[key]) for key in _NAMED if key in parameters)
        condition = error.getCondition() or type(error).__name__
        raise EngineError(
            f"{condition}{f' ({named})' if named else ''} in the engine: run the model on a copy of the day to see which row"
        ) from None
    except Py4JJavaError as error:
        kind = str(error.java_exception.getClass().getSimpleName())
        raise EngineError(f"{kind} in the engine: a value did not fit, or a worker was lost; run the model on a copy of the day") from None
    except Py4JError:
        raise EngineError("Spark's process is gone: see that Java has memory enough, then run the day again") from None


def _configuration(folder: Path, master: str) -> dict[str, str]:
    is_local = master.startswith("local")
    settings = {
        "spark.app.name": "yihu",
        "spark.master": master,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.eventLog.enabled": "false",
        "spark.log.level": "OFF",
        "spark.executor.syncLogLevel.enabled": "true",
        "spark.driver.memory": "4g",
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile=file:{folder / 'log4j2.properties'}",
        "spark.local.dir": str(folder / "local"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.session.timeZone": "Asia/Shanghai",
        "spark.sql.timestampType": "TIMESTAMP_NTZ",
        # a value that does not fit is an error, as it is in DuckDB, never a silent null
        "spark.sql.ansi.enabled": "true",
        "spark.sql.adaptive.enabled": "true",
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # chains of reversals are as many as they are
        "spark.sql.cteRecursionRowLimit": "-1",
        "spark.sql.cteRecursionLevelLimit": "-1",
        "spark.sql.debug.maxToStringFields": "0",
    }
    if is_local:
        settings["spark.sql.shuffle.partitions"] = "8"
    host = "127.0.0.1" if is_local else urlsplit(master).hostname or ""
    if host in ("127.0.0.1", "localhost"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    return settings


def _private(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return folder


def _session(temp_dir: Path, master: str) -> SparkSession:
    """A session of its own (its own views) on the process's context, whose folder outlives the engine that began it."""
    if not _open:
        _context_folders.append(_private(temp_dir / f"spark-{os.getpid()}-context-{uuid.uuid4().hex[:8]}"))
        (_context_folders[-1] / "log4j2.properties").write_text(_LOG)
    builder = SparkSession.builder
    for key, value in _configuration(_context_folders[-1], master).items():
        builder = builder.config(key, value)
    os.environ["JAVA_HOME"] = str(java_home())
    with _explained():
        first = builder.getOrCreate()
        return first.newSession() if _open else first


def _joined(parts: list[Path], path: Path) -> int:
    """Puts the files of a sorted table, which are in its order, into one; returns the rows."""
    if len(parts) == 1:
        shutil.move(parts[0], path)
    else:
        with pq.ParquetWriter(path, pq.read_schema(parts[0]).remove_metadata(), compression="zstd") as writer:
            for part in parts:
                file = pq.ParquetFile(part)
                for group in range(file.num_row_groups):
                    writer.write_table(file.read_row_group(group).replace_schema_metadata(None))
    return int(pq.read_metadata(path).num_rows)


def _sweep(temp_dir: Path) -> None:
    """Removes what engines of processes that are gone left: a killed run's tables hold identities."""
    for left in temp_dir.glob("spark-[0-9]*-*"):
        try:
            os.kill(int(left.name.split("-")[1]), 0)
        except (ProcessLookupError, ValueError):
            shutil.rmtree(left, ignore_errors=True)
        except PermissionError:
            continue


class SparkEngine:
    """One Spark session for one run; rows never pass through Python.

    Takes the same DuckDB SQL as `Engine`. Tables are Parquet folders under `temp_dir` (mode 0700), gone with the engine.
    """

    kind = "spark"

    def __init__(self, temp_dir: Path, master: str = "local[*]") -> None:
        _sweep(temp_dir)
        self.folder = temp_dir / f"spark-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        for folder in (temp_dir, self.folder, self.folder / "tables"):
            _private(folder)
        self.session = _session(temp_dir, master)
        self._tables: dict[str, Path] = {}
        self._reader: Engine | None = None
        _open.append(self)

    @property
    def reader(self) -> Engine:
        """DuckDB in this process, which parses the bytes that departments deliver; models run on Spark."""
        if self._reader is None:
            self._reader = Engine(self.folder / "reader")
        return self._reader

    def translated(self, sql: str) -> str:
        """`sql`, a DuckDB statement, in Spark's words."""
        with _explained():
            return to_spark(sql)

    def frame(self, sql: str, parameters: list[Any] | None = None) -> DataFrame:
        """What `sql`, a DuckDB SELECT, gives; nothing is computed yet."""
        with _explained():
            text = to_spark(sql)
            if TABLE_LIST in text:
                self._list_tables()
            return self.session.sql(text, args=parameters or None)

    def _list_tables(self) -> None:
        listed = [(t.name, "BASE TABLE" if t.name in self._tables else "VIEW") for t in self.session.catalog.listTables()]
        rows = ", ".join(f"('{name}', '{kind}')" for name, kind in listed if name != TABLE_LIST) or "('', '')"
        self.session.sql(f"create or replace temporary view {TABLE_LIST} as select * from values {rows} as t(table_name, table_type)")

    def execute(self, sql: str, parameters: list[Any] | None = None) -> None:
        self.rows(sql, parameters)

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        frame = self.frame(sql, parameters)
        with _explained():
            return [tuple(row) for row in frame.collect()]

    def scalar(self, sql: str, parameters: list[Any] | None = None) -> Any:
        frame = self.frame(sql, parameters)
        with _explained():
            row = frame.first()
        return None if row is None else row[0]

    def columns(self, select: str) -> list[tuple[str, str]]:
        """Name and type, as DuckDB calls it, of each column that `select` gives."""
        frame = self.frame(select)
        with _explained():
            return [(field.name, type_name(field.dataType)) for field in frame.schema.fields]

    def view(self, name: str, select: str) -> None:
        """`name` stands for `select` from now on; nothing is computed yet."""
        self.drop(name)
        with _explained():
            self.session.sql(f"create temporary view `{name}` as {to_spark(select)}")

    def parquet_view(self, name: str, files: str) -> None:
        """`name` reads the Parquet files of a glob."""
        self.drop(name)
        with _explained():
            self.session.read.parquet(files).createOrReplaceTempView(name)

    def table(self, name: str, select: str) -> int:
        """`name` holds the rows of `select`, computed now; returns their number."""
        frame = self._storable(select)
        path = self._place(name)
        with _explained():
            frame.write.parquet(str(path))
        return self._stored(name, path, frame.schema)

    def exists(self, name: str) -> bool:
        with _explained():
            return self.session.catalog.tableExists(name)

    def copy_apart(self, select: str, path: Path) -> int:
        """As `copy`: Spark has its own way of sharing the cores."""
        return self.copy(select, path)

    def copy(self, select: str, path: Path) -> int:
        """Writes `select`, which states its order, to one Parquet file; returns its rows."""
        frame = self._storable(select)
        folder = self._place("copy")
        with _explained():
            frame.write.parquet(str(folder))
        rows = _joined(sorted(folder.glob("part-*.parquet")), path)
        path.chmod(0o600)
        shutil.rmtree(folder)
        return rows

    def arrow(self, select: str) -> pa.RecordBatchReader:
        """The rows of `select` as Arrow batches, for a bulk load; lists and decimals keep their types."""
        frame = self.frame(select)
        with _explained():
            return frame.toArrow().to_reader(100_000)

    def from_arrow(self, name: str, table: pa.Table) -> None:
        """`name` holds the rows of an Arrow table, copied."""
        path = self._place(name)
        path.mkdir(mode=0o700)
        pq.write_table(table, path / "part-0.parquet")
        with _explained():
            schema = self.session.read.parquet(str(path)).schema
        self._stored(name, path, schema)

    def close(self) -> None:
        if self in _open:
            _open.remove(self)
            if self._reader is not None:
                self._reader.close()
            for name in list(self._tables):
                self.drop(name)
            if not _open:
                self.session.stop()
                shutil.rmtree(_context_folders.pop(), ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def drop(self, name: str) -> None:
        """Gives up the table or view `name`, where there is one."""
        with _explained():
            self.session.catalog.dropTempView(name)
        path = self._tables.pop(name, None)
        if path is not None:
            shutil.rmtree(path, ignore_errors=True)

    def _place(self, name: str) -> Path:
        return self.folder / "tables" / f"{name}-{uuid.uuid4().hex[:8]}"

    def _storable(self, select: str) -> DataFrame:
        """A column of nothing but `null` has no type that Parquet knows: INTEGER, as in DuckDB."""
        frame = self.frame(select)
        for field in frame.schema.fields:
            if isinstance(field.dataType, st.NullType):
                frame = frame.withColumn(field.name, frame[field.name].cast("int"))
        return frame

    def _stored(self, name: str, path: Path, schema: st.StructType) -> int:
        with _explained():
            frame = self.session.read.schema(schema).parquet(str(path))
            self.drop(name)
            frame.createOrReplaceTempView(name)
        self._tables[name] = path
        return sum(int(pq.read_metadata(file).num_rows) for file in path.glob("*.parquet"))
