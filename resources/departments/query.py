"""What is asked of a front-end database, in any dialect.

Belongs here: the connection, the table as it is there, the statements. Not here: retries and files (`sql`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from expectations.contract import Contract
from resources.departments.errors import Fault
from resources.departments.patience import Patience
from resources.departments.texts import Kind
from resources.departments.windows import Window
from resources.settings import SHANGHAI

IN_WINDOW = "in_window"
WITHOUT_TIME = "without_time"
"""Rows without `updated_at` are in no window; they come every time, so that none is lost (and the contract tells what is wrong)."""

STATEMENT_SECONDS = 600
LOCK_SECONDS = 30


def front_database(url: str, patience: Patience) -> sa.Engine:
    """The front-end database, not yet connected. Raises `Fault` for an address that no driver takes."""
    try:
        address = sa.make_url(url)
        if address.drivername in ("postgresql", "postgres"):
            address = address.set(drivername="postgresql+psycopg")
        seconds = max(1, round(patience.connect_timeout))
        arguments = {"postgresql": {"connect_timeout": seconds}, "sqlite": {"timeout": patience.connect_timeout}}
        name = address.get_backend_name()
        if name == "sqlite" and address.database and not Path(address.database).is_file():
            # opening it would make an empty one
            raise Fault(
                "again", "database_down", "the front-end database's file is not there", "check YIHU_FRONT_DB_URL; the next run asks again"
            )
        return sa.create_engine(address, poolclass=sa.NullPool, hide_parameters=True, connect_args=arguments.get(name, {}))
    except (sa.exc.ArgumentError, ImportError):
        raise Fault(
            "none", "not_configured", "YIHU_FRONT_DB_URL is no address that SQLAlchemy can open", "correct it, or install its driver"
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
    """The table of a record type as the database has it: every column, known to the contract or not."""

    dialect: str
    name: str
    names: list[str]
    kinds: list[Kind]
    at: str | None
    """The column of `updated_at`; without one, everything is read every time."""
    at_type: sa.types.TypeEngine[Any]
    key: str

    def legs(self) -> list[str]:
        return [IN_WINDOW, WITHOUT_TIME] if self.at else [IN_WINDOW]

    def select(self, leg: str, window: Window, reached: tuple[Any, Any] | None) -> sa.Select[Any]:
        """The rows of a leg in the order of (`updated_at`, key), behind the pair `reached`; that pair stands last in each row."""
        at, key = self._at(), self._key()
        columns = [self._text(name) for name in self.names]
        statement = sa.select(*columns, at.label("_yihu_at"), key.label("_yihu_key")).select_from(sa.table(self.name)).order_by(at, key)
        if leg == WITHOUT_TIME:
            statement = statement.where(at.is_(None))
            return statement if reached is None else statement.where(key > reached[1])
        if self.at:
            statement = statement.where(at <= self._moment(window.until))
            if window.since is not None:
                since = self._moment(window.since)
                # a date has no time of day: the whole day is read again
                statement = statement.where(at >= since if self._is_date() else at > since)
        if reached is not None and self.at:
            statement = statement.where(sa.or_(at > reached[0], sa.and_(at == reached[0], key > reached[1])))
        elif reached is not None:
            statement = statement.where(key > reached[1])
        return statement

    def keys(self) -> sa.Select[Any]:
        """Every key that the table holds."""
        key = self._as_text(sa.column(self.key))
        return sa.select(key.label("record_key")).select_from(sa.table(self.name)).where(key.is_not(None)).distinct().order_by(key)

    def _text(self, name: str) -> sa.ColumnElement[Any]:
        # PostgreSQL writes canonical text faster than Python does; elsewhere the driver's own values are taken
        column: sa.ColumnElement[Any] = sa.column(name)
        return sa.cast(column, sa.Text).label(name) if self.dialect == "postgresql" else column

    def _key(self) -> sa.ColumnElement[Any]:
        return sa.func.coalesce(self._as_text(sa.column(self.key)), "")

    def _as_text(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        return sa.cast(column, sa.Text if self.dialect in ("postgresql", "sqlite") else sa.String(255))

    def _at(self) -> sa.ColumnElement[Any]:
        if self.at is None:
            return sa.null()
        if self._is_text():
            # text compares as time does once `T` and offset are out of the way; all of it is in Asia/Shanghai
            return sa.func.substr(sa.func.replace(sa.column(self.at), "T", " "), 1, 26, type_=sa.Text)
        return sa.column(self.at, self.at_type)

    def _moment(self, moment: datetime) -> Any:
        here = moment.astimezone(SHANGHAI)
        if self._is_text():
            return here.replace(tzinfo=None).isoformat(" ", "microseconds")
        if self._is_date():
            return here.date()
        return here if getattr(self.at_type, "timezone", False) else here.replace(tzinfo=None)

    def _is_text(self) -> bool:
        return self.dialect == "sqlite" or isinstance(self.at_type, sa.String)

    def _is_date(self) -> bool:
        return isinstance(self.at_type, sa.Date) and not self._is_text()


def source_table(connection: sa.Connection, contract: Contract) -> SourceTable:
    """The record type's table as the database has it. Raises `Fault` where it, its key or its `updated_at` is missing."""
    inspector = sa.inspect(connection)
    if not inspector.has_table(contract.table):
        said = f"the front-end database has no table {contract.table} for this login"
        raise Fault("none", "table_missing", said, "have the department create it or grant it")
    columns = {str(column["name"]): column["type"] for column in inspector.get_columns(contract.table)}
    at = contract.find_role("updated_at")
    for field in (contract.record_key, at):
        if field is not None and field.physical_name not in columns:
            said = f"the table {contract.table} has no column {field.physical_name} ({field.name})"
            raise Fault("none", "column_missing", said, "have the department bring it back, or change the contract")
    return SourceTable(
        dialect=connection.dialect.name,
        name=contract.table,
        names=list(columns),
        kinds=[_kind(kind) for kind in columns.values()],
        at=at.physical_name if at else None,
        at_type=columns[at.physical_name] if at else sa.types.NullType(),
        key=contract.record_key.physical_name,
    )


def _kind(kind: sa.types.TypeEngine[Any]) -> Kind:
    match kind:
        case sa.Boolean():
            return "boolean"
        case sa.DateTime():
            return "timestamp"
        case sa.Date():
            return "date"
    return "other"
