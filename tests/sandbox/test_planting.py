"""Departments of a new county agree but for what is planted; every rule's contradiction can be
planted, is found, and is answered from its truth.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from bench.scores import read_county
from expectations.contract import contract_for
from resources.engines.duckdb import Engine
from sandbox.answers import Asked, answer
from sandbox.county import County
from sandbox.days import end_of
from sandbox.rates import ErrorRates
from tests.indicators.facts import columns_of
from tests.making import remember
from warehouse.crosscheck_rules import load_crosscheck
from warehouse.graph.moment import day_moment

DAY = date(2026, 12, 1)
MADE = ("household", "household_indicator", "contradiction", "contradiction_span",
        "crosscheck_run", "contradiction_accuracy")  # fmt: skip
OVERLAPS = 0.03
"""Of the plants: where what else is drawn of the household hides one."""


def planted(home: Path) -> list[tuple[str, str, str | None, str]]:
    found = duckdb.sql(
        f"select code, household_id, member_id, verdict from '{home}/truth/contradictions.parquet'"
    )
    return found.fetchall()


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> County:
    rates = replace(ErrorRates().none(), contradictions=0.001)
    return County(tmp_path_factory.mktemp("planted"), 2500, 5, rates).make()


@pytest.mark.long
def test_what_is_planted_is_found_and_answered_as_it_is_true(
    county: County, tmp_path: Path
) -> None:
    truth = planted(county.home)
    optional = {f"X{number}" for number in range(71, 77)}  # of record types that are optional
    assert {code for code, *_ in truth} == set(load_crosscheck(DAY).rules) - optional
    engine = Engine(tmp_path)
    runner = read_county(engine, county, DAY)
    runner.make(MADE, day_moment(DAY))
    columns = "contradiction_id, code, household_id, member_id"
    rows = engine.rows(f"select {columns} from contradiction")
    found = {(code, home, member): name for name, code, home, member in rows}
    missed = [plant for plant in truth if plant[:3] not in found]
    print(f"planted {len(truth)}, missed {missed}")
    assert len(missed) <= OVERLAPS * len(truth)
    assert not Counter(code for code, *_ in missed) - Counter(code for code, *_ in truth)

    asked = [Asked(name, *key) for key, name in found.items()]
    on = DAY + timedelta(days=3)
    given = answer(county, asked, on)
    told = {home[:3]: home[3] for home in truth}
    assert all(given[name] == told.get(key, "not_confirmed") for key, name in found.items())
    rows_of = county.rows("verdicts", end_of(on)).to_pylist()  # type: ignore[arg-type]
    back = {row["contradiction_id"]: row["verdict"] for row in rows_of}
    assert {name: back[name] for name in given} == given

    _delivered(engine, rows_of)
    remember(engine, DAY, [t for t in MADE if engine.exists(t)])
    runner.inputs.kept |= {(t, DAY): f"{t}__{DAY:%Y%m%d}" for t in MADE}  # type: ignore[attr-defined]
    runner.inputs.as_of = on + timedelta(days=1)  # type: ignore[attr-defined]
    runner.make(MADE, day_moment(on + timedelta(days=1)))
    right = Counter(key[0] for key, name in found.items() if given[name] == "confirmed")
    engine_says = engine.rows(
        "select code, sum(confirmed), sum(checked) from contradiction_accuracy where"
        " length(area_code) = 6 group by code"
    )
    listed = {code for (code,) in engine.rows("select code from crosscheck_run where flooded_on is"
                                              " null")}  # fmt: skip
    assert listed
    for code, confirmed, checked in engine_says:
        if code in listed and load_crosscheck(DAY).rules[code].after_days == 0:
            whole = sum(key[0] == code for key in found)
            assert (confirmed, checked) == (right[code], whole), code
    engine.close()


def _delivered(engine: Engine, rows: list[dict[str, object]]) -> None:
    contract = contract_for("verdicts", with_drafts=True)
    kinds = columns_of(contract)
    linked = [{**row, "record_id": row["verdict_id"], "outcome": "linked"} for row in rows]
    table = pa.table(
        [pa.array([row.get(name) for row in linked], kind) for name, kind in kinds.items()],
        schema=pa.schema(list(kinds.items())),
    )
    engine.from_arrow("matched_supervision__verdicts", table)


@pytest.mark.long
def test_nobody_contradicts_anybody_where_nothing_is_planted(tmp_path: Path) -> None:
    """No rule has more than one row per 1,000 households."""
    county = County(tmp_path / "county", 6000, 5).make()
    engine = Engine(tmp_path / "engine")
    day = date(2026, 11, 19)
    read_county(engine, county, day).make(MADE, day_moment(day))
    households = int(engine.scalar("select count(*) from household where member_count > 0"))
    counted = engine.rows("select code, count(*) from contradiction group by code order by 2 desc")
    print([(code, round(1000 * n / households, 2)) for code, n in counted])
    assert [code for code, n in counted if n > households / 1000] == []
    engine.close()


def test_a_county_that_stands_keeps_its_edition(tmp_path: Path) -> None:
    first = County(tmp_path / "old", 300, 7, edition=1).make()
    rows = first.rows("members", end_of(DAY))  # type: ignore[arg-type]
    note = tmp_path / "old" / "county.json"
    said = json.loads(note.read_text())
    note.write_text(json.dumps({**said, "code": "older"} | {"edition": 1}))
    again = County(tmp_path / "old", 300, 7).make()
    assert again.rows("members", end_of(DAY)).equals(rows)  # type: ignore[arg-type]
    assert json.loads(note.read_text())["edition"] == 1
    new = County(tmp_path / "new", 300, 7).make()
    assert json.loads((tmp_path / "new" / "county.json").read_text())["edition"] == 2
    assert not new.rows("members", end_of(DAY)).equals(rows)  # type: ignore[arg-type]
