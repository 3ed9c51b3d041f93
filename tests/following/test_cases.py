"""The eight stages of a case: days in the stage, and what is overdue in calendar days."""

from __future__ import annotations

from resources.engines.duckdb import Engine
from tests.following.county import Village, follow, rows

REACHED = {"discovered": 40, "verified": 39, "compared": 38, "reviewed": 37, "approved": 36}


OVERDUE = [
    (1, {"discovered": 3}, False),
    (1, {"discovered": 4}, True),
    (2, {"discovered": 9, "verified": 5}, False),
    (2, {"discovered": 9, "verified": 6}, True),
    (3, {"discovered": 15, "verified": 14, "compared": 13}, False),
    (4, {"discovered": 16, "verified": 14, "compared": 13, "reviewed": 1}, True),
    (5, REACHED, False),
    (6, {**REACHED, "recorded": 30}, False),
    (6, {**REACHED, "recorded": 31}, True),
    (7, {**REACHED, "recorded": 35, "assisted": 1}, False),
    (8, {**REACHED, "recorded": 35, "assisted": 1, "cleared": 0}, False),
]


def test_overdue(engine: Engine) -> None:
    county = Village()
    for number, (stage, dates, _) in enumerate(OVERDUE):
        county.case(
            f"case{number:02d}", county.home(f"h{number:02d}", monitor_class="2"), stage, **dates
        )
    follow(engine, county)
    found = rows(engine, "case_progress", "stage, days_in_stage, is_overdue, risk_types, area_code")
    expected = [
        (stage, min(dates.values()), late, ["illness", "job"], "610921100201")
        for stage, dates, late in OVERDUE
    ]
    assert found == expected


def test_cases_of_nobody_and_of_tomorrow_are_left_out(engine: Engine) -> None:
    county = Village()
    county.home("watched")
    county.case("tomorrow", "watched", 1, discovered=-1)
    county.case("nobody", "unknown", 1, discovered=1)
    county.rows["cases"][-1]["outcome"] = "unregistered"
    follow(engine, county)
    assert rows(engine, "case_progress") == []


FIRST_HELPED = {"discovered": 40, "verified": 39}


def test_aid_before_its_turn_is_not_waited_for(engine: Engine) -> None:
    """绿色通道: the aid came first; the steps are still waited for, the aid is not,
    and its days count from the record.
    """
    county = Village()
    county.case(
        "compared", county.home("a", monitor_class="2"), 3, **FIRST_HELPED, compared=35, assisted=41
    )
    county.case(
        "recorded", county.home("b", monitor_class="2"), 6, **REACHED, recorded=33, assisted=41
    )
    county.case(
        "assisted", county.home("c", monitor_class="2"), 7, **REACHED, recorded=33, assisted=41
    )
    county.case("waiting", county.home("d", monitor_class="2"), 2, **FIRST_HELPED, assisted=41)
    follow(engine, county)
    found = {
        case: (stage, days, late)
        for case, stage, days, late in rows(
            engine, "case_progress", "case_id, stage, days_in_stage, is_overdue"
        )
    }
    assert found == {
        "compared": (3, 35, True),
        "recorded": (6, 33, False),
        "assisted": (7, 33, False),
        "waiting": (2, 39, True),
    }


def test_a_case_that_was_not_recognised_is_late_for_nothing(engine: Engine) -> None:
    county = Village()
    county.case(
        "rejected",
        county.home("a", monitor_class="2"),
        4,
        discovered=40,
        verified=39,
        compared=38,
        reviewed=37,
    )
    county.rows["cases"][-1]["rejected_on"] = county.rows["cases"][-1]["reviewed_on"]
    county.case(
        "open",
        county.home("b", monitor_class="2"),
        4,
        discovered=40,
        verified=39,
        compared=38,
        reviewed=37,
    )
    follow(engine, county)
    assert dict(rows(engine, "case_progress", "case_id, is_overdue")) == {
        "rejected": False,
        "open": True,
    }
