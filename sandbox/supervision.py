"""What inspectors found and what became of it (督查): issues in areas and households, and what
asking about a contradiction came to.

Belongs here: drawing issues and verdicts. Not here: errors (`delivery`); the verdicts about what
stood on a list (`answers`), since only who made the list knows its ids.
"""

from __future__ import annotations

import numpy as np

from sandbox.draft import SPAN_YEARS, Array, Draft, days_between, optional, written
from sandbox.economy import County
from sandbox.people import END, PLANTED, START
from sandbox.rates import ErrorRates

SOURCES = (
    *("national", "provincial", "municipal", "self_check", "inspection"),
    *("audit", "petition", "media", "comparison"),
)
THEMES = ("protection", "assets", "industry", "funds", "petition", "conduct", "data")
OFFICES = (
    *("rural_revitalisation", "monitoring", "civil_affairs", "health_insurance"),
    *("housing", "emergency_management"),
)
PROVING = "supervision"
ISSUES_A_YEAR, OLD_ANSWERS = 0.01, 6
"""Of a household, and answers to lists of a time before these."""


def _after(day: Array, low: int, high: int, rng: np.random.Generator) -> Array:
    return day + rng.integers(low, high, len(day)).astype("timedelta64[D]")


def draw_issues(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """A row an issue; `ordinal` is the household's that it is about, 0 for none. Some are mended
    late, after the notice, the talk, the account that the rules ask for; some never.
    """
    count = 8 + int(county.count * ISSUES_A_YEAR * SPAN_YEARS)
    where = rng.integers(PLANTED, county.count, count)
    found = days_between(rng, START, END, count)
    due = _after(found, 15, 60, rng)
    ends = _after(found, 5, 120, rng)
    late = rng.random(count)
    never = late > 0.93
    mended = optional(ends, ~never)
    asked = _after(due, 1, 4, rng)
    talked, accounted = _after(asked, 7, 10, rng), _after(asked, 17, 24, rng)
    village, of_area = county.area[where], rng.random(count)
    town = np.char.add(village.astype("U9"), "000")
    area = np.select(
        [of_area < 0.75, of_area < 0.93],
        [village, town],
        np.char.add(village.astype("U6"), "0" * 6),
    )
    theme = np.array(THEMES)[rng.integers(0, len(THEMES), count)]
    is_of_household = (of_area < 0.75) & np.isin(theme, ("protection", "industry", "petition"))
    office = np.array(OFFICES)[rng.integers(0, len(OFFICES), count)]
    owner = np.where(rng.random(count) < 0.3, village.astype("U9"), office)
    proved = optional(_after(ends, 3, 40, rng), ~never & (rng.random(count) < 0.8))
    own = rng.random(count) < 0.03
    return Draft(
        "issues",
        np.full(count, -1),
        written(rng, found, 5),
        {
            "ordinal": np.where(is_of_household, where + 1, 0),
            "source": np.array(SOURCES)[rng.integers(0, len(SOURCES), count)],
            "theme": theme,
            "area_code": area,
            "owner": owner,
            "found_on": found,
            "due_on": due,
            "notified_on": optional(asked, never | (asked < ends)),
            "talked_on": optional(talked, (never | (talked < ends)) & (late > 0.4)),
            "accounted_on": optional(accounted, (never | (accounted < ends)) & (late > 0.7)),
            "mended_on": mended,
            "mended_by": owner,
            "proved_on": proved,
            "proved_by": np.where(own, owner, PROVING),
        },
    )


def draw_verdicts(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """A few answers to lists of an earlier time, whose contradictions nobody here ever had."""
    where = rng.integers(PLANTED, county.count, OLD_ANSWERS)
    checked = days_between(rng, START - 200, START, OLD_ANSWERS)
    return Draft(
        "verdicts",
        np.full(OLD_ANSWERS, -1),
        written(rng, checked, 3),
        {
            "ordinal": where + 1,
            "contradiction_id": np.char.mod("%016x", rng.integers(0, 2**62, OLD_ANSWERS)),
            "checked_on": checked,
            "verdict": np.array(["confirmed", "not_confirmed", "explained"])[
                np.arange(OLD_ANSWERS) % 3
            ],
        },
    )
