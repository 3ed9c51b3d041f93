"""Nobody can stop the night: consumers that stay in a transaction, hold locks, or sit idle after
they asked.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from resources.server import embedded
from tests.warehouse.conftest import DAY, Warehouse, attempt, make_warehouse, new_home
from warehouse.database import write_lock as turn
from warehouse.database.write_lock import blocking_sessions
from warehouse.migrations import upgrade
from warehouse.migrations.run import MigrationError
from warehouse.publication import PublicationError
from warehouse.schema.walls import open_to_everybody

CONSUMERS = ("yihu_reader", "yihu_area", "yihu_department", "yihu_steward", "yihu_auditor")
HELD = ("ops.turn", "ops.alembic_version", "ops.current_release", "store.household")
ADVISORY = "select pg_advisory_lock({number})"
"""The lock of old."""


@contextmanager
def idle(warehouse: Warehouse, login: str, sql: str) -> Iterator[sa.Connection]:
    """A session of `login` that ran something and stays in its transaction."""
    engine = warehouse.engine(login)
    connection = engine.connect()
    try:
        connection.exec_driver_sql(sql)
        yield connection
    finally:
        connection.invalidate()
        engine.dispose()


def another_version(warehouse: Warehouse) -> None:
    """What the next upgrade finds is not this code's."""
    with warehouse.engine().begin() as connection:
        connection.exec_driver_sql("comment on schema store is 'of another version'")


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough tries to tell who stays, each a short one."""
    monkeypatch.setattr(turn, "PATIENCE", (0.1, 0.1, 0.1, 0.3))
    monkeypatch.setattr(turn, "PAUSE_SECONDS", 0.1)


MODES = ("access share", "row share", "exclusive", "access exclusive")


@pytest.mark.parametrize("login", CONSUMERS)
def test_no_consumer_can_hold_what_writers_wait_for(published: Warehouse, login: str) -> None:
    wanted = [ADVISORY.format(number=number) for number in (7104001, 7104002, 7104003)]
    wanted += [f"lock table {table} in {mode} mode" for table in HELD for mode in MODES]
    wanted.remove("lock table ops.current_release in access share mode")  # every reader reads it
    with published.engine(login).connect() as consumer:
        assert [sql for sql in wanted if attempt(consumer, sql)] == []


def test_a_reader_idle_in_a_transaction_delays_no_publication(released: Warehouse) -> None:
    began = time.monotonic()
    with idle(released, "yihu_reader", "select count(*) from yihu.household") as reader:
        assert released.publish(DAY + timedelta(days=1), day=3, changed="n = 1").is_new
        assert reader.exec_driver_sql("select 1").scalar() == 1, "nobody ended it"
    assert time.monotonic() - began < 30


def test_an_upgrade_ends_who_stays_and_keeps_no_reader_waiting(released: Warehouse) -> None:
    another_version(released)
    waited: list[float] = []
    done = threading.Event()

    def read_on() -> None:
        while not done.is_set():
            began = time.monotonic()
            released.rows("select count(*) from yihu.household", "yihu_area")
            waited.append(time.monotonic() - began)
            time.sleep(0.1)

    others = threading.Thread(target=read_on)
    with idle(released, "yihu_reader", "select count(*) from yihu.household") as stays:
        others.start()
        upgrade(released.engine())
        done.set()
        others.join()
        with pytest.raises(sa.exc.DBAPIError):
            stays.exec_driver_sql("select 1")
    assert max(waited) < turn.PATIENCE[-1] + 5, (
        "a reader waits no longer than an upgrade is patient"
    )
    assert released.one("select count(*) from yihu.household", "yihu_reader") == 200


def test_an_owner_that_may_not_end_a_session_names_it(
    released: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    another_version(released)
    monkeypatch.setattr("warehouse.database.write_lock._end", lambda connection, holder: False)
    with idle(released, "yihu_reader", "select count(*) from yihu.household"):
        held = blocking_sessions(released.engine(), ())
        assert len(held) == 1
        with pytest.raises(
            MigrationError, match=rf"held by yihu_reader.* \(process {held[0].pid}\)"
        ):
            upgrade(released.engine())
    upgrade(released.engine())


def test_a_steward_idle_with_a_lock_is_ended_by_the_publisher(released: Warehouse) -> None:
    """Whoever may write something of the publisher's own can hold it: here the pointer, locked by
    an operator's hand.
    """
    holder = psycopg.connect(
        released.url("yihu_publisher")
        .set(drivername="postgresql")
        .render_as_string(hide_password=False)
    )
    holder.execute("update ops.current_release set release_id = release_id")
    began = time.monotonic()
    assert (
        released.publish(DAY + timedelta(days=1), day=3, changed="n = 1", login=None).release_id
        == 2
    )
    assert time.monotonic() - began < sum(turn.PATIENCE) + 60
    with pytest.raises(psycopg.OperationalError):
        holder.execute("select 1")


def test_a_publisher_that_may_not_end_it_says_so(
    released: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.database.write_lock._end", lambda connection, holder: False)
    with idle(released, "yihu_publisher", "update ops.current_release set release_id = release_id"):
        with pytest.raises(
            PublicationError, match=r"holds a lock that stands in the way.*last release stands"
        ):
            released.publish(DAY + timedelta(days=1), day=3, changed="n = 1", login=None)
    assert released.publish(DAY + timedelta(days=1), day=3, changed="n = 1").release_id == 2


@pytest.mark.long  # a server of its own, started twice
def test_a_transaction_that_was_left_behind_is_named(tmp_path: Path) -> None:
    """Where a server allows it, it holds its locks though its session is gone."""
    with new_home() as home:
        with embedded(home) as server:
            administrator = server.engine().execution_options(isolation_level="AUTOCOMMIT")
            with administrator.connect() as connection:
                connection.exec_driver_sql("alter system set max_prepared_transactions = 2")
        with embedded(home) as server:
            made = make_warehouse(server, tmp_path)
            with idle(made, "yihu_reader", "select count(*) from yihu.household") as reader:
                reader.exec_driver_sql("prepare transaction 'left'")
            another_version(made)
            with pytest.raises(MigrationError, match="a prepared transaction of yihu_reader__"):
                upgrade(made.engine())
            with made.engine().execution_options(isolation_level="AUTOCOMMIT").connect() as owner:
                named = {door.what for door in open_to_everybody(owner)}
                owner.exec_driver_sql("rollback prepared 'left'")
            upgrade(made.engine())
    assert "prepared transactions" in named
