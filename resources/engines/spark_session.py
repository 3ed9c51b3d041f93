"""Spark's session: how it is configured, opened and given up,
what its types are called and what its errors may say.

Belongs here: settings, and the context that the engines of a process share. Not here: tables and
statements (`spark`).
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import types as st

from resources.engines.dialect import DialectError
from resources.engines.duckdb import EngineError
from resources.engines.java import java_home

PARTITIONS = "spark.sql.shuffle.partitions"

_NAMED = ("objectName", "relationName", "name", "tableName", "viewName", "functionName", "path")
"""Parameters of Spark's messages about names and files;
no other may hold a row's value or the statement.
"""

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

_open: list[SparkSession] = []
"""The sessions of this process: they share one Spark context, which stops with the last of them."""
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
def explained() -> Iterator[None]:
    """Turns Spark's errors into the engine's, without the values and the SQL
    that their messages quote.
    """
    try:
        yield
    except DialectError as error:
        raise EngineError(error.message, error.next_step) from None
    except PySparkException as error:
        parameters = error.getMessageParameters() or {}
        named = ", ".join(str(parameters[key]) for key in _NAMED if key in parameters)
        condition = error.getCondition() or type(error).__name__
        raise EngineError(
            f"{condition}{f' ({named})' if named else ''} in the engine:",
            "run the model on a copy of the day to see which row",
        ) from None
    except Py4JJavaError as error:
        kind = str(error.java_exception.getClass().getSimpleName())
        raise EngineError(
            f"{kind} in the engine: a value did not fit, or a worker was lost",
            "run the model on a copy of the day",
        ) from None
    except Py4JError:
        raise EngineError(
            "Spark's process is gone:",
            "see that Java has memory enough, then run the day again",
        ) from None


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
        "spark.driver.extraJavaOptions": (
            f"-Dlog4j2.configurationFile=file:{folder / 'log4j2.properties'} -Xms1g"
            " -XX:MetaspaceSize=256m"
        ),
        "spark.local.dir": str(folder / "local"),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.session.timeZone": "Asia/Shanghai",
        "spark.sql.timestampType": "TIMESTAMP_NTZ",
        "spark.sql.datetime.java8API.enabled": "true",
        # a value that does not fit is an error, as it is in DuckDB, never a silent null
        "spark.sql.ansi.enabled": "true",
        "spark.sql.adaptive.enabled": "true",
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        # a day is hundreds of statements, and the same ones for each record type: what was compiled
        # once is used again
        "spark.sql.codegen.cache.maxEntries": "5000",
        # Java never compiles a longer method, and the wide tables make such
        "spark.sql.codegen.hugeMethodLimit": "8000",
        # tables on the way are private, and gone with the run: no mark that a folder is whole, no
        # checksum file beside each file
        "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
        "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
        "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
        # chains of reversals are as many as they are
        "spark.sql.cteRecursionRowLimit": "-1",
        "spark.sql.cteRecursionLevelLimit": "-1",
        "spark.sql.debug.maxToStringFields": "0",
    }
    if is_local:
        cores = _local_cores(master)
        settings |= {
            "spark.sql.leafNodeDefaultParallelism": "1",
            "spark.sql.files.minPartitionNum": str(cores),
        }
    host = "127.0.0.1" if is_local else urlsplit(master).hostname or ""
    if host in ("127.0.0.1", "localhost"):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    return settings


def _local_cores(master: str) -> int:
    asked = re.match(r"local\[([0-9]+)", master)
    return int(asked.group(1)) if asked else (os.cpu_count() or 1) if "*" in master else 1


def private(folder: Path) -> Path:
    """The folder, made where it is not there, for this user alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return folder


def open_session(temp_dir: Path, master: str) -> SparkSession:
    """A session of its own (its own views) on the process's context,
    whose folder outlives the engine that began it.
    """
    if not _open:
        _context_folders.append(
            private(temp_dir / f"spark-{os.getpid()}-context-{uuid.uuid4().hex[:8]}")
        )
        (_context_folders[-1] / "log4j2.properties").write_text(_LOG)
    builder = SparkSession.builder
    for key, value in _configuration(_context_folders[-1], master).items():
        builder = builder.config(key, value)
    os.environ["JAVA_HOME"] = str(java_home())
    with explained():
        first = builder.getOrCreate()
        session = first.newSession() if _open else first
    _open.append(session)
    return session


def close_session(session: SparkSession) -> None:
    """Gives a session up, and the context with the last of them."""
    _open.remove(session)
    if not _open:
        session.stop()
        shutil.rmtree(_context_folders.pop(), ignore_errors=True)


def sweep(temp_dir: Path) -> None:
    """Removes what engines of processes that are gone left:
    a killed run's tables hold identities.
    """
    for left in temp_dir.glob("spark-[0-9]*-*"):
        try:
            os.kill(int(left.name.split("-")[1]), 0)
        except (ProcessLookupError, ValueError):
            shutil.rmtree(left, ignore_errors=True)
        except PermissionError:
            continue
