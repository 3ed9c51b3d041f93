"""The departments' front-end database (前置机): tables with the physical names as columns.

Belongs here: loading a day's state in bulk, what changed when asked again, and what can be wrong
with a database. Not here: rows (`days`).
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from expectations.contract import Contract, Field, load_contracts
from sandbox.county import County
from sandbox.days import end_of
from sandbox.faults import DATABASE_FAULTS
from sandbox.render import typed_rows
from sandbox.shapes import SHAPES

MOST_DAYS = 40
"""A longer step is a load anew."""
_LOADED = sa.Table(
    "sandbox_loaded",
    sa.MetaData(),
    sa.Column("table_name", sa.String(120), primary_key=True),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("county", sa.String(64), nullable=False),
)


def _type(field: Field) -> Any:
    if field.type.startswith("decimal"):
        precision, scale = field.type[8:-1].split(",")
        return sa.Numeric(int(precision), int(scale))
    kinds: dict[str, Any] = {
        "text": sa.Text(),
        "integer": sa.BigInteger(),
        "boolean": sa.Boolean(),
        "date": sa.Date(),
        "timestamp": sa.DateTime(),
    }
    return kinds[field.type]


def table_of(contract: Contract) -> sa.Table:
    """The table of a record type, as its department made it."""
    columns = [
        sa.Column(
            f.physical_name,
            _type(f),
            primary_key=f.role == "record_key",
            autoincrement=False,
            index=f.role == "updated_at",
        )
        for f in contract.fields
    ]
    return sa.Table(contract.table, sa.MetaData(), *columns)


def by_sql(everything: bool) -> Iterator[Contract]:
    """The record types that come by the front-end database, or all of them."""
    for contract in load_contracts():
        if contract.records in SHAPES and (everything or contract.server.get("form") == "sql"):
            yield contract


def load(county: County, url: str, as_of: date, everything: bool = False) -> dict[str, int]:
    """Brings the tables to the end of `as_of`; returns how many rows were written to each.

    A table loaded for an earlier day gets what changed since, deletions included; else it is loaded
    anew. One load at a time: one that outlives whoever started it is waited for.
    """
    engine = sa.create_engine(url)
    with (county.home / ".front-db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            _LOADED.create(engine, checkfirst=True)
            return {
                contract.table: _bring(county, engine, contract, as_of)
                for contract in by_sql(everything)
            }
        finally:
            engine.dispose()


def _bring(county: County, engine: sa.Engine, contract: Contract, as_of: date) -> int:
    table = table_of(contract)
    known = _LOADED.c.table_name == contract.table
    with engine.begin() as connection:
        row = connection.execute(
            sa.select(_LOADED.c.as_of).where(known, _LOADED.c.county == county.mark)
        ).first()
        loaded: date | None = row[0] if row is not None and _is_whole(connection, table) else None
        if loaded == as_of:
            return 0
        until = end_of(datetime(as_of.year, as_of.month, as_of.day))
        if loaded is not None and loaded < as_of <= loaded + timedelta(days=MOST_DAYS):
            # a day of overlap: some rows were committed late
            since = end_of(datetime(loaded.year, loaded.month, loaded.day)) - timedelta(days=1)
            rows = _rows(county, contract, until, since)
            key = table.c[contract.record_key.physical_name]
            keys = [{"k": value} for value in rows[key.name].to_pylist()]
            if keys:
                connection.execute(sa.delete(table).where(key == sa.bindparam("k")), keys)
        else:
            rows = _rows(county, contract, until, None)
            table.drop(connection, checkfirst=True)
            table.create(connection)
        rows = rows.filter(pc.equal(rows["_op"], "U")).drop_columns(["_op"])
        _insert(connection, table, rows, county.home)
        connection.execute(sa.delete(_LOADED).where(known))
        connection.execute(
            sa.insert(_LOADED).values(table_name=contract.table, as_of=as_of, county=county.mark)
        )
        return int(rows.num_rows)


def _is_whole(connection: sa.Connection, table: sa.Table) -> bool:
    inspector = sa.inspect(connection)
    return inspector.has_table(table.name) and {
        c["name"] for c in inspector.get_columns(table.name)
    } == {c.name for c in table.columns}


def _rows(county: County, contract: Contract, until: datetime, since: datetime | None) -> pa.Table:
    found: pa.Table = (
        county.connection()
        .execute(typed_rows(contract, county.state(contract.records, until, since)))
        .to_arrow_table()
    )
    return found


def _insert(connection: sa.Connection, table: sa.Table, rows: pa.Table, home: Path) -> None:
    if connection.dialect.name == "postgresql":
        _copy(connection, table, rows, home)
        return
    for batch in rows.to_batches(20_000):
        connection.execute(sa.insert(table), batch.to_pylist())


def _copy(connection: sa.Connection, table: sa.Table, rows: pa.Table, home: Path) -> None:
    import pyarrow.csv as pacsv

    with TemporaryDirectory(dir=home) as folder:
        path = Path(folder) / "rows.csv"
        pacsv.write_csv(rows, path, pacsv.WriteOptions(include_header=False))
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        driver: Any = connection.connection.driver_connection
        with (
            path.open("rb") as source,
            driver.cursor() as cursor,
            cursor.copy(f'copy "{table.name}" ({columns}) from stdin (format csv)') as out,
        ):
            while chunk := source.read(1 << 20):
                out.write(chunk)


def spoil(url: str, contract: Contract, fault: str) -> None:
    """Takes the table away, or a column of it, or calls the column otherwise, until the next
    `load`.

    A database that is down is one whose address leads nowhere: use `down_url`.
    """
    if fault not in DATABASE_FAULTS:
        raise ValueError(f"no fault {fault!r}: use one of {', '.join(DATABASE_FAULTS)}")
    engine = sa.create_engine(url)
    column = contract.fields[-2].physical_name
    change = {
        "missing_table": f'drop table "{contract.table}"',
        "missing_column": f'alter table "{contract.table}" drop column "{column}"',
        "renamed_column": (
            f'alter table "{contract.table}" rename column "{column}" to "{column}_x"'
        ),
    }[fault]
    with engine.begin() as connection:
        connection.execute(sa.text(change))
    engine.dispose()


def down_url() -> str:
    """An address at which no database answers."""
    return "postgresql+psycopg://nobody@127.0.0.1:9/front"
