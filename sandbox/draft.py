"""What every department's drawing gives: a draft of records about people, before numbers, errors
and versions.

Belongs here: the draft and what is shared in drawing one. Not here: a department's own records.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from sandbox.people import END, REFERENCE, START, People

Array = npt.NDArray[Any]
DAY = np.timedelta64(86400, "s")


@dataclass(frozen=True)
class Draft:
    """Records of one type, parallel arrays.

    Money is whole cents; dates are datetime64[D], times datetime64[s].
    """

    records: str
    person: Array
    """Whom each record is about: index into People, strangers included; -1 for records about a
    household alone.
    """
    born: Array
    """When the department first wrote it (seconds)."""
    columns: dict[str, Array]
    closed: Array | None = None
    """When the record was brought to its end (an extra version), NaT where it was not."""
    source: Array | None = None
    """The record whose number and name, errors included, this one repeats (a reversal); else its
    own index.
    """

    def __len__(self) -> int:
        return len(self.person)


TRIES = 50
"""A county of 60 households has something of everything within these."""


def drawn_anew(draw: Callable[..., Draft], seed: Sequence[int], *given: Any) -> Draft:
    """What `draw` gives with dice of that seed; with others as long as it is nothing: in a small
    county what is rare may be nobody's.
    """
    draft = draw(np.random.default_rng(seed), *given)
    for again in range(1, TRIES):
        if len(draft):
            break
        draft = draw(np.random.default_rng([*seed, again]), *given)
    return draft


def with_one_known(draft: Draft, people: People) -> Draft:
    """The draft, with its earliest record a month before the reference day where all are to come.

    A county of a few hundred households may draw nothing rare for years; its departments have
    something to tell all the same.
    """
    if not len(draft) or draft.born.min() < REFERENCE:
        return draft
    grown = people.birth[draft.person] < REFERENCE - 40 * 366
    first = np.argmin(np.where(grown, draft.born, draft.born.max() + DAY))
    moved = (draft.born[first].astype("datetime64[D]") - (REFERENCE - 30)).astype(int)

    def earlier(values: Array) -> Array:
        if values.dtype.kind != "M":
            return values
        found = values.copy()
        found[first] -= np.timedelta64(moved, "D")
        return found

    columns = {name: earlier(values) for name, values in draft.columns.items()}
    closed = None if draft.closed is None else earlier(draft.closed)
    return replace(draft, born=earlier(draft.born), closed=closed, columns=columns)


def days_between(rng: np.random.Generator, low: Any, high: Any, count: int) -> Array:
    """A day in [low, high) for each of `count`."""
    first, last = np.array(low, "datetime64[D]"), np.array(high, "datetime64[D]")
    return first + rng.integers(0, max(1, int((last - first).astype(int))), count).astype(
        "timedelta64[D]"
    )


def at_work(rng: np.random.Generator, days: Array) -> Array:
    """A second of each day, between 08:00 and 18:00."""
    return days.astype("datetime64[s]") + rng.integers(8 * 3600, 18 * 3600, len(days)).astype(
        "timedelta64[s]"
    )


def written(rng: np.random.Generator, days: Array, lag: int = 3) -> Array:
    """When a department wrote down what happened on each day: within `lag` days after, at any
    hour.
    """
    return (
        days.astype("datetime64[s]")
        + DAY
        + rng.integers(0, lag * 86400, len(days)).astype("timedelta64[s]")
    )


def with_strangers(rng: np.random.Generator, people: People, person: Array, rate: float) -> Array:
    """The persons, a share of them replaced by somebody whom the register does not have."""
    outside = rng.integers(people.registered, len(people.name), len(person))
    return np.where(rng.random(len(person)) < rate, outside, person)


def alive(people: People, person: Array, days: Array) -> Array:
    """Whether each person is born and has not died by the day."""
    return (people.birth[person] <= days) & ~(people.died[person] < days)


def optional(days: Array, there: Array) -> Array:
    """The days where `there`, else NaT."""
    return np.where(there, days, np.datetime64("NaT"))


def heads(people: People) -> Array:
    """The person who heads each drawn household, by ordinal (the planted ones and 0 give -1)."""
    n = people.registered
    first = np.full(int(people.household.max()) + 1, -1)
    chief = np.flatnonzero(people.relation[:n] == "01")
    first[people.household[chief]] = chief
    return first


SPAN_DAYS = int((END - START).astype(int))
SPAN_YEARS = SPAN_DAYS / 365.2425
