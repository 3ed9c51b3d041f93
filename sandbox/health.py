"""What health insurance (医保) and the health commission (卫健) know: enrolments, settlements,
illnesses, follow-ups.

Belongs here: drawing those four. Not here: who gets which error (`delivery`).
"""

from __future__ import annotations

import numpy as np

from sandbox.draft import (
    SPAN_DAYS,
    SPAN_YEARS,
    Array,
    Draft,
    alive,
    at_work,
    days_between,
    heads,
    with_strangers,
    written,
)
from sandbox.economy import TROUBLES, County
from sandbox.people import END, START
from sandbox.rates import ErrorRates

YEARS = (2025, 2026, 2027, 2028)
_TYPES = ("11", "13", "14", "21", "41", "52")
_MEDIAN = np.array([180, 400, 350, 5200, 120, 5500])
_SPREAD = np.array([0.7, 0.8, 0.6, 0.8, 0.6, 0.2])
_FUND = np.array([0.45, 0.5, 0.65, 0.68, 0.3, 0.7])


def draw_enrolments(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """One row a person and year, paid in the first months; a few never enrol."""
    people, parts = county.people, []
    everybody = np.arange(people.registered)
    for year in YEARS:
        opening = np.datetime64(f"{year}-01-01")
        paid = np.maximum(
            days_between(rng, opening, opening + 78, len(everybody)), people.birth[everybody] + 25
        )
        there = (
            (paid < np.datetime64(f"{year + 1}-01-01"))
            & ~(people.died[everybody] < opening)
            & (rng.random(len(everybody)) > 0.008)
        )
        who = everybody[there]
        parts.append((who, np.full(len(who), year), paid[there]))
    person, year_of, paid_on = (np.concatenate(part) for part in zip(*parts, strict=True))
    employed = np.where(
        rng.random(people.registered) < 0.05,
        np.isin(county.member["labour_class"], ("1", "2")),
        False,
    )
    dice = rng.random(len(person))
    return Draft(
        "enrolments",
        with_strangers(rng, people, person, rates.unregistered),
        written(rng, paid_on, 2),
        {
            "year": year_of,
            "insurance_type": np.where(employed[person], "310", "390"),
            "status": np.select([dice < 0.988, dice < 0.996], ["1", "2"], "4"),
            "paid_on": paid_on,
        },
    )


def _bill(rng: np.random.Generator, kind: Array, total: Array) -> dict[str, Array]:
    """Amounts in cents that add up: total = three self-pays + in scope = fund + personal +
    hospital.
    """
    n = len(total)
    full, over, prior = (
        (total * rng.uniform(low, high, n)).astype(np.int64)
        for low, high in ((0.0, 0.09), (0.0, 0.03), (0.0, 0.06))
    )
    in_scope = total - full - over - prior
    fund = (in_scope * np.clip(_FUND[kind] + rng.normal(0, 0.06, n), 0.1, 0.92)).astype(np.int64)
    hospital = np.where(
        rng.random(n) < 0.08, ((total - fund) * rng.uniform(0, 0.05, n)).astype(np.int64), 0
    )
    large = in_scope - fund > 1_200_000
    critical = np.where(large, (fund * 0.15).astype(np.int64), 0)
    aid = np.where(large & (rng.random(n) < 0.3), (fund * 0.06).astype(np.int64), 0)
    return {
        "total_fee": total,
        "full_self_pay": full,
        "over_limit_self_pay": over,
        "prior_self_pay": prior,
        "in_scope": in_scope,
        "fund_paid": fund,
        "pooled_paid": fund - critical - aid,
        "critical_illness_paid": critical,
        "medical_aid_paid": aid,
        "personal_paid": total - fund - hospital,
        "hospital_borne": hospital,
    }


def victims(county: County, trouble: str) -> Array:
    """The heads of the households in one kind of trouble."""
    chief = heads(county.people)
    found = chief[np.flatnonzero(county.trouble == TROUBLES.index(trouble)) + 1]
    return found[found >= 0]


def draw_settlements(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """About 0.4 a person and year; large bills for the ill; some undone by a reversal that negates
    them.
    """
    people = county.people
    age = people.age[: people.registered]
    weight = np.cumsum(
        np.select([age < 6, age < 20, age < 50, age < 65], [1.2, 0.6, 0.8, 1.4], 2.6)
    )
    usual = np.searchsorted(
        weight, rng.random(int(people.registered * 0.4 * SPAN_YEARS)) * weight[-1]
    )
    day = days_between(rng, START, END, len(usual))
    kind = rng.choice(len(_TYPES), len(usual), p=[0.56, 0.03, 0.12, 0.18, 0.1, 0.01])
    fertile = ~people.male[usual] & (age[usual] >= 20) & (age[usual] < 42)
    kind = np.where((kind == 5) & ~fertile, 0, kind)
    total = np.rint(_MEDIAN[kind] * rng.lognormal(0, 1, len(usual)) ** _SPREAD[kind] * 100).astype(
        np.int64
    )
    ill = victims(county, "illness")
    rounds = [START - 200 + 300 * turn for turn in range((SPAN_DAYS + 200) // 300 + 1)]
    shock = np.tile(ill, len(rounds))
    shock_day = np.repeat(np.array(rounds), len(ill)) + rng.integers(0, 60, len(shock)).astype(
        "timedelta64[D]"
    )
    person = np.append(usual, shock)
    day = np.append(day, shock_day)
    kind = np.append(kind, np.full(len(shock), 3))
    total = np.append(total, np.rint(rng.lognormal(11.5, 0.3, len(shock)) * 100).astype(np.int64))
    keep = alive(people, person, day)
    person, day, kind, total = (array[keep] for array in (person, day, kind, total))
    person = with_strangers(rng, people, person, rates.unregistered)
    bill = _bill(rng, kind, total)
    settled = at_work(rng, day)
    born = settled + rng.integers(0, 3 * 86400, len(settled)).astype("timedelta64[s]")
    back = np.flatnonzero((rng.random(len(person)) < 0.012) & (day < END - 60))
    back_day = day[back] + rng.integers(1, 40, len(back)).astype("timedelta64[D]")
    back_at = at_work(rng, back_day)
    columns = {name: np.append(cents, -cents[back]) for name, cents in bill.items()}
    columns |= {
        "settled_at": np.append(settled, back_at),
        "medical_type": np.array(_TYPES)[np.append(kind, kind[back])],
        "reverses": np.append(np.full(len(person), -1), back),
    }
    return Draft(
        "settlements",
        np.append(person, person[back]),
        np.append(
            born,
            np.maximum(born[back], back_at)
            + rng.integers(60, 86400, len(back)).astype("timedelta64[s]"),
        ),
        columns,
        source=np.append(np.arange(len(person)), back),
    )


def draw_serious_illnesses(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """Cases of serious illness, mostly under treatment."""
    people = county.people
    usual = rng.choice(people.registered, max(3, people.registered // 160), replace=False)
    person = np.append(victims(county, "illness"), usual)
    day = np.append(
        days_between(rng, "2023-01-01", "2025-12-01", len(person) - len(usual)),
        days_between(rng, "2022-01-01", END, len(usual)),
    )
    keep = alive(people, person, day)
    person, day = person[keep], day[keep]
    codes = np.array(["C34", "C16", "C22", "C50", "N18", "I63", "I21", "D61", "G20", "E10"])
    ends = at_work(rng, day + rng.integers(200, 1500, len(day)).astype("timedelta64[D]"))
    return Draft(
        "serious_illnesses",
        with_strangers(rng, people, person, rates.unregistered),
        written(rng, day, 12),
        {"disease_code": codes[rng.integers(0, len(codes), len(person))], "diagnosed_on": day},
        closed=np.where(rng.random(len(person)) < 0.5, ends, np.datetime64("NaT")),
    )


def draw_chronic_followups(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """One row a patient and disease; a few unsigned, lapsed or never followed up (`habit` 1 and
    2).
    """
    people = county.people
    age = people.age[: people.registered]
    parts = []
    for disease, share in (
        ("hypertension", np.where(age >= 50, 0.24, np.where(age >= 35, 0.03, 0))),
        ("diabetes_2", np.where(age >= 45, 0.08, 0)),
        ("tuberculosis", np.where(age >= 15, 0.001, 0)),
        ("severe_mental", np.where(age >= 18, 0.004, 0)),
    ):
        who = np.flatnonzero(rng.random(people.registered) < share)
        parts.append((who, np.full(len(who), disease)))
    person, disease_of = (np.concatenate(part) for part in zip(*parts, strict=True))
    since = days_between(rng, "2021-01-01", "2027-06-01", len(person))
    dice = rng.random(len(person))
    return Draft(
        "chronic_followups",
        with_strangers(rng, people, person, rates.unregistered),
        written(rng, since, 9),
        {
            "disease": disease_of,
            "signed": rng.random(len(person)) < 0.96,
            "last_followup_on": since,
            "habit": np.select([dice < 0.95, dice < 0.985], [0, 1], 2),
        },
    )
