"""What visits found: the draft contract's rules, and false alarms and misses counted by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from expectations.contract import load_contracts
from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.following.county import AS_OF, Village, follow
from tests.making import FLAGS, make, standing
from tests.rhythms.test_rhythms import QUARTER, count, one, picked
from tests.validation.batches import stored, write_batch
from warehouse.asof import make_valid
from warehouse.graph.moment import day_moment
from warehouse.periodic_reports import RHYTHM

FIELD_RESULTS = "matched_monitoring__field_results"
VISITED = AS_OF - timedelta(days=3)


def visits(engine: Engine, *rows: tuple[str, str, date]) -> None:
    values = ", ".join(
        f"('{n}', '{home}', date '{day}', '{result}', 'linked')"
        for n, (home, result, day) in enumerate(rows)
    )
    names = "record_id, household_id, visited_on, result, outcome"
    engine.table(FIELD_RESULTS, f"select {names} from (values {values}) as v({names})")


def accuracy(engine: Engine, *flag_days: date) -> list[Mapping[str, Any]]:
    return count(engine, "flag_accuracy", QUARTER, visits=flag_days or (VISITED,))


def a_county(engine: Engine) -> Village:
    """Two red by unsafe water, one of them with a dropout too; one at 16 points; one well."""
    county = Village()
    county.home("dry", {}, {}, water_safe=False)
    county.home(
        "dry_too", {}, {"dropout": True}, water_safe=False, area="610921101201", household_type="2"
    )
    county.home("poor", {}, {}, wage_income=Decimal(16000), previous_net_income=Decimal(16000))
    county.home("well", {}, {})
    follow(engine, county)
    for table in FLAGS:
        engine.table(f"{table}_then", f"select * from {table}")
        standing(engine).kept[table, VISITED] = f"{table}_then"
    return county


RATES = (
    "visited",
    "flagged",
    "confirmed",
    "false_alarms",
    "missed",
    "false_alarm_rate",
    "miss_rate",
)


def test_false_alarms_and_misses(engine: Engine) -> None:
    a_county(engine)
    found = [
        ("dry", "confirmed"),
        ("dry_too", "not_confirmed"),
        ("poor", "unflagged_risk"),
        ("well", "not_confirmed"),
    ]
    visits(engine, *((home, result, VISITED + timedelta(days=1)) for home, result in found))
    rows = accuracy(engine)
    half = Decimal("0.5000")
    assert picked(one(rows, area_code="610921", dimension="all"), *RATES) == (
        4,
        2,
        1,
        1,
        1,
        half,
        half,
    )
    assert picked(one(rows, area_code="610921101", dimension="all"), *RATES) == (
        1,
        1,
        0,
        1,
        0,
        1,
        None,
    )
    assert picked(one(rows, area_code="610921", dimension="rule", value="R17"), *RATES) == (
        2,
        2,
        1,
        1,
        0,
        half,
        0,
    )
    assert picked(one(rows, area_code="610921", dimension="rule", value="R18"), *RATES) == (
        1,
        1,
        0,
        1,
        0,
        1,
        None,
    )
    assert picked(one(rows, area_code="610921", dimension="rule", value="R01"), *RATES) == (
        1,
        0,
        0,
        0,
        1,
        None,
        1,
    )
    assert picked(one(rows, area_code="610921", dimension="household_type", value="2"), *RATES) == (
        1,
        1,
        0,
        1,
        0,
        1,
        None,
    )


def test_what_other_thresholds_would_have_meant(engine: Engine) -> None:
    a_county(engine)
    scores = dict(engine.rows("select household_id, score from warning_flag"))
    assert scores["dry"] == 31
    assert 10 < scores["poor"] < 25
    visits(
        engine,
        ("dry", "confirmed", VISITED),
        ("dry_too", "not_confirmed", VISITED),
        ("poor", "unflagged_risk", VISITED),
    )
    rows = [
        row
        for row in accuracy(engine)
        if row["area_code"] == "610921" and row["dimension"] == "threshold"
    ]
    assert sorted(int(row["value"]) for row in rows) == [15, 20, 25, 30, 35, 40, 50]
    for row in rows:
        above = {home for home, score in scores.items() if score > int(row["value"])}
        assert row["red_households"] == len(above)
        assert row["flagged"] == len(above - {"well"})
        assert row["missed"] == len({"dry", "poor"} - above)
        assert row["false_alarms"] == len({"dry_too"} & above)


def test_a_visit_is_judged_by_the_lamp_of_its_day(engine: Engine) -> None:
    a_county(engine)
    visits(
        engine,
        ("dry", "confirmed", VISITED - timedelta(days=1)),
        ("dry", "confirmed", QUARTER - timedelta(days=1)),
    )
    assert judged_by(engine, VISITED - timedelta(days=5), VISITED) == [VISITED - timedelta(days=5)]
    assert judged_by(engine, VISITED) == []


def judged_by(engine: Engine, *flag_days: date) -> list[date]:
    """The days by whose lamps visits are judged, of those that there are."""
    moment = replace(
        RHYTHM["flag_accuracy"].moment(QUARTER, day_moment(AS_OF)), flag_days=flag_days
    )
    make(engine, ["field_visit"], AS_OF, moment=moment)
    return [on for (on,) in engine.rows("select distinct flag_on from field_visit order by 1")]


def test_without_visits_there_are_lamps_and_no_rates(engine: Engine) -> None:
    a_county(engine)
    rows = accuracy(engine)
    whole = one(rows, area_code="610921", dimension="all")
    assert picked(whole, *RATES, "red_households") == (0, 0, 0, 0, 0, None, None, 2)


def test_the_draft_is_read_by_nobody_and_its_rules_hold(engine: Engine, lake: Lake) -> None:
    assert "field_results" not in {contract.records for contract in load_contracts()}
    (contract,) = [c for c in load_contracts(status="draft") if c.records == "field_results"]

    def result(n: int, **more: object) -> dict[str, Any]:
        row = {
            "result_id": f"r{n:03d}",
            "household_id": f"H{n}",
            "visited_on": "2026-11-01",
            "result": "confirmed",
        }
        return {**row, "updated_at": "2026-11-02T09:00:00+08:00", **more}

    bad = [
        result(97, result="perhaps"),
        result(98, visited_on="2026-11-03"),
        result(99, household_id=None),
    ]
    write_batch(lake, contract, AS_OF, [*(result(n) for n in range(80)), *bad])
    ledger = make_valid(engine, lake, contract, AS_OF)
    assert (ledger["today"]["accepted"], ledger["today"]["quarantined"]) == (80, 3)
    assert stored(
        engine, lake, "quarantine", contract, AS_OF, "select record_key, rules from t order by 1"
    ) == [
        ("r097", ["codes:result"]),
        ("r098", ["order:visited_on"]),
        ("r099", ["required:household_id"]),
    ]
