"""A handful of `kill -9` at random moments of one day's sync: what is left of it completes to the
release of an undisturbed one.

Each run here is killed upon what the one before left. Forty kills, each completed by itself:
`python -m bench.kills`.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from bench.kills import UNFINISHED, copy
from pipelines.environment import prepare
from resources.server import is_running
from resources.settings import load_settings
from sandbox.county import County
from tests.conftest import Show
from tests.whole.conftest import HOUSEHOLDS, SECOND, Synced
from tests.whole.days import at_home, digests_of, offices, releases
from tests.whole.killing import start

KILLS = 4
ENDS_WITHIN = 15.0
SEED = 20260101
"""The county that `make sync` makes."""
STORED = ("valid", "withdrawn", "quarantine", "matched", "household", "flags")

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Killed:
    """A home whose day was killed several times and then completed."""

    home: Path
    moments: list[float]
    in_the_midst: int
    status: int | None
    printed: str
    left: list[str]
    """Processes that outlived a killed run, or were there at the end."""


def processes(home: Path) -> list[str]:
    """The programs that were started with something of this home, the database server left out."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if any(os.fsencode(home) in word for word in words) and not words[0].endswith(b"postgres"):
            found.append(b" ".join(words).decode(errors="replace"))
    return found


def left_behind(home: Path) -> list[str]:
    """What does not end by itself once its run is gone: Dagster's helpers that follow a log, for
    one.
    """
    deadline = time.monotonic() + ENDS_WITHIN
    while (left := processes(home)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


@pytest.fixture(scope="module")
def killed(synced: Synced) -> Iterator[Killed]:
    """The home as it was before the second day, which is then run, killed, run, killed, …, and run
    to its end.
    """
    place = tempfile.TemporaryDirectory(prefix="yihu-killed-")
    folder = Path(place.name)
    home, printed = folder / "home", folder / "printed.log"
    copy(synced.after_first, home)
    key = (home / "secrets" / "pseudonym_key").read_text(encoding="ascii")
    dice, moments, left, in_the_midst = random.Random(time.time_ns()), [], [], 0
    county = County(home / "sandbox", HOUSEHOLDS, SEED).make()
    with place, offices(county, folder / "offices") as departments:
        departments.bring_to(SECOND, "office")  # as make sync has the sandbox write
        settings = {**departments.settings, "YIHU_PSEUDONYM_KEY": key}
        for _ in range(KILLS):
            moments.append(dice.uniform(0.3, 0.6 * synced.seconds))
            process = start(home, settings, SECOND, printed)
            process.join(moments[-1])
            process.kill()
            process.join()
            in_the_midst += process.exitcode == -signal.SIGKILL
            left += left_behind(home)
        process = start(home, settings, SECOND, printed)
        process.join(120)
        process.kill()
        left += left_behind(home)
        yield Killed(
            home, moments, in_the_midst, process.exitcode, printed.read_text(encoding="utf-8"), left
        )


def test_the_release_is_that_of_an_undisturbed_day(
    killed: Killed, synced: Synced, show: Show
) -> None:
    moments = ", ".join(f"{moment:.1f}" for moment in killed.moments)
    show(
        "kill -9",
        f"killed after {moments} s ({killed.in_the_midst} of {KILLS} in the midst); completed to"
        " the same checksum",
    )
    assert killed.status == 0, killed.printed[-3000:]
    assert killed.in_the_midst >= KILLS / 2
    assert releases(killed.home) == [
        release for release in releases(synced.home) if release[0] <= SECOND
    ]


def test_the_lake_has_the_same_rows(killed: Killed, synced: Synced) -> None:
    assert digests_of(killed.home, SECOND, STORED) == digests_of(synced.home, SECOND, STORED)


def test_nothing_is_left_behind(killed: Killed) -> None:
    assert (killed.left, is_running(killed.home)) == ([], False)
    assert [
        str(path.relative_to(killed.home)) for path in (killed.home / "lake").rglob("*.tmp")
    ] == []
    assert list((killed.home / "tmp").iterdir()) == []
    with at_home(killed.home):
        prepare(load_settings())
        with dg.DagsterInstance.get() as instance:
            assert instance.get_runs(filters=dg.RunsFilter(statuses=UNFINISHED)) == []
