"""The embedded server: shared, stopped by the last to leave, safe behind passwords, back after a
crash.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from resources.server import Server, ServerError, embedded, external, is_running, warehouse_server
from resources.settings import ROOT
from tests.warehouse.conftest import make_warehouse, new_home
from warehouse.schema.logins import own_login


@pytest.fixture
def home() -> Iterator[Path]:
    with new_home() as folder:
        yield folder


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_the_last_to_leave_stops_it(home: Path) -> None:
    with embedded(home) as first:
        pid = postmaster(home)
        with embedded(home) as second:
            assert second.url == first.url
        assert is_running(home)
        other = subprocess.Popen(
            [sys.executable, "-c", "import sys, pathlib; from resources.server import embedded\n"
             "with embedded(pathlib.Path(sys.argv[1])): print('in', flush=True); sys.stdin.read()",
             str(home)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
    assert is_running(home)
    other.communicate("")
    assert not is_running(home)
    assert not alive(pid)


def test_a_user_that_was_killed_leaves_nothing_behind(home: Path) -> None:
    killed = subprocess.Popen(
        [sys.executable, "-c", "import sys, pathlib, os; from resources.server import embedded\n"
         "with embedded(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), 9)", str(home)],
        cwd=ROOT,
    )  # fmt: skip
    killed.wait()
    pid = postmaster(home)
    assert alive(pid)
    with embedded(home):
        assert postmaster(home) == pid
    assert not alive(pid)


def test_it_comes_back_after_the_postmaster_is_killed(home: Path) -> None:
    with embedded(home) as server:
        engine = server.engine()
        with engine.begin() as connection:
            connection.exec_driver_sql("create table kept as select 1 as one")
        os.kill(postmaster(home), signal.SIGKILL)
        time.sleep(0.1)
        with embedded(home):
            with engine.connect() as connection:
                assert connection.exec_driver_sql("select one from kept").scalar() == 1
        engine.dispose()


def test_passwords_mean_something(server: Server, tmp_path: Path) -> None:
    home, server = server.secrets_home, replace(server, url=make_warehouse(server, tmp_path).url())
    own = own_login("yihu_reader", str(server.url.database))
    with server.engine("yihu_reader").connect() as connection:
        assert connection.exec_driver_sql("select session_user").scalar() == own
        assert connection.exec_driver_sql("select pg_has_role('yihu_reader', 'member')").scalar()
    shared = server.url.set(username="yihu_reader", password=server.passwords["yihu_reader"])
    with pytest.raises(
        sa.exc.OperationalError, match=r"password authentication failed|not permitted to log in"
    ):
        sa.create_engine(shared).connect()
    wrong = server.url.set(username=own, password="wrong")
    with pytest.raises(sa.exc.OperationalError, match="password authentication failed"):
        sa.create_engine(wrong).connect()
    for secret in (home / "secrets").iterdir():
        assert secret.stat().st_mode & 0o777 == 0o600
    for folder in ("secrets", "postgres", "postgres/data", "postgres/run"):
        assert (home / folder).stat().st_mode & 0o777 == 0o700
    assert not set(server.passwords.values()) & set(repr(server).split("'"))
    command, environment = server.psql_command("yihu_reader")
    assert server.passwords["yihu_reader"] not in " ".join(command)
    said = subprocess.run(
        [*command, "-Atc", "select session_user"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == f"{own}\n"


def test_a_home_deep_down(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    with embedded(deep) as server:
        folder = Path(str(server.url.query["host"]))
        assert len(str(folder)) < 90
        assert folder.stat().st_mode & 0o777 == 0o700
        with server.engine().connect() as connection:
            assert connection.exec_driver_sql("select 1").scalar() == 1


def test_a_server_of_ones_own(server: Server, tmp_path: Path) -> None:
    with warehouse_server(tmp_path, server.libpq()) as outside:
        assert not outside.is_embedded
        with outside.engine().connect() as connection:
            assert connection.exec_driver_sql("select 1").scalar() == 1
    with pytest.raises(ServerError, match="Check that it runs") as failed:
        external(tmp_path, "postgresql://somebody:secret-word@127.0.0.1:1/yihu")
    assert "secret-word" not in str(failed.value)
