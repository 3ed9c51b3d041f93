"""Entitlement with payments and student aid: the step that is lacking, and the term asked."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from resources.engines.duckdb import Engine
from tests.crosscheck.entitled import Entitled
from tests.crosscheck.helped import ends_of_months
from tests.crosscheck.reading import Reading
from tests.crosscheck.test_rules import reading_of
from tests.following.county import Village
from tests.making import FLAGS, HOUSEHOLDS, make
from tests.support.county import SupportCounty

MADE = (*HOUSEHOLDS, *FLAGS, "contradiction", "entitlement_standing", "entitlement")


def unpaid(reading: Reading) -> set[str]:
    """Households on dibao by one award for two whole months, and nothing of it paid for them."""
    months = ends_of_months(reading.day, 2)
    names = {f"{last:%Y%m}" for _, last in months}
    first, last = months[-1][0], months[0][1]
    awarded = {
        reading.home_of(a["member_id"])
        for a in reading.rows.get("assistance", [])
        if a["scheme"] == "dibao"
        and a["member_id"] in reading.members
        and a["started_on"] <= first
        and (a.get("ended_on") is None or a["ended_on"] >= last)
    }
    paid: dict[str, Decimal] = {}
    for row in reading.paid():
        if row["scheme"] == "dibao" and reading.month(row) in names:
            home = reading.home_of(row["member_id"])
            paid[home] = paid.get(home, Decimal(0)) + row["amount"]
    homes = {p["member_id"]: p["household_id"] for p in reading.facts.persons}
    waiting = {homes[member] for member in reading.waiting("payments")}
    found = set()
    for home in awarded & set(reading.homes):
        theirs = [o for o in awarded if reading.county_of(o) == reading.county_of(home)]
        if 2 * len([o for o in theirs if o in paid]) < len(theirs) or home in waiting:
            continue
        if paid.get(home, 0) <= 0:
            found.add(home)
    return found


@pytest.mark.parametrize(
    ("seed", "day", "states"),
    [
        (21, date(2026, 11, 30), {}),
        (22, date(2027, 9, 10), {}),
        (23, date(2027, 4, 30), {"student_aid": "stale", "payments": "stale"}),
    ],
)
def test_lines_are_as_a_plain_reading_says(
    engine: Engine, seed: int, day: date, states: dict[str, str]
) -> None:
    county = SupportCounty(seed, day, 150)
    for row in county.facts.rows["assistance"]:
        row["insured_persons"] = 1
        if county.chance(0.5):
            row |= {"scheme": "dibao", "started_on": county.ago(400), "ended_on": None}
            if row["member_id"] and county.chance(0.7):
                month = f"{ends_of_months(day, 1)[0][1]:%Y%m}"
                county.facts.add("payments", row["member_id"], scheme="dibao", state="paid",
                                 month=month, amount=Decimal(300), paid_on=day)  # fmt: skip
    for row in county.facts.rows["enrolments"]:
        row["insurance_type"] = "390"
    for row in county.facts.rows["casualties"]:
        row["delivered_outcome"] = "serious_injury"
    members = [row["member_id"] for row in county.facts.rows["members"]]
    terms = (f"{day.year - 1}-2", f"{day.year}-1", f"{day.year}-2")
    for member in members:
        if county.chance(0.4):
            county.facts.add("student_aid", member, term=county.random.choice(terms), stage="2",
                             amount=Decimal(625), **county.link())  # fmt: skip
    for records in ("payments", "student_aid"):
        for number in range(4):
            county.facts.ask(records, f"w{records}{number}", county.random.choice(members))
    county.facts.states |= states
    county.facts.register(engine)
    make(engine, MADE, day)
    reading = reading_of(engine, county.facts, day)
    without = unpaid(reading) if county.facts.states["payments"] == "ok" else set()
    expected = set()
    for scheme, home, member, state, facts in Entitled(reading, county.facts.states).lines():
        step = "awarded" if state == "gap" else None
        if scheme == "dibao" and state == "met" and home in without:
            state, step = "gap", "paid"
        expected.add((scheme, home, member, state, step, facts))
    made = set(
        engine.rows("select scheme, household_id, member_id, state, gap_at, facts from entitlement")
    )
    assert made - expected == set()
    assert expected - made == set()
    assert {line[3] for line in made if line[0] == "student_aid"} >= {"met", "unknown"}


@pytest.fixture
def village() -> Village:
    county = Village()
    county.home("poor", {}, {"student_status": "2"}, household_type="2", wage_income=Decimal(5000))
    county.add("assistance", "poor-1", scheme="dibao", started_on=date(2025, 1, 1),
               monthly_amount=Decimal(300), insured_persons=2)  # fmt: skip
    return county


def told(engine: Engine, county: Village, day: date, scheme: str) -> list[tuple[Any, ...]]:
    county.register(engine)
    make(engine, MADE, day)
    return engine.rows(
        f"select state, gap_at from entitlement where scheme = '{scheme}' order by member_id"
    )


@pytest.mark.parametrize(
    ("day", "term", "state"),
    [
        (date(2026, 10, 31), "2026-1", "met"),
        (date(2026, 10, 31), "2026-2", "gap"),
        (date(2026, 10, 31), None, "unknown"),
        (date(2026, 11, 1), "2026-1", "gap"),
        (date(2026, 11, 1), "2026-2", "met"),
        (date(2026, 11, 1), None, "gap"),
        (date(2027, 4, 30), "2026-2", "met"),
        (date(2027, 5, 1), "2026-2", "gap"),
    ],
)
def test_the_term_that_is_asked_for(
    engine: Engine, village: Village, day: date, term: str | None, state: str
) -> None:
    if term is not None:
        village.add("student_aid", "poor-2", term=term, stage="2", amount=Decimal(625))
    found = [row[0] for row in told(engine, village, day, "student_aid")]
    assert found == [state]


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [([300], ("met", None)), ([], ("met", None)), ([300, -300], ("gap", "paid"))],
    ids=["paid", "nobody's payments are told", "taken back"],
)
def test_awarded_and_not_paid_is_a_gap_at_paying(
    engine: Engine, village: Village, amounts: list[int], expected: tuple[Any, ...]
) -> None:
    for amount in amounts:
        village.add("payments", "poor-1", scheme="dibao", month="202611", amount=Decimal(amount),
                    paid_on=date(2026, 11, 15), state="paid")  # fmt: skip
    assert told(engine, village, date(2026, 11, 30), "dibao") == [expected]
