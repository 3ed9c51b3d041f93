"""What was paid, lent, worked and done contradicts the register where a plain reading says so."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from resources.engines.duckdb import Engine
from tests.crosscheck.test_rules import reading_of, rows_of
from tests.following.county import Village
from tests.making import HOUSEHOLDS, make
from tests.support.county import SupportCounty

CODES = ("X71", "X72", "X73", "X74", "X75", "X76")
DAY = date(2026, 11, 30)


@pytest.mark.parametrize(("seed", "day"), [(11, date(2026, 11, 30)), (12, date(2027, 3, 15))])
def test_the_models_find_what_a_plain_reading_finds(engine: Engine, seed: int, day: date) -> None:
    county = SupportCounty(seed, day, 200)
    for row in county.facts.rows["assistance"]:
        row.setdefault("insured_persons", 1)
    for row in county.facts.rows["enrolments"]:
        row.setdefault("insurance_type", "390")
    county.facts.register(engine)
    make(engine, [*HOUSEHOLDS, "contradiction"], day)
    reading = reading_of(engine, county.facts, day)
    reading.rules = {code: reading.rules[code] for code in CODES}
    made = {row for row in rows_of(engine) if row[0] in CODES}
    assert made - reading.found() == set()
    assert reading.found() - made == set()
    assert set(Counter(row[0] for row in made)) >= {"X71", "X72", "X74", "X75", "X76"}


@pytest.fixture
def village() -> Village:
    county = Village()
    for home in ("a", "b", "c"):
        county.home(home, {}, {}, measures_count=0, microcredit="0")
        county.add("assistance", f"{home}-1", f"award-{home}", scheme="dibao",
                   started_on=date(2025, 1, 1), monthly_amount=Decimal(300),
                   insured_persons=2)  # fmt: skip
    return county


def pay(county: Village, home: str, month: str | None, amount: int = 300, **fields: Any) -> None:
    county.add("payments", f"{home}-1", scheme="dibao", month=month, amount=Decimal(amount),
               **{"paid_on": date(2026, 11, 15), "state": "paid", **fields})  # fmt: skip


def found(engine: Engine, county: Village, *codes: str) -> list[tuple[Any, ...]]:
    county.register(engine)
    make(engine, [*HOUSEHOLDS, "contradiction"], DAY)
    listed = ", ".join(f"'{code}'" for code in codes)
    return engine.rows(
        f"select code, household_id, member_id from contradiction where code in ({listed})"
        " order by 1, 2, 3"
    )


def test_awarded_and_unpaid_once_half_of_the_awards_are_told(
    engine: Engine, village: Village
) -> None:
    """October and November are over on the last of November."""
    pay(village, "a", "202611")
    assert found(engine, village, "X73") == []
    pay(village, "b", None, paid_on=date(2026, 10, 15))
    assert found(engine, village, "X73") == [("X73", "c", None)]
    pay(village, "c", "202611", 0)
    pay(village, "a", "202610", -300)
    assert found(engine, village, "X73") == [("X73", "a", None), ("X73", "c", None)]


def test_what_came_back_did_not_reach_anybody(engine: Engine, village: Village) -> None:
    for home in ("a", "b"):
        pay(village, home, "202611")
    pay(village, "c", "202611", state="returned")
    assert found(engine, village, "X73") == [("X73", "c", None)]


@pytest.mark.parametrize(
    ("ended", "is_found"), [(date(2026, 9, 1), False), (date(2026, 8, 31), True)]
)
def test_paid_for_november_and_awarded_until_september(
    engine: Engine, village: Village, ended: date, is_found: bool
) -> None:
    """In that month or the two before: September, October, November."""
    village.rows["assistance"][0]["ended_on"] = ended
    pay(village, "a", "202611")
    assert found(engine, village, "X72") == ([("X72", "a", None)] if is_found else [])


@pytest.mark.parametrize(
    ("month", "paid_on", "is_found"),
    [
        ("202609", date(2026, 11, 15), False),
        ("202610", date(2026, 11, 15), True),
        (None, date(2026, 11, 9), False),
        (None, date(2026, 11, 10), True),
    ],
)
def test_paid_after_a_death(
    engine: Engine, village: Village, month: str | None, paid_on: date, is_found: bool
) -> None:
    """Months after the month of death; without a month more than 60 days after it."""
    village.add("deaths", "a-1", died_on=date(2026, 9, 10))
    pay(village, "a", month, paid_on=paid_on)
    assert found(engine, village, "X71") == ([("X71", "a", "a-1")] if is_found else [])


def test_a_payment_that_waits_leaves_its_candidates_out(engine: Engine, village: Village) -> None:
    for home in ("a", "b"):
        pay(village, home, "202611")
    village.waits("payments", "c-2", scheme="dibao", month="202611", amount=Decimal(300),
                  paid_on=date(2026, 11, 15), state="paid")  # fmt: skip
    assert found(engine, village, "X73") == []


@pytest.mark.parametrize(
    ("days", "working", "is_found"), [(60, False, True), (59, False, False), (60, None, False)]
)
def test_employed_and_not_at_work(
    engine: Engine, village: Village, days: int, working: bool | None, is_found: bool
) -> None:
    village.rows["members"][0]["working_now"] = working
    started = date.fromordinal(DAY.toordinal() - days)
    village.add("employment", "a-1", place="county", kind="flexible", started_on=started)
    assert found(engine, village, "X74") == ([("X74", "a", "a-1")] if is_found else [])


def test_nothing_is_asked_where_nobody_reads_it(engine: Engine, village: Village) -> None:
    pay(village, "a", "202611")
    pay(village, "b", "202611")
    village.states["payments"] = "missing"
    assert found(engine, village, *CODES[:3]) == []
