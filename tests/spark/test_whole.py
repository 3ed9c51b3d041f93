"""A county of 20,000 households synced for real on both engines: on Spark one day locally, the next on a standalone cluster.

Every table of the lake is the same row for row, every ledger says the same, and the releases have one checksum.
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

import pytest

from resources.engine import Engine
from resources.settings import ROOT
from tests.spark.cluster import applications, standalone_cluster
from tests.spark.same import checksum, tables, unlike_notes, unlike_tables

pytestmark = pytest.mark.long

LOCAL, ON_CLUSTER = date(2026, 11, 19), date(2026, 11, 20)
HOUSEHOLDS = 20_000


@dataclass(frozen=True)
class Twins:
    """Two homes with the same two days, and the applications that the cluster had seen."""

    duckdb: Path
    spark: Path
    applications: list[dict[str, object]]


def sync(home: Path, as_of: date, **settings: str) -> None:
    """The main job, as `make sync` calls it."""
    mine = {name: value for name, value in os.environ.items() if not re.match("YIHU_|DAGSTER_", name)}
    ours = {"YIHU_HOME": str(home), "YIHU_SANDBOX_HOUSEHOLDS": str(HOUSEHOLDS), "YIHU_PSEUDONYM_KEY": "one-key-for-both-engines"}
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", "sync"],
        cwd=ROOT, env={**mine, **ours, "YIHU_AS_OF": as_of.isoformat(), **settings},
        capture_output=True, text=True, check=False, timeout=1800,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]


@pytest.fixture(scope="module")
def twins() -> Iterator[Twins]:
    """Not under pytest's own folder, which an embedded PostgreSQL would open to all."""
    with tempfile.TemporaryDirectory(prefix="yihu-engines-") as folder:
        duckdb, spark = Path(folder) / "duckdb", Path(folder) / "spark"
        for home in (duckdb, spark):
            home.mkdir(mode=0o700)
        for day in (LOCAL, ON_CLUSTER):
            sync(duckdb, day)
        shutil.copytree(duckdb / "sandbox", spark / "sandbox")
        sync(spark, LOCAL, YIHU_ENGINE="spark", YIHU_SPARK_MASTER="local[2]")
        with standalone_cluster() as cluster:
            sync(spark, ON_CLUSTER, YIHU_ENGINE="spark", YIHU_SPARK_MASTER=cluster.url)
            seen = applications(cluster)
        yield Twins(duckdb, spark, seen)


def test_every_table_is_the_same_row_for_row(twins: Twins, tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    assert unlike_tables(engine, twins.duckdb / "lake", twins.spark / "lake") == []
    engine.close()
    for day in (LOCAL, ON_CLUSTER):
        made = {file.parts[:2] for file in tables(twins.spark / "lake") if f"as_of={day}" in file.parts}
        assert len(made) > 18 * 4


def test_every_ledger_says_the_same(twins: Twins) -> None:
    assert unlike_notes(twins.duckdb / "lake", twins.spark / "lake") == []


@pytest.mark.parametrize("day", [LOCAL, ON_CLUSTER])
def test_the_releases_have_one_checksum(twins: Twins, day: date) -> None:
    assert checksum(twins.spark / "lake", day) == checksum(twins.duckdb / "lake", day)


def test_the_cluster_did_the_work(twins: Twins) -> None:
    assert [(application["name"], application["cores"]) for application in twins.applications] == [("yihu", 2)]


def test_spark_leaves_nothing_in_the_home(twins: Twins) -> None:
    assert [path for path in (twins.spark / "tmp").iterdir() if path.name.startswith("spark-")] == []
