"""Whose a run is, and when it is over: none is declared dead that lives, none that is dead holds
anybody up; every way to run begins alike and is recorded alike.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from pipelines.automation.abandoned import close_abandoned, going_on
from pipelines.automation.runs import RECORDED_BY, run_day
from pipelines.environment import prepare
from resources.runtime.alerts import alert_book
from resources.runtime.alive import (
    SILENT_SECONDS,
    UNTOLD_SECONDS,
    Process,
    heartbeat,
    is_gone,
    is_there,
    process_of,
    this_host,
    this_process,
)
from resources.runtime.begin import CAUSE, NOT_BEGUN
from resources.runtime.lock import run_lock
from resources.settings import Settings, load_settings
from tests.whole.days import NOWHERE, at_home

DAY = "2026-11-19"
RUN = "5f6a2a53-0000-4000-8000-000000000000"


@contextmanager
def another_process() -> Iterator[tuple[subprocess.Popen[bytes], Process]]:
    """A process that does nothing, and what a run of it would have kept."""
    code = "from resources.runtime.alive import this_process as p; print(p(), flush=True); input()"
    started = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert started.stdout is not None
    try:
        yield started, eval(started.stdout.readline(), {"Process": Process})  # noqa: S307
    finally:
        started.kill()
        started.wait()


def test_a_process_is_known_by_its_number_and_its_start() -> None:
    mine = this_process()
    assert process_of(mine.tags) == mine
    assert is_there(mine) is True
    assert is_there(replace(mine, begun=mine.begun + 1)) is False  # the number was given again
    assert is_there(replace(mine, host="elsewhere")) is None
    with another_process() as (started, theirs):
        assert (theirs.number, theirs.host) == (started.pid, this_host())
        assert is_there(theirs) is True
        started.kill()
        deadline = time.monotonic() + 10
        # nobody has asked for its exit status: what is left of it is no process
        while is_there(theirs) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert is_there(theirs) is False


def test_of_another_machine_the_heartbeat_tells(tmp_path: Path) -> None:
    elsewhere = replace(this_process(), host="elsewhere").tags
    now = time.time()
    with heartbeat(tmp_path, RUN, every=0.02):
        beat = tmp_path / "heartbeats" / RUN
        os.utime(beat, (0, 0))
        deadline = time.monotonic() + 10
        while beat.stat().st_mtime == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not is_gone(tmp_path, RUN, elsewhere, moved_at=0)
        assert is_gone(tmp_path, RUN, elsewhere, moved_at=now, now=now + SILENT_SECONDS + 60)
    assert not beat.exists()


def test_a_run_that_nobody_told_of_has_time_to_begin(tmp_path: Path) -> None:
    assert not is_gone(tmp_path, RUN, {}, moved_at=1000, now=1000 + UNTOLD_SECONDS - 1)
    assert is_gone(tmp_path, RUN, {}, moved_at=1000, now=1000 + UNTOLD_SECONDS + 1)


def waiting(instance: dg.DagsterInstance, process: Process) -> dg.DagsterRun:
    """A run that began long ago and has not ended: it waits for the lock, or was killed."""
    run = dg.DagsterRun(
        job_name="daily_sync",
        run_id=RUN,
        status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/partition": DAY, **process.tags},
    )
    instance.add_run(run)
    return run


def test_a_run_is_over_when_its_process_is_gone_and_no_sooner(tmp_path: Path) -> None:
    """Whoever holds the lock proves nothing of those that wait for it."""
    settings = load_settings({"YIHU_HOME": str(tmp_path)})
    with (
        dg.DagsterInstance.ephemeral() as instance,
        another_process() as (started, theirs),
        run_lock(tmp_path),
    ):
        waiting(instance, theirs)
        assert close_abandoned(instance, settings) == []
        assert going_on(instance, settings, "daily_sync") == RUN
        assert alert_book(settings.home, settings.alerts).open() == []
        started.kill()
        started.wait()
        assert going_on(instance, settings, "daily_sync") is None
        ended = instance.get_run_by_id(RUN)
        assert ended is not None
        assert ended.status is dg.DagsterRunStatus.FAILURE
        (alert,) = alert_book(settings.home, settings.alerts).open()
        assert f"make sync AS_OF={DAY}" in alert.next_step
        assert close_abandoned(instance, settings) == []


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A home whose gateway is not there."""
    home = tmp_path_factory.mktemp("lonely")
    gateway = {"YIHU_GATEWAY_URL": NOWHERE, "YIHU_GATEWAY_SID": "s", "YIHU_GATEWAY_KEY": "k" * 9}
    with at_home(home, **gateway):
        settings = load_settings()
        prepare(settings)
        yield settings


def test_a_run_without_a_gateway_begins_nothing_and_says_so(lonely: Settings) -> None:
    heard: list[list[str] | None] = []
    said = run_day(lonely, date.fromisoformat(DAY), "make sync", heard.append)
    assert said is not None
    assert heard == [said]
    assert "cannot be reached" in said[0]
    with dg.DagsterInstance.get() as instance:
        (record,) = instance.get_run_records()
    run = record.dagster_run
    assert run.status is dg.DagsterRunStatus.FAILURE
    assert "cannot be reached" in run.tags[NOT_BEGUN]
    # as the daemon records its own: it stands on its job's page and on the timeline, with its cause
    assert run.remote_job_origin is not None
    assert run.remote_job_origin.location_name == RECORDED_BY
    assert (run.job_name, run.tags[CAUSE]) == ("daily_sync", "make sync")
    assert process_of(run.tags) == this_process()
    (alert,) = alert_book(lonely.home, lonely.alerts).open()
    assert (alert.fingerprint, alert.day) == ("unreachable", DAY)
    assert list((lonely.home / "heartbeats").iterdir()) == []
    assert not (lonely.home / "lake" / "raw").exists()
