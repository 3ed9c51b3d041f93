"""Households whose register row is out of force, in what follows a lamp: counted in their county,
in no known town or village."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from resources.engines.duckdb import Engine
from tests.following.county import Village, follow, later, rows
from tests.indicators.four import MEMBER

YESTERDAY, TODAY = date(2026, 11, 24), date(2026, 11, 25)
NOWHERE = "610921000000"


def _shell(village: Village, name: str, **fields: Any) -> None:
    for number in (1, 2):
        village.insure(
            village.member(
                name,
                f"{name}-{number}",
                date(2015, 5, 5),
                **{**MEMBER, "student_status": "2", **fields},
            )
        )


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Three households and two shells, on the last day of the version before and on the first on
    which shells are computed."""
    made, village = Engine(Path(tmp_path_factory.mktemp("shells"))), Village()
    village.home("well", area="610921100201")
    village.home("dry", {}, {}, area="610921100202", water_safe=False)
    village.home("far", area="610921101201")
    _shell(village, "dropped", dropout=True)
    _shell(village, "quiet")
    village.rows["cases"].append(
        {
            "case_id": "case",
            "record_id": "case",
            "household_id": "dropped",
            "monitor_class": "2",
            "risk_types": "education",
            "stage": 8,
            "outcome": "unregistered",
            "discovered_on": date(2026, 10, 1),
            "cleared_on": date(2026, 11, 20),
        }
    )
    village.add("chronic_followups", "dropped-1", disease="hypertension", signed=True)
    follow(made, village, YESTERDAY)
    later(made, YESTERDAY)
    made.table("ledger_before", "select * from area_ledger")
    made.table("bulletin_before", "select * from bulletin")
    village.rows["cases"][0]["outcome"] = "linked"  # as matching does from this day on
    follow(made, village, TODAY)
    yield made
    made.close()


LEDGER = (
    "area_code, households, persons, red, green, newly_red, education, cleared_households,"
    " cleared_persons"
)


def test_the_ledger_counts_their_persons_and_lamps(engine: Engine) -> None:
    before = {row[0]: row[1:] for row in engine.rows(f"select {LEDGER} from ledger_before")}
    now = {row[0]: row[1:] for row in rows(engine, "area_ledger", LEDGER)}
    assert before["610921"] == (5, 4, 1, 2, 0, 0, 0, 0)
    assert now["610921"] == (5, 8, 2, 3, 1, 1, 1, 2)
    assert before["610921000"] == before[NOWHERE] == (2, 0, 0, 0, 0, 0, 0, 0)
    assert now["610921000"] == now[NOWHERE] == (2, 4, 1, 1, 1, 1, 1, 2)
    assert {area for area in now if len(area) == 9} == {"610921000", "610921100", "610921101"}
    assert now["610921100"] == before["610921100"]


def _measures(engine: Engine, table: str, area: str) -> dict[str, tuple[Any, ...]]:
    found = engine.rows(
        f"select measure, numerator, denominator, rank from {table} where area_code = '{area}'"
    )
    return {measure: tuple(rest) for measure, *rest in found}


def test_the_bulletin_counts_them_in_their_county_and_ranks_no_unknown_town(engine: Engine) -> None:
    before, now = (
        _measures(engine, "bulletin_before", "610921"),
        _measures(engine, "bulletin", "610921"),
    )
    assert (before["red_rate"], now["red_rate"]) == ((1, 3, 1), (2, 5, 1))
    assert (before["insured_rate"], now["insured_rate"]) == ((4, 4, 1), (8, 8, 1))
    assert (before["chronic_signed_rate"][:2], now["chronic_signed_rate"][:2]) == ((0, 0), (1, 1))
    assert (before["clearance_rate_persons"][:2], now["clearance_rate_persons"][:2]) == (
        (0, 0),
        (2, 2),
    )
    assert _measures(engine, "bulletin_before", "610921000") == {}
    assert _measures(engine, "bulletin", "610921000")["red_rate"] == (1, 2, None)
    towns = ("610921100", "610921101")
    assert [_measures(engine, "bulletin", town)["red_rate"][2] for town in towns] == [2, 1]
    assert [_measures(engine, "bulletin", town) for town in towns] == [
        _measures(engine, "bulletin_before", town) for town in towns
    ]


def test_changes_tasks_lists_and_cards_carry_the_county(engine: Engine) -> None:
    change = "household_id, area_code, from_level, to_level, list_contains(added, 'R18')"
    assert rows(engine, "flag_change", change) == [
        ("dropped", NOWHERE, "none", "red", True),
        ("quiet", NOWHERE, "none", "green", False),
    ]
    tasks = rows(
        engine,
        "follow_up_task",
        "code, area_code, town_code",
        "household_id = 'dropped' and closed_on is null",
    )
    assert ("R18", NOWHERE, "610921000") in tasks
    assert rows(
        engine, "verify_item", "department, code, area_code", "household_id = 'dropped'"
    ) == [("rural_revitalisation", "R18", NOWHERE)]
    (card,) = rows(engine, "household_card", "area_code, card", "household_id = 'dropped'")
    assert card[0] == NOWHERE
    assert [entry["member"] for entry in json.loads(card[1])["schooling"]] == [
        "dropped-1",
        "dropped-2",
    ]
    assert json.loads(card[1])["income"] == []
    assert rows(engine, "case_progress", "area_code, stage", "household_id = 'dropped'") == [
        (NOWHERE, 8)
    ]
