"""From day to day: `since` and ids, what a stale source keeps, verdicts that come back, what was
explained and changes, rules that list too many, and how often each was right.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from resources.engines.duckdb import Engine
from tests.indicators.facts import Facts
from tests.making import HOUSEHOLDS, KEY, forget, make, remember, standing
from warehouse.graph.reference import Keys
from warehouse.schema.lake import OPENING

FIRST = date(2026, 11, 2)
MADE = (
    *HOUSEHOLDS,
    *("contradiction", "contradiction_span", "crosscheck_run", "contradiction_accuracy"),
    *("contradiction_list", "stopped_after_listing"),
)


@dataclass
class Days:
    """Days of a few households; what is changed between them is said by the test."""

    engine: Engine
    facts: Facts = field(default_factory=Facts)

    def make(self, on: date) -> None:
        """Makes the day, and keeps it for those after it."""
        self.facts.register(self.engine)
        make(self.engine, MADE, on)
        remember(self.engine, on)

    def rows(self, columns: str = "*", of: str = "contradiction") -> list[tuple[Any, ...]]:
        return self.engine.rows(f"select {columns} from {of} order by all")

    def opens(self, code: str, on: date) -> None:
        """Somebody opens a rule by name."""
        rows = pa.Table.from_pylist([{"code": code, "opens_on": on}], OPENING.arrow)
        standing(self.engine).sources = {"opening": lambda day: rows}


@pytest.fixture
def days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Days]:
    monkeypatch.setenv("YIHU_DRAFTS", "verdicts")
    made = Days(Engine(tmp_path))
    yield made
    forget(made.engine)
    made.engine.close()


def pupil(facts: Facts, home: str, **more: Any) -> None:
    """X01: a student at work."""
    facts.household(home)
    born = date(2008, 1, 1)
    said = {"student_status": "2", "working_now": True, "relation": "01", "dropout": False, **more}
    facts.member(home, f"{home}-1", born, **said)


def of_rule(days: Days, code: str, columns: str) -> list[tuple[Any, ...]]:
    return days.engine.rows(
        f"select {columns} from contradiction where code = '{code}' order by household_id"
    )


def id_of(code: str, home: str, member: str, since: date) -> str:
    return hashlib.sha256(f"{code}|{home}|{member}|{since}".encode()).hexdigest()[:16]


def verdict(days: Days, contradiction: str, said: str, on: date, name: str = "v1") -> None:
    days.facts.rows["verdicts"].append(
        {"verdict_id": name, "record_id": name, "contradiction_id": contradiction,
         "household_id": "h", "checked_on": on, "verdict": said}
    )  # fmt: skip


@pytest.mark.slow
def test_since_and_id_stay_while_it_stands_and_begin_anew_after_it_went(days: Days) -> None:
    pupil(days.facts, "h")
    days.make(FIRST)
    days.make(FIRST + timedelta(days=3))
    first = (id_of("X01", "h", "h-1", FIRST), FIRST)
    assert of_rule(days, "X01", "contradiction_id, since") == [first]
    days.facts.rows["members"][0]["working_now"] = False
    days.make(FIRST + timedelta(days=4))
    assert of_rule(days, "X01", "*") == []
    days.facts.rows["members"][0]["working_now"] = True
    again = FIRST + timedelta(days=5)
    days.make(again)
    assert of_rule(days, "X01", "contradiction_id, since") == [
        (id_of("X01", "h", "h-1", again), again)
    ]


@pytest.mark.slow
def test_a_stale_source_keeps_what_stood_and_adds_nothing(days: Days) -> None:
    pupil(days.facts, "h")
    days.make(FIRST)
    pupil(days.facts, "g")
    days.facts.rows["members"][0]["working_now"] = False
    days.facts.states["members"] = "stale"
    days.make(FIRST + timedelta(days=1))
    kept = "household_id, since, record_ids"
    assert of_rule(days, "X01", kept) == [("h", FIRST, ["h-1"])]
    days.facts.states["members"] = "ok"
    days.make(FIRST + timedelta(days=2))
    assert of_rule(days, "X01", kept) == [("g", FIRST + timedelta(days=2), ["g-1"])]


@pytest.mark.slow
def test_a_rule_that_did_not_run_takes_up_where_it_ran_last(days: Days) -> None:
    """A source that was never read: no row; the last day on which it ran counts for `since`."""
    pupil(days.facts, "h")
    days.make(FIRST)
    days.facts.states["members"] = "missing"
    days.make(FIRST + timedelta(days=1))
    assert of_rule(days, "X01", "*") == []
    days.facts.states["members"] = "ok"
    days.make(FIRST + timedelta(days=2))
    assert of_rule(days, "X01", "since") == [(FIRST,)]


@pytest.mark.slow
def test_a_rule_with_days_is_new_until_it_has_stood_so_long(days: Days) -> None:
    """X50 goes on a list after 30 days; `since` counts from the first."""
    days.facts.household("h")
    days.facts.member("h", "h-1", date(1980, 1, 1), working_now=True, work_months=5)
    days.facts.add("assistance", "h-1", scheme="tekun", started_on=date(2026, 1, 1))
    states = []
    for passed in (0, 29, 30):
        days.make(FIRST + timedelta(days=passed))
        states += of_rule(days, "X50", "state, since")
    assert states == [("new", FIRST), ("new", FIRST), ("open", FIRST)]


@pytest.mark.slow
@pytest.mark.parametrize("said", ["confirmed", "explained"])
def test_a_verdict_is_the_state_until_what_it_was_about_changes(days: Days, said: str) -> None:
    pupil(days.facts, "h")
    days.make(FIRST)
    name = id_of("X01", "h", "h-1", FIRST)
    verdict(days, name, said, FIRST + timedelta(days=1))
    days.facts.rows["members"][0]["updated_at"] = datetime(2026, 11, 3, 9)  # not its content
    days.make(FIRST + timedelta(days=2))
    assert of_rule(days, "X01", "state") == [(said,)]
    days.facts.rows["members"][0]["resident_months"] = 3
    days.make(FIRST + timedelta(days=5))
    days.make(FIRST + timedelta(days=6))
    assert of_rule(days, "X01", "state, since") == [
        ("confirmed" if said == "confirmed" else "open", FIRST)
    ]
    verdict(days, name, said, FIRST + timedelta(days=6), "v2")
    days.make(FIRST + timedelta(days=7))
    assert of_rule(days, "X01", "state") == [(said,)]


@pytest.mark.slow
def test_another_row_of_evidence_opens_it_again(days: Days) -> None:
    days.facts.household("h")
    days.facts.member("h", "h-1", date(1930, 1, 1))
    days.facts.add("deaths", "h-1", died_on=date(2026, 5, 1))
    days.make(FIRST)
    (name,) = (row[0] for row in of_rule(days, "X46", "contradiction_id"))
    verdict(days, name, "explained", FIRST)
    days.make(FIRST + timedelta(days=1))
    assert of_rule(days, "X46", "state") == [("explained",)]
    days.facts.add("deaths", "h-1", died_on=date(2026, 5, 2))
    days.make(FIRST + timedelta(days=2))
    assert of_rule(days, "X46", "state") == [("open",)]


@pytest.mark.slow
def test_the_newest_verdict_counts_and_one_of_tomorrow_does_not(days: Days) -> None:
    pupil(days.facts, "h")
    days.make(FIRST)
    name, on = id_of("X01", "h", "h-1", FIRST), FIRST + timedelta(days=1)
    verdict(days, name, "explained", on, "v1")
    verdict(days, name, "confirmed", on, "v2")
    verdict(days, name, "not_confirmed", on - timedelta(days=1), "v3")
    verdict(days, name, "not_confirmed", on + timedelta(days=5), "v4")
    days.make(FIRST + timedelta(days=2))
    assert of_rule(days, "X01", "state") == [("confirmed",)]


# how often each rule was right


def wilson(right: int, asked: int) -> tuple[Decimal, Decimal]:
    z = 1.959963984540054
    share, weight = right / asked, z * z / asked
    middle, reach = share + weight / 2, z * ((share * (1 - share) + weight / 4) / asked) ** 0.5
    ends = ((middle - reach) / (1 + weight), (middle + reach) / (1 + weight))
    low, high = (Decimal(int(end * 10000 + 0.5)) / 10000 for end in ends)
    return low, high


def accuracy(days: Days, area: str = "610921") -> tuple[Any, ...]:
    (row,) = days.engine.rows(
        "select listed, checked, confirmed, precision, precision_low, precision_high, is_resting"
        f" from contradiction_accuracy where code = 'X01' and area_code = '{area}'"
    )
    return row


def many(days: Days, count: int) -> list[str]:
    """X01 in so many of a great many households, so that nothing is flooded."""
    homes = [f"h{number:03d}" for number in range(count)]
    for home in homes:
        pupil(days.facts, home)
    for number in range(250 * count):
        days.facts.household(f"g{number:05d}")
        days.facts.member(f"g{number:05d}", f"g{number:05d}-1", date(1980, 1, 1), relation="01")
    return homes


@pytest.mark.long
def test_accuracy_is_that_of_the_verdicts(days: Days) -> None:
    homes = many(days, 5)
    days.make(FIRST)
    assert accuracy(days) == (5, 0, 0, None, None, None, False)
    said = ["confirmed", "confirmed", "explained", "not_confirmed"]
    for number, (home, word) in enumerate(zip(homes, said, strict=False)):
        verdict(days, id_of("X01", home, f"{home}-1", FIRST), word, FIRST, f"v{number}")
    days.make(FIRST + timedelta(days=1))
    expected = (5, 4, 2, Decimal("0.5000"), *wilson(2, 4), False)
    assert accuracy(days) == accuracy(days, "610921100") == expected
    later = FIRST + timedelta(days=364)
    for home in homes[:3]:
        next(m for m in days.facts.rows["members"] if m["household_id"] == home)["working_now"] = (
            False
        )
    days.make(later)
    assert accuracy(days)[:3] == (5, 4, 2)  # open on the first day, which is in the 12 months
    days.make(FIRST + timedelta(days=366))
    assert accuracy(days)[:2] == (1, 0)  # the one that is still open


@pytest.mark.long
def test_a_rule_that_is_seldom_right_rests_but_for_a_few_a_month(days: Days) -> None:
    homes = many(days, 40)
    days.make(FIRST)
    for number, home in enumerate(homes[:32]):
        word = "confirmed" if number == 0 else "not_confirmed"
        verdict(days, id_of("X01", home, f"{home}-1", FIRST), word, FIRST, f"v{number}")
    days.make(FIRST + timedelta(days=1))
    low, high = wilson(1, 32)
    assert high < Decimal("0.2")
    assert accuracy(days) == (40, 32, 1, Decimal("0.0313"), low, high, True)
    on_list = days.engine.rows(
        "select contradiction_id from contradiction_list where code = 'X01' and state = 'open' and"
        f" listed_on = date '{FIRST + timedelta(days=1)}'"
    )

    def lot(name: str) -> str:
        return hmac.new(Keys(KEY).lot, f"{name}|2026-11".encode(), hashlib.sha256).hexdigest()

    every = [id_of("X01", home, f"{home}-1", FIRST) for home in homes]
    drawn = sorted(every, key=lot)[:5]
    still_open = {id_of("X01", home, f"{home}-1", FIRST) for home in homes[32:]}
    assert {name for (name,) in on_list} == set(drawn) & still_open


@pytest.mark.long
def test_ten_a_quarter_are_drawn_and_have_an_interval_of_their_own(days: Days) -> None:
    homes = many(days, 25)
    days.make(FIRST)

    def lot(name: str) -> str:
        return hmac.new(Keys(KEY).lot, f"{name}|2026-Q4".encode(), hashlib.sha256).hexdigest()

    every = [id_of("X01", home, f"{home}-1", FIRST) for home in homes]
    drawn = sorted(every, key=lot)[:10]
    for number, name in enumerate(drawn[:6]):
        verdict(days, name, "confirmed" if number < 4 else "explained", FIRST, f"v{number}")
    days.make(FIRST + timedelta(days=1))
    marked = days.engine.rows(
        "select contradiction_id from contradiction_list where is_drawn and"
        f" listed_on = date '{FIRST + timedelta(days=1)}'"
    )
    # what was explained has left the list
    assert {name for (name,) in marked} == set(drawn) - set(drawn[4:6])
    (told,) = days.engine.rows(
        "select _drawn, _drawn_checked, _drawn_confirmed, _drawn_low, _drawn_high from"
        " contradiction_accuracy where code = 'X01' and area_code = '610921'"
    )
    assert told == (10, 6, 4, *wilson(4, 6))


# no flood


@pytest.mark.long
def test_a_rule_that_lists_too_many_waits_until_somebody_opens_it(days: Days) -> None:
    for number in range(199):
        days.facts.household(f"g{number:03d}")
        days.facts.member(f"g{number:03d}", f"g{number:03d}-1", date(1980, 1, 1), relation="01")
    pupil(days.facts, "h0")
    days.make(FIRST)  # one of 200: just the share that may be listed
    assert accuracy(days)[0] == 1
    forget(days.engine)
    pupil(days.facts, "h1")
    days.make(FIRST)  # two of 201 are more
    assert len(of_rule(days, "X01", "*")) == 2
    assert accuracy(days)[0] == 0
    assert days.rows("code", "contradiction_list") == []
    days.opens("X01", FIRST + timedelta(days=1))
    days.make(FIRST + timedelta(days=1))
    assert accuracy(days)[0] == 2
    assert days.rows("code", "contradiction_list") == [("X01",), ("X01",)]


@pytest.mark.long
def test_a_rule_whose_rows_rise_far_above_its_median_waits(days: Days) -> None:
    many(days, 5)
    for passed in range(5):
        days.make(FIRST + timedelta(days=passed))
    for number in range(20):
        pupil(days.facts, f"n{number}")
    days.make(FIRST + timedelta(days=5))  # 25 is five times 5, not above it
    assert accuracy(days)[0] == 25
    pupil(days.facts, "n20")
    risen = FIRST + timedelta(days=6)
    days.make(risen)
    assert accuracy(days)[0] == 0
    days.opens("X01", risen)
    days.make(FIRST + timedelta(days=7))
    assert accuracy(days)[0] == 26


@pytest.mark.long
def test_what_ends_soon_after_a_list_is_counted(days: Days) -> None:
    """A benefit that ends within 60 days after its household was on a list; not one of before."""
    homes = many(days, 3)
    for home, ended in zip(homes, (FIRST + timedelta(days=9), FIRST - timedelta(days=1), None),
                           strict=True):  # fmt: skip
        days.facts.add("assistance", f"{home}-1", scheme="rigid", started_on=date(2026, 1, 1),
                       ended_on=ended)  # fmt: skip
    days.make(FIRST)
    days.make(FIRST + timedelta(days=20))
    counted = [
        row for row in days.rows("code, area_code, month, count", "stopped_after_listing")
        if row[0] == "X01"
    ]  # fmt: skip
    assert counted == [("X01", "610921", "2026-11", 1), ("X01", "610921100", "2026-11", 1)]
