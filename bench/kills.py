"""`python -m bench.kills --kills 40`: `kill -9` at random moments of a day's sync; the next sync
must complete the same release.

Belongs here: killing, completing, comparing; a JSON line a kill. Each sync is a process of its own,
as `make sync` starts it; the same snapshot of a home is put back before every kill.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import sqlalchemy as sa

from resources.lake import Lake
from resources.server import is_running, warehouse_server
from resources.settings import ON_SQLITE, ROOT, today

FIRST_DAY = timedelta(days=4)
CHILDREN_END_WITHIN = 10.0
STORED = ("valid", "withdrawn", "quarantine", "matched", "household", "flags")
UNFINISHED = [
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.CANCELING,
]


@dataclass(frozen=True)
class Outcome:
    """What a home shows after a sync of the day."""

    checksum: str
    releases: int
    """Releases of the day, in the warehouse."""
    rows: dict[str, int]
    """Rows of the day in each lake layer: a row lost or doubled would show."""
    unfinished: int
    """Dagster runs that nobody ended."""
    failed: int


@dataclass(frozen=True)
class County:
    """The home that is killed in, the snapshot it is put back to, and the day that is run."""

    home: Path
    snapshot: Path
    households: int
    day: date

    def restore(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        copy(self.snapshot, self.home)


def copy(source: Path, target: Path) -> None:
    """Everything as it is: owners, modes and hard links are kept."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def started(county: County, output: Path) -> subprocess.Popen[bytes]:
    """`make sync` of the day, as a process with a session of its own."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("YIHU_") or name == "YIHU_PSEUDONYM_KEY"
    }
    named = {
        "YIHU_HOME": str(county.home),
        "YIHU_AS_OF": str(county.day),
        "YIHU_SANDBOX_HOUSEHOLDS": str(county.households),
    }
    with output.open("ab") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "pipelines", "sync"],
            cwd=ROOT, env={**clean, **named}, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            start_new_session=True,
        )  # fmt: skip


def children(home: Path) -> list[int]:
    """The sandbox's processes that serve `home`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"sandbox" in words and any(os.fsencode(home) in word for word in words):
                found.append(int(entry.name))
    return found


def wait_for_children(home: Path) -> int:
    """How many of the sandbox's processes outlive their killed parent for too long."""
    deadline = time.monotonic() + CHILDREN_END_WITHIN
    while (left := children(home)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return len(left)


@contextmanager
def dagster_of(home: Path) -> Iterator[dg.DagsterInstance]:
    os.environ.update(DAGSTER_HOME=str(ON_SQLITE), YIHU_DAGSTER_DIR=str(home / "dagster"))
    with dg.DagsterInstance.get() as instance:
        yield instance


def outcome(county: County) -> Outcome:
    """Looks at a home from outside: warehouse, lake, Dagster's record."""
    with warehouse_server(county.home) as server:
        engine = server.engine()
        with engine.connect() as connection:
            found = (
                connection.execute(
                    sa.text("select checksum from ops.release where as_of = :day"),
                    {"day": county.day},
                )
                .scalars()
                .all()
            )
        engine.dispose()
    with dagster_of(county.home) as instance:
        unfinished = len(instance.get_runs(filters=dg.RunsFilter(statuses=UNFINISHED)))
        failed = len(
            instance.get_runs(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
        )
    return Outcome(found[-1] if found else "", len(found), rows_of(county), unfinished, failed)


def rows_of(county: County) -> dict[str, int]:
    """The rows of the day, by layer."""
    lake, day = Lake(county.home / "lake"), county.day
    found = dict.fromkeys(STORED, 0)
    with duckdb.connect() as connection:
        for layer, table in lake.tables():
            if layer in STORED and day in lake.days(layer, table):
                relation = lake.relation(layer, table, day)
                counted = connection.execute(f"select count(*) from {relation}").fetchone()
                found[layer] += counted[0] if counted else 0
    return found


def say(**fields: Any) -> None:
    print(json.dumps(fields, ensure_ascii=False, default=str), flush=True)


def kill_once(county: County, seconds: float, fraction: float, output: Path) -> dict[str, Any]:
    """One kill and the run after it."""
    county.restore()
    process = started(county, output)
    time.sleep(seconds * fraction)
    process.kill()
    status = process.wait()
    outlived = wait_for_children(county.home)
    begun = time.monotonic()
    again = started(county, output).wait()
    spent = time.monotonic() - begun
    stays = is_running(county.home)
    return {
        "killed": status == -signal.SIGKILL,
        "exit": again,
        "seconds": round(spent, 1),
        "children_left": outlived,
        "server_left": stays,
    }


def first_load(work: Path, households: int, day: date) -> Path:
    """A home with one day in it."""
    home = work / "first"
    home.mkdir()
    county = County(home, home, households, day)
    if (status := started(county, work / "sync.log").wait()) != 0:
        raise SystemExit(f"the first load of {day} ended with {status}: see {work / 'sync.log'}")
    return home


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--households", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--home",
        type=Path,
        help="a synced home to start from, which is only read; a new one otherwise",
    )
    parser.add_argument(
        "--day", type=date.fromisoformat, help="the day to run, after those of the home"
    )
    asked = parser.parse_args()
    day = asked.day or today() - FIRST_DAY + timedelta(days=1)
    with tempfile.TemporaryDirectory(prefix="yihu-kills-") as folder:
        work = Path(folder)
        source = asked.home or first_load(work, asked.households, day - timedelta(days=1))
        copy(source, work / "snapshot")
        county = County(work / "home", work / "snapshot", asked.households, day)
        return run(county, asked.kills, random.Random(asked.seed), work / "sync.log")


def run(county: County, kills: int, dice: random.Random, output: Path) -> int:
    """The undisturbed run, then the kills; the exit status is 1 where one of them ended
    otherwise.
    """
    county.restore()
    begun = time.monotonic()
    status = started(county, output).wait()
    seconds = time.monotonic() - begun
    undisturbed = outcome(county)
    say(bench="kills.undisturbed", exit=status, seconds=round(seconds, 1), **vars(undisturbed))
    good = 0
    for number in range(1, kills + 1):
        fraction = dice.uniform(0.02, 0.98)
        seen = kill_once(county, seconds, fraction, output)
        after = outcome(county)
        same = (after.checksum, after.releases, after.rows, after.unfinished) == (
            undisturbed.checksum,
            1,
            undisturbed.rows,
            0,
        )
        same = (
            same
            and status == seen["exit"] == 0
            and not seen["children_left"]
            and not seen["server_left"]
        )
        good += same
        say(
            bench="kills.kill",
            number=number,
            at=round(fraction, 3),
            same=same,
            failed_runs=after.failed,
            **seen,
            checksum=after.checksum,
        )
        if not same:
            say(
                bench="kills.differs", **vars(after), log=output.read_text(errors="replace")[-1500:]
            )
    say(bench="kills", kills=kills, same=good, households=county.households, day=county.day)
    return 0 if good == kills and status == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
