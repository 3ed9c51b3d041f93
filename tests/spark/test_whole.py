"""A county of 20,000 households moved to Spark and back without losing a day, and the same days
made by DuckDB alone.

Day one is DuckDB's in both homes; in the second, Spark makes the next on a standalone cluster,
DuckDB the one after. Every table of the lake is the same row for row, every ledger says the same,
the releases have one checksum.
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
from resources.lake import Lake
from tests.spark.cluster import applications, standalone_cluster
from tests.spark.runs import sync
from tests.spark.same import by_duckdb, checksum, unlike_notes, unlike_tables

FIRST, ON_CLUSTER, BACK = date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 21)


@dataclass(frozen=True)
class Twins:
    """Two homes with the same days, and what the cluster had run."""

    duckdb: Path
    spark: Path
    applications: list[dict[str, object]]


@pytest.fixture(scope="module")
def twins() -> Iterator[Twins]:
    """Not under pytest's own folder, which an embedded PostgreSQL would open to all."""
    with tempfile.TemporaryDirectory(prefix="yihu-engines-") as folder:
        duckdb, spark = Path(folder) / "duckdb", Path(folder) / "spark"
        for home in (duckdb, spark):
            home.mkdir(mode=0o700)
        sync(duckdb, FIRST)
        shutil.copytree(duckdb / "sandbox", spark / "sandbox")
        sync(spark, FIRST)
        sync(duckdb, ON_CLUSTER, BACK)
        with standalone_cluster() as cluster:
            sync(spark, ON_CLUSTER, YIHU_ENGINE="spark", YIHU_SPARK_MASTER=cluster.url)
            seen = applications(cluster)
        sync(spark, BACK)
        yield Twins(duckdb, spark, seen)


def test_every_table_is_the_same_row_for_row(twins: Twins, tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    assert unlike_tables(engine, twins.duckdb / "lake", twins.spark / "lake") == []
    engine.close()


def test_spark_made_the_day(twins: Twins) -> None:
    lake = twins.spark / "lake"
    kept = Lake(lake)
    assert sum(ON_CLUSTER in kept.days(*table) for table in kept.tables()) > 18 * 4
    # what did not change since a day of DuckDB's is carried on
    assert [
        file
        for file in by_duckdb(lake, ON_CLUSTER)
        if not {"valid", "withdrawn", "quarantine"} & {*file.parts[:2]}
    ] == []


def test_every_ledger_says_the_same(twins: Twins) -> None:
    assert unlike_notes(twins.duckdb / "lake", twins.spark / "lake") == []


@pytest.mark.parametrize("day", [FIRST, ON_CLUSTER, BACK])
def test_the_releases_have_one_checksum(twins: Twins, day: date) -> None:
    assert checksum(twins.spark / "lake", day) == checksum(twins.duckdb / "lake", day)


def test_the_cluster_did_the_work(twins: Twins) -> None:
    assert [(application["name"], application["cores"]) for application in twins.applications] == [
        ("yihu", 2)
    ]


def test_spark_leaves_nothing_in_the_home(twins: Twins) -> None:
    assert [
        path for path in (twins.spark / "tmp").iterdir() if path.name.startswith("spark-")
    ] == []
