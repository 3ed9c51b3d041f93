"""Tasks: one for each risk of a red household, the same from day to day, closed when its reason
goes.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from resources.engines.duckdb import Engine
from tests.following.county import AS_OF, Village, follow, later, rows
from tests.indicators.four import four_households

DAYS = [AS_OF + timedelta(days=n) for n in range(5)]
TASK = "task_id, code, opened_on, due_on, closed_on"


def live(engine: Engine, county: Any, day: int, code: str = "R17") -> list[tuple[Any, ...]]:
    """The tasks of an indicator after one more day."""
    follow(engine, county, DAYS[day])
    later(engine, DAYS[day])
    return rows(engine, "follow_up_task", TASK, f"code = '{code}'")


def test_one_for_each_risk_of_a_red_household(engine: Engine) -> None:
    follow(engine, four_households())
    tasks = rows(engine, "follow_up_task", "household_id, code")
    assert {c for h, c in tasks if h == "xu"} == {
        "R01",
        "R02",
        "R03",
        "R04",
        "R05",
        "R07",
        "R16",
        "R21",
        "R24",
    }
    assert {c for h, c in tasks if h == "jiang"} == {"R01", "R04", "R05", "R07", "R22", "R30"}
    assert {h for h, _ in tasks} == {"xu", "jiang"}
    needs = rows(
        engine,
        "follow_up_task",
        "need, department, due_on, closed_on",
        "household_id = 'xu' and code = 'R07'",
    )
    assert needs == [("illness", "health_commission", AS_OF + timedelta(days=30), None)]


def test_a_task_keeps_its_id_and_closes_when_its_reason_goes(engine: Engine) -> None:
    county = Village()
    county.home("thirsty", water_safe=False)
    (first,) = live(engine, county, 0)
    assert first[1:] == ("R17", DAYS[0], DAYS[0] + timedelta(days=30), None)
    assert live(engine, county, 1) == [first]
    county.change("thirsty", water_safe=True)
    closed = (*first[:4], DAYS[2])
    assert live(engine, county, 2) == [closed]
    assert live(engine, county, 3) == [closed]
    county.change("thirsty", water_safe=False)
    again = live(engine, county, 4)
    assert again[0] == closed
    assert again[1][1:] == ("R17", DAYS[4], DAYS[4] + timedelta(days=30), None)
    assert again[1][0] != first[0]


def test_a_household_that_turns_yellow_keeps_the_tasks_whose_reason_stands(engine: Engine) -> None:
    county = Village()
    county.home(
        "poor", wage_income=Decimal(8000), previous_net_income=Decimal(8000), water_safe=False
    )
    assert live(engine, county, 0)
    assert live(engine, county, 0, "R01")
    county.change("poor", water_safe=True)
    live(engine, county, 1)
    assert rows_of_level(engine) == [("poor", "yellow")]
    still = {row[1]: row[4] for row in rows(engine, "follow_up_task", TASK)}
    assert still["R17"] == DAYS[1]
    assert still["R01"] is None


def rows_of_level(engine: Engine) -> list[tuple[Any, ...]]:
    return engine.rows("select household_id, level from warning_flag order by household_id")


def test_what_cannot_be_seen_closes_nothing(engine: Engine) -> None:
    county = Village()
    county.home("hit")
    county.add(
        "losses",
        "hit-1",
        house_damage="3",
        loss_amount=Decimal(0),
        loss_yuan=Decimal(0),
        occurred_on=AS_OF,
    )
    first = live(engine, county, 0, "R16")
    assert len(first) == 1
    county.states["losses"] = "missing"
    county.rows["losses"] = []
    assert live(engine, county, 1, "R16") == first
    assert rows_of_level(engine) == [("hit", "red")]
    county.states["losses"] = "stale"
    assert live(engine, county, 2, "R16") == first
    county.states["losses"] = "ok"
    assert live(engine, county, 3, "R16") == [(*first[0][:4], DAYS[3])]


def test_a_household_that_left_closes_its_tasks(engine: Engine) -> None:
    county = Village()
    county.home("goes", water_safe=False)
    county.home("stays")
    live(engine, county, 0)
    county.leave("goes")
    live(engine, county, 1)
    assert rows(engine, "follow_up_task", "household_id, area_code, closed_on", "code = 'R17'") == [
        ("goes", "610921100201", DAYS[1])
    ]


def test_closed_tasks_are_given_up_after_a_year(engine: Engine) -> None:
    county = Village()
    county.home("thirsty", water_safe=False)
    live(engine, county, 0)
    county.change("thirsty", water_safe=True)
    assert live(engine, county, 1)
    for days, stays in ((366, True), (367, False)):
        follow(engine, county, AS_OF + timedelta(days=days))
        assert bool(rows(engine, "follow_up_task", where="code = 'R17'")) is stays
