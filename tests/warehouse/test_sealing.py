"""The access log is sealed once an hour by a job of Dagster's: the job, its schedule, and by night
the daemon that runs it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import dagster as dg
import pytest

from pipelines.automation.sealing import seal_log
from pipelines.definitions import build_defs
from resources.runtime.alerts import noted_seal
from resources.settings import ON_SQLITE, ROOT
from tests.warehouse.conftest import Warehouse
from warehouse.database.access_log import verify

SECONDS = 300.0
LOOKED = (
    "insert into ops.access_log (login, action, reason) values ('li', 'yihu.ask', 'a letter')"
    " returning 1"
)


@pytest.fixture
def environment(released: Warehouse, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A home whose warehouse has something to seal."""
    url = released.url().set(drivername="postgresql").render_as_string(hide_password=False)
    clean = {
        name: value for name, value in os.environ.items() if not re.match("YIHU_|DAGSTER_", name)
    }
    own = {
        "YIHU_HOME": str(tmp_path / "home"),
        "YIHU_WAREHOUSE_URL": url,
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    (tmp_path / "home").mkdir()
    released.rows(LOOKED)
    assert verify(released.engine()).unsealed_rows == 1
    with mock.patch.dict(os.environ, own):
        yield {**clean, **own}


def test_the_job_seals_what_was_added(released: Warehouse, environment: dict[str, str]) -> None:
    for already in (0, 1):
        assert seal_log.execute_in_process().success
        found = verify(released.engine())
        assert (found.sealed_rows, found.unsealed_rows, found.problems) == (1 + already, 0, ())
        assert noted_seal(Path(environment["YIHU_HOME"])) == found.last, "alerts carry it"
        released.rows(LOOKED)


def test_nothing_is_sealed_where_nothing_was_published(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    url = warehouse.url().set(database="postgres", drivername="postgresql")
    own = {
        "YIHU_HOME": str(tmp_path),
        "YIHU_WAREHOUSE_URL": url.render_as_string(hide_password=False),
    }
    with mock.patch.dict(os.environ, own):
        assert seal_log.execute_in_process().success


def test_it_runs_every_hour_by_itself() -> None:
    schedule = build_defs().resolve_schedule_def("seal_log_schedule")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    minute, *rest = str(schedule.cron_schedule).split()
    assert (minute.isdecimal(), rest) == (True, ["*"] * 4)
    with dg.build_schedule_context() as context:
        assert len(schedule.evaluate_tick(context).run_requests or []) == 1


@pytest.mark.long
def test_the_daemon_seals(released: Warehouse, environment: dict[str, str], tmp_path: Path) -> None:
    """The daemon as `make ui` starts it, on one schedule: a row that nobody sealed is, and nobody
    did anything.
    """
    storage = tmp_path / "dagster"
    storage.mkdir()
    where = {
        "DAGSTER_HOME": str(ON_SQLITE),
        "YIHU_DAGSTER_DIR": str(storage),
        "PYTHONPATH": str(ROOT),
    }
    command = [
        str(Path(sys.executable).parent / "dagster-daemon"),
        "run",
        "-m",
        "tests.warehouse.every_minute",
    ]
    with (tmp_path / "daemon.log").open("wb") as log:
        daemon = subprocess.Popen(
            command, cwd=ROOT, env=environment | where, stdout=log, stderr=log
        )
        try:
            deadline = time.monotonic() + SECONDS
            while verify(released.engine()).unsealed_rows:
                assert daemon.poll() is None, (tmp_path / "daemon.log").read_text()[-2000:]
                assert time.monotonic() < deadline, (tmp_path / "daemon.log").read_text()[-2000:]
                time.sleep(1)
        finally:
            daemon.terminate()
            daemon.wait(60)
    assert verify(released.engine()).sealed_rows == 1
