"""`kill -9` at random moments of a day's sync: the next sync gives the release that an undisturbed
one gives.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from resources.settings import ROOT
from tests.whole.conftest import FEW, RANGE, Ranged, environment
from tests.whole.days import PSEUDONYM

pytestmark = pytest.mark.long

KILLS = 4


@pytest.fixture(scope="module")
def lines(ranged: Ranged) -> list[dict[str, Any]]:
    """What `python -m bench.kills` prints: the undisturbed run, a line a kill, the sum."""
    day = RANGE[-1] + timedelta(days=1)
    done = subprocess.run(
        [sys.executable, "-m", "bench.kills", "--kills", str(KILLS), "--households", str(FEW),
            "--seed", "7", "--home", str(ranged.home),
         "--day", day.isoformat()],
        cwd=ROOT, env=environment(ranged.home, YIHU_PSEUDONYM_KEY=PSEUDONYM), capture_output=True,
        text=True, check=False, timeout=600,
    )  # fmt: skip
    assert done.stdout, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_always_the_same_release(lines: list[dict[str, Any]]) -> None:
    undisturbed, kills = lines[0], [line for line in lines if line["bench"] == "kills.kill"]
    assert undisturbed["exit"] == 0
    assert len(kills) == KILLS
    assert [kill for kill in kills if not kill["same"]] == [], lines
    assert {kill["checksum"] for kill in kills} == {undisturbed["checksum"]}


def test_most_were_killed_in_the_midst(lines: list[dict[str, Any]]) -> None:
    kills = [line for line in lines if line["bench"] == "kills.kill"]
    assert sum(kill["killed"] for kill in kills) >= KILLS / 2


def test_nobody_stays_behind(lines: list[dict[str, Any]]) -> None:
    assert not any(
        line["children_left"] or line["server_left"]
        for line in lines
        if line["bench"] == "kills.kill"
    )
