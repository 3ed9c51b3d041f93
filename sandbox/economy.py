"""What the base register says of households and members: work, school, income, land, and who is in
trouble.

Belongs here: the attributes of `households` and `members`, and the troubles that other departments'
records then show. Not here: those records (`health`, `welfare`, `hardship`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sandbox import places
from sandbox.people import PLANTED, People

Array = npt.NDArray[Any]
LINE = 8800.0
TROUBLED_SHARE = 0.02
TROUBLES = ("none", "illness", "income", "disaster", "house", "job")


@dataclass(frozen=True)
class County:
    """People and their households.

    Household arrays are indexed by ordinal − 1; the planted four are left empty.
    """

    people: People
    count: int
    area: Array
    trouble: Array
    """Index into TROUBLES."""
    household: dict[str, Array]
    member: dict[str, Array]


def cents(amounts: Array) -> Array:
    """Yuan to whole cents."""
    return np.rint(np.asarray(amounts, dtype=float) * 100).astype(np.int64)


def _members(rng: np.random.Generator, people: People, trouble: Array) -> dict[str, Array]:
    n = people.registered
    age = people.age[:n]
    unhappy = trouble[people.household[:n] - 1]
    dice = rng.random(n)
    adult = np.select(
        [dice < 0.74, dice < 0.86, dice < 0.94, dice < 0.98], ["1", "2", "3", "4"], "5"
    )
    older = np.select([dice < 0.35, dice < 0.80, dice < 0.90], ["1", "3", "4"], "5")
    oldest = np.select([dice < 0.15, dice < 0.55], ["3", "4"], "5")
    school = rng.random(n)
    student = np.select(
        [
            (age >= 3) & (age < 6) & (school < 0.9),
            (age >= 6) & (age < 15),
            (age >= 15) & (age < 18) & (school < 0.9),
            (age >= 18) & (age < 22) & (school < 0.4),
        ],
        ["1", "2", "3", "4"],
        "0",
    )
    studies = np.isin(student, ("2", "3", "4"))
    labour = np.select([(age < 16) | studies, age < 60, age < 70], ["5", adult, older], oldest)
    labour = np.where(
        (unhappy == TROUBLES.index("illness"))
        & (people.relation[:n] == "01")
        & np.isin(labour, ("1", "2")),
        "4",
        labour,
    )
    able = np.isin(labour, ("1", "2")) | ((labour == "3") & (rng.random(n) < 0.25))
    works = able & (rng.random(n) < np.where(age < 60, 0.8, 0.3))
    before = np.where(works, rng.random(n) < 0.93, able & (rng.random(n) < 0.06))
    fired = (unhappy == TROUBLES.index("job")) | (
        (unhappy == TROUBLES.index("income")) & (rng.random(n) < 0.6)
    )
    before = before | (works & fired)
    works = works & ~fired
    months = np.where(
        works,
        rng.choice(
            [3, 5, 6, 8, 9, 10, 11, 12], n, p=[0.05, 0.08, 0.1, 0.15, 0.2, 0.22, 0.15, 0.05]
        ),
        np.where(before, rng.integers(0, 4, n), 0),
    )
    away = works & (rng.random(n) < 0.4)
    pay = np.select(
        [student == "2", student == "3", student == "4"],
        [rng.integers(0, 900, n), rng.lognormal(8.1, 0.4, n), rng.lognormal(8.8, 0.3, n)],
        0.0,
    )
    return {
        "relation": people.relation[:n],
        "resident_months": np.where(
            away, rng.integers(0, 6, n), np.where(rng.random(n) < 0.95, 12, rng.integers(0, 12, n))
        ),
        "student_status": student,
        "dropout": (student == "2") & (rng.random(n) < 0.0003),
        "labour_class": labour,
        "work_months": months,
        "working_now": works,
        "worked_before": before,
        "public_post": np.isin(labour, ("1", "3")) & (rng.random(n) < 0.02),
        "pension": (age >= 60) & (rng.random(n) < 0.96),
        "education_self_pay": cents(np.round(pay, 0)),
    }


def _households(
    rng: np.random.Generator, people: People, member: dict[str, Array], count: int, trouble: Array
) -> dict[str, Array]:
    home = people.household[: people.registered] - 1
    present = people.birth[: people.registered] < np.datetime64("2026-11-01")
    size = np.maximum(1, np.bincount(home[present], minlength=count))
    workers = np.bincount(home, weights=member["working_now"], minlength=count)
    pensioners = np.bincount(home, weights=member["pension"], minlength=count)
    poor = np.select(
        [trouble == 2, trouble == 1, trouble == 5, trouble == 3], [0.42, 0.75, 0.6, 0.75], 1.0
    )
    per_head = rng.lognormal(np.log(17200), 0.33, count) * np.where(workers > 0, 1.0, 0.78) * poor
    net = per_head * size
    pension = pensioners * 1900.0
    wage_share = np.where(workers > 0, rng.beta(6, 3, count), 0.0)
    transfer = pension + np.where(rng.random(count) < 0.6, rng.uniform(200, 2500, count), 0)
    transfer = np.minimum(transfer, net * 0.95)
    wage = np.round((net - transfer) * wage_share)
    rented = np.where(rng.random(count) < 0.12, rng.uniform(0, 0.08, count) * net, 0.0)
    rented = np.minimum(rented, net - transfer - wage)
    business_net = net - transfer - wage - rented
    farms = (workers == 0) | (rng.random(count) < 0.85)
    # who neither farms nor works lives on what relatives send
    sent = np.where(farms & (rng.random(count) < 0.93), 0.0, business_net)
    business_net = business_net - sent
    expense = business_net * rng.uniform(0.2, 0.8, count)
    failed = (rng.random(count) < 0.012) & (business_net > 0)
    growth = np.where(
        trouble == 2,
        rng.uniform(0.35, 0.7, count),
        np.where(trouble > 0, rng.uniform(0.7, 1.05, count), rng.lognormal(0.06, 0.09, count)),
    )
    kind = np.select([rng.random(count) < 0.75, rng.random(count) < 0.8], ["1", "2"], "3")
    watched = rng.random(count) < np.where(trouble > 0, 0.3, 0.022)
    if not watched[PLANTED:].any():
        watched[-1] = True  # a county of a few households watches one, too
    return {
        "household_type": kind,
        "monitor_class": np.where(
            watched, np.where(trouble > 0, "3", np.where(kind == "2", "1", "2")), "0"
        ),
        "monitor_cleared": watched & (rng.random(count) < np.where(trouble > 0, 0.1, 0.7)),
        "relocated": (kind == "2") & (rng.random(count) < 0.2),
        "farmland_mu": cents(np.where(farms, rng.lognormal(1.2, 0.5, count), 0)),
        "forest_mu": cents(np.where(rng.random(count) < 0.7, rng.lognormal(1.9, 0.7, count), 0)),
        "water_safe": rng.random(count) >= 0.0004,
        "wage_income": cents(wage),
        "business_income": cents(np.where(failed, expense * 0.7, business_net + expense)),
        "business_expense": cents(expense),
        "property_income": cents(rented),
        "transfer_income": cents(transfer + sent),
        "claims_income": cents(
            np.where((trouble == 1) & (rng.random(count) < 0.3), rng.uniform(2000, 26000, count), 0)
        ),
        "previous_net_income": cents(net / growth),
        "previous_business_net": cents(business_net * rng.lognormal(0, 0.15, count)),
        "microcredit": np.select(
            [rng.random(count) < 0.1, rng.random(count) < 0.005], ["1", "2"], "0"
        ),
        "cooperative_link": rng.random(count) < 0.22,
        "measures_count": np.where((kind == "2") | watched, rng.integers(0, 4, count), 0),
    }


def draw_county(seed: int, people: People, count: int) -> County:
    """Register attributes of `count` households."""
    rng = np.random.default_rng([seed, 2])
    troubled = rng.random(count) < TROUBLED_SHARE
    trouble = np.where(
        troubled, rng.choice([1, 2, 3, 4, 5], count, p=[0.32, 0.22, 0.16, 0.14, 0.16]), 0
    )
    trouble[:PLANTED] = 0
    member = _members(rng, people, trouble)
    household = _households(rng, people, member, count, trouble)
    return County(people, count, places.draw_villages(rng, count), trouble, household, member)
