"""Whatever fails while publishing, the old release stands, the message says what to do, and the
next run succeeds.
"""

from __future__ import annotations

import errno
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import adbc_driver_manager
import pytest
import sqlalchemy as sa

from resources.engines.duckdb import Engine
from tests.conftest import Show
from tests.warehouse.conftest import DAY, Warehouse
from warehouse.publication import PublicationError, PublisherBusy
from warehouse.publication.wire import Wire, explained
from warehouse.schema.logins import own_login

STATEMENTS = ("execute", "rows", "arrow", "load", "commit")


class _Cutter:
    """Ends the publisher's own connection, in the server, before its nth statement."""

    def __init__(self, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
        self.administrator = (
            warehouse.engine().execution_options(isolation_level="AUTOCOMMIT").connect()
        )
        self.at, self.seen = 0, 0
        for name in STATEMENTS:
            monkeypatch.setattr(Wire, name, self._counting(getattr(Wire, name)))

    def _counting(self, real: Any) -> Any:
        def counted(wire: Wire, *arguments: Any, **options: Any) -> Any:
            self.seen += 1
            if self.seen == self.at:
                self.administrator.exec_driver_sql(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename"
                    " like 'yihu_publisher%%' and datname = current_database()"
                )
            return real(wire, *arguments, **options)

        return counted


EACH, SOME = pytest.param(1, marks=pytest.mark.long, id="each"), pytest.param(9, id="every ninth")


@pytest.mark.parametrize("step", [SOME, EACH])
def test_the_connection_is_cut_at_a_statement(
    released: Warehouse, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    stood = released.rows("select * from yihu.warning_flag order by 1")
    cutter = _Cutter(released, monkeypatch)
    messages = set[str]()
    while True:
        cutter.at, cutter.seen = cutter.at + step, 0
        try:
            result = released.publish(DAY + timedelta(days=1), day=20, changed="n % 10 = 1")
        except PublicationError as error:
            messages.add(str(error))
            assert released.rows("select * from yihu.warning_flag order by 1") == stood
            assert released.one("select count(*) from store.warning_flag") == 200
            assert len(list(released.releases.rglob("manifest.json"))) == 1
            continue
        break
    assert result.is_new
    assert all("connection to the database was lost" in message for message in messages)
    assert cutter.at > 40
    assert released.rows("select release_id, is_current from yihu.release order by 1") == [
        (1, False),
        (2, True),
    ]


def test_the_answer_to_commit_is_lost(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The release is in, the publisher does not know: the next run finds it and mends its
    folder.
    """
    commit = Wire.commit

    def deaf(wire: Wire) -> None:
        commit(wire)
        raise adbc_driver_manager.OperationalError(
            "gone", status_code=adbc_driver_manager.AdbcStatusCode.IO
        )

    with monkeypatch.context() as patched:
        patched.setattr(Wire, "commit", deaf)
        with pytest.raises(PublicationError, match="connection"):
            warehouse.publish()
    again = warehouse.publish()
    assert (again.release_id, again.is_new, again.is_current) == (1, False, True)
    assert (again.folder / "manifest.json").exists()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("53100", "disk is full"),
        ("08006", "connection to the database was lost"),
        ("57P01", "was lost"),
        ("42501", "yihu_publisher"),
    ],
)
def test_messages_say_what_to_do_and_quote_nothing(code: str, said: str) -> None:
    secret = "610921198001011234"
    error = adbc_driver_manager.OperationalError(
        f"ERROR: key {secret}", status_code=adbc_driver_manager.AdbcStatusCode.IO, sqlstate=code
    )
    message = str(explained(error))
    assert said in message
    assert "the last release stands" in message
    assert secret not in message


def test_the_lakes_disk_is_full(released: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:

    def full(engine: Engine, select: str, path: Path) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Engine, "copy_apart", full)
        with pytest.raises(PublicationError, match=r"No space left on device.*last release stands"):
            released.publish(DAY + timedelta(days=1), day=3, changed="n = 1")
    assert released.rows("select release_id from yihu.release") == [(1,)]
    assert released.publish(DAY + timedelta(days=1), day=3, changed="n = 1").is_new


def test_two_publishers_at_once(released: Warehouse) -> None:
    with released.engine().begin() as other:
        other.execute(sa.text("lock table ops.turn in exclusive mode"))
        with pytest.raises(PublisherBusy, match="another publisher"):
            released.publish(DAY + timedelta(days=1), wait_seconds=0.2)
        threading.Timer(0.5, other.rollback).start()
        assert released.publish(DAY + timedelta(days=1), wait_seconds=20).release_id == 2


def test_a_folder_that_was_lost_does_not_matter(released: Warehouse, tmp_path: Path) -> None:
    """The difference is taken against the database, which may be elsewhere."""
    elsewhere = Warehouse(released.server, released.database, tmp_path / "elsewhere")
    result = elsewhere.publish(DAY + timedelta(days=1), day=20, changed="n % 100 = 1")
    assert result.changed["warning_flag"] == 2


PAUSE = 0.2
"""Seconds between a reader's queries: enough that fifty of them leave the publisher some of two
cores. Without: 0.
"""

READ = """
select count(distinct f.release_id), min(f.release_id), count(*), sum(f.score),
    (select sum(points) from yihu.warning_reason),
  (select count(*) from yihu.household_member),
  (select households from yihu.release where is_current), min(f.as_of), max(f.as_of)
from yihu.warning_flag as f
"""


@pytest.mark.parametrize(
    ("readers", "days"), [(4, 4), pytest.param(50, 20, marks=pytest.mark.long)]
)
def test_readers_through_publications(
    released: Warehouse, show: Show, readers: int, days: int
) -> None:
    done = threading.Event()
    seconds: list[float] = []
    seen: set[int] = set()

    def read(_: int) -> int:
        answers = 0
        with released.engine("yihu_reader").connect() as connection:
            while not done.is_set():
                began = time.perf_counter()
                releases, release, flags, score, points, members, households, first, last = (
                    connection.exec_driver_sql(READ).one()
                )
                connection.rollback()
                seconds.append(time.perf_counter() - began)
                assert (releases, score, members, first) == (1, points, 3 * flags, last)
                assert flags == households
                seen.add(release)
                answers += 1
                done.wait(PAUSE)
        return answers

    with ThreadPoolExecutor(readers) as pool:
        running = [pool.submit(read, n) for n in range(readers)]
        for day in range(1, days + 1):
            released.publish(
                DAY + timedelta(days=day), 200 + day % 3, day=day, changed="n % 10 = 1"
            )
        done.set()
        answers = sum(reader.result() for reader in running)
    assert len(seen) > days * 3 / 4
    said = (
        f"{answers} answers, 0 errors, 0 mixed; slowest {max(seconds):.2f} s, {len(seen)} releases"
        " seen"
    )
    show(f"{readers} readers, {days} publications", said)


def test_the_pseudonym_key_is_rotated_or_lost(warehouse: Warehouse) -> None:
    """docs/deploy.md, "The pseudonym key": every person_key changes, no lamp does, and the
    stewards' decisions come along.
    """

    def with_key(key: str) -> Any:
        def after(engine: Engine, tables: dict[str, str]) -> None:
            number = "'61092119800101' || right(member_id, 4)"
            engine.table(
                "people",
                f"select member_id, sha256('{key}' || member_id) as person_key, household_id,"
                f" {number} as id_number, '李某' as name from household_member",
            )

        return after

    first = warehouse.publish(after=with_key("old"), extras={"person": "people"})
    old = warehouse.one("select person_key from vault.person where member_id = 'H000000003-1'")
    warehouse.rows("insert into ops.review_queue (queue_id) values ('q') returning 1")
    warehouse.rows(
        "insert into ops.review_decision (queue_id, decision, person_key, reason) values ('q',"
        f" 'link', '{old}', 'same address') returning 1",
        "yihu_steward",
    )
    again = warehouse.publish(after=with_key("new"), extras={"person": "people"})
    assert (again.is_new, again.checksum) == (False, first.checksum)
    new = warehouse.one("select person_key from vault.person where member_id = 'H000000003-1'")
    assert new != old
    assert warehouse.rows("select person_key, decided_by, reason from ops.review_decision") == [
        (new, own_login("yihu_steward", warehouse.database), "same address")
    ]
    assert warehouse.one(f"select count(*) from vault.person where person_key = '{old}'") == 0


@contextmanager
def small_disk(kilobytes: int) -> Iterator[Path]:
    """A file system of its own of so many kilobytes, where this machine lets us mount one."""
    folder = Path(tempfile.mkdtemp(prefix="yihu-disk-"))
    folder.chmod(0o755)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=0777", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    try:
        if mounted.returncode != 0:
            pytest.skip("this machine does not let us mount a small disk")
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], capture_output=True, check=False)
        folder.rmdir()


def test_the_databases_disk_is_really_full(released: Warehouse) -> None:
    """The table with the most rows lies on a disk of one megabyte that a release does not fit
    on.
    """
    stood = released.rows("select * from yihu.warning_flag order by 1")
    with (
        small_disk(1000) as disk,
        released.engine()
        .execution_options(isolation_level="AUTOCOMMIT")
        .connect() as administrator,
    ):
        owner = Path(str(released.one("show data_directory"))).stat()
        os.chown(disk, owner.st_uid, owner.st_gid)
        administrator.exec_driver_sql(
            f"create tablespace tight_{released.database} location '{disk}'"
        )
        administrator.exec_driver_sql(
            f"alter table store.household_indicator set tablespace tight_{released.database}"
        )
        with pytest.raises(
            PublicationError, match=r"disk is full: make room.*SQLSTATE 53100.*last release stands"
        ):
            released.publish(DAY + timedelta(days=1), households=4000)
        assert released.rows("select * from yihu.warning_flag order by 1") == stood
        assert released.rows("select release_id, is_current from yihu.release") == [(1, True)]
        assert len(list(released.releases.rglob("manifest.json"))) == 1
        administrator.exec_driver_sql(
            "alter table store.household_indicator set tablespace pg_default"
        )
        administrator.exec_driver_sql(f"drop tablespace tight_{released.database}")
    assert released.publish(DAY + timedelta(days=1), households=210).release_id == 2


def test_the_lakes_disk_is_really_full(released: Warehouse) -> None:
    with small_disk(480) as disk:
        tight = Warehouse(released.server, released.database, disk)
        with pytest.raises(
            PublicationError,
            match=r"could not be written.*No space left on device.*last release stands",
        ):
            tight.publish(DAY + timedelta(days=1), households=4000)
        assert not list(disk.rglob("*.parquet"))
        assert released.rows("select release_id from yihu.release") == [(1,)]
        assert tight.publish(DAY + timedelta(days=1), households=210).release_id == 2
