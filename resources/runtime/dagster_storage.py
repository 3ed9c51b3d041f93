"""Dagster's SQLite files, held open while a run goes on.

Dagster makes an engine, a connection and a commit for each event, and twelve hundred events come of
a run. Here it gets the engine that it made for that file before, which knows its statements, and
SQLAlchemy a connection that stays open; in WAL mode `synchronous=normal` waits for the disk at
checkpoints, not at each commit: a file stays whole whatever happens, and a machine that loses its
power loses at most the last events of a run that has to run again.

Belongs here: those engines and connections. Not here: anything that reads or writes those files.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy as sa

MAKE_ENGINES = (
    "dagster._core.storage.event_log.sqlite.sqlite_event_log",
    "dagster._core.storage.runs.sqlite.sqlite_run_storage",
    "dagster._core.storage.schedules.sqlite.sqlite_schedule_storage",
)
"""Dagster's modules that call `create_engine` for every connection. They are its own: where another
version has them no more, a run makes engines as Dagster does, and a test says so.
"""


class _PooledConnection(sqlite3.Connection):
    """A connection whose `close` gives it back."""

    idle: list[_PooledConnection]

    def close(self) -> None:
        self.idle.append(self)


class _SqlitePool:
    """The open connections to the SQLite files under one folder,
    a list for each file and thread.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = os.path.abspath(folder) + os.sep
        self._idle: dict[tuple[str, int], list[_PooledConnection]] = defaultdict(list)
        self._opened: list[_PooledConnection] = []

    def connect(
        self, dialect: Any, _: Any, arguments: list[Any], options: dict[str, Any]
    ) -> _PooledConnection | None:
        """A connection for SQLAlchemy where the file is one of ours, else None:
        SQLAlchemy makes its own.
        """
        if (
            dialect.name != "sqlite"
            or not arguments
            or not str(arguments[0]).startswith(self._folder)
        ):
            return None
        idle = self._idle[str(arguments[0]), threading.get_ident()]
        if idle:
            return idle.pop()
        connection = sqlite3.connect(
            *arguments, **{**options, "check_same_thread": False}, factory=_PooledConnection
        )
        connection.idle = idle
        connection.execute("pragma synchronous = normal")
        self._opened.append(connection)
        return connection

    def close(self) -> None:
        for connection in self._opened:
            sqlite3.Connection.close(connection)


@contextmanager
def pooled_sqlite() -> Iterator[None]:
    """Holds the files under `YIHU_DAGSTER_DIR` open that SQLAlchemy connects to in this block,
    each from its first use on.
    """
    folder = os.environ.get("YIHU_DAGSTER_DIR")
    if not folder:
        yield
        return
    held = _SqlitePool(Path(folder))
    sa.event.listen(sa.Engine, "do_connect", held.connect)
    try:
        with _engines_kept():
            yield
    finally:
        sa.event.remove(sa.Engine, "do_connect", held.connect)
        held.close()


@contextmanager
def _engines_kept() -> Iterator[None]:
    """An engine a file for Dagster's SQLite storages, instead of one for every connection."""
    engines: dict[str, sa.Engine] = {}

    def kept(url: str, **options: Any) -> sa.Engine:
        if url not in engines:
            engines[url] = sa.create_engine(url, **options)
        return engines[url]

    before = [(module, vars(module)["create_engine"]) for module in _engine_makers()]
    for module, _ in before:
        vars(module)["create_engine"] = kept
    try:
        yield
    finally:
        for module, make in before:
            vars(module)["create_engine"] = make


def _engine_makers() -> Iterator[ModuleType]:
    for path in MAKE_ENGINES:
        with suppress(ImportError):
            module = import_module(path)
            if "create_engine" in vars(module):
                yield module
