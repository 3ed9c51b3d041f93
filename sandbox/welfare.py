"""What civil affairs (民政) and the disabled persons' federation (残联) know.

Belongs here: drawing certificates, assistance, temporary aid, subsidies, deaths. Not here: errors
(`delivery`).
"""

from __future__ import annotations

import numpy as np

from sandbox.draft import (
    SPAN_YEARS,
    Array,
    Draft,
    alive,
    at_work,
    days_between,
    heads,
    optional,
    with_strangers,
    written,
)
from sandbox.economy import TROUBLES, County, cents
from sandbox.people import END, PLANTED, START
from sandbox.rates import ErrorRates


def draw_certificates(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """Disability certificates, some reissued (22 characters) with the old one cancelled."""
    people = county.people
    age = people.age[: people.registered]
    share = np.select([age < 16, age < 45, age < 65], [0.008, 0.02, 0.05], 0.09)
    person = np.flatnonzero(
        (rng.random(people.registered) < share) & np.isnat(people.numbered[: people.registered])
    )
    issued = days_between(rng, "2012-01-01", "2028-06-01", len(person))
    keep = alive(people, person, issued)
    person, issued = person[keep], issued[keep]
    category = rng.choice(
        ["1", "2", "3", "4", "5", "6", "7"],
        len(person),
        p=[0.13, 0.15, 0.03, 0.45, 0.09, 0.1, 0.05],
    )
    level = rng.choice(["1", "2", "3", "4"], len(person), p=[0.1, 0.18, 0.34, 0.38])
    again = np.flatnonzero(rng.random(len(person)) < 0.1)
    issued_again = issued[again] + rng.integers(400, 2500, len(again)).astype("timedelta64[D]")
    dice = rng.random(len(person))
    status = np.select([dice < 0.95, dice < 0.98], ["1", "2"], "3")
    status[again] = "3"
    worse = np.char.mod(
        "%d", np.clip(level[again].astype(int) - (rng.random(len(again)) < 0.3), 1, 4)
    )
    suffix = np.char.add("B", rng.integers(1, 10, len(again)).astype("U1"))
    issued_on = np.append(issued, issued_again)
    return Draft(
        "certificates",
        with_strangers(rng, people, np.append(person, person[again]), rates.unregistered),
        written(rng, issued_on, 20),
        {
            "category": np.append(category, category[again]),
            "level": np.append(level, worse),
            "issued_on": issued_on,
            "expires_on": optional(issued_on + 3653, rng.random(len(issued_on)) < 0.7),
            "status": np.append(status, np.full(len(again), "1")),
            "suffix": np.append(np.full(len(person), ""), suffix),
        },
    )


def on_dibao(county: County) -> Array:
    """Whether each household (by ordinal − 1) is on dibao (低保) at some time; drawn
    once for all who ask.
    """
    rng = np.random.default_rng([county.count, 77])
    home = county.people.household[: county.people.registered] - 1
    size = np.maximum(1, np.bincount(home, minlength=county.count))
    money = county.household
    per_head = (
        (
            money["wage_income"]
            + money["transfer_income"]
            + money["business_income"]
            - money["business_expense"]
        )
        / size
        / 100
    )
    share = np.select(
        [per_head < 6500, per_head < 8800, per_head < 12000], [0.85, 0.3, 0.06], 0.008
    )
    share = np.where(county.trouble == TROUBLES.index("income"), np.maximum(share, 0.4), share)
    return (rng.random(county.count) < share) & (np.arange(county.count) >= PLANTED)


def draw_assistance(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """Dibao 低保, tekun 特困, edge 低保边缘, rigid 刚性支出困难; applied for by any member."""
    people = county.people
    home = people.household[: people.registered] - 1
    size = np.maximum(1, np.bincount(home, minlength=county.count))
    ordinal = np.arange(county.count)
    free = ordinal >= PLANTED
    dice = rng.random(county.count)
    dibao = ordinal[on_dibao(county)]
    tekun = ordinal[free & (dice < 0.008) & (size == 1)]
    edge = ordinal[free & (dice > 0.992)]
    rigid = ordinal[free & ((dice > 0.5) & (dice < 0.503) | (county.trouble == 1) & (dice < 0.3))]
    where = np.concatenate([dibao, tekun, edge, rigid])
    scheme = np.repeat(
        ["dibao", "tekun", "edge", "rigid"], [len(dibao), len(tekun), len(edge), len(rigid)]
    )
    chief = heads(people)[where + 1]
    other = people.relative[chief]
    person = np.where((rng.random(len(where)) < 0.25) & (other >= 0), other, chief)
    late = rng.random(len(where)) < 0.15
    started = np.where(
        late,
        days_between(rng, START, END, len(where)),
        days_between(rng, "2019-01-01", START, len(where)),
    )
    ended = started + rng.integers(250, 2500, len(where)).astype("timedelta64[D]")
    grade = rng.choice(["A", "B", "C"], len(where), p=[0.2, 0.4, 0.4])
    rate = np.select([grade == "A", grade == "B"], [460, 360], 270)
    return Draft(
        "assistance",
        with_strangers(rng, people, person, rates.unregistered),
        written(rng, started, 10),
        {
            "scheme": scheme,
            "class": np.where(scheme == "dibao", grade, ""),
            "insured_persons": size[where],
            "monthly_amount": cents(
                np.select([scheme == "dibao", scheme == "tekun"], [rate * size[where], 810], 0)
            ),
            "started_on": started,
            "ended_on": ended,
        },
        closed=np.where(rng.random(len(where)) < 0.12, at_work(rng, ended), np.datetime64("NaT")),
    )


def draw_temporary_aid(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """One-off aid 临时救助."""
    people = county.people
    chief = heads(people)[PLANTED + 1 :]
    count = int(len(chief) * 0.015 * SPAN_YEARS) + 3
    paid = days_between(rng, START, END, count)
    kinds = np.array(["illness", "disaster", "accident", "education", "other"])
    return Draft(
        "temporary_aid",
        with_strangers(rng, people, chief[rng.integers(0, len(chief), count)], rates.unregistered),
        written(rng, paid, 5),
        {
            "aid_type": kinds[rng.integers(0, 5, count)],
            "amount": cents(rng.integers(5, 60, count) * 100),
            "paid_on": paid,
        },
    )


def draw_disability_subsidies(
    rng: np.random.Generator, county: County, rates: ErrorRates, certificates: Draft
) -> Draft:
    """Monthly payments to holders of a valid certificate: nursing for levels 1 and 2, living for
    those on dibao.
    """
    people = county.people
    holds = (certificates.columns["status"] == "1") & (certificates.person < people.registered)
    holder = certificates.person[holds]
    severe = np.isin(certificates.columns["level"][holds], ("1", "2"))
    poor = on_dibao(county)[people.household[holder] - 1]
    person = np.append(holder[severe], holder[poor])
    kind = np.repeat(["nursing", "living"], [int(severe.sum()), int(poor.sum())])
    paid = rng.random(len(person)) < 0.95
    person, kind = person[paid], kind[paid]
    if not len(person):
        # of a few households nobody may be entitled: one is paid all the same
        chief = heads(people)[PLANTED + 1 :]
        person, kind = chief[chief >= 0][:1], np.array(["living"])
    months = np.arange(np.datetime64("2024-12"), np.datetime64("2029-01"))
    month = np.repeat(months, len(person))
    who, what = np.tile(person, len(months)), np.tile(kind, len(months))
    paid_on = month.astype("datetime64[D]") + np.repeat(
        rng.integers(4, 9, len(months)), len(person)
    ).astype("timedelta64[D]")
    keep = alive(people, who, paid_on)
    who, what, month, paid_on = who[keep], what[keep], month[keep], paid_on[keep]
    amount = np.where(what == "nursing", 8000, 6000) * np.where(rng.random(len(who)) < 0.002, -1, 1)
    return Draft(
        "disability_subsidies",
        with_strangers(rng, people, who, rates.unregistered / 4),
        written(rng, paid_on, 2),
        {"subsidy": what, "month": np.char.replace(month.astype("U7"), "-", ""), "amount": amount},
    )


def draw_deaths(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """Deaths as registered; some households tell late."""
    people = county.people
    person = np.flatnonzero(
        ~np.isnat(people.died)
        & (np.arange(len(people.died)) < people.registered)
        & (rng.random(len(people.died)) < 0.97)
    )
    died = people.died[person]
    return Draft(
        "deaths",
        with_strangers(rng, people, person, rates.unregistered * 4),
        written(rng, died, 30),
        {"died_on": died},
    )
