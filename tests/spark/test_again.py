"""A day of 20,000 households that DuckDB made is made again on Spark in local mode: the first step
of moving there.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from resources.engines.duckdb import Engine
from tests.spark.runs import sync
from tests.spark.same import by_duckdb, unlike_notes, unlike_tables

pytestmark = pytest.mark.long

DAY = date(2026, 11, 19)


@dataclass(frozen=True)
class Again:
    """The lake as DuckDB left it, the lake after Spark, and what the second run said."""

    before: Path
    after: Path
    said: str


@pytest.fixture(scope="module")
def again() -> Iterator[Again]:
    with tempfile.TemporaryDirectory(prefix="yihu-engines-") as folder:
        home = Path(folder) / "home"
        home.mkdir(mode=0o700)
        sync(home, DAY)
        before = Path(shutil.copytree(home / "lake", Path(folder) / "before"))
        said = sync(home, DAY, YIHU_ENGINE="spark", YIHU_SPARK_MASTER="local[2]")
        yield Again(before, home / "lake", said)


def test_every_table_is_the_same_row_for_row(again: Again, tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    assert unlike_tables(engine, again.before, again.after) == []
    engine.close()
    assert by_duckdb(again.after, DAY) == []


def test_every_ledger_says_the_same(again: Again) -> None:
    assert unlike_notes(again.before, again.after) == []


def test_it_is_published_already(again: Again) -> None:
    assert f"{DAY} is already published as release 1, with the same content" in again.said
