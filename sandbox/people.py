"""Households and the people in them, as they are.

Belongs here: composition, ages, names, numbers, deaths, births, and what the register gets wrong
about them. Not here: money (`economy`), events (`health`, `welfare`, `hardship`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sandbox import idnumber, names
from sandbox.rates import ErrorRates

Array = npt.NDArray[Any]

PLANTED = 4
"""Households 1 to 4 are the planted ones (`golden`); drawn ones follow."""
REFERENCE = np.datetime64("2026-11-01")
"""The day on which ages are drawn."""
START = np.datetime64("2024-11-20")
END = np.datetime64("2029-01-01")
"""Events are drawn from START to END; those that have not happened yet are not served."""

_MAN, _WOMAN, _EITHER, _HEAD = "man", "woman", "either", "head"
_Slot = tuple[str, str, str, float, float]
_SPOUSE: _Slot = ("02", "other", "near", -5, 2)
_CHILD: _Slot = ("03", _EITHER, "below", 22, 32)
_PARENT: _Slot = ("04", _WOMAN, "above", 21, 30)
_FATHER: _Slot = ("04", _MAN, "above", 22, 32)
_GRANDCHILD: _Slot = ("05", _EITHER, "below", 48, 56)
_IN_LAW: _Slot = ("06", _EITHER, "below", 22, 30)

COMPOSITIONS: tuple[tuple[float, float, float, tuple[_Slot, ...]], ...] = (
    (0.10, 62, 88, ()),
    (0.15, 60, 82, (_SPOUSE,)),
    (0.14, 28, 45, (_SPOUSE, _CHILD)),
    (0.14, 32, 48, (_SPOUSE, _CHILD, _CHILD)),
    (0.06, 30, 48, (_SPOUSE, _CHILD, _PARENT)),
    (0.05, 34, 50, (_SPOUSE, _CHILD, _CHILD, _FATHER)),
    (0.06, 30, 59, ()),
    (0.15, 45, 60, (_SPOUSE, _CHILD)),
    (0.05, 45, 58, (_SPOUSE, _CHILD, _PARENT)),
    (0.04, 56, 70, (_SPOUSE, _GRANDCHILD)),
    (0.06, 50, 66, (_SPOUSE, _CHILD, _IN_LAW, _GRANDCHILD)),
)
"""Weight, youngest and oldest head, and who else lives there: relation, sex, and age against the
head's.
"""


@dataclass(frozen=True)
class People:
    """Everybody who is or will be in the register, an entry a person, by household; then the
    strangers, who are not.

    Arrays are parallel. `household` is the ordinal (5, 6, …; 0 for strangers), `slot` counts within
    it.
    """

    registered: int
    household: Array
    slot: Array
    relation: Array
    male: Array
    birth: Array
    died: Array
    """NaT while alive by END."""
    name: Array
    number: Array
    number_before: Array
    """The number before a change; the same where there was none."""
    changed: Array
    """The day on which number_before became number; NaT without a change."""
    numbered: Array
    """The day from which the register may have the number; NaT where it always had it."""
    entered: Array
    """When the register's row was first written (seconds)."""
    relative: Array
    """Somebody else of the household with a number, else -1."""

    @property
    def age(self) -> Array:
        return ((REFERENCE - self.birth).astype("timedelta64[D]").astype(int) / 365.2425).astype(
            int
        )


def _compose(rng: np.random.Generator, households: int) -> dict[str, Array]:
    weights = np.array([weight for weight, *_ in COMPOSITIONS])
    kind = rng.choice(len(COMPOSITIONS), households, p=weights / weights.sum())
    parts: list[tuple[Array, ...]] = []
    for index, (_, youngest, oldest, slots) in enumerate(COMPOSITIONS):
        which = np.flatnonzero(kind == index)
        head = rng.uniform(youngest, oldest + 1, len(which))
        head_male = rng.random(len(which)) < 0.85
        parts.append((which, np.zeros(len(which), int), np.full(len(which), "01"), head_male, head))
        for slot, (relation, sex, side, low, high) in enumerate(slots, start=1):
            gap = rng.uniform(low, high, len(which))
            below = np.maximum(head - gap, rng.uniform(0.2, 6, len(which)))
            age = {"near": head + gap, "below": below, "above": np.minimum(head + gap, 97)}[side]
            male = {
                "other": ~head_male,
                _MAN: np.ones(len(which), bool),
                _WOMAN: rng.random(len(which)) < 0.2,
                _EITHER: rng.random(len(which)) < 0.52,
            }[sex]
            parts.append(
                (which, np.full(len(which), slot), np.full(len(which), relation), male, age)
            )
        if index in (2, 4, 10):  # children still to come
            some = which[rng.random(len(which)) < 0.05]
            age = rng.uniform((REFERENCE - END).astype(int) / 365.2425, 0.2, len(some))
            kin = "05" if index == 10 else "03"
            parts.append(
                (
                    some,
                    np.full(len(some), len(slots) + 1),
                    np.full(len(some), kin),
                    rng.random(len(some)) < 0.52,
                    age,
                )
            )
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((columns[1], columns[0]))
    return dict(
        zip(
            ("household", "slot", "relation", "male", "age"),
            (column[order] for column in columns),
            strict=True,
        )
    )


def _died(rng: np.random.Generator, age: Array) -> Array:
    rate = np.select(
        [age < 1, age < 45, age < 60, age < 70, age < 80], [0.003, 0.0008, 0.003, 0.01, 0.03], 0.09
    )
    days = rng.exponential(365.2425 / rate)
    span = (END - START).astype(int)
    dies = (days < span) & (age > 3)
    return np.where(dies, START + days.clip(0, span).astype("timedelta64[D]"), np.datetime64("NaT"))


def _names(rng: np.random.Generator, household: Array, relation: Array, male: Array) -> Array:
    own = names.surnames(rng, len(household))
    _, first, back = np.unique(household, return_index=True, return_inverse=True)
    head_of = own[first][back]
    kin = np.isin(relation, ("01", "03", "05")) | ((relation == "04") & male)
    return names.dotted(rng, np.char.add(np.where(kin, head_of, own), names.given_names(rng, male)))


def _relatives(household: Array, numbered: Array) -> Array:
    """The next person of the same household, round to the first; -1 where that is nobody else or
    has no number yet.
    """
    position = np.arange(len(household))
    _, first, back, size = np.unique(
        household, return_index=True, return_inverse=True, return_counts=True
    )
    start, count = first[back], size[back]
    following = start + (position - start + 1) % count
    return np.where((following != position) & np.isnat(numbered[following]), following, -1)


def draw_people(seed: int, households: int, rates: ErrorRates) -> People:
    """Everybody in `households` households (the planted ones apart), and a twentieth as many
    strangers.
    """
    rng = np.random.default_rng([seed, 1])
    drawn = _compose(rng, households - PLANTED)
    registered = len(drawn["household"])
    strangers = max(50, registered // 20)
    household = np.append(drawn["household"] + PLANTED + 1, np.zeros(strangers, int))
    slot = np.append(drawn["slot"], np.zeros(strangers, int))
    relation = np.append(drawn["relation"], np.full(strangers, "01"))
    male = np.append(drawn["male"], rng.random(strangers) < 0.5)
    age = np.append(drawn["age"], rng.uniform(1, 90, strangers))
    birth = REFERENCE - (age * 365.2425).astype(int).astype("timedelta64[D]")
    name = _names(
        rng,
        np.where(household == 0, 10_000_000 + np.arange(len(household)), household),
        relation,
        male,
    )
    number = idnumber.make_numbers(
        idnumber.draw_regions(rng, birth, np.isin(relation, ("02", "06"))), birth, male
    )
    total = registered + strangers
    in_register = np.arange(total) < registered
    # a few people changed their number (the old one was given twice, or carried a wrong birth date)
    changes = in_register & (rng.random(total) < rates.register_changed_number) & (age > 20)
    other_birth = birth + np.where(changes, rng.integers(31, 700, total), 0).astype(
        "timedelta64[D]"
    )
    before = np.where(
        changes,
        idnumber.make_numbers(np.full(total, idnumber.FORMER_REGION), other_birth, male),
        number,
    )
    changed = np.where(
        changes,
        START + rng.integers(200, 1400, total).astype("timedelta64[D]"),
        np.datetime64("NaT"),
    )
    newborn = (
        in_register
        & (birth >= np.datetime64("2024-06-01"))
        & (rng.random(total) < rates.newborn_unnumbered)
    )
    later = birth + rng.integers(40, 500, total).astype("timedelta64[D]")
    numbered = np.where(newborn, later, changed)
    old_row = np.datetime64("2020-06-01", "s") + rng.integers(0, 1400 * 86400, total).astype(
        "timedelta64[s]"
    )
    told_on = (birth + rng.integers(20, 70, total).astype("timedelta64[D]")).astype("datetime64[s]")
    new_row = told_on + rng.integers(30000, 60000, total).astype("timedelta64[s]")
    return People(
        registered=registered,
        household=household,
        slot=slot,
        relation=relation,
        male=male,
        birth=birth,
        died=_died(rng, age),
        name=name,
        number=number,
        number_before=before,
        changed=changed,
        numbered=numbered,
        entered=np.where(
            new_row > np.datetime64("2022-01-01"), np.maximum(old_row, new_row), old_row
        ),
        relative=np.append(
            _relatives(drawn["household"], numbered[:registered]), np.full(strangers, -1)
        ),
    )
