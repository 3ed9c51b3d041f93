"""The one connection over which a release is written:
ADBC, since rows go as Arrow and one transaction holds them all.

Belongs here: executing, bulk in and out, errors without values. Not here: what is executed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
import sqlalchemy as sa

from warehouse.database.address import libpq_url
from warehouse.database.write_lock import (
    DEADLOCK,
    LOCK_NOT_AVAILABLE,
    PATIENCE,
    TAKE_WRITE_LOCK,
    patient,
)
from warehouse.publication.errors import LockTimeout, PublicationError, PublisherBusy

ADVICE: dict[str, tuple[str, str]] = {
    "53100": ("the database's disk is full:", "make room (make prune, then vacuum), and run again"),
    "53200": ("the database is out of memory:", "run again when it is less busy"),
    "53300": ("the database has no connection left:", "run again when it is less busy"),
    "25006": ("the database is read-only:", "name the primary server in YIHU_WAREHOUSE_URL"),
    "42501": ("the login may not write the warehouse:", "use yihu_publisher or the owner"),
    "28P01": ("the password is wrong:", "correct YIHU_WAREHOUSE_URL"),
    "55P03": ("the database is locked by another session:", "run again"),
    "40P01": ("the database broke a deadlock:", "run again"),
}
LOST = "the connection to the database was lost before the release was committed:"


def explained(error: adbc_driver_manager.Error) -> PublicationError:
    """The error as one that says what to do:
    the database's own message may quote a row, so only its code is kept.
    """
    code = getattr(error, "sqlstate", None) or ""
    if code in (LOCK_NOT_AVAILABLE, DEADLOCK):
        return LockTimeout(
            f"a session holds a lock that stands in the way (SQLSTATE {code}):",
            "make status names it; end it and run again. The last release stands.",
        )
    if code in ADVICE:
        said, step = ADVICE[code]
        return PublicationError(said, f"{step} (SQLSTATE {code}); the last release stands.")
    if not code or code[:2] in ("08", "57") or code == "00000":
        named = f" (SQLSTATE {code})" if code else ""
        return PublicationError(
            LOST,
            f"see that the server runs, and run again{named}; the last release stands.",
        )
    # Class 42 names tables and columns, never values.
    lines = str(error).partition("ERROR:")[2].strip().splitlines()
    quoted = lines[:1] if code.startswith("42") else []
    reason = f": {quoted[0]}" if quoted else ""
    return PublicationError(
        f"the database refused a statement (SQLSTATE {code}){reason}",
        "make status says more, the last release stands.",
    )


class Wire:
    """A connection in one transaction."""

    def __init__(self, connection: adbc.Connection) -> None:
        self._connection = connection
        self._cursor = connection.cursor()

    def execute(self, sql: str, *parameters: Any) -> int:
        """Runs one statement; returns the rows that it touched.

        Parameters need a cast: `$1::text::date`.
        """
        self._cursor.execute(sql, parameters or None)
        return int(self._cursor.rowcount)

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        self._cursor.execute(sql, parameters or None)
        return list(self._cursor.fetchall())

    def scalar(self, sql: str, *parameters: Any) -> Any:
        found = self.rows(sql, *parameters)
        return found[0][0] if found else None

    def arrow(self, sql: str) -> pa.Table:
        self._cursor.execute(sql)
        return self._cursor.fetch_arrow_table()

    def load(self, table: str, rows: pa.RecordBatchReader, schema: str | None = None) -> int:
        """Appends rows by column name, to a temporary table where no schema is named."""
        if schema is None:
            return int(self._cursor.adbc_ingest(table, rows, mode="append", temporary=True))
        return int(self._cursor.adbc_ingest(table, rows, mode="append", db_schema_name=schema))

    def commit(self) -> None:
        self._connection.commit()


@contextmanager
def wired(url: str | sa.URL) -> Iterator[Wire]:
    """A connection whose transaction is rolled back unless the block commits it.

    Raises:
        PublicationError: for whatever the database says, without its text.
    """
    try:
        connection = adbc.connect(libpq_url(url))
    except adbc_driver_manager.Error as error:
        raise explained(error) from None
    wire = Wire(connection)
    try:
        yield wire
    except adbc_driver_manager.Error as error:
        raise explained(error) from None
    finally:
        _close(connection, wire)


def _close(connection: adbc.Connection, wire: Wire) -> None:
    """Rolls back what was not committed; of a connection that is gone,
    nothing is left to roll back.
    """
    for step in (wire._cursor.close, connection.rollback, connection.close):
        try:
            step()
        except adbc_driver_manager.Error:
            continue


def take_write_lock(wire: Wire, wait_seconds: float, lock_timeout: float = PATIENCE[-1]) -> None:
    """One publisher at a time: waits for the other, or says so;
    what comes after it waits for nobody's lock for long.

    Raises:
        Busy: when the other is not done in time.
    """
    wire.execute(patient(wait_seconds))
    try:
        wire.execute(TAKE_WRITE_LOCK)
    except adbc_driver_manager.Error as error:
        if getattr(error, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            raise PublisherBusy(
                f"another publisher is at work and was not done in {wait_seconds:.0f} s:",
                "run again when it is; the last release stands.",
            ) from None
        raise
    wire.execute(patient(lock_timeout))
