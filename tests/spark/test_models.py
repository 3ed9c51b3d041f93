"""Every model on both engines from the same `valid` tables: all rows of every table, typed where
the lake keeps it, and their order.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from expectations.contract import load_contracts
from resources.engines.duckdb import Engine
from resources.engines.spark import SparkEngine
from resources.lake import Lake
from resources.settings import ROOT
from tests.spark.county_day import make_day, no_decisions
from tests.spark.twin import TwinEngine
from warehouse.graph.registry import layer_and_folder, order_of, stored_tables
from warehouse.schema.lake import STEWARD_DECISION

pytestmark = pytest.mark.long

DAYS = (date(2026, 11, 19), date(2026, 11, 20))
COUNTY = "600"
KEPT = {table: order_of(table) for table in stored_tables()}
PERIODIC_REPORTS = (
    "weekly_statistics",
    "monthly_screening",
    "income_accounting",
    "quarterly_supervision",
    "flag_accuracy",
)


@pytest.fixture(scope="module")
def county() -> Iterator[Lake]:
    """Two days of a small county, made by DuckDB; not under pytest's folder, which an embedded
    PostgreSQL would open to all.
    """
    home = Path(tempfile.mkdtemp(prefix="yihu-models-"))
    mine = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("YIHU_", "DAGSTER_HOME"))
    }
    settings = {
        "YIHU_HOME": str(home),
        "YIHU_SANDBOX_HOUSEHOLDS": COUNTY,
        "YIHU_FORM": "mixed",
        "YIHU_ENGINE": "duckdb",
    }
    try:
        for day in DAYS:
            environment = {**mine, **settings, "YIHU_AS_OF": day.isoformat()}
            done = subprocess.run(
                [sys.executable, "-m", "pipelines", "sync"],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout.decode()[-2000:]
        yield Lake(home / "lake")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def decisions(engine: Engine, lake: Lake) -> pa.Table:
    """Every kind of a steward's answer to the first day's questions."""
    stored = lake.relation(*layer_and_folder("review_queue"), DAYS[0])
    queue = engine.rows(f"select queue_id, reason, candidates from {stored} order by 1")
    merged = [("merge", True, "one"), ("merge", True, "another")]
    of_records: list[list[tuple[str, bool, str]]] = [
        [("link", True, "one")],
        [("unregistered", False, "one")],
        merged,
        [],
    ]
    of_members: list[list[tuple[str, bool, str]]] = [[("keep_apart", True, "one")], merged]
    rows = []
    for place_of, (queue_id, reason, candidates) in enumerate(queue):
        answers = (
            of_members[place_of % 2] if reason == "register_conflict" else of_records[place_of % 4]
        )
        for decision, names_one, by in answers if candidates else []:
            key = candidates[0] if names_one else None
            rows.append((queue_id, decision, key, by, datetime(2026, 11, 19, 12)))
    columns = STEWARD_DECISION.arrow
    return pa.Table.from_pylist(
        [dict(zip(columns.names, row, strict=True)) for row in rows], columns
    )


@pytest.fixture(scope="module", params=DAYS, ids=["first day", "second day"])
def twins(
    request: pytest.FixtureRequest, county: Lake, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TwinEngine]:
    """A day made on both engines at once; the second with what was there before, and with stewards'
    answers.
    """
    folder = tmp_path_factory.mktemp("twins")
    engine = TwinEngine(
        Engine(folder / "duckdb"),
        SparkEngine(folder / "spark", os.environ.get("YIHU_SPARK_MASTER") or "local[2]"),
    )
    answers = decisions(engine.duckdb, county)
    make_day(
        engine,
        county,
        request.param,
        (lambda day: answers) if request.param != DAYS[0] else no_decisions,
    )
    for view in KEPT.keys() - engine.compared.keys():
        engine.compare(view)
    yield engine
    engine.duckdb.close()
    engine.spark.close()


def test_every_row_of_every_table_is_the_same(twins: TwinEngine) -> None:
    assert twins.differences == []
    made = (
        {f"matched_{contract.table}" for contract in load_contracts()}
        | set(KEPT)
        | set(PERIODIC_REPORTS)
    )
    assert made - set(twins.compared) == set()
    empty = [
        table
        for table in (
            "person",
            "household",
            "household_indicator",
            "warning_reason",
            "review_queue",
        )
        if not twins.compared[table]
    ]
    assert empty == []


def test_what_is_kept_has_the_same_types(twins: TwinEngine) -> None:
    kept = {f"matched_{contract.table}" for contract in load_contracts()} | set(KEPT)
    assert {table: unlike for table, unlike in twins.types.items() if table in kept} == {}


def test_files_are_written_in_the_same_order(twins: TwinEngine, tmp_path: Path) -> None:
    orders = KEPT | {
        f"matched_{contract.table}": order_of(f"matched_{contract.table}")
        for contract in load_contracts()
    }
    before = len(twins.differences)
    for table, order in orders.items():
        (tmp_path / table).mkdir()
        twins.copy(f'select * from "{table}" order by {order}', tmp_path / table / "part-0.parquet")
    assert twins.differences[before:] == []
