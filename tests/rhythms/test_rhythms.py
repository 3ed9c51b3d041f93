"""The four rhythms on hand-made counties: each row by hand, and towns that add up to the county."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from resources.engines.duckdb import Engine
from tests.following.county import AS_OF, Village, follow, later
from tests.indicators.facts import Facts
from tests.making import make
from warehouse.graph.moment import day_moment
from warehouse.periodic_reports import RHYTHM

WEEK = date(2026, 11, 16)
MONTH = date(2026, 11, 1)
QUARTER = date(2026, 10, 1)


def count(
    engine: Engine, name: str, period_on: date, as_of: date = AS_OF, visits: Sequence[date] = ()
) -> list[Mapping[str, Any]]:
    """The rows of a rhythm, in the order of its key; `visits`: the days whose lamps there are."""
    rhythm = RHYTHM[name]
    moment = replace(
        rhythm.moment(period_on, day_moment(as_of)), flag_days=tuple(visits), history=tuple(visits)
    )
    make(engine, [name], as_of, moment=moment)
    names = [column for column, _ in engine.columns(f"select * from {name}")]
    assert {column.name for column in rhythm.view.stored} <= set(names)
    rows = engine.rows(f"select * from {name} order by {', '.join(rhythm.view.key)}")
    return [dict(zip(names, row, strict=True)) for row in rows]


def one(rows: list[Mapping[str, Any]], **wanted: Any) -> Mapping[str, Any]:
    (row,) = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    return row


def picked(row: Mapping[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def test_periods_end_where_the_next_begins() -> None:
    for name, begin in (
        ("weekly_statistics", WEEK),
        ("monthly_screening", MONTH),
        ("quarterly_supervision", QUARTER),
    ):
        rhythm = RHYTHM[name]
        assert rhythm.before(rhythm.end(begin) + timedelta(days=1)) == begin
    assert RHYTHM["monthly_screening"].end(date(2026, 12, 1)) == date(2026, 12, 31)
    assert RHYTHM["quarterly_supervision"].before(date(2027, 1, 1)) == QUARTER


def test_weekly_statistics(engine: Engine) -> None:
    county = Village()
    earlier = AS_OF - timedelta(days=7)
    for name, red in (("heals", True), ("stays", True), ("falls", False)):
        county.home(name, water_safe=not red, last_visit_on=AS_OF - timedelta(days=30))
    county.home(
        "far", area="610921101201", monitor_class="1", last_visit_on=AS_OF - timedelta(days=31)
    )
    county.home("well", area="610921101201")
    for member, ago in (("stays-1", 100), ("falls-1", 101), ("well-1", None)):
        seen = None if ago is None else AS_OF - timedelta(days=ago)
        county.add(
            "chronic_followups", member, disease="hypertension", signed=True, last_followup_on=seen
        )
    follow(engine, county, earlier)
    later(engine, earlier)
    county.change("heals", water_safe=True)
    county.change("falls", water_safe=False, last_visit_on=None)
    follow(engine, county)
    rows = count(engine, "weekly_statistics", WEEK)
    whole = one(rows, area_code="610921")
    assert picked(whole, "red", "newly_red", "no_longer_red", "visits_due", "chronic_overdue") == (
        2,
        1,
        1,
        2,
        2,
    )
    assert picked(
        one(rows, area_code="610921101"), "red", "newly_red", "visits_due", "chronic_overdue"
    ) == (0, 0, 1, 1)
    assert whole["compared_on"] == earlier
    assert (
        whole["open_tasks"]
        == engine.scalar("select count(*) from follow_up_task where closed_on is null")
        > 0
    )
    assert (
        whole["closed_tasks"]
        == engine.scalar("select count(*) from follow_up_task where closed_on is not null")
        > 0
    )
    assert (
        whole["opened_tasks"]
        == engine.scalar(f"select count(*) from follow_up_task where opened_on >= date '{WEEK}'")
        > 0
    )
    assert whole["overdue_tasks"] == 0


def test_nobody_is_new_where_there_is_no_week_before(engine: Engine) -> None:
    county = Village()
    county.home("red", water_safe=False)
    follow(engine, county)
    row = one(count(engine, "weekly_statistics", WEEK), area_code="610921")
    assert picked(row, "red", "newly_red", "no_longer_red", "compared_on") == (1, 0, 0, None)


def test_monthly_screening_is_every_departments_list(engine: Engine) -> None:
    county = Village()
    county.home("old", water_safe=False)
    earlier = date(2026, 10, 31)
    follow(engine, county, earlier)
    later(engine, earlier)
    county.home("new", water_safe=False)
    follow(engine, county)
    rows = count(engine, "monthly_screening", MONTH)
    assert {(r["household_id"], r["department"], r["code"], r["is_new"]) for r in rows} == {
        ("old", "rural_revitalisation", "R17", False),
        ("new", "rural_revitalisation", "R17", True),
    }
    assert {r["month_on"] for r in rows} == {MONTH}


def incomes(october: bool) -> Facts:
    county = Village()
    for name, area, kind, wage in (
        ("a", "610921100201", "1", 10000 if october else 11000),
        ("b", "610921100201", "2", 20000),
        ("c", "610921101201", "1", 30000 if october else 33000),
    ):
        county.home(name, {}, {}, area=area, household_type=kind, wage_income=Decimal(wage))
    county.home("unknown", area="610921101201", wage_income=None)
    return county


def test_incomes_per_head_and_their_growth(engine: Engine) -> None:
    earlier = date(2026, 10, 31)
    follow(engine, incomes(october=True), earlier)
    later(engine, earlier)
    follow(engine, incomes(october=False))
    rows = count(engine, "income_accounting", MONTH)
    whole = one(rows, area_code="610921", household_type="all")
    assert picked(whole, "households", "persons", "net_income", "income_per_head") == (
        3,
        6,
        64000,
        Decimal("10666.67"),
    )
    assert picked(whole, "previous_income_per_head", "growth_rate", "growth_against_county") == (
        10000,
        Decimal("0.0667"),
        0,
    )
    town = one(rows, area_code="610921100", household_type="all")
    assert picked(town, "income_per_head", "growth_rate", "county_growth_rate") == (
        7750,
        Decimal("0.0333"),
        Decimal("0.0667"),
    )
    assert picked(town, "growth_against_county", "share_of_county") == (
        Decimal("-0.0334"),
        Decimal("0.7266"),
    )
    assert one(rows, area_code="610921101", household_type="1")["growth_rate"] == Decimal("0.1")


def test_without_a_month_before_there_is_no_growth(engine: Engine) -> None:
    follow(engine, incomes(october=False))
    rows = count(engine, "income_accounting", MONTH)
    assert {
        picked(r, "previous_income_per_head", "growth_rate", "growth_against_county", "compared_on")
        for r in rows
    } == {(None,) * 4}


def test_who_is_late(engine: Engine) -> None:
    opened = AS_OF - timedelta(days=40)
    county = Village()
    county.home("thirsty", water_safe=False)
    follow(engine, county, opened)
    later(engine, opened)
    county.home("late", area="610921101201")
    county.case("waits", "late", 1, discovered=18)
    county.case("in_time", "thirsty", 1, discovered=3)
    follow(engine, county)
    rows = count(engine, "quarterly_supervision", QUARTER)
    water = one(rows, area_code="610921100", kind="task", item="R17")
    assert picked(water, "department", "open_count", "overdue_count", "most_days_late") == (
        "rural_revitalisation",
        1,
        1,
        10,
    )
    verified = one(rows, area_code="610921", kind="case", item="verified")
    assert picked(verified, "department", "open_count", "overdue_count", "most_days_late") == (
        "monitoring",
        2,
        1,
        15,
    )
    assert picked(
        one(rows, area_code="610921101", kind="case", item="approved"),
        "overdue_count",
        "most_days_late",
    ) == (1, 3)
    assert picked(
        one(rows, area_code="610921100", kind="case", item="verified"),
        "overdue_count",
        "most_days_late",
    ) == (0, None)


@pytest.mark.parametrize("name", sorted(set(RHYTHM) - {"flag_accuracy"}))
def test_keys_are_keys(engine: Engine, name: str) -> None:
    follow(engine, incomes(october=False))
    rows = count(
        engine, name, {"weekly_statistics": WEEK, "quarterly_supervision": QUARTER}.get(name, MONTH)
    )
    keys = [picked(row, *RHYTHM[name].view.key) for row in rows]
    assert len(set(keys)) == len(keys)
    assert not any(part is None for key in keys for part in key)
