"""What tables are made for: the day, what is in force on it, its earlier days;
how much of the county.

Belongs here: those values. Not here: what is done with them (`runner`, `parameters`, `inputs`).
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date

from warehouse.catalogue import Catalogue, load_catalogue
from warehouse.following_rules import FollowingRules, load_following
from warehouse.further_rules import FurtherRules, load_further
from warehouse.layouts import NEWEST
from warehouse.scoring_rules import Rules, load_rules


@dataclass(frozen=True)
class Moment:
    """A business day, or a period that is counted on one."""

    as_of: date
    rules: Rules
    following: FollowingRules
    catalogue: Catalogue
    further: FurtherRules
    earlier_than: date
    """Earlier days are those before this one: the day itself, or the first of the period."""
    not_before: date | None = None
    """An earlier day counts from here on only."""
    period_on: date | None = None
    flag_days: tuple[date, ...] = ()
    """The days whose lamps there are, to find that of a visit."""
    history: tuple[date, ...] = ()
    """The days that are read where several are."""
    layout: str = NEWEST
    """The layout that its tables are made in."""
    base: date | None = None
    """The day that this one is laid over; None where it is made in full."""


def day_moment(
    as_of: date, rules: Rules | None = None, following: FollowingRules | None = None
) -> Moment:
    """A business day that was never released: in the newest layout, under what is in force on it.

    Or under other rules, where they are given.
    """
    return Moment(
        as_of,
        rules or load_rules(as_of),
        following or load_following(as_of),
        load_catalogue(as_of),
        load_further(as_of),
        as_of,
    )


@dataclass(frozen=True)
class County:
    """The households that one county, by six digits, has on a day."""

    code: str
    as_of: date


@dataclass(frozen=True)
class Households:
    """A set of households."""

    ids: frozenset[str]


@dataclass(frozen=True)
class Touched:
    """The households of the engine's table `touched_household`, of one county or of all."""

    version: Hashable
    """Another one for another set."""
    county: County | None = None


@dataclass(frozen=True)
class Towns:
    """The households of the engine's table `proved_household`, from everybody's inputs: only the
    register and the earlier days are theirs alone.
    """

    version: Hashable


Scope = County | Households | Touched | Towns | None
"""How much is made; None is everything."""
EVERYTHING: Scope = None
