"""A department's front-end database (前置机):
the table of a record type, read in chunks by `updated_at`.

Belongs here: the raw batch of a query's result, its resumption, the weekly reconciliation. Not
here: the query (`query`).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from expectations.contract import Contract
from resources.departments.batches import BatchStore, Manifest
from resources.departments.clock import Clock
from resources.departments.errors import Fault
from resources.departments.query import (
    Outside,
    SourceTable,
    connected,
    front_database,
    source_table,
)
from resources.departments.reading import Reading, Task, fetched_at
from resources.departments.retry import Budget, RetryPolicy
from resources.departments.texts import column_texts
from resources.departments.windows import AHEAD, Window, reconciles, stamp, window_of
from resources.settings import SHANGHAI, Settings

ROWS_AT_ONCE = 50_000
STEP = 500
"""Rows that are fetched at once."""
KEYS = "keys.parquet"
DOWN = "check YIHU_FRONT_DB_URL and that the front-end database runs; the next run asks again"


class SqlReader:
    """Reads the window of one record type from the front-end database into a new batch
    of the day.
    """

    def __init__(
        self,
        settings: Settings,
        store: BatchStore,
        policy: RetryPolicy,
        rows_at_once: int = ROWS_AT_ONCE,
    ) -> None:
        self._settings = settings
        self._store = store
        self._patience = policy
        self._rows_at_once = rows_at_once

    def read(self, task: Task) -> Reading:
        contract = task.contract
        if self._settings.front_db_url is None:
            raise Fault(
                "none",
                "not_configured",
                "no front-end database is named",
                "set YIHU_FRONT_DB_URL to its SQLAlchemy address",
            )
        window = window_of(contract, task.as_of, task.now, task.ledger)
        batch_id = self._store.next_id(contract.table, contract.records, task.as_of)
        work = self._store.begin(contract.table, batch_id, anew=True)
        engine = front_database(self._settings.front_db_url, self._patience)
        parts = Parts(work, self._rows_at_once)
        try:
            latest = max(window.until, task.now) + AHEAD
            table, outside = self._patiently(engine, contract, window, latest, parts)
            if not parts.rows and window.since is None:
                # on a first read an empty answer is not believed before it came twice
                parts = Parts(
                    self._store.begin(contract.table, batch_id, anew=True), self._rows_at_once
                )
                table, outside = self._patiently(engine, contract, window, latest, parts)
            keys = reconciles(contract, task.as_of, task.ledger)
            if keys:
                self._keys(engine, table, work / KEYS)
        except Fault as fault:
            fault.requests = parts.queries
            self._store.drop(work)
            raise
        finally:
            engine.dispose()
        manifest = Manifest(
            batch_id=batch_id,
            table=contract.table,
            department=contract.department,
            records=contract.records,
            form="sql",
            format="parquet",
            # a query shows no version as of an earlier moment: what it lacks may only have changed
            # since, so that nothing is withdrawn by what a result lacks, but by what the keys lack
            delivery="incremental",
            source=contract.table,
            since=stamp(window.since) if window.since else None,
            until=stamp(window.until),
            extract_date=task.as_of.isoformat(),
            row_count=parts.rows,
            total=None,
            sha256=_sha256([work / name for name in [*parts.files, *([KEYS] if keys else [])]]),
            fetched_at=fetched_at(),
            contract_version=contract.version,
            files=parts.files,
            columns=table.names,
            keys_file=KEYS if keys else None,
            notes=_undated(outside),
            unread=(unread := _ahead(outside)),
            behind=outside.count,
        )
        same = self._store.same(manifest)
        if same is not None:
            self._store.drop(work)
            return Reading((same,), False, requests=parts.queries, unread=tuple(unread))
        return Reading(
            (self._store.commit(work, manifest),),
            True,
            requests=parts.queries,
            unread=tuple(unread),
        )

    def _patiently(
        self, engine: sa.Engine, contract: Contract, window: Window, far: datetime, parts: Parts
    ) -> tuple[SourceTable, Outside]:
        """Reads everything, going on behind the last row kept whenever the connection is lost."""
        budget = Budget(self._patience)
        attempt = 0
        while True:
            started, before = time.monotonic(), parts.rows
            try:
                with faults(), connected(engine) as connection:
                    table = source_table(connection, contract)
                    parts.open(table.names, table.clock)
                    for leg in table.legs():
                        if leg not in parts.done:
                            self._leg(connection, table, leg, window, parts)
                            parts.done.add(leg)
                    parts.close()
                    return table, table.outside(connection, window, far)
            except Fault as fault:
                parts.lose()
                if fault.remedy == "none":
                    raise
                attempt = 1 if parts.rows > before else attempt + 1
                budget.wait(fault, attempt, time.monotonic() - started)

    def _leg(
        self, connection: sa.Connection, table: SourceTable, leg: str, window: Window, parts: Parts
    ) -> None:
        parts.queries += 1
        result = connection.execution_options(stream_results=True, max_row_buffer=STEP).execute(
            table.select(leg, window, parts.reached)
        )
        for rows in gathered(result, self._rows_at_once, self._patience):
            wanted = table.sifted(rows, window)
            if not wanted:
                continue
            *columns, at, key = zip(*wanted, strict=True)
            parts.add(
                [
                    column_texts(column, kind)
                    for column, kind in zip(columns, table.kinds, strict=True)
                ],
                list(zip(at, key, strict=True)),
            )
        parts.flush()

    def _keys(self, engine: sa.Engine, table: SourceTable, path: Path) -> None:
        names = table.key if len(table.key) > 1 else ("record_key",)
        budget = Budget(self._patience)
        attempt = 0
        while True:
            try:
                with faults(), connected(engine) as connection:
                    found = connection.execution_options(
                        stream_results=True, max_row_buffer=self._rows_at_once
                    ).execute(table.keys())
                    with pq.ParquetWriter(
                        path, pa.schema([(name, pa.string()) for name in names]), compression="zstd"
                    ) as writer:
                        while rows := found.fetchmany(self._rows_at_once):
                            columns = zip(*rows, strict=True)
                            texts = [
                                column_texts(column, kind)
                                for column, kind in zip(columns, table.key_kinds, strict=True)
                            ]
                            writer.write_table(
                                pa.table(
                                    {
                                        n: pa.array(t, pa.string())
                                        for n, t in zip(names, texts, strict=True)
                                    }
                                )
                            )
                return
            except Fault as fault:
                attempt += 1
                if fault.remedy == "none":
                    raise
                budget.wait(fault, attempt, 0.0)


def gathered(
    result: sa.CursorResult[Any], size: int, policy: RetryPolicy
) -> Iterator[list[sa.Row[Any]]]:
    """The rows, so many at once, fetched in small steps:
    texts that are no values are seen before they fill the memory.
    """
    last = time.monotonic() + policy.read_deadline
    rows: list[sa.Row[Any]] = []
    weight = 0
    while step := result.fetchmany(min(size, STEP)):
        weight += sum(len(cell) for row in step for cell in row if isinstance(cell, str | bytes))
        if weight > policy.chunk_bytes:
            said = f"{size} rows of the table hold more than {policy.chunk_bytes >> 20} MiB"
            raise Fault(
                "none", "too_large", said, "have the department look at what its columns hold"
            )
        if time.monotonic() > last:
            raise Fault(
                "none",
                "endless",
                "the table has no end",
                "have the department look at this record type's table",
            )
        rows += step
        if len(rows) >= size:
            yield rows
            rows, weight = [], 0
    if rows:
        yield rows


def _ahead(outside: Outside) -> list[str]:
    """Rows that no day will reach: a mistyped year, a clock that is wrong."""
    if not outside.ahead or outside.latest is None:
        return []
    rows, are = ("rows", "are") if outside.ahead > 1 else ("row", "is")
    latest = outside.latest.astimezone(SHANGHAI)
    return [
        f"{outside.ahead} {rows} behind the window: their update time is more than a day ahead of"
        f" the clock (the latest {latest:%Y-%m-%d}), they {are} read when it comes; have the"
        " department correct it"
    ]


def _undated(outside: Outside) -> list[str]:
    if not outside.unread:
        return []
    return [
        f"{outside.unread} rows have an update time that is none: they come every day until the"
        " department corrects it"
    ]


class Parts:
    """The rows read so far, in files of about the same size.

    Rows are in the order of (`updated_at`, key). Those with the pair that the rows read end with
    are held back until the next pair is seen: so what is written is complete up to the pair
    `reached`, and a read goes on behind it.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self._size = size
        self._names: list[str] = []
        self._clock = Clock("none")
        self._held: list[list[str | None]] = []
        self._pairs: list[tuple[Any, Any]] = []
        self.files: list[str] = []
        self.rows = 0
        self.queries = 0
        self.reached: tuple[Any, Any] | None = None
        self.done: set[str] = set()

    def open(self, names: list[str], clock: Clock) -> None:
        if self._names and (names, clock) != (self._names, self._clock):
            raise Fault(
                "none",
                "columns_changed",
                "the table's columns changed while it was read",
                "run the day again",
            )
        self._names, self._clock = names, clock
        self.lose()

    def add(self, columns: list[list[str | None]], pairs: list[tuple[Any, Any]]) -> None:
        self._held = [held + new for held, new in zip(self._held, columns, strict=True)]
        self._pairs += pairs
        last = self._pairs[-1]
        end = len(self._pairs)
        while end and self._pairs[end - 1] == last:
            end -= 1
        if end:
            self._write(end)

    def flush(self) -> None:
        """A leg is at its end: nothing more can come with the last pair.

        The next leg starts from nothing.
        """
        if self._pairs:
            self._write(len(self._pairs))
        self.reached = None

    def lose(self) -> None:
        """Forgets the rows held back; they are read again."""
        self._held = [[] for _ in self._names]
        self._pairs = []

    def close(self) -> None:
        if not self.files:
            self._write(0)

    def _write(self, end: int) -> None:
        arrays = [pa.array(range(self.rows + 1, self.rows + 1 + end), pa.int64())]
        arrays += [pa.array(column[:end], pa.string()) for column in self._held]
        name = f"part-{len(self.files) + 1:05d}.parquet"
        pq.write_table(
            pa.Table.from_arrays(arrays, names=["_row", *self._names]),
            self._folder / name,
            compression="zstd",
        )
        self.files.append(name)
        self.rows += end
        if end:
            self.reached = self._pairs[end - 1]
        self._held = [column[end:] for column in self._held]
        self._pairs = self._pairs[end:]


@contextmanager
def faults() -> Iterator[None]:
    """A database's errors as faults; their texts (addresses, statements, values)
    are not repeated.
    """
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
        raise Fault(
            "again",
            "database_down",
            f"the front-end database cannot be read ({_state(error)})",
            DOWN,
        ) from None
    except sa.exc.DBAPIError as error:
        if error.connection_invalidated:
            raise Fault(
                "again", "database_down", "the front-end database closed the connection", DOWN
            ) from None
        said = f"the front-end database refuses the query ({_state(error)})"
        raise Fault(
            "none",
            "query_refused",
            said,
            "check the table, its columns and this login's rights with the department",
        ) from None


def _state(error: sa.exc.SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None)
    return str(getattr(cause, "sqlstate", None) or type(cause or error).__name__)


def _sha256(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()
