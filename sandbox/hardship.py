"""Houses, disasters, reports and monitoring: 住建, 应急管理, 线上三报, 监测对象管理.

Belongs here: drawing dwellings, retrofits, losses, casualties, relief, reports and cases. Not here:
errors (`delivery`).
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
    optional,
    with_strangers,
    written,
)
from sandbox.economy import TROUBLES, County, cents
from sandbox.people import END, PLANTED, START
from sandbox.rates import ErrorRates

HAZARDS = ("flood", "drought", "hail", "cold", "snow", "geological", "fire", "biological", "other")
DIFFICULTIES = (
    "illness",
    "schooling",
    "disability",
    "disaster",
    "accident",
    "business",
    "job",
    "labour",
    "housing",
    "water",
    "other",
)
STAGES = (
    "discovered_on",
    "verified_on",
    "compared_on",
    "reviewed_on",
    "approved_on",
    "recorded_on",
    "assisted_on",
    "cleared_on",
)


def draw_dwellings(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """One lived-in dwelling for nearly every household, empty second ones for a few."""
    people = county.people
    chief = heads(people)
    first = np.flatnonzero((chief[1:] >= 0) & (rng.random(county.count) < 0.95))
    second = np.flatnonzero((chief[1:] >= 0) & (rng.random(county.count) < 0.03))
    where = np.append(first, second)
    lived_in = np.arange(len(where)) < len(first)
    owner = chief[where + 1]
    other = people.relative[owner]
    owner = np.where((rng.random(len(where)) < 0.12) & (other >= 0), other, owner)
    bad = (county.trouble[where] == TROUBLES.index("house")) & lived_in
    dice = rng.random(len(where))
    usual = np.select([dice < 0.55, dice < 0.9955, dice < 0.9985], ["A", "B", "C"], "D")
    grade = np.where(bad, np.where(dice < 0.6, "C", "D"), usual)
    left = np.isin(grade, ("C", "D")) & ~bad & (rng.random(len(where)) < 0.9)
    appraised = days_between(rng, "2021-10-01", "2026-09-20", len(where))
    structures = np.array(["砖混", "砖木", "土木", "框架"])
    return Draft(
        "dwellings",
        with_strangers(rng, people, owner, rates.unregistered),
        written(rng, appraised, 20),
        {
            "structure": structures[rng.choice(4, len(where), p=[0.62, 0.18, 0.12, 0.08])],
            "grade": grade,
            "appraised_on": appraised,
            "occupied": lived_in & ~left,
        },
    )


def draw_retrofits(
    rng: np.random.Generator, county: County, rates: ErrorRates, dwellings: Draft
) -> Draft:
    """Rebuilding of dangerous houses 危房改造: some done, some overdue."""
    grade = dwellings.columns["grade"]
    dangerous = np.isin(grade, ("C", "D"))
    which = np.flatnonzero(
        np.where(dangerous, rng.random(len(grade)) < 0.6, rng.random(len(grade)) < 0.025)
    )
    appraised = dwellings.columns["appraised_on"][which]
    approved = np.where(
        dangerous[which],
        appraised + rng.integers(10, 200, len(which)),
        appraised - rng.integers(200, 900, len(which)),
    )
    started = approved + rng.integers(5, 90, len(which)).astype("timedelta64[D]")
    finished = started + rng.integers(40, 400, len(which)).astype("timedelta64[D]")
    never = dangerous[which] & (rng.random(len(which)) < 0.3)
    ends = np.where(never, np.datetime64("NaT"), at_work(rng, finished + 1))
    return Draft(
        "retrofits",
        dwellings.person[which],
        written(rng, approved, 15),
        {
            "dwelling": np.where(rng.random(len(which)) < 0.01, -1, which),
            "approved_on": approved,
            "started_on": optional(started, rng.random(len(which)) < 0.97),
            "finished_on": finished,
            "subsidy_amount": cents(rng.choice([8000, 12000, 20000, 25000, 35000], len(which))),
        },
        closed=ends,
    )


def draw_losses(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """Disaster losses by household, in ten thousand yuan; most damage is put right in time."""
    people = county.people
    chief = heads(people)
    drawn = chief[PLANTED + 1 :]
    count = int(len(drawn) * 0.014 * SPAN_YEARS) + 3
    events = days_between(rng, START, END, 80)
    event = rng.integers(0, len(events), count)
    hit = chief[np.flatnonzero(county.trouble == TROUBLES.index("disaster")) + 1]
    rounds = [START - 100 + 300 * turn for turn in range((SPAN_DAYS + 100) // 300 + 1)]
    again = np.tile(hit, len(rounds))
    person = np.append(drawn[rng.integers(0, len(drawn), count)], again)
    day = np.append(
        events[event] + rng.integers(0, 3, count),
        np.repeat(np.array(rounds), len(hit)) + rng.integers(0, 60, len(again)),
    )
    hard = np.arange(len(person)) >= count
    damage = np.where(
        hard,
        rng.choice(["1", "2", "3"], len(person), p=[0.5, 0.35, 0.15]),
        rng.choice(["0", "1", "2", "3"], len(person), p=[0.86, 0.125, 0.012, 0.003]),
    )
    amount = np.where(
        hard, rng.lognormal(0.7, 0.4, len(person)), rng.lognormal(-1.4, 0.7, len(person))
    )
    hazard = np.array(HAZARDS)[
        np.append(
            rng.integers(0, len(HAZARDS), len(events))[event],
            rng.integers(0, len(HAZARDS), len(again)),
        )
    ]
    resolved = day + np.where(hard, 300, rng.integers(15, 200, len(person))).astype(
        "timedelta64[D]"
    )
    return Draft(
        "losses",
        with_strangers(rng, people, person, rates.unregistered),
        written(rng, day, 6),
        {
            "event_id": np.char.add("EV", day.astype("U10")),
            "hazard": hazard,
            "house_damage": damage,
            "loss_amount": cents(np.maximum(amount, 0.01)),
            "occurred_on": day,
            "resolved_on": resolved,
        },
        closed=np.where(
            rng.random(len(person)) < 0.93,
            at_work(rng, np.maximum(resolved, day + 8)),
            np.datetime64("NaT"),
        ),
    )


def draw_casualties(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """Deaths, missing and seriously injured by accident or disaster."""
    people = county.people
    count = int(people.registered * 0.0003 * SPAN_YEARS) + 2
    person = rng.integers(0, people.registered, count)
    day = days_between(rng, START, END, count)
    keep = alive(people, person, day)
    person, day = person[keep], day[keep]
    event = np.where(rng.random(len(day)) < 0.6, np.char.add("EV", day.astype("U10")), "")
    outcome = rng.choice(["death", "missing", "serious_injury"], len(day), p=[0.2, 0.05, 0.75])
    return Draft(
        "casualties",
        with_strangers(rng, people, person, rates.unregistered),
        written(rng, day, 4),
        {"event_id": event, "outcome": outcome, "occurred_on": day},
    )


def draw_relief(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """Winter and spring relief 冬春救助, listed by season."""
    people = county.people
    chief = heads(people)[PLANTED + 1 :]
    parts = []
    for year in (2024, 2025, 2026, 2027, 2028):
        who = chief[rng.random(len(chief)) < 0.009]
        opening = np.datetime64(f"{year}-11-05")
        parts.append(
            (
                who,
                days_between(rng, opening, opening + 50, len(who)),
                np.full(len(who), f"{year}-winter-spring"),
            )
        )
    person, listed, season = (np.concatenate(part) for part in zip(*parts, strict=True))
    ended = listed + rng.integers(100, 170, len(listed)).astype("timedelta64[D]")
    return Draft(
        "relief",
        with_strangers(rng, people, person, rates.unregistered),
        written(rng, listed, 4),
        {"season": season, "listed_on": listed, "ended_on": ended},
        closed=at_work(rng, ended),
    )


def draw_reports(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """What citizens report themselves (线上三报); closed after a while, a few left lying."""
    people = county.people
    n = people.registered
    adult = np.flatnonzero((people.age[:n] >= 18) & (people.age[:n] < 85))
    count = int(len(adult) * 0.006 * SPAN_YEARS) + 3
    person = adult[rng.integers(0, len(adult), count)]
    day = days_between(rng, START, END, count)
    keep = alive(people, person, day)
    person, reported = person[keep], at_work(rng, day[keep])
    took = np.where(
        rng.random(len(person)) < 0.9,
        rng.integers(3600, 14 * 86400, len(person)),
        rng.integers(15 * 86400, 60 * 86400, len(person)),
    )
    closed = reported + took.astype("timedelta64[s]")
    return Draft(
        "reports",
        with_strangers(rng, people, person, rates.unregistered),
        reported + rng.integers(0, 600, len(person)).astype("timedelta64[s]"),
        {
            "channel": rng.choice(["video", "form", "hotline"], len(person), p=[0.1, 0.5, 0.4]),
            "reported_at": reported,
            "difficulty": np.array(DIFFICULTIES)[rng.integers(0, len(DIFFICULTIES), len(person))],
            "closed_at": closed,
        },
        closed=np.where(
            rng.random(len(person)) < 0.985, closed + np.timedelta64(700, "s"), np.datetime64("NaT")
        ),
    )


def _risks(rng: np.random.Generator, count: int) -> Array:
    names = np.array(DIFFICULTIES)
    first = names[rng.integers(0, 5, count)]
    second = np.char.add(",", names[rng.integers(5, len(names), count)])
    return np.char.add(first, np.where(rng.random(count) < 0.4, second, ""))


def draw_cases(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """Monitored households (监测对象) on their way through the eight stages; `ordinal` is the
    household's.
    """
    watched = np.flatnonzero(
        (county.household["monitor_class"] != "0") & (np.arange(county.count) >= PLANTED)
    )
    cleared = county.household["monitor_cleared"][watched]
    day = np.where(
        cleared,
        days_between(rng, "2021-03-01", "2025-06-01", len(watched)),
        days_between(rng, "2024-06-01", "2027-06-01", len(watched)),
    )
    gaps = rng.integers([1, 2, 2, 2, 1, 5, 90], [5, 8, 6, 6, 6, 60, 500], (len(watched), 7))
    dates = day[:, None] + np.concatenate(
        [np.zeros((len(watched), 1), int), np.cumsum(gaps, axis=1)], axis=1
    ).astype("timedelta64[D]")
    columns = {name: dates[:, index] for index, name in enumerate(STAGES)}
    columns["cleared_on"] = optional(columns["cleared_on"], cleared)
    columns |= {
        "ordinal": watched + 1,
        "monitor_class": county.household["monitor_class"][watched],
        "risk_types": _risks(rng, len(watched)),
    }
    return Draft("cases", np.full(len(watched), -1), written(rng, day, 2), columns)
