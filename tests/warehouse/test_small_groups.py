"""Which groups go beside small ones: an integer programme over every extract that was made finds
none of the small ones again.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from warehouse.database.small_groups import Group, Groups, Margin
from warehouse.schema.leaving import THRESHOLD

VALUES = {"a": "123", "b": "123", "c": "12", "d": "12"}
COUNTED: tuple[Margin, ...] = ((), ("a",), ("b",), ("a", "b"))
"""By these everything is published elsewhere, where it is not small."""
ASKED: tuple[Margin, ...] = (
    ("c",),
    ("a", "c"),
    ("c", "d"),
    ("b", "d"),
    ("a", "b", "c"),
    ("b", "c", "d"),
    ("a", "b", "c", "d"),
)


def _county(seed: int) -> Groups:
    rng = random.Random(seed)
    cells = itertools.product(*VALUES.values())
    counts = {cell: rng.choice([0, 0, 1, 2, 3, 4, rng.randint(5, 30)]) for cell in cells}
    return Groups(tuple(VALUES), {cell: n for cell, n in counts.items() if n})


def _by(county: Groups, columns: Margin) -> Groups:
    counts: dict[Group, int] = {}
    for cell, households in county.counts.items():
        group = _within(cell, columns)
        counts[group] = counts.get(group, 0) + households
    return Groups(columns, counts)


def _within(cell: Group, columns: Margin) -> Group:
    return tuple(cell[list(VALUES).index(column)] for column in columns)


def _margins(columns: Margin, every: Iterable[Margin]) -> list[Margin]:
    """By what others count that is by some of these columns."""
    shared = [tuple(c for c in columns if c in other) for other in every if other != columns]
    return [*(way for way in COUNTED if set(way) <= set(columns)), *shared]


def _published(
    county: Groups, asked: Iterable[Margin], *, is_careful: bool
) -> list[tuple[Groups, set[Group]]]:
    """What was made of what was asked for, one after the other, and what each hides."""
    made: list[tuple[Groups, set[Group]]] = []
    for columns in asked:
        every = [*(other.columns for other, _ in made), columns]
        if is_careful and any(
            other.lacking(gone, _margins(other.columns, every)) for other, gone in made
        ):
            continue
        groups = _by(county, columns)
        gone = groups.small()
        if is_careful:
            gone |= groups.hidden_beside(gone, _margins(columns, every))
        made.append((groups, gone))
    return made


def _known(
    county: Groups, made: Iterable[tuple[Groups, set[Group]]]
) -> Iterable[tuple[Margin, Group, int]]:
    for margin in COUNTED:
        groups = _by(county, margin)
        below = [way for way in COUNTED if set(way) < set(margin)]
        gone = groups.small() | groups.hidden_beside(groups.small(), below)
        yield from ((margin, group, n) for group, n in groups.counts.items() if group not in gone)
    for groups, gone in made:
        yield from (
            (groups.columns, group, n) for group, n in groups.counts.items() if group not in gone
        )


def _recovered(county: Groups, made: list[tuple[Groups, set[Group]]]) -> list[tuple[Margin, Group]]:
    """The small groups of which only one number of households is possible."""
    cells = list(itertools.product(*VALUES.values()))
    rows = {key: n for *key_, n in _known(county, made) for key in [tuple(key_)]}
    matrix = np.array(
        [[_within(cell, margin) == group for cell in cells] for margin, group in rows], float
    )
    known = np.array(list(rows.values()), float)
    truth = np.array([county.counts.get(cell, 0) for cell in cells])
    assert (matrix @ truth == known).all()
    told = []
    for groups, gone in made:
        for group in sorted(gone):
            if groups.counts[group] < THRESHOLD:
                of = np.array([_within(cell, groups.columns) == group for cell in cells], float)
                ends = [_end(sign * of, matrix, known) for sign in (1.0, -1.0)]
                told += [(groups.columns, group)] if ends[0] == -ends[1] else []
    return told


def _end(goal: np.ndarray, matrix: np.ndarray, known: np.ndarray) -> int:
    limits = LinearConstraint(matrix, known, known)
    found = milp(goal, constraints=limits, integrality=np.ones(len(goal)), bounds=Bounds(0, np.inf))
    assert found.x is not None, found.message
    return round(float(goal @ found.x))


@pytest.mark.parametrize(
    "seeds", [range(3), pytest.param(range(3, 100), marks=pytest.mark.long)], ids=["3", "100"]
)
def test_no_small_group_is_recovered_from_extracts_together(seeds: range) -> None:
    shown, extracts = 0, 0
    for seed in seeds:
        county, asked = _county(seed), list(ASKED)
        random.Random(seed).shuffle(asked)
        made = _published(county, asked, is_careful=True)
        assert _recovered(county, made) == [], seed
        extracts += len(made)
        shown += sum(len(groups.counts) - len(gone) for groups, gone in made)
    assert extracts > 2 * len(seeds), "several stand beside each other"
    assert shown > 5 * len(seeds), "something is left to read"


def test_careless_extracts_tell_small_groups() -> None:
    """The control: where only the small ones are hidden."""
    told = 0
    for seed in range(4):
        county = _county(seed)
        told += len(_recovered(county, _published(county, ASKED[-3:-1], is_careful=False)))
    assert told > 4


def test_what_goes_beside_a_small_group_has_nothing_to_do_with_how_many_the_others_are() -> None:
    counts = {("1", str(n)): 5 + n for n in range(9)} | {("1", "small"): 4}
    chosen = {
        frozenset(
            Groups(("x", "y"), {**counts, group: 5 + more}).hidden_beside({("1", "small")}, [()])
        )
        for group in counts
        if group != ("1", "small")
        for more in (0, 1, 100)
    }
    assert len(chosen) == 1
