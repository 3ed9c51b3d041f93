"""Front-end databases: windows, chunks, canonical text, the weekly reconciliation, and what goes
wrong with a database.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from expectations.contract import Contract, Field, contract_for
from resources.departments import DayRead, Departments
from resources.departments import sql as sql_module
from resources.departments.texts import column_texts
from resources.lake import Lake
from resources.server import warehouse_server
from resources.settings import Settings
from tests.extraction import matrix
from tests.extraction.conftest import NOW, QUICK, D, accept

SATURDAY = date(2026, 11, 7)
SUNDAY = date(2026, 11, 8)


@pytest.fixture
def households() -> Contract:
    return contract_for("households")


@pytest.fixture
def front(tmp_path: Path, settings: Settings) -> Iterator[sa.Engine]:
    """The front-end database of `settings`, in SQLite."""
    engine = sa.create_engine(str(settings.front_db_url))
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_module.SqlReader.__init__, "__defaults__", (10,))


def _column_type(field: Field) -> Any:
    if field.type.startswith("decimal"):
        return sa.Numeric(16, 2)
    return {
        "text": sa.Text(),
        "integer": sa.Integer(),
        "boolean": sa.Boolean(),
        "date": sa.Date(),
        "timestamp": sa.DateTime(),
    }[field.type]


def make(
    engine: sa.Engine,
    contract: Contract,
    rows: list[dict[str, Any]],
    extra: tuple[sa.Column[Any], ...] = (),
) -> sa.Table:
    table = sa.Table(
        contract.table,
        sa.MetaData(),
        *(sa.Column(f.physical_name, _column_type(f)) for f in contract.fields),
        *extra,
    )
    with engine.begin() as connection:
        table.create(connection)
        if rows:
            connection.execute(table.insert(), rows)
    return table


def a_value(field: Field, number: int) -> Any:
    if field.type.startswith("decimal"):
        return (Decimal(number * 100 + 10) / 100).quantize(Decimal("0.01"))
    return {
        "text": f"{field.physical_name}{number:05d}",
        "integer": number,
        "boolean": number % 2 == 0,
        "date": date(2026, 1, 1) + timedelta(days=number % 300),
        "timestamp": datetime(2026, 11, 1, 8) + timedelta(hours=number),
    }[field.type]


def some(contract: Contract, count: int) -> list[dict[str, Any]]:
    """Rows an hour apart, from 1 November 8:00 on."""
    return [{f.physical_name: a_value(f, n) for f in contract.fields} for n in range(count)]


def parts(lake: Lake, read: DayRead) -> list[dict[str, Any]]:
    assert read.failure is None, str(read.failure)
    (batch,) = read.batches
    folder = lake.table("raw", read.table) / batch.batch_id
    return [row for name in batch.files for row in pq.read_table(folder / name).to_pylist()]


def keys(lake: Lake, read: DayRead) -> list[str] | None:
    (batch,) = read.batches
    if batch.keys_file is None:
        return None
    return [
        r["record_key"]
        for r in pq.read_table(
            lake.table("raw", read.table) / batch.batch_id / batch.keys_file
        ).to_pylist()
    ]


def as_expected(contract: Contract, number: int) -> dict[str, str]:
    def text(field: Field) -> str:
        value = a_value(field, number)
        match value:
            case bool():
                return "true" if value else "false"
            case datetime():
                return value.isoformat() + "+08:00"
        return str(value)

    return {f.physical_name: text(f) for f in contract.fields}


def alike(row: dict[str, Any], contract: Contract, number: int) -> None:
    """The row in its canonical text; SQLite forgets the zeros behind a decimal, and microseconds
    may be written out.
    """
    for field in contract.fields:
        found, wanted = row[field.physical_name], as_expected(contract, number)[field.physical_name]
        if field.type.startswith("decimal"):
            assert Decimal(found) == Decimal(wanted)
            assert "E" not in found.upper()
        else:
            assert found.replace(".000000+08:00", "+08:00") == wanted


def test_a_first_read(
    front: sa.Engine, departments: Departments, lake: Lake, households: Contract
) -> None:
    make(front, households, some(households, 300), (sa.Column("新列", sa.Text),))
    read = departments.read_day(households, D, NOW)
    rows = parts(lake, read)
    assert [row["_row"] for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) == 232  # what was written by the end of 10 November
    for number, row in enumerate(rows):
        alike(row, households, number)
    batch = read.batches[0]
    assert (batch.form, batch.format, batch.delivery, batch.since, batch.keys_file) == (
        "sql",
        "parquet",
        "incremental",
        None,
        None,
    )
    assert batch.columns == [*(f.physical_name for f in households.fields), "新列"]
    assert len(batch.files) > 10


def test_increments_make_up_the_whole(
    front: sa.Engine, departments: Departments, lake: Lake, households: Contract
) -> None:
    make(front, households, some(households, 300))
    key = households.record_key.physical_name
    seen: set[str] = set()
    for days in range(4):
        day = D + timedelta(days=days)
        read = departments.read_day(households, day, NOW)
        seen |= {row[key] for row in parts(lake, read)}
        accept(lake, households, day, read.batches[0])
        if days:
            assert read.row_count == min(48, 300 - 232 - 24 * days + 48)
    assert len(seen) == 300


def test_rows_with_one_and_the_same_time_are_not_torn(
    front: sa.Engine, departments: Departments, lake: Lake, households: Contract
) -> None:
    at = households.by_role("updated_at").physical_name
    rows = [{**row, at: datetime(2026, 11, 1, 8)} for row in some(households, 37)]
    make(front, households, [*rows, rows[-1]])  # and one of them twice
    read = departments.read_day(households, D, NOW)
    assert len(parts(lake, read)) == 38


def test_rows_without_a_time_are_not_lost(
    front: sa.Engine, departments: Departments, lake: Lake, households: Contract
) -> None:
    at = households.by_role("updated_at").physical_name
    make(
        front,
        households,
        [{**row, at: None if n < 15 else row[at]} for n, row in enumerate(some(households, 30))],
    )
    read = departments.read_day(households, D, NOW)
    assert len({row[households.record_key.physical_name] for row in parts(lake, read)}) == 30
    accept(lake, households, D, read.batches[0])
    assert departments.read_day(households, D + timedelta(days=1), NOW).row_count == 15


def test_nothing_in_the_window(
    front: sa.Engine, departments: Departments, lake: Lake, households: Contract
) -> None:
    make(front, households, [])
    read = departments.read_day(households, D, NOW)
    assert (read.status, parts(lake, read), read.batches[0].files) == (
        "read",
        [],
        ["part-00001.parquet"],
    )


@pytest.mark.parametrize(
    "shape", ["{d}T{t}", "{d} {t}", "{d} {t}.000000", "{d}T{t}+08:00", "{d}T{t}.000000+08:00"]
)
def test_times_kept_as_text(
    shape: str, tmp_path: Path, departments: Departments, lake: Lake, households: Contract
) -> None:
    """SQLite has no times: each way of writing them has the same windows."""
    with sqlite3.connect(tmp_path / "front.db") as database:
        columns = ", ".join(f'"{f.physical_name}" TEXT' for f in households.fields)
        database.execute(f"create table {households.table} ({columns})")
        for n in range(3):
            at = shape.format(d=f"2026-11-{9 + n:02d}", t="23:59:59")
            values = [
                at if f.role == "updated_at" else f"{f.physical_name}{n}" for f in households.fields
            ]
            database.execute(
                f"insert into {households.table} values ({', '.join('?' * len(values))})", values
            )
    read = departments.read_day(households, D, NOW)
    assert read.row_count == 2
    ledger_at = dataclasses.replace(households, overlap_days=0)
    accept(lake, households, D, read.batches[0])
    assert departments.read_day(ledger_at, D + timedelta(days=1), NOW).row_count == 1


def test_reconciled_once_a_week(
    front: sa.Engine, departments: Departments, lake: Lake, households: Contract
) -> None:
    table = make(front, households, some(households, 20))
    key = households.record_key.physical_name
    first = departments.read_day(households, SATURDAY, NOW)
    assert keys(lake, first) is None
    accept(lake, households, SATURDAY, first.batches[0])
    with front.begin() as connection:
        connection.execute(table.delete().where(table.c[key] == "户编号00003"))
    second = departments.read_day(households, SUNDAY, NOW)
    assert keys(lake, second) == [f"户编号{n:05d}" for n in range(20) if n != 3]
    # a Sunday that was missed is made up for
    assert keys(lake, departments.read_day(households, SUNDAY + timedelta(days=2), NOW)) is not None
    accept(lake, households, SUNDAY, second.batches[0])
    assert keys(lake, departments.read_day(households, SUNDAY + timedelta(days=1), NOW)) is None


def test_a_full_delivery_withdraws_by_its_keys(
    front: sa.Engine, departments: Departments, lake: Lake, households: Contract
) -> None:
    """At every read: a row that changed after the day is not in the day's result, and must not be
    taken for withdrawn.
    """
    full = dataclasses.replace(households, delivery="full")
    make(front, full, some(full, 300))
    accept(lake, full, D, departments.read_day(full, D, NOW).batches[0])
    read = departments.read_day(full, D + timedelta(days=1), NOW)
    assert (read.batches[0].delivery, read.row_count, len(keys(lake, read) or [])) == (
        "incremental",
        48,
        300,
    )


# what goes wrong


@contextmanager
def breaking(after: int, error: Callable[[], BaseException], times: int = 1) -> Iterator[list[int]]:
    """The connection is lost after that many fetches, that many times."""
    fetched = [0]
    proper = sa.CursorResult.fetchmany

    def fetch(self: Any, size: int | None = None) -> Any:
        fetched[0] += 1
        if after < fetched[0] <= after + times:
            raise error()
        return proper(self, size)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sa.CursorResult, "fetchmany", fetch)
        yield fetched


def _lost() -> BaseException:
    return sa.exc.OperationalError(
        "select 张三", {}, Exception("server at 10.1.2.3 closed the connection")
    )


def test_a_lost_connection_goes_on_where_it_was(
    front: sa.Engine, departments: Departments, lake: Lake, households: Contract
) -> None:
    make(front, households, some(households, 100))
    with breaking(4, _lost, 2) as fetched:
        read = departments.read_day(households, D, NOW)
    rows = parts(lake, read)
    assert [row[households.record_key.physical_name] for row in rows] == [
        f"户编号{n:05d}" for n in range(100)
    ]
    assert fetched[0] < 20
    matrix.record("sql", "connection lost half way", "resumed")


def test_a_database_that_stays_down(
    front: sa.Engine, departments: Departments, lake: Lake, households: Contract
) -> None:
    make(front, households, some(households, 100))
    with breaking(4, _lost, 1000):
        read = departments.read_day(households, D, NOW)
    failed(read, "transient", "database_down")
    assert [p for p in lake.table("raw", households.table).iterdir() if p.is_dir()] == []
    matrix.record("sql", "database down half way", "carried forward (transient)")


def failed(read: DayRead, kind: str, reason: str) -> str:
    assert read.failure is not None
    assert (read.status, read.failure.kind, read.failure.reason) == ("failed", kind, reason)
    message = str(read.failure)
    assert "\n" not in message
    for secret in ("张三", "10.1.2.3", "://", "select"):
        assert secret not in message
    return message


def test_no_database_file(
    departments: Departments, households: Contract, settings: Settings, tmp_path: Path
) -> None:
    failed(departments.read_day(households, D, NOW), "transient", "database_down")
    assert not (tmp_path / "front.db").exists()
    matrix.record("sql", "database down", "carried forward (transient)")


def test_a_server_that_is_not_there(settings: Settings, lake: Lake, households: Contract) -> None:
    url = "postgresql://somebody:secret@127.0.0.1:9/front"
    read = Departments(dataclasses.replace(settings, front_db_url=url), lake, QUICK).read_day(
        households, D, NOW
    )
    assert "secret" not in failed(read, "transient", "database_down")


def test_table_missing(front: sa.Engine, departments: Departments, households: Contract) -> None:
    make(front, contract_for("members"), [])
    assert households.table in failed(
        departments.read_day(households, D, NOW), "permanent", "table_missing"
    )
    matrix.record("sql", "table missing", "carried forward (permanent)")


@pytest.mark.parametrize("role", ["record_key", "updated_at"])
def test_column_missing(
    role: str, front: sa.Engine, departments: Departments, households: Contract
) -> None:
    gone = households.by_role(role)
    fewer = dataclasses.replace(
        households, fields=tuple(f for f in households.fields if f is not gone)
    )
    make(front, fewer, some(fewer, 3))
    assert gone.physical_name in failed(
        departments.read_day(households, D, NOW), "permanent", "column_missing"
    )
    matrix.record("sql", "key or time column missing", "carried forward (permanent)")


def test_another_column_missing(
    front: sa.Engine, departments: Departments, households: Contract
) -> None:
    fewer = dataclasses.replace(
        households, fields=tuple(f for f in households.fields if f.name != "area_code")
    )
    make(front, fewer, some(fewer, 3))
    read = departments.read_day(households, D, NOW)
    assert "行政区划代码" not in read.batches[0].columns
    matrix.record(
        "sql",
        "another column missing",
        "rejected (by the contract's drift, if the column is required)",
    )


def test_an_address_that_nobody_opens(settings: Settings, lake: Lake, households: Contract) -> None:
    for url in ("nodb://somewhere/x", "oracle://user:secret@host/x"):
        read = Departments(dataclasses.replace(settings, front_db_url=url), lake, QUICK).read_day(
            households, D, NOW
        )
        assert "secret" not in failed(read, "permanent", "not_configured")


def test_canonical_text() -> None:
    assert column_texts([Decimal("1E+3"), Decimal("10.50"), None], "other") == [
        "1000",
        "10.50",
        None,
    ]
    assert column_texts([1, 0, None, 7], "boolean") == ["true", "false", None, "7"]
    assert column_texts([0.1, 1e22, 5.0], "other") == ["0.1", "10000000000000000000000", "5.0"]
    assert column_texts([datetime(2026, 1, 2, 3, 4, 5)], "timestamp") == [
        "2026-01-02T03:04:05+08:00"
    ]
    utc = datetime.fromisoformat("2026-01-02T03:04:05+00:00")
    assert column_texts([utc, date(2026, 1, 2)], "other") == [
        "2026-01-02T11:04:05+08:00",
        "2026-01-02",
    ]
    assert column_texts(
        ["2026-01-02 03:04:05+08", "2026-01-02 03:04:05.5", "soon"], "timestamp"
    ) == [
        "2026-01-02T03:04:05+08:00",
        "2026-01-02T03:04:05.5+08:00",
        "soon",
    ]


@pytest.mark.slow
def test_postgresql(tmp_path: Path, settings: Settings, lake: Lake, households: Contract) -> None:
    """The same on PostgreSQL: exact decimals, times with and without a zone, a killed
    connection.
    """
    with warehouse_server(tmp_path / "server", None) as server:
        admin = server.engine()
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("create database front"))
        url = server.url_of().set(database="front")
        engine = sa.create_engine(url)
        make(engine, households, some(households, 300))
        at = households.by_role("updated_at").physical_name
        ours = dataclasses.replace(settings, front_db_url=url.render_as_string(hide_password=False))
        read = Departments(ours, lake, QUICK).read_day(households, D, NOW)
        rows = parts(lake, read)
        assert len(rows) == 232
        for number, row in enumerate(rows):
            assert row == {"_row": number + 1, **as_expected(households, number)}
        # a column with a time zone has the same windows and the same text
        with engine.begin() as connection:
            connection.execute(
                sa.text(
                    f"set timezone to 'Asia/Shanghai'; alter table {households.table} alter"
                    f' "{at}" type timestamptz'
                )
            )
        zoned = Departments(ours, Lake(tmp_path / "zoned"), QUICK).read_day(households, D, NOW)
        assert parts(Lake(tmp_path / "zoned"), zoned) == rows
        accept(
            lake,
            households,
            SATURDAY,
            read.batches[0],
            watermark="2026-11-07T23:59:59.999999+08:00",
        )
        assert (
            len(keys(lake, Departments(ours, lake, QUICK).read_day(households, SUNDAY, NOW)) or [])
            == 300
        )
        _killed_while_reading(engine, ours, Lake(tmp_path / "killed"), households)
        engine.dispose()
        admin.dispose()


def _killed_while_reading(
    engine: sa.Engine, settings: Settings, lake: Lake, contract: Contract
) -> None:
    """The server ends the reader's connection half way."""

    def kill() -> BaseException:
        with engine.connect() as other:
            others = (
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = 'front' and"
                " pid <> pg_backend_pid()"
            )
            other.execute(sa.text(others))
        return _lost()

    with breaking(5, kill):
        read = Departments(settings, lake, QUICK).read_day(contract, D, NOW)
    assert [row["_row"] for row in parts(lake, read)] == list(range(1, 233))
