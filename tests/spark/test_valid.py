"""Great Expectations on its Spark engine says of every batch what it says on DuckDB, and the as-of
state is the same.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from expectations.contract import Contract, load_contracts
from expectations.gate import open_gate
from expectations.landing import land
from expectations.rules import row_rules
from expectations.suites import run_rules
from expectations.validation import validate
from resources.engines.duckdb import ComputeEngine, Engine
from resources.engines.spark import SparkEngine
from resources.lake import Lake
from tests.spark.same import unlike_notes, unlike_tables
from tests.validation.batches import Row, write_batch
from tests.validation.rows import breaking, good_row
from tests.validation.test_rules import others
from warehouse.asof import make_valid

DAYS = [date(2026, 11, day) for day in (2, 3, 4, 5)]
REPORTS = next(contract for contract in load_contracts() if contract.records == "reports")


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkEngine]:
    opened = SparkEngine(tmp_path_factory.mktemp("spark"), "local[2]")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def duckdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    opened = Engine(tmp_path_factory.mktemp("duckdb"))
    yield opened
    opened.close()


def verdict(engine: ComputeEngine, lake: Lake, contract: Contract, batch: str) -> dict[str, Any]:
    """All that validation says of a batch, with the rows that it found."""
    others(engine)
    folder = lake.table("raw", contract.table) / batch
    manifest = json.loads((folder / "manifest.json").read_text())
    landed = land(engine, contract, folder, manifest)
    found = validate(engine, contract, manifest, landed.rows_path, drifts=landed.drifts)
    return {
        "rules": [result.as_dict() for result in found.rules],
        "bad": engine.rows(f'select _row, rules from "{found.bad_rows}" order by _row'),
        "counts": (found.received, found.bad_count, found.is_rejected, found.reasons),
    }


@pytest.mark.parametrize("contract", load_contracts(), ids=lambda contract: contract.records)
def test_every_rule_finds_the_same_rows(
    spark: SparkEngine, duckdb: Engine, tmp_path: Path, contract: Contract
) -> None:
    lake = Lake(tmp_path / "lake")
    broken = [
        good_row(contract, n) | breaking(contract, rule)
        for n, rule in enumerate(row_rules(contract), start=1)
    ]
    repeated = [
        good_row(contract, 500),
        good_row(contract, 500),
        {**good_row(contract, 501), "_op": "D"},
        {"_op": "?"},
    ]
    batch = write_batch(lake, contract, DAYS[0], [*broken, *repeated], total=7)
    ours, theirs = (verdict(engine, lake, contract, batch) for engine in (duckdb, spark))
    assert all(rule["could_run"] for rule in theirs["rules"])
    assert sum(not rule["passed"] for rule in theirs["rules"]) > len(row_rules(contract))
    assert theirs == ours


def test_a_rule_that_cannot_run_is_said_and_takes_no_other_along(
    spark: SparkEngine, duckdb: Engine, caplog: Any
) -> None:
    from expectations.rules import Rule
    from expectations.suites import batch_views

    caplog.set_level(logging.INFO)
    rules = [
        Rule(
            "sound",
            "critical",
            "row",
            "select _row from {batch} where number = '610921198001010017'",
        ),
        Rule("no such column", "critical", "row", "select _row from {batch} where nothing > 1"),
        Rule(
            "value does not fit",
            "critical",
            "row",
            "select _row from {batch} where cast(number as date) is null",
        ),
        Rule("no statement", "critical", "row", "select _row from {batch} where ((("),
        Rule(
            "whole",
            "warning",
            "batch",
            "select number from {batch} group by number having count(*) > 1",
            on_withdrawals=True,
        ),
    ]
    results = []
    for engine in (duckdb, spark):
        engine.table(
            "given", "select 1::bigint as _row, 'U' as _op, '610921198001010017' as number"
        )
        views = batch_views(engine, REPORTS, "given")
        results.append(
            [
                (r.rule, r.passed, r.could_run, r.unexpected_count)
                for r in run_rules(engine, REPORTS, views, rules)
            ]
        )
    assert results[0] == results[1]
    assert [could_run for _, _, could_run, _ in results[1]] == [True, False, False, False, True]
    assert "610921198001010017" not in caplog.text


def updated(row: Row, day: int, **change: Any) -> Row:
    return {**row, "updated_at": f"2026-11-{day:02d}T10:00:00+08:00", **change}


def days(lake: Lake) -> None:
    """Versions, repeats, conflicts, withdrawals, a bad row corrected, a rejected batch let in, a
    full delivery with keys gone.
    """
    rows = [good_row(REPORTS, n) for n in range(1, 31)]
    write_batch(lake, REPORTS, DAYS[0], [*rows, {**good_row(REPORTS, 31), "updated_at": "soon"}])
    second = [
        updated(rows[0], 3), rows[1], updated(rows[2], 3, _op="D"), updated(rows[3], 3),
        updated(rows[3], 3, id_number=None),
        {**good_row(REPORTS, 31), "updated_at": "2026-11-03T08:00:00+08:00"},
        {**updated(rows[5], 3), "id_number": " "},
    ]  # fmt: skip
    write_batch(lake, REPORTS, DAYS[1], second + rows[6:20])
    bad = write_batch(
        lake,
        REPORTS,
        DAYS[2],
        [updated(row, 4, _op="X") for row in rows[10:15]] + [updated(rows[16], 4)],
    )
    open_gate(lake.root, REPORTS.table, bad, "Steward Li", "the department corrects it tomorrow")
    write_batch(lake, REPORTS, DAYS[3], [updated(row, 5) for row in rows[:25]], delivery="full")


def test_the_state_of_each_day_is_the_same(
    spark: SparkEngine, duckdb: Engine, tmp_path: Path
) -> None:
    days(Lake(tmp_path / "duckdb"))
    shutil.copytree(tmp_path / "duckdb", tmp_path / "spark")
    lakes = [tmp_path / "duckdb", tmp_path / "spark"]
    for engine, lake in zip((duckdb, spark), lakes, strict=True):
        for day in DAYS:
            make_valid(engine, Lake(lake), REPORTS, day)
    assert unlike_notes(*lakes) == []
    assert unlike_tables(duckdb, *lakes) == []
    told = [
        json.loads((lakes[1] / "ledger" / REPORTS.table / f"as_of={day}.json").read_text())
        for day in DAYS
    ]
    assert told[0]["open_quarantine"] == 1
    assert told[1]["withdrawn_keys"] == 1
    assert told[2]["batches"][0]["gate"]["who"] == "Steward Li"
    assert told[3]["withdrawn_keys"] > 0
