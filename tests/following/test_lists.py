"""The departments' lists: whatever the score, by the first version of the rules."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from resources.engines.duckdb import Engine
from tests.following.county import AS_OF, Village, follow, later, rows
from tests.indicators.four import four_households


def listed(engine: Engine) -> set[tuple[str, str, str]]:
    return {(h, d, c) for h, d, c in rows(engine, "verify_item", "household_id, department, code")}


def test_the_four_households(engine: Engine) -> None:
    follow(engine, four_households())
    on = {(h, c) for h, _, c in listed(engine)}
    assert {c for h, c in on if h == "xu"} == {"R01", "R04", "R07", "R16"}
    assert {c for h, c in on if h == "jiang"} == {"R01", "R04", "R07"}
    green = {h: {c for g, c in on if g == h} for h, _ in on if h not in ("xu", "jiang")}
    assert sorted(map(sorted, green.values())) == [["R01"], ["R04"]]


def listed_by(engine: Engine, code: str) -> set[str]:
    return {h for h, _, c in listed(engine) if c == code}


def test_r04_is_compared_with_the_households_own_threshold(engine: Engine) -> None:
    county = Village()
    for name, kind, paid in (
        ("a", "1", "25999.99"),
        ("b", "1", "26000"),
        ("c", "2", "9999.99"),
        ("d", "2", "10000"),
    ):
        county.home(name, household_type=kind)
        county.settlement(
            f"{name}-1", datetime(2026, 6, 1), total_fee=Decimal(paid), personal_paid=Decimal(paid)
        )
    follow(engine, county)
    assert listed_by(engine, "R04") == {"b", "d"}


def test_house_damage_from_severe_on_and_houses_from_c_on(engine: Engine) -> None:
    county = Village()
    for damage in "0123":
        county.home(f"hit{damage}")
        loss = {
            "house_damage": damage,
            "loss_amount": Decimal(1),
            "loss_yuan": Decimal(10000),
            "occurred_on": AS_OF,
        }
        county.add("losses", f"hit{damage}-1", **loss)
    for grade in "ABCD":
        county.home(f"old{grade}")
        county.add("dwellings", f"old{grade}-1", grade=grade, occupied=True, appraised_on=AS_OF)
    follow(engine, county)
    assert listed_by(engine, "R16") == {"hit2", "hit3"}
    assert listed_by(engine, "R14") == {"oldC", "oldD"}


def test_severe_certificates_issued_within_90_days(engine: Engine) -> None:
    county = Village()
    for name, level, ago in (
        ("last", "1", 90),
        ("late", "1", 91),
        ("new", "2", 0),
        ("minor", "3", 10),
    ):
        county.home(name)
        county.add(
            "certificates",
            f"{name}-1",
            level=level,
            category="4",
            status="1",
            issued_on=AS_OF - timedelta(days=ago),
        )
    follow(engine, county)
    assert listed_by(engine, "R11") == {"last", "new"}


def test_a_minor_certificate_of_this_month_lists_no_old_severe_one(engine: Engine) -> None:
    county = Village()
    county.home("two", {}, {})
    county.add(
        "certificates",
        "two-1",
        level="1",
        category="4",
        status="1",
        issued_on=AS_OF - timedelta(days=400),
    )
    county.add("certificates", "two-2", level="4", category="4", status="1", issued_on=AS_OF)
    follow(engine, county)
    assert not [item for item in listed(engine) if item[2] == "R11"]


def test_on_the_line_is_not_below_it(engine: Engine) -> None:
    county = Village()
    for name, wage in (("on", 8800), ("below", 8799)):
        county.home(name, wage_income=Decimal(wage), previous_net_income=Decimal(wage))
    follow(engine, county)
    assert {h for h, _, c in listed(engine) if c == "R01"} == {"below"}


def test_since_is_kept_without_a_break(engine: Engine) -> None:
    county = Village()
    county.home("thirsty", water_safe=False)
    days = [AS_OF + timedelta(days=n) for n in range(4)]

    def since(day: int) -> list[object]:
        follow(engine, county, days[day])
        later(engine, days[day])
        return [row[0] for row in rows(engine, "verify_item", "since", "code = 'R17'")]

    assert since(0) == [days[0]]
    assert since(1) == [days[0]]
    county.change("thirsty", water_safe=True)
    assert since(2) == []
    county.change("thirsty", water_safe=False)
    assert since(3) == [days[3]]


def test_a_household_without_an_active_member_is_on_no_list(engine: Engine) -> None:
    county = Village()
    county.home("gone", {"status": "2"}, water_safe=False)
    follow(engine, county)
    assert listed(engine) == set()
