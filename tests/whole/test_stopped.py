"""A run that is asked to stop ends between two steps: one line, no traceback, no alert,
and the next run completes the day.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipelines.environment import prepare
from resources.runtime.alerts import alert_book
from resources.settings import ROOT, load_settings
from tests.whole.conftest import FEW, RANGE, Ranged, environment, pipelines
from tests.whole.days import PSEUDONYM, at_home, releases

pytestmark = pytest.mark.long
NEXT, AFTER = RANGE[-1] + timedelta(days=1), RANGE[-1] + timedelta(days=2)
SETTINGS = {"YIHU_SANDBOX_HOUSEHOLDS": str(FEW), "YIHU_PSEUDONYM_KEY": PSEUDONYM}
STOPS = ((signal.SIGTERM, "raw_"), (signal.SIGINT, "make_household"))


@pytest.fixture
def home(ranged: Ranged) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="yihu-stopped-") as folder:
        copy = Path(folder) / "home"
        subprocess.run(["cp", "-a", str(ranged.home), str(copy)], check=True)
        yield copy


def stopped(home: Path, with_signal: int, at_step: str) -> tuple[int, str]:
    """Two days asked for, and the signal sent when a step of that name is told of."""
    days = ("--from", NEXT.isoformat(), "--to", AFTER.isoformat())
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines", "sync", *days, "--verbose"],
        cwd=ROOT, env=environment(home, **SETTINGS),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        said, is_sent = "", False
        for line in process.stdout:
            said += line
            if at_step in line and not is_sent:
                process.send_signal(with_signal)
                is_sent = True
        assert is_sent, said
        return process.wait(timeout=120), said


@pytest.mark.parametrize(("with_signal", "at_step"), STOPS)
def test_a_run_ends_between_two_steps(home: Path, with_signal: int, at_step: str) -> None:
    before = releases(home)
    status, said = stopped(home, with_signal, at_step)
    assert status == 130, said
    assert "Traceback" not in said
    assert said.count("stopped on request") == 1, said
    assert f"make sync AS_OF={NEXT} completes the day" in said
    assert str(AFTER) not in said.split("stopped on request")[1]
    assert releases(home) == before
    with at_home(home, **SETTINGS):
        settings = load_settings()
        prepare(settings)
        assert alert_book(settings.home, settings.alerts).open() == []
        with dg.DagsterInstance.get() as instance:
            newest = instance.get_runs(limit=1)[0]
            assert newest.status is dg.DagsterRunStatus.CANCELED
    done = pipelines(home, "sync", YIHU_AS_OF=NEXT.isoformat(), **SETTINGS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [day for day, _ in releases(home)] == [*RANGE, NEXT]
