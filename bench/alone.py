"""Each step of a day by itself, in a process of its own, beside the same step written by hand; and
a province by itself.

Belongs here: which processes run, in which order, until when, and what a line says of them. Not
here: the steps (`bench.stage`), what they are held against (`bench.references`), a whole `sync`
(`bench.__main__`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from bench.peak import peak_mb
from bench.province import HOUSEHOLDS_PER_COUNTY, Province, make_province, people_file
from expectations.contract import load_contracts
from expectations.errors import YihuError
from resources.lake import Lake
from resources.settings import ROOT

COUNTIES = {"city": 10, "province": 67}
"""Counties of 104,500 households, 3.4 people each: a city of a million households, a province of
seven million.
"""
PUBLISHED = ("city",)
"""Scales that are published too, on the embedded server; a province's warehouse is a machine of its
own.
"""
MEMORY = "6GB"
"""What the engine may take at the scale of a province: the process stays below 8 GB."""
ALONE = (("validation",), ("matching",), ("lamps",), ("matching", "lamps"))
NAMES: dict[tuple[str, ...], str] = {("matching", "lamps"): "valid_to_flags"}
Line = dict[str, Any]


class Late(YihuError):
    """A step that was not done by its deadline, or that failed."""

    next_step = "run it by itself, with --folder on a faster disk or at a smaller scale"


def child(module: str, *arguments: str, seconds: float, **settings: str) -> Line:
    """What a module's process says of itself in its last line."""
    command = [sys.executable, "-W", "ignore", "-m", module, *arguments]
    environment = {**os.environ, **settings}
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Late(f"{module} {' '.join(arguments)}: not done after {seconds:.0f} s") from None
    if done.returncode != 0:
        raise Late(
            f"{module} {' '.join(arguments)}: exit {done.returncode};"
            f" {(done.stderr or done.stdout).strip().splitlines()[-1:]}"
        )
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def rows_of(home: Path, as_of: date, steps: tuple[str, ...]) -> int:
    """Rows that a step works on: what came for validation, what is in force for the others."""
    ledgers = [
        Lake(home / "lake").read_note("ledger", c.table, as_of) or {} for c in load_contracts()
    ]
    if steps == ("validation",):
        return sum((ledger.get("today") or {}).get("received", 0) for ledger in ledgers)
    return sum(ledger.get("in_force", 0) for ledger in ledgers)


def steps_alone(home: Path, as_of: date, seconds: float) -> Iterator[Line]:
    """A line per step of a day that was synced, with DuckDB by hand and pandas run directly after
    it.
    """
    where = ("--home", str(home), "--as-of", as_of.isoformat())
    for steps in ALONE:
        name = NAMES.get(steps, steps[0])
        try:
            own = child("bench.stage", *where, *steps, seconds=seconds)
            by_hand = child("bench.references.by_hand", *where, *steps, seconds=seconds)
            pandas = child("bench.references.with_pandas", *where, *steps, seconds=seconds)
        except Late as late:
            yield {"bench": name, "failed": str(late)}
            continue
        yield {
            "bench": name,
            "rows": rows_of(home, as_of, steps),
            **{key: own[key] for key in ("seconds", "cpu_seconds", "peak_mb")},
            **{f"duckdb_{key}": by_hand[key] for key in ("seconds", "cpu_seconds", "peak_mb")},
            **{f"pandas_{key}": pandas[key] for key in ("seconds", "cpu_seconds", "peak_mb")},
            **_ratios(own, by_hand, "duckdb"),
            **_ratios(own, pandas, "pandas"),
        }


def _ratios(own: Line, other: Line, name: str) -> Line:
    pairs = (("ratio", "seconds"), ("cpu_ratio", "cpu_seconds"))
    return {
        f"{name}_{ratio}": round(own[key] / other[key], 2) for ratio, key in pairs if other[key]
    }


def province(
    scale: str,
    as_of: date,
    seconds: float,
    reference: Callable[[], float],
    parent: Path | None = None,
) -> Iterator[Line]:
    """A city or a province straight into `valid`, then to the flags, county by county; everything
    is taken away after.
    """
    counties, started = COUNTIES[scale], time.monotonic()
    with tempfile.TemporaryDirectory(prefix="yihu-bench-", dir=parent) as folder:
        home = Path(folder)
        asked = ("--home", folder, "--as-of", as_of.isoformat())
        try:
            made = child("bench.alone", *asked, "--counties", str(counties), seconds=seconds)
            yield {"bench": f"{scale}.made", "households": counties * HOUSEHOLDS_PER_COUNTY, **made}
            both: list[Line] = []
            for steps in (
                ["matching"],
                ["lamps", "following"] if scale in PUBLISHED else ["lamps"],
            ):
                left = seconds - (time.monotonic() - started)
                fixed = reference()
                both.append(
                    child("bench.stage", *asked, *steps, seconds=left, YIHU_ENGINE_MEMORY=MEMORY)
                )
                yield _line(f"{scale}.{steps[0]}", made["rows"], both[-1], fixed, home)
            whole = {
                key: round(sum(done[key] for done in both), 2) for key in ("seconds", "cpu_seconds")
            }
            yield _line(
                f"{scale}.valid_to_flags",
                made["rows"],
                {**whole, "peak_mb": max(done["peak_mb"] for done in both)},
                fixed,
                home,
            )
            if scale in PUBLISHED:
                yield from published(home, seconds - (time.monotonic() - started))
        except Late as late:
            yield {"bench": scale, "failed": str(late)}


def published(home: Path, seconds: float) -> Iterator[Line]:
    """The lines of `bench.publication` for a home whose flags are there."""
    command = [sys.executable, "-W", "ignore", "-m", "bench.publication", "--home", str(home)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise Late(f"publication: not done after {seconds:.0f} s") from None
    yield from (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    if done.returncode != 0:
        raise Late(f"publication: exit {done.returncode}; {done.stderr.strip().splitlines()[-1:]}")


def _line(name: str, rows: int, done: Line, fixed: float, home: Path) -> Line:
    disk = sum(file.stat().st_size for file in home.rglob("*.parquet")) // 2**20
    kept = {key: done[key] for key in ("seconds", "cpu_seconds", "peak_mb")}
    rate = round(rows / done["seconds"])
    return {
        "bench": name,
        "rows": rows,
        **kept,
        "rows_a_second": rate,
        "reference": round(fixed, 3),
        "ratio": round(done["seconds"] / fixed, 1),
        "disk_mb": disk,
    }


def main() -> int:
    """Makes the inputs in a process of its own: `--home … --as-of … --counties …`."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m bench.alone", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--as-of", type=date.fromisoformat, required=True)
    parser.add_argument("--counties", type=int, required=True)
    parser.add_argument("--households", type=int, default=HOUSEHOLDS_PER_COUNTY)
    asked = parser.parse_args()
    started, temp = time.monotonic(), asked.home / "making"
    rows = make_province(
        Lake(asked.home / "lake"), temp, Province(asked.counties, asked.households, asked.as_of)
    )
    for number in range(asked.counties):
        people_file(temp, number).unlink()
    seconds = time.monotonic() - started
    print(
        json.dumps({"rows": rows, "seconds": round(seconds, 2), "peak_mb": peak_mb()}), flush=True
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
