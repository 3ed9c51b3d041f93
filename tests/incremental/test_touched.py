"""A day laid over the one before is the day in full: at random over random days, and in the cases
that are hard.
"""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.incremental.days import Days
from tests.incremental.overnight import Overnight
from tests.indicators.county import County
from tests.indicators.facts import Facts
from warehouse.graph.calendar import BEGINNING, BOUNDARIES, DATED, changes
from warehouse.graph.inputs import TOUCHED
from warehouse.graph.registry import laid_over, with_needs
from warehouse.graph.touched import CAUSES, matched_inputs, other_inputs

SEEDS = range(3)
MANY = range(100, 140)
STEPS = (1, 1, 1, 2, 5, 30, 31, 92)
FIRST, LAST = date(2025, 11, 20), date(2027, 6, 30)


def walk(folder: Path, seed: int, things: int | None) -> None:
    """Days in a row; `things` happen in each night, or none but that days go by."""
    chance = random.Random(seed)
    day = FIRST + timedelta(days=chance.randrange((LAST - FIRST).days))
    county, days = County(seed, day, 40), Days(folder)
    overnight = Overnight(county.facts, seed)
    if chance.random() < 0.5:  # some lamps are held, or cannot be seen
        for records in chance.sample(sorted(county.facts.states), 3):
            county.facts.states[records] = chance.choice(["stale", "missing"])
    days.write(county.facts, day)
    days.make(day, day)
    rules_of = day
    for _ in range(2):
        base, day = day, day + timedelta(days=chance.choice(STEPS))
        told = overnight.happen(chance.choice([1, 3, 12])) if things is None else []
        days.write(county.facts, day)
        days.make(day, rules_of)
        found, unlike = days.differences(day, base, rules_of)
        assert unlike == {}, f"seed {seed}: {base} to {day}: {told}; {found}"


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_overnight(tmp_path: Path, seed: int) -> None:
    walk(tmp_path, seed, None)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_calendar_alone_misses_nobody(tmp_path: Path, seed: int) -> None:
    walk(tmp_path, seed + 50, 0)


@pytest.mark.long
@pytest.mark.parametrize("seed", MANY)
def test_whatever_happens_overnight_at_length(tmp_path: Path, seed: int) -> None:
    walk(tmp_path, seed, None)


@pytest.mark.long
@pytest.mark.parametrize("seed", MANY)
def test_the_calendar_alone_misses_nobody_at_length(tmp_path: Path, seed: int) -> None:
    walk(tmp_path, seed + 500, 0)


# what the heads say


def test_a_model_that_goes_with_the_day_says_on_which_date_it_changes() -> None:
    silent = [
        model.name
        for model in with_needs(laid_over())
        if set(model.parameters) & DATED - BEGINNING and not model.changes_on
    ]
    assert silent == []
    asked = {change.boundary for declared in changes().values() for change in declared}
    assert asked == {*BOUNDARIES, "age", "month", "every_day"}


def test_nothing_else_is_read_than_what_touches() -> None:
    """What a laid table comes from is compared, or changes everybody."""
    assert other_inputs() == {"person", "review_queue", "source_status"}
    assert "matched_housing__dwellings" in matched_inputs()


# the hard cases

DAY = date(2026, 12, 8)
BEFORE = DAY - timedelta(days=1)


def two(folder: Path, facts: Facts) -> Days:
    days = Days(folder)
    days.write(facts, BEFORE)
    days.make(BEFORE)
    return days


def then(days: Days, facts: Facts) -> dict[str, int]:
    """What the day touches by cause; the same as in full."""
    days.write(facts, DAY)
    days.make(DAY)
    found, unlike = days.differences(DAY, BEFORE)
    assert found.by_cause != {}, found
    assert unlike == {}
    assert set(found.by_cause) == set(CAUSES)
    return {cause: count for cause, count in found.by_cause.items() if count}


def families(count: int = 9) -> Facts:
    facts = Facts()
    for number in range(count):
        facts.household(f"h{number}", wage_income=Decimal(3000), transfer_income=Decimal(0))
        facts.member(f"h{number}", f"m{number}", date(1980, 5, 1), labour_class="1")
        facts.insure(f"m{number}")
    return facts


def test_nothing_touches_nobody(tmp_path: Path) -> None:
    facts = families()
    assert then(two(tmp_path, facts), facts) == {}


def test_a_record_moves_from_one_household_to_another(tmp_path: Path) -> None:
    facts = families()
    record = facts.add("assistance", "m1", scheme="dibao", started_on=date(2026, 1, 1))
    days = two(tmp_path, facts)
    row = next(r for r in facts.rows["assistance"] if r["record_id"] == record)
    row |= {"member_id": "m2", "household_id": "h2"}
    assert then(days, facts) == {"records": 2}


def test_a_retrofit_is_of_its_dwelling(tmp_path: Path) -> None:
    """The owner of the retrofit is m3; the dwelling is m1's, and then m2's, and then nobody's."""
    facts = families()
    dwelling = facts.add("dwellings", "m1", grade="D", occupied=True, appraised_on=date(2026, 1, 5))
    facts.add("retrofits", "m3", dwelling_id=dwelling, approved_on=date(2026, 2, 1))
    days = two(tmp_path, facts)
    facts.rows["dwellings"][0] |= {"member_id": "m2", "household_id": "h2"}
    assert then(days, facts) == {"records": 3}


def test_a_retrofit_falls_to_its_owner(tmp_path: Path) -> None:
    facts = families()
    dwelling = facts.add("dwellings", "m1", grade="D", occupied=True, appraised_on=date(2026, 1, 5))
    facts.add("retrofits", "m3", dwelling_id=dwelling, approved_on=date(2026, 2, 1))
    days = two(tmp_path, facts)
    facts.rows["dwellings"][0] |= {"member_id": None, "household_id": None, "outcome": "ambiguous"}
    assert then(days, facts) == {"records": 2}


def test_a_reversal_touches_its_original(tmp_path: Path) -> None:
    """On another person's number, through a reversal of a reversal."""
    facts = families()
    fee = Decimal(50000)
    original = facts.settlement("m1", datetime(2026, 11, 2), total_fee=fee, personal_paid=fee)
    back = facts.settlement(
        "m2", datetime(2026, 11, 3), reverses_id=original, total_fee=-fee, personal_paid=-fee
    )
    days = two(tmp_path, facts)
    facts.settlement(
        "m4", datetime(2026, 11, 4), reverses_id=back, total_fee=fee, personal_paid=fee
    )
    assert then(days, facts) == {"records": 3}


def test_a_reversal_dated_tomorrow_touches_its_original_then(tmp_path: Path) -> None:
    facts = families()
    fee = Decimal(50000)
    original = facts.settlement("m1", datetime(2026, 11, 2), total_fee=fee, personal_paid=fee)
    facts.settlement(
        "m2",
        datetime.combine(DAY, datetime.min.time()),
        reverses_id=original,
        total_fee=-fee,
        personal_paid=-fee,
    )
    assert then(two(tmp_path, facts), facts) == {"calendar": 2}


def test_a_candidate_of_what_waits(tmp_path: Path) -> None:
    facts = families()
    record = facts.waits("enrolments", "m1", year=2026, insurance_type="390", status="1")
    days = two(tmp_path, facts)
    facts.queue[0] = {**facts.queue[0], "candidates": ["key-m2"]}
    assert record
    assert then(days, facts) == {"questions": 2}


def test_an_answered_question_is_nobodys(tmp_path: Path) -> None:
    facts = families()
    facts.waits("enrolments", "m1", year=2026, insurance_type="390", status="1")
    days = two(tmp_path, facts)
    facts.queue.clear()
    assert then(days, facts) == {"questions": 1}


def test_a_death_seen_in_another_record_type(tmp_path: Path) -> None:
    facts = families()
    days = two(tmp_path, facts)
    facts.add("deaths", "m5", died_on=date(2026, 12, 1))
    assert then(days, facts) == {"records": 1}


def test_a_household_loses_its_row_and_has_it_again(tmp_path: Path) -> None:
    facts = families()
    days = two(tmp_path, facts)
    gone = facts.rows["households"].pop(3)
    facts.rows["members"][3]["outcome"] = "unregistered"
    assert then(days, facts) == {"records": 1}
    facts.rows["households"].append(gone)


def test_a_shell_whose_county_nobody_knew(tmp_path: Path) -> None:
    """It lies in the register's only county, whatever households are touched besides."""
    facts = families()
    facts.household("far", area_code="610922100201")
    days = two(tmp_path, facts)
    facts.member("new", "m-new", date(1990, 1, 1), outcome="unregistered")
    facts.rows["households"][1]["transfer_income"] = Decimal(77)
    assert then(days, facts) == {"records": 2, "persons": 1}


def test_a_county_that_is_added_touches_everybody(tmp_path: Path) -> None:
    facts = families()
    days = two(tmp_path, facts)
    facts.household("far", area_code="610922100201")
    days.write(facts, DAY)
    assert days.differences(DAY, BEFORE)[0].why_all == "a county came or went"


def test_a_source_that_changes_its_state_touches_everybody(tmp_path: Path) -> None:
    facts = families()
    days = two(tmp_path, facts)
    facts.states["losses"] = "stale"
    days.write(facts, DAY)
    assert days.differences(DAY, BEFORE)[0].why_all == "losses changed state"


@pytest.mark.parametrize(
    ("before", "day"),
    [(date(2027, 3, 31), date(2027, 4, 1)), (date(2026, 12, 31), date(2027, 1, 1))],
)
def test_the_year_of_enrolments_touches_everybody(tmp_path: Path, before: date, day: date) -> None:
    facts = families()
    days = Days(tmp_path)
    for on in (before, day):
        days.write(facts, on)
    days.make(before)
    assert "enrolments count for" in days.differences(day, before)[0].why_all


def test_the_first_of_a_month_touches_who_was_paid(tmp_path: Path) -> None:
    facts = families()
    facts.add("certificates", "m1", level="1", status="1", issued_on=date(2020, 1, 1))
    facts.add("disability_subsidies", "m1", subsidy="nursing", month="202609", amount=Decimal(80))
    facts.add("disability_subsidies", "m2", subsidy="nursing", month="202610", amount=Decimal(80))
    days = Days(tmp_path)
    before, day = date(2026, 11, 30), date(2026, 12, 1)
    for on in (before, day):
        days.write(facts, on)
        days.make(on)
    found, unlike = days.differences(day, before)
    assert (found.by_cause["calendar"], unlike) == (1, {})


def test_more_than_a_third_is_made_in_full(tmp_path: Path) -> None:
    facts = families()
    days = two(tmp_path, facts)
    for row in facts.rows["households"][:4]:
        row["transfer_income"] = Decimal(1)
    days.write(facts, DAY)
    days.make(DAY)
    assert days.differences(DAY, BEFORE)[0].why_all == "4 of 9 households are touched"


def test_who_is_in_no_household(tmp_path: Path) -> None:
    """A member row without a household is nobody's, and not yesterday's."""
    facts = families()
    facts.member("h1", "stray", date(1970, 1, 1))
    for row in (facts.rows["members"][-1], facts.persons[-1]):
        row["household_id"] = None
    days = two(tmp_path, facts)
    facts.rows["members"][-1] |= {"labour_class": "3", "outcome": "unregistered"}
    assert then(days, facts) == {}


def test_a_planted_fault_shows(tmp_path: Path) -> None:
    """Households that the retrofit of another's dwelling reaches, left out of the set."""
    facts = families()
    dwelling = facts.add("dwellings", "m1", grade="D", occupied=True, appraised_on=date(2026, 1, 5))
    facts.add("retrofits", "m3", dwelling_id=dwelling, approved_on=date(2026, 2, 1))
    days = two(tmp_path, facts)
    facts.rows["retrofits"][0]["finished_on"] = date(2026, 12, 2)
    days.write(facts, DAY)
    days.make(DAY)
    found, unlike = days.differences(
        DAY,
        BEFORE,
        after_touching=lambda e: e.execute(f"delete from {TOUCHED} where household_id = 'h1'"),
    )
    assert found.touched == 2
    assert "household_indicator" in unlike
