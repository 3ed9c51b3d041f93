"""Four times the households cost at most six times the CPU seconds, and stay within the memory that
one county takes.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from bench.alone import child

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("growth")]

DAY = date(2026, 11, 20)
COUNTIES = 4
SMALL, LARGE = 2_000, 8_000
"""Households of each county."""
MOST_MB = 1_200
"""Of 32,000 households in four counties, with the engine held to 500 MB: the interpreter, Dagster
and Arrow come on top.
"""


@dataclass(frozen=True)
class Done:
    small: dict[str, Any]
    large: dict[str, Any]


def province(folder: Path, households: int) -> dict[str, Any]:
    asked = ("--home", str(folder), "--as-of", DAY.isoformat())
    made = child(
        "bench.alone",
        *asked,
        "--counties",
        str(COUNTIES),
        "--households",
        str(households),
        seconds=600,
    )
    done = child(
        "bench.stage",
        *asked,
        "matching",
        "lamps",
        seconds=600,
        YIHU_BY_COUNTY="yes",
        YIHU_ENGINE_MEMORY="500MB",
    )
    return {**done, "rows": made["rows"], "made_peak_mb": made["peak_mb"]}


@pytest.fixture(scope="module")
def done() -> Iterator[Done]:
    folder = Path(mkdtemp(prefix="yihu-scale-"))
    try:
        yield Done(province(folder / "small", SMALL), province(folder / "large", LARGE))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_cost_grows_with_the_rows(done: Done) -> None:
    assert done.large["rows"] > 3.9 * done.small["rows"]
    assert done.large["cpu_seconds"] <= 6 * done.small["cpu_seconds"]


def test_memory_is_bounded(done: Done) -> None:
    assert done.large["peak_mb"] <= MOST_MB
    assert done.large["made_peak_mb"] <= MOST_MB
