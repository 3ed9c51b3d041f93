"""Update times and days of a database, whatever their type: the same windows, the same text,
nothing in silence.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from expectations.contract import Contract, contract_for
from resources.departments import DayRead, Departments
from resources.departments import sql as sql_module
from resources.departments.clock import Clock, number_clock, text_clock
from resources.departments.moments import moment_of, moment_text
from resources.departments.texts import column_texts
from resources.lake import Lake
from resources.server import warehouse_server
from resources.settings import SHANGHAI, Settings
from tests.extraction.conftest import NOW, QUICK, D, accept
from tests.extraction.test_sql import make, parts, some

FIRST = datetime(2026, 11, 9, 23, 59, 59, tzinfo=SHANGHAI)
"""Three rows: the last second of the 9th, the 10th and the 11th; the day read is the 10th."""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_module.SqlReader.__init__, "__defaults__", (10,))


@pytest.fixture
def households() -> Contract:
    return contract_for("households")


def keep(
    path: Path, contract: Contract, times: list[Any], declared: str = "TEXT", **others: list[Any]
) -> None:
    """A table with those update times, and other columns by their field's name."""
    with sqlite3.connect(path) as database:
        database.execute(f"drop table if exists {contract.table}")
        types = {
            f.physical_name: declared if f.role == "updated_at" else "TEXT" for f in contract.fields
        }
        columns = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
        database.execute(f"create table {contract.table} ({columns})")
        for n, at in enumerate(times):
            values = [
                (
                    at
                    if f.role == "updated_at"
                    else others[f.name][n]
                    if f.name in others
                    else f"{f.physical_name}{n}"
                )
                for f in contract.fields
            ]
            database.execute(
                f"insert into {contract.table} values ({', '.join('?' * len(values))})", values
            )


FORMS: dict[str, tuple[str, Callable[[datetime], Any], str]] = {
    "slashes": ("TEXT", lambda t: t.strftime("%Y/%m/%d %H:%M:%S"), "text"),
    "points": ("TEXT", lambda t: t.strftime("%Y.%m.%d %H:%M:%S"), "text"),
    "digits": ("TEXT", lambda t: t.strftime("%Y%m%d%H%M%S"), "text"),
    "digits as a number": ("INTEGER", lambda t: int(t.strftime("%Y%m%d%H%M%S")), "number"),
    "seconds": ("INTEGER", lambda t: int(t.timestamp()), "number"),
    "milliseconds": ("INTEGER", lambda t: int(t.timestamp()) * 1000 + 7, "number"),
    "milliseconds as text": ("TEXT", lambda t: str(int(t.timestamp()) * 1000), "mixed"),
    "in UTC": ("TEXT", lambda t: t.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "mixed"),
    "in another zone": ("TEXT", lambda t: t.astimezone(UTC).isoformat(), "mixed"),
    "without leading zeros": (
        "TEXT",
        lambda t: f"{t.year}/{t.month}/{t.day} {t.hour}:{t.minute}:{t.second}",
        "mixed",
    ),
    "in words": (
        "TEXT",
        lambda t: f"{t.year}年{t.month}月{t.day}日 {t.hour}时{t.minute}分{t.second}秒",
        "mixed",
    ),
    "ISO": ("TEXT", lambda t: t.strftime("%Y-%m-%d %H:%M:%S"), "text"),
    "numbers in a column of times": ("DATETIME", lambda t: int(t.timestamp() * 1000), "mixed"),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_way_of_keeping_a_time_has_the_same_windows(
    form: str, tmp_path: Path, departments: Departments, lake: Lake, households: Contract
) -> None:
    declared, write, _ = FORMS[form]
    at = households.by_role("updated_at").physical_name
    keep(
        tmp_path / "front.db",
        households,
        [write(FIRST + timedelta(days=n)) for n in range(3)],
        declared,
    )
    read = departments.read_day(households, D, NOW)
    assert [str(row[at])[:19] for row in parts(lake, read)] == [
        "2026-11-09T23:59:59",
        "2026-11-10T23:59:59",
    ]
    assert {str(row[at])[-6:] for row in parts(lake, read)} == {"+08:00"}
    assert (read.batches[0].behind, read.unread) == (1, ())
    exact = dataclasses.replace(households, overlap_days=0)
    accept(lake, households, D, read.batches[0])
    later = departments.read_day(exact, D + timedelta(days=1), NOW)
    assert [str(row[at])[:19] for row in parts(lake, later)] == ["2026-11-11T23:59:59"]


@pytest.mark.parametrize("form", FORMS)
def test_one_question_tells_the_form_of_a_column(
    form: str, tmp_path: Path, households: Contract
) -> None:
    declared, write, kept = FORMS[form]
    keep(
        tmp_path / "front.db",
        households,
        [write(FIRST + timedelta(days=n)) for n in range(3)],
        declared,
    )
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'front.db'}")
    column = sa.column(households.by_role("updated_at").physical_name)
    with engine.connect() as connection:
        if declared == "INTEGER":
            found = number_clock(connection, households.table, column)
        else:
            found = text_clock(connection, households.table, sa.cast(column, sa.Text))
    engine.dispose()
    assert found.kept == kept


def test_several_forms_in_one_column(tmp_path: Path, departments: Departments, lake: Lake) -> None:
    """The case as it arrived: not one of these rows was ever in a window, and nobody was told."""
    settlements = contract_for("settlements")
    as_sql = dataclasses.replace(settlements, server={"form": "sql"})
    key, at = settlements.record_key.physical_name, settlements.by_role("updated_at").physical_name
    with sqlite3.connect(tmp_path / "front.db") as database:
        database.execute(f"create table {settlements.table} ({key} text, {at} text)")
        database.execute(
            f"insert into {settlements.table} values ('S1', '2026/11/09 10:00:00'), ('S2',"
            " '20261109100000'), ('S3', '2026-11-09 10:00'), ('S4', 'soon'), ('S5', ''), ('S6',"
            " null), ('S7', '2026/11/12 10:00:00')"
        )
    rows = parts(lake, departments.read_day(as_sql, D, NOW))
    assert {row[key]: row[at] for row in rows} == {
        "S1": "2026-11-09T10:00:00+08:00",
        "S2": "2026-11-09T10:00:00+08:00",
        "S3": "2026-11-09T10:00:00+08:00",
        "S4": "soon",
        "S5": "",
        "S6": None,
    }
    read = departments.read_day(as_sql, D, NOW)
    assert read.batches[0].notes == [
        "3 rows have an update time that is none: they come every day until the department"
        " corrects it"
    ]


@pytest.mark.parametrize("form", ["ISO", "slashes", "milliseconds", "in UTC"])
def test_rows_behind_the_window_are_counted_and_said_each_day(
    form: str, tmp_path: Path, departments: Departments, lake: Lake, households: Contract
) -> None:
    declared, write, _ = FORMS[form]
    times = [
        FIRST,
        NOW + timedelta(hours=20),
        datetime(2062, 11, 1, 9, tzinfo=SHANGHAI),
        datetime(2062, 11, 2, tzinfo=SHANGHAI),
    ]
    keep(tmp_path / "front.db", households, [write(t) for t in times], declared)
    line = (
        "2 rows behind the window: their update time is more than a day ahead of the clock (the"
        " latest 2062-11-02), they are read when it comes; have the department correct it"
    )
    for day in (D, D + timedelta(days=1)):
        read = departments.read_day(households, day, NOW)
        assert (read.unread, read.batches[0].unread, read.batches[0].behind) == ((line,), [line], 3)
        accept(lake, households, day, read.batches[0])


def test_days_and_times_of_other_columns(
    tmp_path: Path, departments: Departments, lake: Lake
) -> None:
    """Whatever the database calls them: midnight is the day, digits and epochs are read where they
    are one.
    """
    contract = dataclasses.replace(contract_for("certificates"), server={"form": "sql"})
    days = [f.name for f in contract.fields if f.type == "date"]
    values = [
        "2026-11-01 00:00:00",
        "2026/11/1",
        "20261101",
        "1793462400000",
        "2026年11月1日",
        "长期",
        "2026.11",
    ]
    times = ["2026-11-09 10:00:00"] * len(values)
    keep(tmp_path / "front.db", contract, times, **dict.fromkeys(days, values))
    column = contract.field(days[0]).physical_name
    rows = parts(lake, departments.read_day(contract, D, NOW))
    assert sorted(row[column] for row in rows) == ["2026-11-01"] * 5 + ["2026.11", "长期"]


def test_a_composite_key_is_read_in_its_order(
    tmp_path: Path, departments: Departments, lake: Lake, households: Contract
) -> None:
    first, second = households.record_key, households.field("area_code")
    derived = dataclasses.replace(
        first, name="record_key", physical_name="record_key", derived="key", key_position=None
    )
    fields = (
        *(
            (
                dataclasses.replace(f, role=None, key_position=1 if f is first else 2)
                if f in (first, second)
                else f
            )
            for f in households.fields
        ),
        derived,
    )
    contract = dataclasses.replace(households, fields=fields)
    keep(
        tmp_path / "front.db",
        households,
        ["2026-11-09 10:00:00"] * 25,
        area_code=[str(n % 3) for n in range(25)],
    )
    with sqlite3.connect(tmp_path / "front.db") as database:
        database.execute(f"update {households.table} set \"{first.physical_name}\" = 'H'")
    assert len(parts(lake, departments.read_day(contract, D, NOW))) == 25


@given(
    st.datetimes(datetime(1973, 4, 1), datetime(2099, 12, 31)).map(
        lambda t: t.replace(microsecond=0)
    ),
    st.sampled_from(sorted(FORMS)),
)
@examples(max_examples=300, deadline=None)
def test_a_moment_comes_out_of_every_form(moment: datetime, form: str) -> None:
    here = moment.replace(tzinfo=SHANGHAI)
    here = datetime.fromtimestamp(here.timestamp(), SHANGHAI)  # an hour that summer time left out
    found = moment_of(FORMS[form][1](here))
    assert found is not None
    written = found.astimezone(SHANGHAI).replace(tzinfo=None, microsecond=0)
    assert written == here.replace(tzinfo=None)


@pytest.mark.parametrize(
    "value",
    ["", " ", "soon", "2026-13-01", "2026-02-30", "2026.11", "26.9.23", "2021", 2021, 202105, 0, 7,
        True, "12345678", 10**30,
     float("nan"), float("inf"), Decimal("NaN"), None, b"\xff\xfe", "2026-11-21+08:00",
     "0000-00-00",
     "2026-11-01 24:00:00", "2026/11/01 24:00", "20261101240000"],
)  # fmt: skip
def test_what_says_no_moment(value: Any) -> None:
    assert moment_of(value) is None
    assert moment_of("1" * 400) is None


def test_canonical_text_of_days_and_times() -> None:
    assert column_texts(
        [datetime(2026, 11, 21), date(2026, 11, 21), 20261121, "2026-11-21T00:00:00", None], "date"
    ) == [
        *["2026-11-21"] * 4,
        None,
    ]
    assert column_texts(
        [date(2026, 11, 21), 1795226400, Decimal("1795226400000")], "timestamp"
    ) == [
        "2026-11-21T00:00:00+08:00",
        "2026-11-21T10:00:00+08:00",
        "2026-11-21T10:00:00+08:00",
    ]
    assert column_texts([7, "长期"], "date") == ["7", "长期"]
    assert moment_text("1899-12-31 00:00:00", False) == "1899-12-31T00:00:00+08:00"


def test_bounds_are_written_as_the_column_is() -> None:
    end = datetime(2026, 11, 10, 23, 59, 59, 999999, SHANGHAI)
    assert Clock("text", "%Y%m%d%H%M%S").bound(end) == "20261110235959"
    assert Clock("number", "%Y%m%d", by_day=True).bound(end) == 20261110
    assert Clock("number", scale=1000).bound(end) == 1794326399999
    assert Clock("day", by_day=True).bound(end) == date(2026, 11, 10)
    assert Clock("moment").bound(end, has_zone=True) == end


def failure_free(read: DayRead) -> DayRead:
    assert read.failure is None, str(read.failure)
    return read


@pytest.mark.parametrize(
    ("bound", "reason"),
    [({"chunk_bytes": 100_000}, "too_large"), ({"read_deadline": -1.0}, "endless")],
)
def test_a_table_that_fills_the_memory_or_never_ends(
    bound: dict[str, Any],
    reason: str,
    tmp_path: Path,
    settings: Settings,
    lake: Lake,
    households: Contract,
) -> None:
    keep(
        tmp_path / "front.db",
        households,
        ["2026-11-09 10:00:00"] * 30,
        area_code=["x" * 50_000] * 30,
    )
    read = Departments(settings, lake, dataclasses.replace(QUICK, **bound)).read_day(
        households, D, NOW
    )
    assert read.failure is not None
    assert (read.failure.kind, read.failure.reason) == ("permanent", reason)


@pytest.mark.slow
def test_types_of_postgresql(tmp_path: Path, settings: Settings, households: Contract) -> None:
    """The same rows, the column altered from one type to the next."""
    at = households.by_role("updated_at").physical_name
    with warehouse_server(tmp_path / "server", None) as server:
        admin = server.engine()
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("create database front"))
        url = server.url_of().set(database="front")
        engine = sa.create_engine(url)
        make(engine, households, some(households, 300))
        ours = dataclasses.replace(settings, front_db_url=url.render_as_string(hide_password=False))
        before = "timestamp"
        for number, (kind, using) in enumerate(_alterations(at)):
            with engine.begin() as connection:
                connection.exec_driver_sql(
                    f'alter table {households.table} alter "{at}" type {kind} using {using}'
                )
            fresh = Lake(tmp_path / f"lake{number}")
            read = failure_free(Departments(ours, fresh, QUICK).read_day(households, D, NOW))
            assert len(parts(fresh, read)) == 232, (before, kind)
            assert {str(row[at])[10:] for row in parts(fresh, read)} <= {
                f"T{h:02d}:00:00+08:00" for h in range(24)
            }, kind
            before = kind
        engine.dispose()
        admin.dispose()


def _alterations(at: str) -> Iterator[tuple[str, str]]:
    """Each starts from what the one before left."""
    yield "text", f"to_char(\"{at}\", 'YYYY/MM/DD HH24:MI:SS')"
    yield (
        "varchar(30)",
        f"to_char(to_timestamp(\"{at}\", 'YYYY/MM/DD HH24:MI:SS')::timestamp, 'YYYYMMDDHH24MISS')",
    )
    yield "char(20)", f'"{at}"'
    yield "numeric(14)", f'"{at}"::numeric'
    yield (
        "bigint",
        (
            f"extract(epoch from to_timestamp(\"{at}\"::text, 'YYYYMMDDHH24MISS')::timestamp at"
            " time zone 'Asia/Shanghai')::bigint * 1000"
        ),
    )
    yield "double precision", f'"{at}" / 1000.0'
    yield "text", f'("{at}" * 1000)::bigint::text'
    yield "timestamptz", f'to_timestamp("{at}"::bigint / 1000)'
