"""A day laid over the one before is the day in full: at random over random days, and in the cases
that are hard.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from resources.engines.duckdb import Engine
from tests.incremental.days import Days
from tests.incremental.overnight import Overnight
from tests.indicators.county import County
from tests.indicators.facts import Facts, Row
from warehouse.graph.calendar import BEGINNING, BOUNDARIES, DATED, changes
from warehouse.graph.inputs import TOUCHED
from warehouse.graph.registry import laid_over, with_needs
from warehouse.graph.touched import matched_inputs, other_inputs

SEEDS = range(2)
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


# the hard cases: each happens to households of its own, all in one night

DAY = date(2026, 12, 8)
BEFORE = DAY - timedelta(days=1)
FEE = Decimal(50000)


class Case:
    """A few families of a facts county, by their numbers."""

    def __init__(self, facts: Facts, name: str) -> None:
        self.facts, self.name = facts, name
        for number in range(4):
            family(facts, self.house(number), self.member(number))

    def house(self, number: int) -> str:
        return f"{self.name}-h{number}"

    def member(self, number: int) -> str:
        return f"{self.name}-m{number}"

    def row(self, records: str, record: str) -> Row:
        return next(r for r in self.facts.rows[records] if r["record_id"] == record)

    def give(self, records: str, record: str, number: int | None) -> None:
        """A record is about another of the members now, or about nobody who is known."""
        told = (None, None, "ambiguous") if number is None else (
            self.member(number), self.house(number), "linked"
        )  # fmt: skip
        self.row(records, record).update(
            zip(("member_id", "household_id", "outcome"), told, strict=True)
        )

    def retrofit(self) -> tuple[str, str]:
        """A retrofit of member 3, of the dwelling of member 1."""
        dwelling = self.facts.add(
            "dwellings", self.member(1), grade="D", occupied=True, appraised_on=date(2026, 1, 5)
        )
        retrofit = self.facts.add(
            "retrofits", self.member(3), dwelling_id=dwelling, approved_on=date(2026, 2, 1)
        )
        return dwelling, retrofit

    def settle(self, number: int, day: date, sign: int, reverses: str | None = None) -> str:
        amounts = {"total_fee": sign * FEE, "personal_paid": sign * FEE}
        at = datetime.combine(day, datetime.min.time())
        return self.facts.settlement(self.member(number), at, reverses_id=reverses, **amounts)


Then = Callable[[], object]


def a_record_moves(case: Case) -> Then:
    record = case.facts.add("assistance", case.member(1), scheme="dibao", started_on=BEFORE)
    return lambda: case.give("assistance", record, 2)


def a_dwelling_is_anothers(case: Case) -> Then:
    """The retrofit's owner is touched too: it would count there, were the dwelling nobody's."""
    dwelling, _ = case.retrofit()
    return lambda: case.give("dwellings", dwelling, 2)


def a_retrofit_falls_to_its_owner(case: Case) -> Then:
    dwelling, _ = case.retrofit()
    return lambda: case.give("dwellings", dwelling, None)


def a_retrofit_of_anothers_dwelling_is_finished(case: Case) -> Then:
    _, retrofit = case.retrofit()
    return lambda: case.row("retrofits", retrofit).update(finished_on=date(2026, 12, 2))


def a_retrofit_of_anothers_dwelling_is_overdue(case: Case) -> Then:
    """By the calendar alone: 181 days after it was approved."""
    _, retrofit = case.retrofit()
    case.row("retrofits", retrofit)["approved_on"] = DAY - timedelta(days=181)
    return lambda: None


def a_reversal_of_a_reversal(case: Case) -> Then:
    """On another person's number; it counts with the original."""
    original = case.settle(1, date(2026, 11, 2), 1)
    back = case.settle(2, date(2026, 11, 3), -1, original)
    return lambda: case.settle(3, date(2026, 11, 4), 1, back)


def a_reversal_dated_today(case: Case) -> Then:
    original = case.settle(1, date(2026, 11, 2), 1)
    case.settle(2, DAY, -1, original)
    return lambda: None


def a_candidate_of_what_waits(case: Case) -> Then:
    case.facts.waits("enrolments", case.member(1), year=2026, insurance_type="390", status="1")
    place = len(case.facts.queue) - 1

    def happen() -> None:
        candidates = [f"key-{case.member(2)}"]
        case.facts.queue[place] = {**case.facts.queue[place], "candidates": candidates}

    return happen


def an_answered_question(case: Case) -> Then:
    case.facts.waits("enrolments", case.member(1), year=2026, insurance_type="390", status="1")
    asked = case.facts.queue[-1]
    return lambda: case.facts.queue.remove(asked)


def a_death_in_another_type(case: Case) -> Then:
    return lambda: case.facts.add("deaths", case.member(1), died_on=date(2026, 12, 1))


def a_row_goes(case: Case) -> Then:
    def happen() -> None:
        households = case.facts.rows["households"]
        households.remove(case.row("households", case.house(1)))
        case.row("members", case.member(1))["outcome"] = "unregistered"

    return happen


def a_shell_whose_county_nobody_knew(case: Case) -> Then:
    def happen() -> None:
        case.facts.member(case.name, f"{case.name}-new", date(1990, 1, 1), outcome="unregistered")

    return happen


def households_merge(case: Case) -> Then:
    def happen() -> None:
        households = case.facts.rows["households"]
        households.remove(case.row("households", case.house(1)))
        for rows in (*case.facts.rows.values(), case.facts.persons):
            for row in rows:
                if row.get("member_id") == case.member(1):
                    row["household_id"] = case.house(2)

    return happen


def a_birthday_comes(case: Case) -> Then:
    person = next(p for p in case.facts.persons if p["member_id"] == case.member(1))
    person["birth_on"] = DAY.replace(year=DAY.year - 60)
    return lambda: None


def nobodys_row_changes(case: Case) -> Then:
    """A member row without a household is in none, and not yesterday's either."""
    case.facts.member(case.house(1), f"{case.name}-stray", date(1970, 1, 1))
    for row in (case.facts.rows["members"][-1], case.facts.persons[-1]):
        row["household_id"] = None
    stray = case.facts.rows["members"][-1]
    return lambda: stray.update(labour_class="3", outcome="unregistered")


def nothing_happens(case: Case) -> Then:
    return lambda: None


CASES: dict[Callable[[Case], Then], dict[str, set[int]]] = {
    a_record_moves: {"records": {1, 2}},
    a_dwelling_is_anothers: {"records": {1, 2, 3}},
    a_retrofit_falls_to_its_owner: {"records": {1, 3}},
    a_retrofit_of_anothers_dwelling_is_finished: {"records": {1, 3}},
    a_retrofit_of_anothers_dwelling_is_overdue: {"calendar": {1, 3}},
    a_reversal_of_a_reversal: {"records": {1, 2, 3}},
    a_reversal_dated_today: {"calendar": {1, 2}},
    a_candidate_of_what_waits: {"questions": {1, 2}},
    an_answered_question: {"questions": {1}},
    a_death_in_another_type: {"records": {1}},
    a_row_goes: {"records": {1}},
    households_merge: {"records": {1, 2}, "persons": {1, 2}},
    a_birthday_comes: {"calendar": {1}},
    nobodys_row_changes: {},
    nothing_happens: {},
}
"""What happens → by cause, whose households it touches."""
PLANTED = f"{a_retrofit_of_anothers_dwelling_is_finished.__name__}-h1"


@dataclass(frozen=True)
class Night:
    """What a night came to: the households touched by each cause, and the rows that are others than
    in full; the same with a household left out of the set.
    """

    touched: dict[str, set[str]]
    unlike: dict[str, int]
    unlike_as_planted: dict[str, int]


def family(facts: Facts, household: str, member: str) -> None:
    facts.household(household, wage_income=Decimal(3000), transfer_income=Decimal(0))
    facts.member(household, member, date(1980, 5, 1), labour_class="1")
    facts.insure(member)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    facts, days = Facts(), Days(tmp_path_factory.mktemp("night"))
    happens = [prepare(Case(facts, prepare.__name__)) for prepare in CASES]
    happens.append(a_shell_whose_county_nobody_knew(Case(facts, "shell")))
    facts.household("far", area_code="610922100201")
    days.write(facts, BEFORE)
    days.make(BEFORE)
    for happen in happens:
        happen()
    days.write(facts, DAY)
    days.make(DAY)
    touched: dict[str, set[str]] = {}

    def look(engine: Engine) -> None:
        for cause, household in engine.rows("select cause, household_id from touched_by"):
            touched.setdefault(str(cause), set()).add(str(household))

    def plant(engine: Engine) -> None:
        engine.execute(f"delete from {TOUCHED} where household_id = '{PLANTED}'")

    _, unlike = days.differences(DAY, BEFORE, after_touching=look)
    _, as_planted = days.differences(DAY, BEFORE, after_touching=plant)
    return Night(touched, unlike, as_planted)


def test_a_hard_night_is_the_night_in_full(night: Night) -> None:
    assert night.unlike == {}


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.__name__))
def test_whom_a_hard_case_touches(night: Night, case: Callable[[Case], Then]) -> None:
    mine = {
        cause: {int(h[-1]) for h in households if h.startswith(f"{case.__name__}-")}
        for cause, households in night.touched.items()
    }
    assert {cause: numbers for cause, numbers in mine.items() if numbers} == CASES[case]


def test_a_shell_of_no_known_county_is_touched(night: Night) -> None:
    """It lies in no county of two, whatever households are touched besides."""
    assert "shell" in night.touched["records"]


def test_a_planted_fault_shows(night: Night) -> None:
    """A household that the retrofit of its dwelling reaches, left out of the set."""
    assert "household_indicator" in night.unlike_as_planted


# everybody

NIGHTS = {
    "a county came or went": lambda facts: facts.household("far", area_code="610922100201"),
    "losses changed state": lambda facts: facts.states.update(losses="stale"),
    "4 of 9 households are touched": lambda facts: [
        row.update(transfer_income=Decimal(1)) for row in facts.rows["households"][:4]
    ],
}


def families(count: int = 9) -> Facts:
    facts = Facts()
    for number in range(count):
        family(facts, f"h{number}", f"m{number}")
    return facts


@pytest.mark.parametrize("why", NIGHTS)
def test_what_touches_everybody(tmp_path: Path, why: str) -> None:
    facts, days = families(), Days(tmp_path)
    days.write(facts, BEFORE)
    NIGHTS[why](facts)
    days.write(facts, DAY)
    assert days.touched(DAY, BEFORE).why_all == why


@pytest.mark.parametrize(
    ("before", "day"),
    [(date(2027, 3, 31), date(2027, 4, 1)), (date(2026, 12, 31), date(2027, 1, 1))],
)
def test_the_year_of_enrolments_touches_everybody(tmp_path: Path, before: date, day: date) -> None:
    facts, days = families(), Days(tmp_path)
    for on in (before, day):
        days.write(facts, on)
    assert "enrolments count for" in days.touched(day, before).why_all


def test_the_first_of_a_month_touches_who_was_paid(tmp_path: Path) -> None:
    facts, days = families(), Days(tmp_path)
    facts.add("disability_subsidies", "m1", subsidy="nursing", month="202609", amount=Decimal(80))
    facts.add("disability_subsidies", "m2", subsidy="nursing", month="202610", amount=Decimal(80))
    before, day = date(2026, 11, 30), date(2026, 12, 1)
    for on in (before, day):
        days.write(facts, on)
    assert days.touched(day, before).by_cause["calendar"] == 1
