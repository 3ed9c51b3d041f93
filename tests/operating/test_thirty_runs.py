"""Runs started in every way at once, in random order (by `make sync`, by days in order, from the
UI, as a backfill, and killed): none is declared dead that lives, no day is lost, no alert is told
twice.

A few by default; `YIHU_TEST_RUNS=30` takes an hour.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from resources.lake import Lake
from resources.runtime.alive import PROCESS
from resources.runtime.begin import CAUSE
from resources.settings import ROOT
from tests.conftest import Show
from tests.operating.visitor import Visitor
from tests.whole.conftest import RANGE, Ranged, environment, ranged  # noqa: F401
from tests.whole.days import PSEUDONYM, closed, only_raw, releases
from tests.whole.test_backfill import LAUNCH as LAUNCH_BACKFILL
from tests.whole.test_backfill import SELECTOR, ui, until

pytestmark = pytest.mark.long

RUNS = int(os.environ.get("YIHU_TEST_RUNS", "6"))
WAYS = ("sync", "range", "launch", "backfill", "kill")
LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}"""
ASKED = """{ runsOrError { ... on Runs { results {
    runId status pipelineName repositoryOrigin { repositoryLocationName } tags { key value }
} } } }"""
GOING_ON = {"QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING"}


@dataclass
class Desk:
    """Whoever starts runs: from the terminal, from the pages."""

    home: Path
    pages: Visitor
    beside: list[subprocess.Popen[bytes]] = field(default_factory=list)
    killed: list[int] = field(default_factory=list)
    locked: int = 0
    """How often a command ended since another run went on."""

    def start(self, way: str, day: date, dice: random.Random) -> None:
        match way:
            case "sync":
                self._command("--as-of", day.isoformat())
            case "range":
                self._command("--from", RANGE[0].isoformat(), "--to", RANGE[-1].isoformat())
            case "launch":
                self._launched(day)
            case "backfill":
                params = {"selector": SELECTOR, "partitionNames": [d.isoformat() for d in RANGE]}
                self.pages.ask(LAUNCH_BACKFILL, params=params)
            case "kill":
                process = self._command("--as-of", day.isoformat())
                time.sleep(dice.uniform(4, 20))
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    self.killed.append(process.pid)

    def _command(self, *words: str) -> subprocess.Popen[bytes]:
        with (self.home / "commands.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "pipelines", "sync", *words],
                cwd=ROOT,
                env=environment(self.home, **closed(self.home), YIHU_PSEUDONYM_KEY=PSEUDONYM),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.beside.append(process)
        return process

    def _launched(self, day: date) -> None:
        selector = {**SELECTOR["repositorySelector"], "jobName": "daily_sync"}  # type: ignore[dict-item]
        params = {
            "selector": selector,
            "executionMetadata": {"tags": [{"key": "dagster/partition", "value": str(day)}]},
        }
        launched = self.pages.ask(LAUNCH, params=params)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched

    def runs(self) -> list[dict[str, Any]]:
        return list(self.pages.ask(ASKED)["runsOrError"]["results"])

    def is_quiet(self) -> bool:
        if any(process.poll() is None for process in self.beside):
            return False
        return not [run for run in self.runs() if run["status"] in GOING_ON]


def tag(run: dict[str, Any], key: str) -> str:
    return next((str(t["value"]) for t in run["tags"] if t["key"] == key), "")


def test_runs_in_every_way_at_once(ranged: Ranged, show: Show) -> None:  # noqa: F811
    seed = int(os.environ.get("YIHU_TEST_SEED", time.time_ns()))
    dice = random.Random(seed)
    ways = [WAYS[n % len(WAYS)] for n in range(RUNS)]
    dice.shuffle(ways)
    with tempfile.TemporaryDirectory(prefix="yihu-thirty-") as folder:
        home = Path(folder)
        only_raw(ranged.home, home)
        with ui(home, **closed(home), YIHU_PSEUDONYM_KEY=PSEUDONYM) as pages:
            until(lambda: pages.ask("{ version }"))
            desk = Desk(home, pages)
            for way in ("range", *ways):
                desk.start(way, dice.choice(RANGE), dice)
                time.sleep(dice.uniform(0, 8))
            until(desk.is_quiet)
            # a command that met another run said so and did nothing: its days are made at the end
            desk.start("range", RANGE[-1], dice)
            until(desk.is_quiet)
            assert desk.beside[-1].returncode == 0, (home / "commands.log").read_text()[-3000:]
            runs = desk.runs()
        lake = Lake(home / "lake")
        assert lake.days("flags", "warning_flag") == list(RANGE)
        assert {day for day, _ in releases(home)} <= set(RANGE)
        assert releases(home)[-1] == ranged.releases[-1]
        failed = [run for run in runs if run["status"] == "FAILURE"]
        strangers = [run for run in failed if int(tag(run, PROCESS) or 0) not in desk.killed]
        assert strangers == []
        assert {process.returncode for process in desk.beside} <= {0, 3, -signal.SIGKILL}
        assert {run["repositoryOrigin"]["repositoryLocationName"] for run in runs} == {
            "pipelines.definitions"
        }
        log = home / "alerts.log"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        told = Counter((alert["what"], alert["where_to_look"]) for alert in map(json.loads, lines))
        twice = {what: count for what, count in told.items() if count > 1}
    causes = Counter(tag(run, CAUSE) or "the UI" for run in runs)
    said = f"seed {seed}: {len(runs)} runs of {RUNS} starts, {len(desk.killed)} killed"
    show("Runs in every way", f"{said}; {dict(causes)}; alerts told {dict(told)}")
    assert twice == {}
