"""Who helps, with what, and what reached whom (帮扶): responsibility, visits, measures, loans,
assets and dividends, payments, student aid, jobs, disputes; all optional record types.

Belongs here: drawing them so that they agree with the register and with what other offices pay.
Not here: errors (`delivery`), what is made to disagree on purpose.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sandbox import names
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
from sandbox.economy import County, cents
from sandbox.people import END, PLANTED, START
from sandbox.rates import ErrorRates

HOUSEHOLDS_OF_A_HELPER, HOUSEHOLDS_OF_A_GRID = 9, 60
KINDS = (
    *("industry", "employment", "finance", "skills", "public_post", "education", "health"),
    *("housing", "water", "protection", "society"),
)
FOUND = ("other", "illness", "other", "disaster", "housing", "job")
"""What a visit finds, by the household's trouble."""
FIRST_MONTH, LAST_MONTH = np.datetime64("2025-09"), np.datetime64("2028-03")
"""Payments are told from month to month."""


def _lifted(county: County) -> Array:
    kind = county.household["household_type"]
    return np.isin(kind, ("2", "3")) & (np.arange(county.count) >= PLANTED)


def _monitored(county: County) -> Array:
    money = county.household
    is_monitored = (money["monitor_class"] != "0") & ~money["monitor_cleared"]
    return is_monitored & (np.arange(county.count) >= PLANTED)


def _officer(county: County, which: Array, size: int, series: int) -> Array:
    """The staff number of who has a household: officers of one town, `size` households each."""
    _, town = np.unique(county.area.astype("U9"), return_inverse=True)
    number = series * 100_000 + town[which] * 2_000 + which // (size * 10)
    return np.char.add("G", np.char.mod("%06d", number))


def _names(officers: Array) -> Array:
    """A name for each staff number, which nobody in the register has."""
    known, back = np.unique(officers, return_inverse=True)
    drawn = names.surnames(np.random.default_rng(610921), len(known))
    return np.char.add(drawn, "干部")[back]


def draw_assignments(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """Who is responsible (帮联责任): a helper for nearly every lifted or monitored household, a
    grid officer, a team and a leader for those who are monitored; some were followed by others.
    """
    ordinal = np.arange(county.count)
    helped = ordinal[(_lifted(county) | _monitored(county)) & (rng.random(county.count) < 0.97)]
    watched = ordinal[_monitored(county)]
    gridded = np.union1d(watched, ordinal[(rng.random(county.count) < 0.3) & (ordinal >= PLANTED)])
    duties = (
        ("helper", helped, HOUSEHOLDS_OF_A_HELPER, 1),
        ("grid", gridded, HOUSEHOLDS_OF_A_GRID, 2),
        ("team", watched, 200, 3),
        ("leader", watched[rng.random(len(watched)) < 0.5], 300, 4),
        ("centre", helped[rng.random(len(helped)) < 0.1], 20, 5),
    )
    which = np.concatenate([where for _, where, *_ in duties])
    duty = np.repeat([name for name, *_ in duties], [len(where) for _, where, *_ in duties])
    officer = np.concatenate(
        [_officer(county, where, size, series) for _, where, size, series in duties]
    )
    started = days_between(rng, "2022-01-01", START, len(which))
    followed = np.flatnonzero(rng.random(len(which)) < 0.05)
    ended = optional(days_between(rng, START, END, len(which)), np.isin(
        np.arange(len(which)), followed
    ))  # fmt: skip
    other = np.char.add("G9", np.char.mod("%05d", rng.integers(0, 500, len(followed))))
    begun = np.append(started, ended[followed] + 1)
    officers = np.append(officer, other)
    over = np.append(ended, np.full(len(followed), np.datetime64("NaT")))
    return Draft(
        "assignments",
        np.full(len(begun), -1),
        written(rng, begun, 10),
        {
            "ordinal": np.append(which, which[followed]) + 1,
            "officer_id": officers,
            "officer_name": _names(officers),
            "duty": np.append(duty, duty[followed]),
            "unit": np.full(len(begun), "县直单位"),
            "started_on": begun,
            "ended_on": over,
        },
        closed=at_work(rng, over),
    )


def draw_visits(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """Visits (走访排查): the monitored every week or two, the lifted every other month, others
    seldom; a visit finds something where a household is in trouble, and now and then elsewhere.
    """
    years = 2.6
    often = np.select([_monitored(county), _lifted(county)], [30.0, 5.0], 0.4)
    often[:PLANTED] = 0
    which = np.repeat(np.arange(county.count), rng.poisson(often * years))
    visited = days_between(rng, "2025-09-01", "2028-04-01", len(which))
    kind = rng.choice(
        ["routine", "screening", "campaign", "phone", "check"],
        len(which),
        p=[0.5, 0.25, 0.15, 0.07, 0.03],
    )
    trouble = county.trouble[which]
    sees = rng.random(len(which)) < np.where(trouble > 0, 0.7, 0.03)
    return Draft(
        "visits",
        np.full(len(which), -1),
        written(rng, visited, 2),
        {
            "ordinal": which + 1,
            "officer_id": _officer(county, which, HOUSEHOLDS_OF_A_HELPER, 1),
            "visited_on": visited,
            "kind": kind,
            "found": np.where(sees, np.array(FOUND)[trouble], "none"),
        },
    )


def draw_measures(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """Measures (帮扶措施): as many in force as the register counts, and others."""
    counted = county.household["measures_count"].astype(int)
    counted[:PLANTED] = 0
    ordinal = np.arange(county.count)
    standing = np.repeat(ordinal, counted)
    others = rng.choice(ordinal[PLANTED:], max(4, county.count // 20))
    which = np.append(standing, others)
    is_over = np.arange(len(which)) >= len(standing)
    status = np.where(
        is_over, rng.choice(["done", "dropped", "planned"], len(which), p=[0.6, 0.1, 0.3]),
        "in_force",
    )  # fmt: skip
    started = days_between(rng, "2023-01-01", "2024-10-01", len(which))
    ended = started + rng.integers(60, 300, len(which)).astype("timedelta64[D]")
    return Draft(
        "measures",
        np.full(len(which), -1),
        written(rng, started, 10),
        {
            "ordinal": which + 1,
            "kind": np.array(KINDS)[rng.integers(0, len(KINDS), len(which))],
            "payer": np.full(len(which), "rural_revitalisation"),
            "amount": cents(rng.integers(3, 80, len(which)) * 100),
            "started_on": started,
            "ended_on": optional(ended, np.isin(status, ("done", "dropped"))),
            "status": status,
        },
    )


def draw_loans(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """Microcredit (小额信贷) as the register has it: in use, or overdue; some are repaid."""
    people, credit = county.people, county.household["microcredit"]
    ordinal = np.arange(county.count)
    owing = ordinal[np.isin(credit, ("1", "2")) & (ordinal >= PLANTED)]
    repaid = rng.choice(ordinal[PLANTED:], max(2, county.count // 40))
    which = np.append(owing, repaid)
    is_overdue = np.append(credit[owing] == "2", np.zeros(len(repaid), bool))
    is_repaid = np.arange(len(which)) >= len(owing)
    issued = np.where(
        is_overdue | is_repaid,
        days_between(rng, "2020-06-01", "2021-06-01", len(which)),
        days_between(rng, "2023-12-01", "2024-10-20", len(which)),
    )
    amount = cents(rng.integers(2, 11, len(which)) * 5000)
    return Draft(
        "loans",
        with_strangers(rng, people, _long_lived(county)[which], rates.unregistered / 5),
        written(rng, issued, 5),
        {
            "amount": amount,
            "balance": np.where(is_repaid, 0, amount),
            "issued_on": issued,
            "due_on": issued + np.where(is_overdue | is_repaid, 1095, 1826),
            "status": np.select([is_repaid, is_overdue], ["repaid", "overdue"], "in_use"),
        },
    )


def _long_lived(county: County) -> Array:
    """Of each household a grown member who lives beyond END, else its head; by ordinal - 1."""
    people = county.people
    n = people.registered
    found = heads(people)[1:].copy()
    lives = np.flatnonzero(np.isnat(people.died[:n]) & (people.age[:n] >= 20))
    found[people.household[lives][::-1] - 1] = lives[::-1]
    return found


def draw_employment(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """Jobs by name (就业实名制): of some who work, where and as what."""
    people, member = county.people, county.member
    n = people.registered
    person = np.flatnonzero(
        member["working_now"]
        & (people.age[:n] >= 17)
        & (people.age[:n] < 60)
        & np.isnat(people.died[:n])
        & (rng.random(n) < 0.35)
    )
    started = days_between(rng, "2021-01-01", "2024-11-01", len(person))
    ended = days_between(rng, START, END, len(person))
    return Draft(
        "employment",
        with_strangers(rng, people, person, rates.unregistered),
        written(rng, started, 20),
        {
            "place": rng.choice(["county", "province", "outside"], len(person), p=[0.5, 0.2, 0.3]),
            "kind": rng.choice(
                ["enterprise", "workshop", "public_post", "self_employed", "flexible"],
                len(person),
                p=[0.6, 0.12, 0.06, 0.12, 0.1],
            ),
            "monthly_wage": cents(rng.integers(18, 70, len(person)) * 100),
            "started_on": started,
            "ended_on": ended,
        },
        closed=np.where(rng.random(len(person)) < 0.1, at_work(rng, ended), np.datetime64("NaT")),
    )


def draw_student_aid(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """Student aid (学生资助): of nearly every pupil of an entitled or monitored household."""
    people = county.people
    n = people.registered
    home = people.household[:n] - 1
    entitled = (county.household["household_type"] == "2") | _monitored(county)
    entitled &= np.arange(county.count) >= PLANTED
    status = county.member["student_status"]
    pupil = np.flatnonzero((status != "0") & entitled[home])
    parts = []
    for year in (2024, 2025, 2026, 2027):
        for half, opening in (("1", f"{year}-03-01"), ("2", f"{year}-09-01")):
            who = pupil[rng.random(len(pupil)) < 0.96]
            opened = np.full(len(who), np.datetime64(opening))
            parts.append((who, opened, np.full(len(who), f"{year}-{half}")))
    person, opened, term = (np.concatenate(part) for part in zip(*parts, strict=True))
    paid = opened + rng.integers(20, 55, len(person)).astype("timedelta64[D]")
    keep = alive(people, person, paid)
    person, opened, term, paid = person[keep], opened[keep], term[keep], paid[keep]
    stage = status[person]
    amount = np.select([stage == "1", stage == "2", stage == "3"], [375, 625, 1500], 2500)
    return Draft(
        "student_aid",
        with_strangers(rng, people, person, rates.unregistered / 4),
        written(rng, paid, 2),
        {
            "term": term,
            "stage": stage,
            "amount": cents(amount),
            "paid_on": optional(paid, rng.random(len(person)) < 0.97),
        },
    )


def _income(value: Array, is_operating: Array) -> Array:
    return np.where(is_operating, np.rint(value * 0.06), 0)


def draw_assets(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """Assets of the projects (扶贫项目资产): one card each, tied to a village."""
    count = max(12, county.count // 250)
    which = rng.integers(PLANTED, county.count, count)
    accepted = days_between(rng, "2017-01-01", "2026-10-01", count)
    category = rng.choice(["operating", "public", "household"], count, p=[0.5, 0.35, 0.15])
    value = rng.integers(3, 300, count) * 10_000
    owner = np.where(
        rng.random(count) < 0.95,
        np.select([category == "household", value > 1_500_000], ["household", "town"], "village"),
        "",
    )
    taken = accepted + rng.integers(10, 85, count).astype("timedelta64[D]")
    return Draft(
        "assets",
        np.full(count, -1),
        written(rng, accepted, 20),
        {
            "ordinal": which + 1,
            "area_code": county.area[which],
            "name": np.char.add(county.area[which], "号产业项目"),
            "category": category,
            "fund_source": rng.choice(
                ["finance", "cooperation", "designated", "society", "other"],
                count,
                p=[0.6, 0.2, 0.1, 0.05, 0.05],
            ),
            "original_value": cents(value),
            "owner_level": owner,
            "keeper": np.full(count, "村集体经济合作社"),
            "accepted_on": accepted,
            "transferred_on": optional(taken, (owner != "") & (rng.random(count) < 0.97)),
            "state": rng.choice(
                ["in_use", "idle", "lost", "disposed"], count, p=[0.93, 0.04, 0.01, 0.02]
            ),
            "annual_income": cents(_income(value, category == "operating")),
        },
    )  # fmt: skip


def draw_dividends(
    rng: np.random.Generator, county: County, rates: ErrorRates, assets: Draft
) -> Draft:
    """What the village collectives hand on (收益分配), each December: four fifths of an asset's
    income to lifted households of its village, a tenth of that again to others.
    """
    people, lifted = county.people, _lifted(county)
    chief = _long_lived(county)
    income = assets.columns["annual_income"]
    pays = np.flatnonzero((income > 0) & (assets.columns["state"] == "in_use"))
    parts = []
    for asset in pays:
        near = np.flatnonzero((county.area == assets.columns["area_code"][asset]) & (chief >= 0))
        near = near[near >= PLANTED]
        poor, others = near[lifted[near]][:30], near[~lifted[near]][:5]
        for turn, who, share in ((2, poor, 0.8), (3, others, 0.08)):
            if not len(who):
                continue
            each = int(income[asset] * share) // len(who) // 100 * 100
            for year in (2024, 2025, 2026, 2027):
                handed = np.datetime64(f"{year}-12-05") + rng.integers(0, 15)
                some = np.full(len(who), handed)
                parts.append((who, some, np.full(len(who), asset), np.full(len(who), turn),
                    np.full(len(who), each)))  # fmt: skip
    parts = parts or [(np.zeros(0, int), np.zeros(0, "datetime64[D]"), *(np.zeros(0, int),) * 3)]
    who, paid, asset_of, turn_of, amount = (np.concatenate(p) for p in zip(*parts, strict=True))
    keep = (amount > 0) & (paid > assets.columns["accepted_on"][asset_of])
    return Draft(
        "dividends",
        with_strangers(rng, people, chief[who[keep]], rates.unregistered),
        written(rng, paid[keep], 5),
        {
            "asset": asset_of[keep],
            "round": turn_of[keep],
            "amount": amount[keep],
            "paid_on": paid[keep],
        },
    )


def draw_payments(
    rng: np.random.Generator, county: County, rates: ErrorRates, kept: Mapping[str, Draft]
) -> Draft:
    """What reached the cards (惠民惠农一卡通): dibao and tekun for each month of an award, and what
    other offices say that they paid; a few are returned and paid again.
    """
    parts = [
        _awards(county, kept["assistance"]),
        _told(kept["disability_subsidies"], "subsidy"),
        _told(kept["temporary_aid"], "temporary_aid"),
        _told(kept["student_aid"], "student_aid"),
    ]
    person, scheme, month, amount, paid = (np.concatenate(p) for p in zip(*parts, strict=True))
    first, last = FIRST_MONTH.astype("datetime64[D]"), LAST_MONTH.astype("datetime64[D]")
    keep = (paid >= first) & (paid < last) & alive(county.people, person, paid)
    person, scheme, month = person[keep], scheme[keep], month[keep]
    amount, paid = amount[keep], paid[keep]
    again = np.flatnonzero(rng.random(len(person)) < 0.003)
    index = np.append(np.arange(len(person)), again)
    return Draft(
        "payments",
        person[index],
        written(rng, paid[index], 3),
        {
            "scheme": scheme[index],
            "month": month[index],
            "amount": amount[index],
            "paid_on": paid[index],
            "state": np.where(np.arange(len(index)) < len(person), "paid", "returned"),
        },
    )


_Part = tuple[Array, Array, Array, Array, Array]


def _written_month(month: Array) -> Array:
    """YYYYMM; numpy replaces nothing in nothing."""
    text = month.astype("U7")
    return np.char.replace(text, "-", "") if len(text) else text


def _awards(county: County, assistance: Draft) -> _Part:
    """A payment for each month on every day of which an award was in force."""
    people = county.people
    scheme, monthly = assistance.columns["scheme"], assistance.columns["monthly_amount"]
    is_paid = np.isin(scheme, ("dibao", "tekun")) & (assistance.person < people.registered)
    which = np.flatnonzero(is_paid)
    months = np.arange(FIRST_MONTH, LAST_MONTH)
    award, month = np.repeat(which, len(months)), np.tile(months, len(which))
    assert assistance.closed is not None
    begins, follows = month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]")
    is_over = ~np.isnat(assistance.closed[award]) & (
        assistance.columns["ended_on"][award] < follows - 1
    )
    keep = (assistance.columns["started_on"][award] <= begins) & ~is_over
    award, month, begins = award[keep], month[keep], begins[keep]
    home = people.household[assistance.person[award]] - 1
    return (
        _long_lived(county)[home],
        scheme[award],
        _written_month(month),
        monthly[award],
        begins + 14,
    )


def _told(draft: Draft, scheme: str) -> _Part:
    """What another office says that it paid, as the card has it."""
    columns = draft.columns
    if scheme == "subsidy":
        paid = draft.born.astype("datetime64[D]")
        return draft.person, columns["subsidy"], columns["month"], columns["amount"], paid
    paid = columns["paid_on"]
    is_paid = ~np.isnat(paid)
    month = _written_month(paid[is_paid].astype("datetime64[M]"))
    return (
        draft.person[is_paid],
        np.full(int(is_paid.sum()), scheme),
        month,
        columns["amount"][is_paid],
        paid[is_paid],
    )


def draw_disputes(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """What households say is wrong in what is held of them (异议), decided in time or late."""
    people = county.people
    n = people.registered
    adult = np.flatnonzero((people.age[:n] >= 18) & (people.age[:n] < 80))
    person = adult[rng.integers(0, len(adult), 3 + int(len(adult) * 0.0008 * SPAN_YEARS))]
    filed = days_between(rng, START, END, len(person))
    keep = alive(people, person, filed)
    person, filed = person[keep], filed[keep]
    decided = filed + rng.integers(3, 30, len(filed)).astype("timedelta64[D]")
    about = (
        *("rural_revitalisation.households", "rural_revitalisation.members"),
        *("civil_affairs.assistance", "health_insurance.settlements", "lamp"),
    )
    return Draft(
        "disputes",
        with_strangers(rng, people, person, rates.unregistered),
        written(rng, filed, 1),
        {
            "about": np.array(about)[rng.integers(0, len(about), len(filed))],
            "kind": rng.choice(["update", "rectify", "complement"], len(filed)),
            "filed_on": filed,
            "due_on": filed + 20,
            "decided_on": decided,
            "decision": rng.choice(
                ["corrected", "partly", "refused"], len(filed), p=[0.6, 0.2, 0.2]
            ),
        },
        closed=np.where(rng.random(len(filed)) < 0.95, at_work(rng, decided), np.datetime64("NaT")),
    )  # fmt: skip
