"""A county of 20,000 households moved to Spark and back without losing a day, and the same days made by DuckDB alone.

Day one is DuckDB's in both homes; in the second, Spark makes it again locally, a standalone cluster makes the next, DuckDB
the one after. Every table of the lake is the same row for row, every ledger says the same, the releases have one checksum.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from resources.engine import Engine
from resources.settings import ROOT
from tests.spark.cluster import applications, standalone_cluster
from tests.spark.same import checksum, tables, unlike_notes, unlike_tables

LOCAL, ON_CLUSTER, BACK = date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 21)
HOUSEHOLDS = 20_000


@dataclass(frozen=True)
class Twins:
    """Two homes with the same days, what the second said of its first day made again, and what the cluster had run."""

    duckdb: Path
    spark: Path
    made_again: str
    applications: list[dict[str, object]]


def sync(home: Path, first: date, last: date | None = None, **settings: str) -> str:
    """The main job, as `make sync` calls it; returns what it said."""
    mine = {name: value for name, value in os.environ.items() if not re.match("YIHU_|DAGSTER_", name)}
    ours = {"YIHU_HOME": str(home), "YIHU_SANDBOX_HOUSEHOLDS": str(HOUSEHOLDS), "YIHU_PSEUDONYM_KEY": "one-key-for-both-engines"}
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", "sync", "--from", first.isoformat(), "--to", (last or first).isoformat()],
        cwd=ROOT, env={**mine, **ours, **settings}, capture_output=True, text=True, check=False, timeout=1800,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    return said


@pytest.fixture(scope="module")
def twins() -> Iterator[Twins]:
    """Not under pytest's own folder, which an embedded PostgreSQL would open to all."""
    with tempfile.TemporaryDirectory(prefix="yihu-engines-") as folder:
        duckdb, spark = Path(folder) / "duckdb", Path(folder) / "spark"
        for home in (duckdb, spark):
            home.mkdir(mode=0o700)
        sync(duckdb, LOCAL)
        shutil.copytree(duckdb / "sandbox", spark / "sandbox")
        sync(spark, LOCAL)
        sync(duckdb, ON_CLUSTER, BACK)
        made_again = sync(spark, LOCAL, YIHU_ENGINE="spark", YIHU_SPARK_MASTER="local[2]")
        with standalone_cluster() as cluster:
            sync(spark, ON_CLUSTER, YIHU_ENGINE="spark", YIHU_SPARK_MASTER=cluster.url)
            seen = applications(cluster)
        sync(spark, BACK)
        yield Twins(duckdb, spark, made_again, seen)


def test_every_table_is_the_same_row_for_row(twins: Twins, tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    assert unlike_tables(engine, twins.duckdb / "lake", twins.spark / "lake") == []
    engine.close()


@pytest.mark.parametrize("day", [LOCAL, ON_CLUSTER])
def test_spark_made_the_day(twins: Twins, day: date) -> None:
    made = [file for file in tables(twins.spark / "lake") if f"as_of={day}" in file.parts]
    by_duckdb = [file for file in made if "DuckDB" in str(pq.read_metadata(twins.spark / "lake" / file).created_by)]
    assert len({file.parts[:2] for file in made}) > 18 * 4
    # what did not change since a day of DuckDB's is carried on; a day made anew carries nothing
    assert [file for file in by_duckdb if day == LOCAL or file.parts[0] not in ("valid", "withdrawn", "quarantine")] == []


def test_a_day_made_again_on_spark_is_published_already(twins: Twins) -> None:
    assert f"{LOCAL} is already published as release 1, with the same content" in twins.made_again


def test_every_ledger_says_the_same(twins: Twins) -> None:
    assert unlike_notes(twins.duckdb / "lake", twins.spark / "lake") == []


@pytest.mark.parametrize("day", [LOCAL, ON_CLUSTER, BACK])
def test_the_releases_have_one_checksum(twins: Twins, day: date) -> None:
    assert checksum(twins.spark / "lake", day) == checksum(twins.duckdb / "lake", day)


def test_the_cluster_did_the_work(twins: Twins) -> None:
    assert [(application["name"], application["cores"]) for application in twins.applications] == [("yihu", 2)]


def test_spark_leaves_nothing_in_the_home(twins: Twins) -> None:
    assert [path for path in (twins.spark / "tmp").iterdir() if path.name.startswith("spark-")] == []
