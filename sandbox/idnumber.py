"""Resident ID numbers (GB 11643-1999) made in bulk.

Belongs here: making sound numbers for many people at once. Not here: reading, repairing or judging
them; the house has code of its own for that, and this one must not agree with it by sharing it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
OLD_REGION = 612422
"""汉阴县 until 2000."""
NEW_REGION = 610921
"""汉阴县 since."""
OTHER_REGIONS = (612401, 612423, 612425, 610902, 610924, 513021, 422625, 610302)
FORMER_REGION = 612424
"""Of numbers that were changed later; nobody else has it."""
_SLOTS = 498
"""Sequence numbers in use by sex and day; 997 to 999 are left to the planted households."""


def check_characters(bodies: Ints) -> npt.NDArray[np.str_]:
    """The check character (ISO 7064 MOD 11-2) of each number of 17 digits."""
    total = np.zeros(len(bodies), dtype=np.int64)
    rest = bodies.copy()
    for weight in reversed(WEIGHTS):
        total += (rest % 10) * weight
        rest //= 10
    return np.array(list(CHECKS))[total % 11]


def check_character(body: str) -> str:
    """The check character of one number of 17 digits."""
    return str(check_characters(np.array([int(body)], dtype=np.int64))[0])


def with_check(bodies: Ints) -> npt.NDArray[np.str_]:
    """Numbers of 18 characters from their first 17 digits."""
    return np.char.add(bodies.astype("U17"), check_characters(bodies))


def day_numbers(days: npt.NDArray[np.datetime64]) -> Ints:
    """YYYYMMDD as an integer."""
    months = days.astype("datetime64[M]")
    years = days.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    day = (days.astype("datetime64[D]") - months.astype("datetime64[D]")).astype(np.int64) + 1
    return years * 10000 + month * 100 + day


def make_numbers(
    regions: Ints, births: npt.NDArray[np.datetime64], male: npt.NDArray[np.bool_]
) -> npt.NDArray[np.str_]:
    """A sound number for each person, each different; an odd sequence for men."""
    place = regions * 100_000_000 + day_numbers(births)
    group = place * 2 + male
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    first = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    starts = np.flatnonzero(first)
    rank = np.arange(len(group)) - np.repeat(starts, np.diff(np.append(starts, len(group))))
    if len(rank) and int(rank.max()) >= _SLOTS:
        raise ValueError(
            "more people of one region, day and sex than there are sequence numbers; use fewer"
            " households"
        )
    # neighbours in the sequence lie apart, so that a slip of one digit seldom hits another person
    slot = np.empty(len(group), dtype=np.int64)
    slot[order] = (ordered * 7919 + rank * 61) % _SLOTS
    return with_check(place * 1000 + slot * 2 + np.where(male, 1, 2))


def draw_regions(
    rng: np.random.Generator, births: npt.NDArray[np.datetime64], married_in: npt.NDArray[np.bool_]
) -> Ints:
    """The region code that each person carries: the county's of the day, or that of where a spouse
    came from.
    """
    home: Any = np.where(births < np.datetime64("2000-07-01"), OLD_REGION, NEW_REGION)
    away = np.array(OTHER_REGIONS)[rng.integers(0, len(OTHER_REGIONS), len(births))]
    return np.where(rng.random(len(births)) < np.where(married_in, 0.15, 0.02), away, home).astype(
        np.int64
    )
