"""A week of an operator's mornings, command by command, over a small county: a late department, a
rejected extract and its gate, a wrong key, a rollback, a rule change, a past day beside a sync, a
killed run, a disk that is nearly full, a provisional release, what is given up. What was printed is
shown at the end.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from pipelines.environment import prepare
from pipelines.operator.status import LOW_DISK_GB, status
from resources.runtime.alerts import alert_book
from resources.settings import ROOT, load_settings, today
from sandbox.county import County
from sandbox.faults import Fault
from tests.conftest import Show
from tests.whole.conftest import FEW, environment, pipelines
from tests.whole.days import PSEUDONYM, Offices, at_home, offices
from tests.whole.test_faults import bad_certificates

pytestmark = pytest.mark.long

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 11, day) for day in range(16, 21))
WHY = 'confirmed by the federation: letter 41, "as it is", `$HOME` and all'
RULES = ROOT / "warehouse" / "rules" / "scoring-2026-11-25.yaml"


@dataclass
class Office:
    """An operator's desk: the home, the departments, and everything that was printed."""

    home: Path
    departments: Offices
    printed: list[str] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, str]:
        return {**self.departments.settings, "YIHU_PSEUDONYM_KEY": PSEUDONYM}

    def run(self, *words: str, exits: int = 0, **settings: str) -> str:
        """One command, as it is typed; what it printed."""
        done = pipelines(self.home, *words, **{**self.settings, **settings})
        said = done.stdout + done.stderr
        self.printed.append(f"$ yihu {' '.join(words)}\n{said.strip()}\n")
        assert done.returncode == exits, said[-3000:]
        return said

    def sync(self, day: date, **more: str) -> str:
        self.departments.bring_to(day)
        return self.run("sync", "--as-of", day.isoformat(), **more)

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """A command that goes on beside others."""
        return subprocess.Popen(
            [sys.executable, "-m", "pipelines", *words],
            cwd=ROOT,
            env=environment(self.home, **self.settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def open_alerts(self) -> list[str]:
        with at_home(self.home, **self.settings):
            settings = load_settings()
        return [alert.scope for alert in alert_book(settings.home, settings.alerts).open()]


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    place = tempfile.TemporaryDirectory(prefix="yihu-week-")
    folder = Path(place.name)
    county = County(folder / "county", FEW, 20260101).make()
    with place, offices(county, folder / "offices") as departments:
        yield Office(folder / "home", departments)


def wait_until_it_holds_the_lock(home: Path, process: subprocess.Popen[str]) -> None:
    """Until the process has begun its run."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and process.poll() is None:
        if list((home / "heartbeats").glob("*")):
            return
        time.sleep(0.1)
    raise AssertionError("it never began")


def test_the_week(office: Office, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    # Monday: everything came
    said = office.sync(MONDAY)
    assert f"Release 1 as of {MONDAY}" in said
    assert len([line for line in said.splitlines() if line.strip()]) < 40
    # Tuesday: a department is late, and the run goes on without it
    office.departments.plan.faults.append(Fault("reports", "404", times=-1))
    said = office.sync(TUESDAY)
    assert f"Release 2 as of {TUESDAY}" in said
    assert "the last good state is carried on" in re.sub(r"\s+", " ", said).lower()
    assert "citizen_reports reports" in office.run("status", exits=1)
    assert "check:raw_citizen_reports__reports:read" in office.open_alerts()
    # Wednesday: the department answers again; another one's file is bad as a whole
    office.departments.plan.faults.clear()
    bad_certificates(office.departments)
    said = office.run("sync", "--as-of", WEDNESDAY.isoformat())
    assert "1 rejected: certificates" in said
    assert "check:raw_citizen_reports__reports:read" not in office.open_alerts()
    listed = office.run("quarantine", "--out", str(office.home / "to-send"))
    batch = re.search(r"certificates-[0-9]{8}-[0-9]{2}", listed)
    assert batch is not None
    assert list((office.home / "to-send").glob("*disability_federation*"))
    gate = ("--records", "certificates", "--batch", batch[0], "--as-of", WEDNESDAY.isoformat())
    nearly = (*gate[:3], batch[0][:-1] + "9")
    assert batch[0] in office.run("open-gate", *nearly, "--by", "Li", "--why", WHY, exits=1)
    assert WHY in office.run("open-gate", *gate, "--by", "Li Wei", "--why", WHY)
    assert "18 ok" in office.run("sync", "--as-of", WEDNESDAY.isoformat())
    # Thursday: the platform changed our key
    wrong = office.run(
        "sync", "--as-of", THURSDAY.isoformat(), exits=1, YIHU_GATEWAY_KEY="another-key"
    )
    assert "YIHU_GATEWAY_KEY" in wrong
    assert "stands untouched" in wrong
    assert f"as of {THURSDAY}" in office.sync(THURSDAY)
    # the release was wrong after all: back, and what readers see is explained
    assert f"of {WEDNESDAY} is current again" in office.run(
        "rollback", "--by", "Li Wei", "--why", "the insurance extract was last year's"
    )
    explained = office.run("explain", "--household", "H0000001")
    assert f"Household H0000001 on {WEDNESDAY}" in explained
    assert f"the lake has {THURSDAY} besides" in explained
    # a rule change is tried
    candidate = office.home / "candidate.yaml"
    candidate.write_text(
        RULES.read_text(encoding="utf-8").replace(
            "{when: value < 1, points: 16}", "{when: value < 1, points: 15}"
        ),
        encoding="utf-8",
    )
    tried = office.run("rules-diff", "--rules", str(candidate), "--as-of", THURSDAY.isoformat())
    assert re.search(r"score moves|scores move|no score moves", tried)
    # a past day is made again, and somebody else begins a sync beside it
    past = office.begin("sync", "--as-of", TUESDAY.isoformat())
    wait_until_it_holds_the_lock(office.home, past)
    beside = office.run("sync", "--as-of", THURSDAY.isoformat(), exits=3)
    assert "another sync is running" in beside
    printed, _ = past.communicate(timeout=400)
    assert past.returncode == 0, printed[-3000:]
    assert f"readers see {WEDNESDAY}: a later day is current" in printed
    # Friday: the run is killed, and its day is made after it
    office.departments.bring_to(FRIDAY)
    killed = office.begin("sync", "--as-of", FRIDAY.isoformat())
    wait_until_it_holds_the_lock(office.home, killed)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert f"as of {FRIDAY}" in office.sync(FRIDAY)
    with at_home(office.home, **office.settings):
        prepare(load_settings())
        with dg.DagsterInstance.get() as instance:
            runs = instance.get_runs()
    gone = [run for run in runs if run.tags.get("dagster/partition") == FRIDAY.isoformat()]
    assert sorted(run.status.value for run in gone) == ["FAILURE", "SUCCESS"]
    assert {run.status.value for run in runs} == {"FAILURE", "SUCCESS"}
    assert [scope for scope in office.open_alerts() if FRIDAY.isoformat() in scope] == []
    # the disk is nearly full: it is said before it is too late
    usage = shutil.disk_usage(office.home)._replace(free=int((LOW_DISK_GB - 1) * 1e9))
    with at_home(office.home, **office.settings), monkeypatch.context() as patched:
        patched.setattr("pipelines.operator.status.shutil.disk_usage", lambda _: usage)
        (disk,) = [f for f in status(load_settings()) if f.what == "disk"]
    assert (disk.is_well, "make prune" in disk.next_step) == (False, True)
    # today, at noon: a provisional release, which the night replaces
    said = office.sync(today())
    assert f"as of {today()} (provisional" in said
    assert f"Household H0000001 on {today()}" in office.run("explain", "--household", "H0000001")
    # what the retention does not keep is given up
    assert "given up" in office.run("prune", "--keep", "3")
    show("A week", "\n".join(office.printed)[-30_000:])
