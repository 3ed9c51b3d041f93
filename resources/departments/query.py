"""What is asked of a front-end database, in any dialect.

Belongs here: the connection, the table as it is there, the statements. Not here: retries and files
(`sql`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from expectations.contract import Contract
from resources.departments.clock import ISO, Clock, as_compared, number_clock, text_clock
from resources.departments.errors import Fault
from resources.departments.moments import moment_of
from resources.departments.retry import RetryPolicy
from resources.departments.texts import Kind
from resources.departments.windows import Window

IN_WINDOW = "in_window"
WITHOUT_TIME = "without_time"
"""Rows without `updated_at` are in no window; they come every time, so that none is lost (and the
contract tells what is wrong).
"""

STATEMENT_SECONDS = 600
LOCK_SECONDS = 30
ROWS_LOOKED_AT = 50_000
BETWEEN = "\x1f"
"""Stands between the parts of a composite key while they are read."""


def front_database(url: str, policy: RetryPolicy) -> sa.Engine:
    """The front-end database, not yet connected.

    Raises `Fault` for an address that no driver takes.
    """
    try:
        address = sa.make_url(url)
        if address.drivername in ("postgresql", "postgres"):
            address = address.set(drivername="postgresql+psycopg")
        seconds = max(1, round(policy.connect_timeout))
        arguments = {
            "postgresql": {"connect_timeout": seconds},
            "sqlite": {"timeout": policy.connect_timeout},
        }
        name = address.get_backend_name()
        if name == "sqlite" and address.database and not Path(address.database).is_file():
            # opening it would make an empty one
            raise Fault(
                "again",
                "database_down",
                "the front-end database's file is not there",
                "check YIHU_FRONT_DB_URL; the next run asks again",
            )
        return sa.create_engine(
            address,
            poolclass=sa.NullPool,
            hide_parameters=True,
            connect_args=arguments.get(name, {}),
        )
    except (sa.exc.ArgumentError, ImportError):
        raise Fault(
            "none",
            "not_configured",
            "YIHU_FRONT_DB_URL is no address that SQLAlchemy can open",
            "correct it, or install its driver",
        ) from None


@contextmanager
def connected(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection that only reads and waits neither for locks nor for answers without end."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(postgresql_readonly=True)
            for setting in (
                "timezone to 'Asia/Shanghai'",
                "datestyle to 'ISO, YMD'",
                f"statement_timeout to '{STATEMENT_SECONDS}s'",
                f"lock_timeout to '{LOCK_SECONDS}s'",
            ):
                connection.exec_driver_sql(f"set {setting}")
        yield connection


@dataclass(frozen=True)
class SourceTable:
    """The table of a record type as the database has it:
    every column, known to the contract or not.
    """

    dialect: str
    name: str
    names: list[str]
    kinds: list[Kind]
    at: str | None
    """The column of `updated_at`; without one, everything is read every time."""
    at_type: sa.types.TypeEngine[Any]
    clock: Clock
    key: tuple[str, ...]
    """The columns of the record key, in their order."""

    @property
    def is_sifted(self) -> bool:
        """Whether the window is kept here, row by row,
        since the database cannot compare the times.
        """
        return self.clock.kept == "mixed"

    @property
    def key_kinds(self) -> list[Kind]:
        return [self.kinds[self.names.index(name)] for name in self.key]

    def legs(self) -> list[str]:
        return [IN_WINDOW, WITHOUT_TIME] if self._compares() else [IN_WINDOW]

    def select(self, leg: str, window: Window, reached: tuple[Any, Any] | None) -> sa.Select[Any]:
        """The rows of a leg in the order of (`updated_at`, key), behind the pair `reached`;
        that pair stands last in each row.
        """
        at, key = self._at(), self._key()
        columns = [self._text(name) for name in self.names]
        statement = sa.select(*columns, at.label("_yihu_at"), key.label("_yihu_key")).select_from(
            self._table()
        )
        statement = statement.order_by(at, key) if self._compares() else statement.order_by(key)
        if leg == WITHOUT_TIME:
            statement = statement.where(at.is_(None))
            return statement if reached is None else statement.where(key > reached[1])
        if self._compares():
            statement = statement.where(at <= self._bound(window.until))
            if window.since is not None:
                since = self._bound(window.since)
                # without a time of day the whole day is read again
                statement = statement.where(at >= since if self.clock.by_day else at > since)
        if reached is not None and self._compares():
            statement = statement.where(
                sa.or_(at > reached[0], sa.and_(at == reached[0], key > reached[1]))
            )
        elif reached is not None:
            statement = statement.where(key > reached[1])
        return statement

    def sifted(self, rows: Sequence[sa.Row[Any]], window: Window) -> list[sa.Row[Any]]:
        """The rows that are in the window by the time that each says;
        one that says none comes every time.
        """
        if not self.is_sifted:
            return list(rows)
        place = self.names.index(str(self.at))
        return [row for row in rows if _is_in(moment_of(row[place]), window)]

    def outside(self, connection: sa.Connection, window: Window, far: datetime) -> Outside:
        """The rows later than the window, those later than `far` (which no day is meant to reach),
        those that say no time.
        """
        if self.is_sifted:
            return self._outside_by_row(connection, window, far)
        if not self._compares():
            return Outside()
        at = self._at()
        later = [
            sa.func.coalesce(sa.func.sum(sa.case((at > self._bound(m), 1), else_=0)), 0)
            for m in (window.until, far)
        ]
        found = connection.execute(
            sa.select(*later, sa.func.max(at)).select_from(self._table())
        ).one()
        count, ahead, latest = found[0], found[1], found[2]
        return Outside(int(count), int(ahead), moment_of(latest) if ahead else None)

    def _outside_by_row(self, connection: sa.Connection, window: Window, far: datetime) -> Outside:
        column = self._text(str(self.at))
        result = connection.execution_options(stream_results=True).execute(
            sa.select(column).select_from(self._table())
        )
        count = ahead = unread = 0
        latest = window.until
        while rows := result.fetchmany(ROWS_LOOKED_AT):
            moments = [moment_of(row[0]) for row in rows]
            said = [moment for moment in moments if moment is not None]
            unread += len(moments) - len(said)
            count += sum(moment > window.until for moment in said)
            ahead += sum(moment > far for moment in said)
            latest = max((latest, *said))
        return Outside(count, ahead, latest if ahead else None, unread)

    def keys(self) -> sa.Select[Any]:
        """Every key that the table holds, a column a part."""
        parts = [self._as_text(sa.column(name)) for name in self.key]
        labels = [part.label(f"k{n}") for n, part in enumerate(parts)]
        return (
            sa.select(*labels)
            .select_from(self._table())
            .where(*(part.is_not(None) for part in parts))
            .distinct()
            .order_by(*parts)
        )

    def _table(self) -> sa.TableClause:
        return sa.table(self.name)

    def _text(self, name: str) -> sa.ColumnElement[Any]:
        # PostgreSQL writes canonical text faster than Python does; elsewhere the driver's own
        # values are taken
        column: sa.ColumnElement[Any] = sa.column(name)
        return sa.cast(column, sa.Text).label(name) if self.dialect == "postgresql" else column

    def _key(self) -> sa.ColumnElement[Any]:
        parts = [
            sa.func.coalesce(self._as_text(sa.column(name)), "", type_=sa.Text) for name in self.key
        ]
        whole: sa.ColumnElement[Any] = parts[0]
        for part in parts[1:]:
            whole = whole + sa.literal(BETWEEN, sa.Text) + part
        return whole

    def _as_text(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.cast(
            column, sa.Text if self.dialect in ("postgresql", "sqlite") else sa.String(255)
        )

    def _compares(self) -> bool:
        return self.clock.kept not in ("none", "mixed")

    def _at(self) -> sa.ColumnElement[Any]:
        if self.at is None or not self._compares():
            return sa.null()
        if self.clock.kept == "text":
            text = _text_column(self.dialect, self.at)
            return as_compared(text) if self.clock.template == ISO else text
        return sa.column(self.at, self.at_type)

    def _bound(self, moment: datetime) -> Any:
        value = self.clock.bound(moment, bool(getattr(self.at_type, "timezone", False)))
        return sa.literal(value, sa.Numeric) if self.clock.kept == "number" else value


@dataclass(frozen=True)
class Outside:
    """Rows that a window does not reach: how many are later, how many later than any day's,
    and how many say no time.
    """

    count: int = 0
    ahead: int = 0
    latest: datetime | None = None
    unread: int = 0


def _is_in(moment: datetime | None, window: Window) -> bool:
    if moment is None:
        return True
    return moment <= window.until and (window.since is None or moment > window.since)


def source_table(connection: sa.Connection, contract: Contract) -> SourceTable:
    """The record type's table as the database has it.

    Raises `Fault` where it, its key or its `updated_at` is missing.
    """
    inspector = sa.inspect(connection)
    if not inspector.has_table(contract.table):
        said = f"the front-end database has no table {contract.table} for this login"
        raise Fault("none", "table_missing", said, "have the department create it or grant it")
    columns = {
        str(column["name"]): column["type"] for column in inspector.get_columns(contract.table)
    }
    at = contract.find_role("updated_at")
    if at is not None and not at.is_delivered:
        at = None
    for field in (*contract.key_fields, at):
        if field is not None and field.is_delivered and field.physical_name not in columns:
            said = f"the table {contract.table} has no column {field.physical_name} ({field.name})"
            raise Fault(
                "none",
                "column_missing",
                said,
                "have the department bring it back, or change the contract",
            )
    types = {field.physical_name: field.type for field in contract.delivered}
    return SourceTable(
        dialect=connection.dialect.name,
        name=contract.table,
        names=list(columns),
        kinds=[_kind(kind, types.get(name)) for name, kind in columns.items()],
        at=at.physical_name if at else None,
        at_type=columns[at.physical_name] if at else sa.types.NullType(),
        clock=(
            _clock(connection, contract.table, at.physical_name, columns[at.physical_name])
            if at
            else Clock("none")
        ),
        key=tuple(field.physical_name for field in contract.key_fields if field.is_delivered),
    )


def _clock(
    connection: sa.Connection, table: str, name: str, kind: sa.types.TypeEngine[Any]
) -> Clock:
    is_sqlite = connection.dialect.name == "sqlite"
    if isinstance(kind, sa.Integer | sa.Numeric):
        return number_clock(connection, table, sa.column(name, kind))
    if is_sqlite or isinstance(kind, sa.String):
        return text_clock(connection, table, _text_column(connection.dialect.name, name))
    if isinstance(kind, sa.DateTime):  # Oracle's DATE is one
        return Clock("moment")
    if isinstance(kind, sa.Date):
        return Clock("day", by_day=True)
    return Clock("mixed")


def _text_column(dialect: str, name: str) -> sa.ColumnElement[Any]:
    return sa.cast(sa.column(name), sa.Text) if dialect == "sqlite" else sa.column(name, sa.Text)


def _kind(kind: sa.types.TypeEngine[Any], stated: str | None) -> Kind:
    """What a column holds: what the contract says of days and times,
    whatever their type in the database.
    """
    if stated in ("date", "timestamp"):
        return "date" if stated == "date" else "timestamp"
    match kind:
        case sa.Boolean():
            return "boolean"
        case sa.DateTime():
            return "timestamp"
        case sa.Date():
            return "date"
    return "other"
