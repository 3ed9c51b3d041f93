"""`python -m bench --scale county`: a first load and the day after it, each as a whole process,
with its steps; then each step by itself, beside the same step written by hand. `--scale
city|province`: from `valid` to the flags, county by county.

Belongs here: timing from outside. Every line carries a ratio against a fixed query, or the same
work written by hand, that runs beside it, since these machines are noisy: compare ratios, not
seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import duckdb

from bench.alone import COUNTIES, Late, province, published, steps_alone
from bench.links import county_of, links_of_home
from bench.queries import medians
from resources.settings import ON_SQLITE, ROOT, load_settings, today
from warehouse.catalogue import RULES

HOUSEHOLDS = {"village": 700, "town": 10_000, "county": 104_000}
DEADLINES = {"village": 600, "town": 900, "county": 1800, "city": 3600, "province": 4 * 3600}
"""Seconds after which a process of a scale is ended."""
MATCHED_TO_FLAGS = ("make_links", "make_source_status", "make_households", "make_flags")
"""The steps after everything is matched and before what follows a lamp: together one line of their
own.
"""
REFERENCE = """
select sum(total) from (
    select i % 100003 as person, sum(i % 997) as total, max(md5(i::varchar)) as digest
    from range(3000000) as t(i) group by 1 order by digest
)
"""


def reference_seconds() -> float:
    """A fixed DuckDB query on two threads: what this machine can do right now."""
    with duckdb.connect(config={"threads": 2}) as connection:
        started = time.monotonic()
        connection.execute(REFERENCE).fetchall()
        return time.monotonic() - started


def say(**fields: object) -> None:
    print(json.dumps(fields, ensure_ascii=False, default=str), flush=True)


def steps_of(home: Path, as_of: date) -> list[tuple[str, float]]:
    """Seconds of each step of the day's newest run, from Dagster's own record."""
    os.environ.update(DAGSTER_HOME=str(ON_SQLITE), YIHU_DAGSTER_DIR=str(home / "dagster"))
    with dg.DagsterInstance.get() as instance:
        tags = {"dagster/partition": as_of.isoformat()}
        run = instance.get_runs(filters=dg.RunsFilter(job_name="daily_sync", tags=tags), limit=1)[0]
        found = instance.get_run_step_stats(run.run_id)
        return [
            (s.step_key, s.end_time - s.start_time)
            for s in found
            if s.start_time is not None and s.end_time is not None
        ]


def finished(
    command: list[str], environment: dict[str, str], deadline: float
) -> tuple[int, resource.struct_rusage]:
    """Exit status and use of one process and of whatever it waited for; ended at the deadline."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    end = threading.Timer(deadline, process.terminate)
    end.start()
    _, status, used = os.wait4(process.pid, 0)
    end.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used


def timed_sync(home: Path, as_of: date, households: int, label: str, deadline: float) -> None:
    """One `sync` as a whole process, then a line for it and a line for each step."""
    environment = {
        **os.environ,
        "YIHU_HOME": str(home),
        "YIHU_AS_OF": str(as_of),
        "YIHU_SANDBOX_HOUSEHOLDS": str(households),
    }
    reference, started = reference_seconds(), time.monotonic()
    exit_code, used = finished([sys.executable, "-m", "pipelines", "sync"], environment, deadline)
    seconds = time.monotonic() - started
    say(
        bench=label,
        exit=exit_code,
        seconds=round(seconds, 2),
        cpu_seconds=round(used.ru_utime + used.ru_stime, 2),
        peak_mb=used.ru_maxrss // 1024,
        reference=round(reference, 3),
        ratio=round(seconds / reference, 2),
    )
    if exit_code == 0:
        steps = steps_of(home, as_of)
        flags = sum(spent for step, spent in steps if step in MATCHED_TO_FLAGS)
        for step, spent in [*sorted(steps, key=lambda pair: -pair[1]), ("matched_to_flags", flags)]:
            say(bench=f"{label}.{step}", seconds=round(spent, 3), ratio=round(spent / reference, 3))


def linked_against_truth(home: Path, households: int, as_of: date) -> None:
    """Precision and recall of every record type that comes day by day, against the sandbox's
    truth.
    """
    linkage = links_of_home(home, county_of(home, households), as_of)
    say(
        bench="links",
        linked=linkage.links,
        wrong=linkage.links - linkage.right_links,
        precision=round(linkage.precision, 6),
        determined=linkage.determined,
        recall=round(linkage.recall, 6),
    )


def scored_against_truth(deadline: float) -> None:
    """Scores of small counties against the truth: a line for the rules in force, one for the
    first.
    """
    first = str(RULES / "scoring-2021-01-01.yaml")
    command = [sys.executable, "-W", "ignore", "-m", "bench.scores", "--json", "--rules", first]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=deadline, check=False
        )
    except subprocess.TimeoutExpired:
        say(bench="scores", failed=f"not done after {deadline:.0f} s")
        return
    for line in done.stdout.splitlines():
        say(**json.loads(line))
    if done.returncode != 0 and not done.stdout:
        say(bench="scores", failed=done.stderr.strip().splitlines()[-1:])


def county(scale: str) -> None:
    """Two days of the sandbox's county as whole processes, then its steps by themselves, its
    queries and its links.
    """
    households, deadline = HOUSEHOLDS[scale], DEADLINES[scale]
    day = today() - timedelta(days=2)
    with tempfile.TemporaryDirectory(prefix="yihu-bench-") as folder:
        home = Path(folder)
        load_settings({"YIHU_HOME": str(home)})
        started = time.monotonic()
        arguments = [
            "make",
            "--home",
            str(home / "sandbox"),
            "--households",
            str(households),
            "--seed",
            "20260101",
        ]
        subprocess.run(
            [sys.executable, "-m", "sandbox", *arguments],
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=deadline,
        )
        say(bench="sandbox", households=households, seconds=round(time.monotonic() - started, 2))
        timed_sync(home, day, households, "first_load", deadline)
        timed_sync(home, day + timedelta(days=1), households, "increment", deadline)
        for line in medians(home):
            say(bench=f"query.{line.pop('question')}", **line)
        linked_against_truth(home, households, day + timedelta(days=1))
        scored_against_truth(deadline)
        try:
            for line in published(home, deadline):
                say(**line)
        except Late as late:
            say(bench="publication", failed=str(late))
        for line in steps_alone(home, day, deadline):
            say(**line)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--scale", choices=[*HOUSEHOLDS, *COUNTIES], default="county")
    parser.add_argument(
        "--folder", type=Path, help="where a city or a province is made: some 25 GB for a province"
    )
    asked = parser.parse_args()
    if asked.scale in COUNTIES:
        for line in province(
            asked.scale,
            today() - timedelta(days=2),
            DEADLINES[asked.scale],
            reference_seconds,
            asked.folder,
        ):
            say(**line)
    else:
        county(asked.scale)
    return 0


if __name__ == "__main__":
    sys.exit(main())
