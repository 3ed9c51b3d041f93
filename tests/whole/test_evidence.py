"""The evidence of a synced county's reasons is what their indicators counted, by the plain
reading.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from expectations.contract import load_contracts
from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.conftest import Show
from tests.indicators.evidence import differing
from tests.indicators.facts import Facts, Row
from tests.indicators.reading import CODES
from tests.whole.conftest import SECOND, Synced
from warehouse.graph.registry import layer_and_folder


def rows_of(engine: Engine, lake: Lake, table: str, as_of: date) -> list[Row]:
    select = f"select * from {lake.relation(*layer_and_folder(table), as_of)}"
    names = [column for column, _ in engine.columns(select)]
    return [dict(zip(names, row, strict=True)) for row in engine.rows(select)]


def test_evidence_of_a_county_is_what_was_counted(
    synced: Synced, tmp_path: Path, show: Show
) -> None:
    engine, lake, facts = Engine(tmp_path), Lake(synced.home / "lake"), Facts()
    for contract in load_contracts():
        facts.rows[contract.records] = rows_of(engine, lake, f"matched_{contract.table}", SECOND)
    facts.persons = rows_of(engine, lake, "person", SECOND)
    facts.queue = rows_of(engine, lake, "review_queue", SECOND)
    relation = lake.relation(*layer_and_folder("warning_reason"), SECOND)
    engine.view("warning_reason", f"select * from {relation}")
    wrong, counts = differing(engine, facts, SECOND)
    engine.close()
    assert not wrong, "\n".join(map(str, wrong[:10]))
    assert counts
    never = [code for code in CODES[24:] if code not in counts]
    show(
        "evidence", f"{counts.total()} reasons of a county alike; none there of {', '.join(never)}"
    )
