"""Ledger and bulletin: they add up to the lamps and cases that they count, and rank as Shangqiu's
table does.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from resources.engines.duckdb import Engine
from tests.following.county import AS_OF, Village, follow, later, rows
from tests.indicators.county import County
from warehouse.follow_up import LEDGER_COUNTS

NEXT = AS_OF + timedelta(days=1)


def measure(engine: Engine, name: str, area: str = "610921") -> tuple[Any, ...]:
    (row,) = rows(
        engine,
        "bulletin",
        "numerator, denominator, rate, rank",
        f"measure = '{name}' and area_code = '{area}'",
    )
    return row


def test_three_levels_that_add_up(engine: Engine) -> None:
    county = Village()
    for name, area in (("a", "610921100201"), ("b", "610921100202"), ("c", "610921101201")):
        county.home(name, {}, {}, area=area, water_safe=name == "b")
    follow(engine, county)
    ledger = {
        row[0]: row[1:]
        for row in rows(
            engine, "area_ledger", "area_code, area_level, households, persons, red, green, housing"
        )
    }
    assert ledger["610921"] == ("county", 3, 6, 2, 1, 2)
    assert ledger["610921100"] == ("town", 2, 4, 1, 1, 1)
    assert ledger["610921101201"] == ("village", 1, 2, 1, 0, 1)
    names = dict(rows(engine, "area_ledger", "area_code, area_name"))
    assert names["610921"] == "汉阴县"
    assert names["610921100"] == "城关镇"


def test_a_random_county_adds_up_on_both_days(engine: Engine) -> None:
    facts = County(3, AS_OF, 80).facts
    rows_of = facts.rows["households"]
    for number, row in enumerate(rows_of):
        row["area_code"] = f"6109211{number % 4:02d}2{number % 7:02d}"
    follow(engine, facts)
    later(engine, AS_OF)
    for row in rows_of[::3]:
        row["water_safe"] = not row["water_safe"]
    follow(engine, facts, NEXT)
    sums = ", ".join(f"sum({column})" for column in LEDGER_COUNTS)
    levels = engine.rows(f"select {sums} from area_ledger group by area_level")
    assert len(levels) == 3
    assert len(set(levels)) == 1
    total = dict(zip(LEDGER_COUNTS, levels[0], strict=True))
    lamps = dict(engine.rows("select level, count(*) from warning_flag group by level"))
    assert total["households"] == engine.scalar("select count(*) from household")
    assert (total["red"], total["yellow"], total["green"]) == (
        lamps["red"],
        lamps["yellow"],
        lamps["green"],
    )
    before = engine.scalar("select count(*) from previous_warning_flag where level = 'red'")
    assert total["newly_red"] > 0
    assert before + total["newly_red"] - total["no_longer_red"] == lamps["red"]
    assert measure(engine, "red_rate")[:2] == (
        lamps["red"],
        lamps["red"] + lamps["yellow"] + lamps["green"],
    )


def test_who_has_no_active_member_counts_among_households_only(engine: Engine) -> None:
    county = Village()
    county.home("left", {"status": "2"}, household_type="2", monitor_class="1", water_safe=False)
    county.home("here")
    county.member("shell", "shell-1")
    follow(engine, county)
    ledger = rows(
        engine,
        "area_ledger",
        "households, persons, red + yellow + green, housing, monitored_households",
        "area_level = 'county'",
    )
    assert ledger == [(3, 1, 1, 0, 0)]
    assert measure(engine, "red_rate")[:2] == (0, 1)
    assert measure(engine, "support_rate") == (0, 0, None, None)
    assert rows(engine, "area_ledger", "area_code, households", "area_code like '610921000%'") == [
        ("610921000", 1),
        ("610921000000", 1),
    ]
    assert not rows(engine, "bulletin", where="area_code = '610921000'")


def test_rates_with_their_numerators_and_denominators(engine: Engine) -> None:
    county = Village()
    county.home(
        "watched", {}, {}, monitor_class="1", measures_count=1, household_type="2", microcredit="2"
    )
    county.home("alone", monitor_class="3", measures_count=0, household_type="3", microcredit="0")
    county.home(
        "cleared",
        {},
        {},
        {},
        monitor_class="2",
        monitor_cleared=True,
        household_type="1",
        microcredit="1",
    )
    county.rows["enrolments"] = county.rows["enrolments"][:-2]
    for member, disease, signed in (
        ("watched-1", "hypertension", True),
        ("watched-1", "diabetes_2", False),
        ("alone-1", "tuberculosis", False),
    ):
        county.add(
            "chronic_followups", member, disease=disease, signed=signed, last_followup_on=AS_OF
        )
    county.case("c1", "watched", 6, discovered=20, recorded=5)
    county.case("c2", "alone", 5, discovered=20, approved=10)
    county.case("c3", "cleared", 8, discovered=90, recorded=80, assisted=70, cleared=1)
    follow(engine, county)
    assert measure(engine, "insured_rate")[:3] == (4, 6, Decimal("0.6667"))
    assert measure(engine, "chronic_signed_rate")[:3] == (1, 2, Decimal("0.5000"))
    assert measure(engine, "support_rate")[:3] == (1, 2, Decimal("0.5000"))
    assert measure(engine, "microcredit_rate")[:3] == (1, 2, Decimal("0.5000"))
    assert measure(engine, "clearance_rate_households")[:3] == (1, 2, Decimal("0.5000"))
    assert measure(engine, "clearance_rate_persons")[:3] == (3, 5, Decimal("0.6000"))
    ledger = rows(
        engine,
        "area_ledger",
        "monitored_households, monitored_persons, cleared_households, cleared_persons",
        "area_level = 'county'",
    )
    assert ledger == [(2, 3, 1, 3)]


def test_a_household_cleared_twice_is_one_household_and_two_cases(engine: Engine) -> None:
    county = Village()
    county.home("again", {}, {}, monitor_class="2", monitor_cleared=True)
    county.case("c1", "again", 8, discovered=900, recorded=880, assisted=800, cleared=500)
    county.case("c2", "again", 8, discovered=90, recorded=80, assisted=70, cleared=1)
    county.case("c3", "again", 6, discovered=20, recorded=5)
    follow(engine, county)
    assert rows(engine, "area_ledger", "cleared_households, cleared_persons") == [(1, 2)] * 3
    assert measure(engine, "clearance_rate_households")[:3] == (2, 3, Decimal("0.6667"))


def test_ranks_are_1_1_1_4(engine: Engine) -> None:
    county = Village()
    for town, (supported, watched) in enumerate([(2, 2), (1, 1), (3, 3), (1, 2), (0, 1), (0, 0)]):
        for number in range(watched):
            area = f"61092110{town}201"
            county.home(
                f"t{town}-{number}",
                area=area,
                monitor_class="1",
                measures_count=1 if number < supported else 0,
            )
        county.home(f"t{town}-other", area=f"61092110{town}202", water_safe=town != 5)
    follow(engine, county)
    assert [measure(engine, "support_rate", f"61092110{town}")[3] for town in range(6)] == [
        1,
        1,
        1,
        4,
        5,
        None,
    ]
    # Few red is good: five towns have none and share the first place.
    assert [measure(engine, "red_rate", f"61092110{town}")[3] for town in range(6)] == [
        1,
        1,
        1,
        1,
        1,
        6,
    ]
    assert measure(engine, "support_rate")[3] == 1


def test_a_source_that_was_never_read_gives_no_rate(engine: Engine) -> None:
    county = Village()
    county.home("here")
    county.rows["enrolments"] = []
    county.states["enrolments"] = "missing"
    follow(engine, county)
    assert measure(engine, "insured_rate") == (None, 1, None, None)
