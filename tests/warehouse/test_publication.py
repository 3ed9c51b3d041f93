"""A release: the whole of it or nothing, once, and every one stays readable."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import sqlalchemy as sa

from resources.engines.duckdb import Engine
from resources.server import Server
from tests.warehouse.conftest import DAY, Warehouse, make_warehouse
from warehouse.database.row_order import scattered, to_order
from warehouse.publication import AuditFailed, PublicationError, open_gate, prune, rollback
from warehouse.schema import VIEW

RED = "select count(*) from yihu.warning_flag where level = 'red'"
TOMORROW = DAY + timedelta(days=1)


def test_first_release_is_what_the_engine_has(any_server: Server, tmp_path: Path) -> None:
    warehouse = make_warehouse(any_server, tmp_path)
    for login in (None, "yihu_publisher"):
        result = warehouse.publish(DAY if login is None else TOMORROW, login=login)
        assert (result.is_new, result.is_current) == (True, True)
        for view, count in result.counts.items():
            if "yihu_reader" in VIEW[view].readers:
                assert warehouse.one(f"select count(*) from yihu.{view}", "yihu_reader") == count
    assert warehouse.rows(
        "select distinct release_id, as_of from yihu.household_indicator", "yihu_reader"
    ) == [(2, TOMORROW)]


CHECKSUM = "select checksum from ops.release where release_id = 1"


def test_the_same_day_twice_is_one_release(released: Warehouse) -> None:
    again = released.publish()
    assert (again.release_id, again.is_new, again.is_current) == (1, False, True)
    assert released.rows("select checksum from ops.release") == [(again.checksum,)]


def test_checksum_knows_content_and_nothing_else(released: Warehouse) -> None:
    def shuffled(engine: Engine, tables: dict[str, str]) -> None:
        for name in ("household", "warning_reason"):
            engine.table(f"{name}_shuffled", f"select * from {name} order by md5(household_id)")
            tables[name] = f"{name}_shuffled"

    def nudged(engine: Engine, tables: dict[str, str]) -> None:
        engine.execute("update household set village_name = 'x' where household_id = 'H000000007'")

    plain = released.one(CHECKSUM)
    assert released.publish(TOMORROW, after=shuffled).checksum == plain
    assert released.publish(TOMORROW + timedelta(days=1), after=nudged).checksum != plain


def test_only_the_difference_is_written(released: Warehouse) -> None:
    result = released.publish(TOMORROW, day=20, changed="n % 100 = 1")
    assert result.changed["warning_flag"] == 2
    assert result.changed["household"] == 0
    assert released.one("select count(*) from store.warning_flag") == 202
    quiet = released.publish(TOMORROW + timedelta(days=1), day=20, changed="n % 100 = 1")
    assert sum(quiet.changed.values()) == 0
    assert quiet.is_new


def test_households_that_leave_and_come_back(released: Warehouse) -> None:
    released.publish(TOMORROW, households=190)
    released.publish(TOMORROW + timedelta(days=1), households=200)
    for days, count in ((0, 200), (1, 190), (2, 200)):
        with released.engine("yihu_reader").connect() as connection:
            connection.exec_driver_sql(f"select yihu_as_of('{DAY + timedelta(days=days)}')")
            assert (
                connection.exec_driver_sql("select count(*) from yihu.household").scalar() == count
            )


def test_a_past_day_never_becomes_current(released: Warehouse) -> None:
    result = released.publish(DAY - timedelta(days=1), day=9, changed="n = 3")
    assert (result.release_id, result.is_new, result.is_current) == (None, False, False)
    assert result.folder.name.startswith("unpublished-")
    assert pd.read_parquet(result.folder / "household.parquet").shape[0] == 200
    assert released.one("select as_of from yihu.release where is_current") == DAY


def test_provisional_is_replaced_by_final(warehouse: Warehouse) -> None:
    assert warehouse.publish(is_provisional=True).is_new
    same = warehouse.publish()
    assert not same.is_new
    assert warehouse.rows("select is_provisional from yihu.release") == [(False,)]
    warehouse.publish(TOMORROW, is_provisional=True)
    final = warehouse.publish(TOMORROW, day=5, changed="n = 3")
    assert final.is_new
    assert final.is_current
    late = warehouse.publish(TOMORROW, is_provisional=True)
    assert late.release_id is None
    assert warehouse.rows(
        "select release_id, is_current, is_provisional from yihu.release order by 1"
    ) == [
        (1, False, False),
        (2, False, True),
        (3, True, False),
    ]


def test_tables_that_do_not_come_are_empty(released: Warehouse) -> None:
    def fewer(engine: Engine, tables: dict[str, str]) -> None:
        engine.view(
            "bulletin",
            "select '610921' as area_code, 'red_rate' as measure, 1 as numerator, 2 as denominator,"
            " 0.5 as rate, 1 as rank",
        )
        engine.view(
            "household_card",
            "select household_id, area_code, town_code, '{\"income\": []}' as card from household",
        )
        tables.update(bulletin="bulletin", household_card="household_card")

    released.publish(TOMORROW, after=fewer)
    assert released.rows("select area_code, town_code, rate from yihu.bulletin") == [
        ("610921", None, 0.5)
    ]
    assert released.one("select card ->> 'income' from yihu.household_card limit 1") == "[]"
    released.publish(TOMORROW + timedelta(days=1))
    assert released.one("select count(*) from yihu.bulletin") == 0
    assert released.one("select count(*) from yihu.household_card") == 0


def spoil(sql: str):
    def after(engine: Engine, tables: dict[str, str]) -> None:
        engine.execute(sql)

    return after


@pytest.mark.parametrize(
    ("sql", "finding"),
    [
        (
            "delete from warning_reason where household_id = 'H000000003' and code = 'R04'",
            "reasons not score",
        ),
        ("delete from household where household_id = 'H000000003'", "flag without household"),
        ("delete from warning_flag where household_id = 'H000000003'", "household without flag"),
        (
            "insert into household select * from household where household_id = 'H000000003'",
            "household has 200 rows in the database and 201 on the engine",
        ),
        (
            "update household set household_id = 'H000000004' where household_id = 'H000000003'",
            "keys stand twice",
        ),
        (
            (
                "update household set village_name = '11010519491231002X' where household_id ="
                " 'H000000003'"
            ),
            "village_name holds 1 ID numbers",
        ),
        (
            (
                "update warning_reason set value = 'no. 11010519491231002X.' where household_id ="
                " 'H000000003'"
            ),
            "warning_reason.value holds 1",
        ),
    ],
)
def test_what_does_not_hold_is_not_published(
    once_released: Warehouse, sql: str, finding: str
) -> None:
    """Nothing of it stays, so that all of them try the same warehouse."""
    with pytest.raises((AuditFailed, PublicationError), match=finding) as failed:
        once_released.publish(TOMORROW, after=spoil(sql))
    assert "11010519491231002X" not in str(failed.value)
    assert once_released.rows("select release_id, is_current from yihu.release") == [(1, True)]


def test_a_household_of_the_register_is_missed(warehouse: Warehouse) -> None:
    def lose(engine: Engine, tables: dict[str, str]) -> None:
        engine.table("register", "select household_id from household union all select 'H999'")

    with pytest.raises(AuditFailed, match="1 households of the register"):
        warehouse.publish(after=lose, register="register")


def test_gates_open_for_a_named_person_with_a_reason(released: Warehouse) -> None:
    with pytest.raises(AuditFailed, match="gate red_jump: red went from 4 to 4"):
        released.publish(TOMORROW, day=30, changed="n % 5 = 1")
    with pytest.raises(AuditFailed, match="households_lost: 50 of 200"):
        released.publish(TOMORROW, households=150)
    with pytest.raises(PublicationError, match="named person"):
        open_gate(released.engine(), TOMORROW, "red_jump", " ", "rules changed")
    with pytest.raises(PublicationError, match="there is no gate"):
        open_gate(released.engine(), TOMORROW, "red", "Li", "rules changed")
    open_gate(released.engine(), TOMORROW, "red_jump", "Li Wei", "flood of 20 November")
    result = released.publish(TOMORROW, day=30, changed="n % 5 = 1")
    assert result.opened_gates == ("red_jump",)
    assert released.rows(
        "select opened_by, reason, used_by_release from ops.gate_opening", "yihu_auditor"
    ) == [("Li Wei", "flood of 20 November", 2)]


def test_rollback_and_forward_again(released: Warehouse) -> None:
    second = released.publish(TOMORROW, day=20, changed="n % 100 = 1")
    before = released.one(RED)
    moved = rollback(released.engine(), by="Li Wei", reason="wrong extract")
    assert (moved.before, moved.now) == (2, 1)
    assert released.one("select max(release_id) from yihu.household") == 1
    assert released.one(f"select yihu_as_of('{TOMORROW}')") == 1
    again = released.publish(TOMORROW, day=20, changed="n % 100 = 1")
    assert (again.release_id, again.is_new, again.is_current) == (2, False, False)
    assert "rolled back" in again.message
    third = released.publish(TOMORROW, day=40, changed="n % 100 = 2")
    assert (third.release_id, third.is_current) == (3, True)
    assert third.changed["warning_flag"] == 4
    assert (
        rollback(released.engine(), by="Li Wei", reason="it was right", to=second.release_id).now
        == 2
    )
    assert released.one(RED) == before
    for bad in ({"by": "", "reason": "x"}, {"by": "Li", "reason": "x", "to": 9}):
        with pytest.raises(PublicationError):
            rollback(released.engine(), **bad)


def test_prune_keeps_thirty_days_and_month_ends(warehouse: Warehouse) -> None:
    days = [date(2026, month, day) for month, day in ((8, 30), (8, 31), (9, 15), (9, 29), (11, 19))]
    for number, day in enumerate(days):
        warehouse.publish(day, households=60, day=number, changed=f"n % 10 = {number}")
    read = {day: warehouse.rows(_at(day)) for day in days}
    pruned = prune(warehouse.engine(), warehouse.releases, today=date(2026, 11, 20))
    assert pruned.releases == (1, 3)
    assert pruned.rows > 0
    assert len(pruned.folders) == 2
    for day in days[1], *days[3:]:
        assert warehouse.rows(_at(day)) == read[day]
    assert [row[0] for row in warehouse.rows("select release_id from yihu.release order by 1")] == [
        2,
        4,
        5,
    ]
    with warehouse.engine("yihu_reader").connect() as reader:
        reader.exec_driver_sql("set yihu.release_id = '1'")
        with pytest.raises(sa.exc.DBAPIError, match="cannot be read"):
            reader.exec_driver_sql("select count(*) from yihu.household")
    assert (
        warehouse.publish(date(2026, 11, 21), households=60, day=9, changed="n % 10 = 9").release_id
        == 6
    )
    assert prune(warehouse.engine(), warehouse.releases, today=date(2026, 11, 20)).releases == ()


def _at(day: date) -> str:
    return (
        f"with chosen as materialized (select yihu.yihu_as_of('{day}') as id) select f.*, c.id from"
        " chosen as c, lateral (select md5(string_agg(t::text, '|' order by household_id)) from"
        " (select household_id, score, level from store.warning_flag as s where s.from_release <="
        " c.id and s.until_release > c.id) as t) as f"
    )


def test_the_release_is_a_parquet_folder(warehouse: Warehouse) -> None:
    result = warehouse.publish()
    manifest = json.loads((result.folder / "manifest.json").read_text())
    assert manifest["release_id"] == 1
    assert manifest["checksum"] == result.checksum
    assert manifest["tables"]["warning_flag"]["rows"] == 200
    assert len(pd.read_parquet(result.folder / "warning_flag.parquet")) == 200
    assert duckdb.sql(
        f"select count(*) from '{result.folder}/warning_flag.parquet'"
    ).fetchone() == (200,)
    assert result.folder.stat().st_mode & 0o777 == 0o700
    assert (result.folder / "household.parquet").stat().st_mode & 0o777 == 0o600
    first = (result.folder / "warning_reason.parquet").read_bytes()
    again = warehouse.publish(TOMORROW)
    assert (again.folder / "warning_reason.parquet").read_bytes() == first
    assert not list(warehouse.releases.glob(".*"))


def test_the_difference_is_taken_against_what_the_database_holds(released: Warehouse) -> None:
    """The last release's folder says what was written; where somebody changed the database by hand,
    the database counts.
    """
    released.rows(
        "update store.warning_flag set row_hash = '\\x00112233445566778899aabbccddeeff' where"
        " household_id = 'H000000007' returning 1"
    )
    released.rows("delete from store.household where household_id = 'H000000009' returning 1")
    result = released.publish(TOMORROW, day=20, changed="n % 100 = 1")
    assert (result.changed["warning_flag"], result.changed["household"]) == (3, 1)
    assert released.one("select count(*) from yihu.household") == 200


def test_files_that_did_not_change_are_shared_by_two_releases(released: Warehouse) -> None:
    (first,) = (path.parent for path in released.releases.rglob("manifest.json"))
    second = released.publish(TOMORROW, day=20, changed="n % 100 = 1")
    shared = {path.name for path in second.folder.iterdir() if path.samefile(first / path.name)}
    assert "household.parquet" in shared
    assert "warning_flag.parquet" not in shared
    for path in second.folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


def test_rows_that_do_not_lie_town_by_town_are_named(released: Warehouse) -> None:
    """As an older yihu left them; what is told puts them in order."""
    told = []
    owner = released.engine().execution_options(isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        told.append(scattered(connection, large=100))
        connection.exec_driver_sql("cluster store.warning_reason using warning_reason_pkey")
        connection.exec_driver_sql("analyze store.warning_reason")
        told.append(scattered(connection, large=100))
        for statement in to_order("warning_reason").split("; "):
            connection.exec_driver_sql(statement)
        told.append(scattered(connection, large=100))
    assert told == [[], ["warning_reason"], []]
