"""What departments say of the same thing agrees: a drawn county, mended so that no rule of the
contradictions finds many that nobody planted.

Belongs here: mending what was drawn. Not here: drawing (`people`, `economy`, `health`, …), planting
contradictions (`planting`). A county of the first edition is served as it was drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from sandbox.draft import DAY, Array, Draft, alive
from sandbox.economy import County
from sandbox.people import END, START, People

NEVER = np.datetime64("NaT", "D")
WORKS_UNTIL, ABLE_UNTIL = 62, 66
"""Ages on the reference day: who is older is able only while at work, and has no public post."""
LEAST_WAGE, MOST_WAGE = 70_000, 1_300_000
"""Cents a month of work."""
POOR = 8_000
"""Yuan a head, above which nobody is on dibao."""
ENOUGH = 9_500
"""Yuan a head of who cannot work and is lifted or monitored."""
CLEAR_DAYS, RECORDED_WITHIN = 190, 20
"""Days from recorded to cleared; from a death to what each department makes of it."""
OWN_LABOUR = ("1", "2", "3")
"""Categories of disability with which many work."""


def lasting(people: People) -> Array:
    """Whether each registered person is there from first to last."""
    n = people.registered
    return np.isnat(people.died[:n]) & (people.birth[:n] < START - 60)


def agreed_register(county: County) -> County:
    """The register without what contradicts itself."""
    people, n = county.people, county.people.registered
    member, household = dict(county.member), dict(county.household)
    age, home = people.age[:n], people.household[:n] - 1
    able = np.isin(member["labour_class"], ("1", "2"))
    old = able & (age >= WORKS_UNTIL) & ~member["working_now"]
    member["labour_class"] = np.where(old, "3", member["labour_class"])
    member["public_post"] = member["public_post"] & (age < ABLE_UNTIL)
    member["student_status"] = np.where(member["dropout"], "0", member["student_status"])
    months = np.bincount(home, weights=member["work_months"], minlength=county.count)
    wage = np.clip(household["wage_income"], LEAST_WAGE * months, MOST_WAGE * months)
    household["wage_income"] = np.where(months > 0, wage, 0).astype(np.int64)
    kind, group = household["household_type"], household["monitor_class"]
    household["monitor_class"] = np.where((kind != "1") & (group == "2"), "1", group)
    watched = household["monitor_class"] != "0"
    labour = np.bincount(home, weights=np.isin(member["labour_class"], ("1", "2", "3")),
                         minlength=county.count)  # fmt: skip
    size = np.bincount(home, minlength=county.count)
    other = (household["business_income"] - household["business_expense"]
             + household["property_income"] + household["wage_income"])  # fmt: skip
    kept = np.maximum(household["transfer_income"], ENOUGH * 100 * size - other)
    unable = (labour == 0) & (watched | (kind == "2"))
    household["transfer_income"] = np.where(unable, kept, household["transfer_income"])
    household["microcredit"] = np.where((kind == "1") & ~watched, "0", household["microcredit"])
    household["measures_count"] = np.where(
        watched, np.maximum(household["measures_count"], 1), household["measures_count"]
    )
    return replace(county, member=member, household=household)


def heads_after(people: People) -> tuple[Array, Array]:
    """Of each registered person: the relation once the head of the household has died, and from
    which day it holds; none while the head lives on.
    """
    n = people.registered
    home = people.household[:n]
    chief = np.full(int(home.max()) + 1, -1)
    is_head = people.relation[:n] == "01"
    chief[home[is_head]] = np.flatnonzero(is_head)
    died = np.where(chief[home] >= 0, people.died[chief[home]].astype("datetime64[D]"), NEVER)
    stays = ~is_head & ~(people.died[:n] <= died) & (people.birth[:n] < died)
    order = np.lexsort((people.birth[:n], ~stays, home))
    first = np.zeros(n, bool)
    first[order[np.unique(home[order], return_index=True)[1]]] = True
    relation = np.where(is_head, "01", np.where(first & stays, "01", "06"))
    return relation, np.where(is_head, NEVER, died)


def register_ends(people: People, moved_on: Array) -> Array:
    """When the register writes down a death, or a new head: the extra version of each person's
    row.
    """
    died = people.died[: people.registered].astype("datetime64[D]")
    on = np.where(np.isnat(died), moved_on, died)
    return (on + RECORDED_WITHIN // 2).astype("datetime64[s]")


def agreed_cases(draft: Draft) -> Draft:
    """Cases are not cleared soon after they were recorded."""
    columns = dict(draft.columns)
    least = columns["recorded_on"] + CLEAR_DAYS
    cleared = columns["cleared_on"]
    columns["cleared_on"] = np.where(np.isnat(cleared), cleared, np.maximum(cleared, least))
    return replace(draft, columns=columns)


def clears_on(county: County, cases: Draft) -> Array:
    """The day from which the register has each household cleared."""
    found = np.full(county.count, NEVER)
    found[cases.columns["ordinal"] - 1] = cases.columns["cleared_on"].astype("datetime64[D]")
    return found


def _picked(draft: Draft, keep: Array) -> Draft:
    return replace(
        draft,
        person=draft.person[keep],
        born=draft.born[keep],
        columns={name: values[keep] for name, values in draft.columns.items()},
        closed=None if draft.closed is None else draft.closed[keep],
    )


def _ended(draft: Draft, on: Array) -> Array:
    """The end of each record, at that day where it has none before."""
    at = (on + RECORDED_WITHIN).astype("datetime64[s]")
    return at if draft.closed is None else np.fmin(draft.closed, at)


def agreed_certificates(county: County, draft: Draft) -> Draft:
    """Who has a severe disability works as one who has; a certificate lasts, and ends with its
    holder.
    """
    columns, n = dict(draft.columns), county.people.registered
    known = draft.person < n
    holder = np.where(known, draft.person, 0)
    able = known & np.isin(county.member["labour_class"][holder], ("1", "2"))
    severe = np.isin(columns["level"], ("1", "2")) & ~np.isin(columns["category"], OWN_LABOUR)
    columns["level"] = np.where(able & severe, "3", columns["level"])
    lasts = columns["issued_on"] + 3653 >= END
    columns["expires_on"] = np.where(lasts, columns["expires_on"], NEVER)
    died = county.people.died[draft.person].astype("datetime64[D]")
    columns["dies_on"] = died
    return replace(draft, columns=columns, closed=_ended(draft, died))


def agreed_assistance(county: County, draft: Draft) -> Draft:
    """One scheme a household, of those who need it, applied for by somebody who lives on."""
    people, n = county.people, county.people.registered
    there = lasting(people)
    home = np.where(draft.person < n, people.household[draft.person], 0)
    scheme = draft.columns["scheme"]
    size = np.bincount(people.household[:n][there], minlength=county.count + 1)
    money = county.household
    earned = ("wage_income", "transfer_income", "business_income", "property_income")
    income = sum(money[name] for name in earned) - money["business_expense"]
    per_head = np.append(0, income / 100 / np.maximum(1, size[1:]))
    grown = people.age[np.minimum(draft.person, n - 1)] >= 60
    works = county.member["working_now"][np.minimum(draft.person, n - 1)]
    keep = np.where(scheme == "dibao", per_head[home] < POOR, True)
    keep &= np.where(scheme == "tekun", grown & ~works, True)
    _, first = np.unique(np.where(keep & (home > 0), home, -1 - np.arange(len(home))),
                         return_index=True)  # fmt: skip
    once = np.zeros(len(home), bool)
    once[first] = True
    draft = _picked(draft, keep & (once | (home == 0)))
    home = home[keep & (once | (home == 0))]
    follower = np.full(county.count + 1, -1)
    follower[people.household[:n][there]] = np.flatnonzero(there)
    dies = (draft.person < n) & ~np.isnat(people.died[draft.person])
    person = np.where(dies & (follower[home] >= 0), follower[home], draft.person)
    alone = np.where(person < n, people.died[person], NEVER).astype("datetime64[D]")
    columns = dict(draft.columns)
    columns["insured_persons"] = np.maximum(1, np.where(home > 0, size[home], 1))
    columns["ended_on"] = np.fmin(columns["ended_on"], alone + RECORDED_WITHIN)
    return replace(draft, person=person, columns=columns, closed=_ended(draft, alone))


def agreed_subsidies(county: County, draft: Draft, kept: Mapping[str, Draft]) -> Draft:
    """Paid to who holds a certificate, and the living one while the household is on dibao."""
    people, n = county.people, county.people.registered
    certificates, awards = kept["certificates"], kept["assistance"]
    held = (certificates.columns["status"] == "1") & (certificates.person < n)
    issued = np.full(len(people.name), END)
    np.minimum.at(issued, certificates.person[held], certificates.columns["issued_on"][held])
    dibao = (awards.columns["scheme"] == "dibao") & (awards.person < n)
    home = people.household[awards.person[dibao]]
    began, ends = np.full(county.count + 1, END), np.full(county.count + 1, START)
    began[home] = awards.columns["started_on"][dibao]
    closed = np.isnat(awards.closed[dibao]) if awards.closed is not None else True
    ends[home] = np.where(closed, END, awards.columns["ended_on"][dibao])
    written = np.char.add(np.char.add(draft.columns["month"].astype("U4"), "-"),
                          np.array([m[4:6] for m in draft.columns["month"]]))  # fmt: skip
    month = written.astype("datetime64[M]").astype("datetime64[D]")
    where = np.where(draft.person < n, people.household[draft.person], 0)
    on_dibao = (began[where] <= month) & (month + 31 <= ends[where])
    keep = (issued[draft.person] < month) & ((draft.columns["subsidy"] == "nursing") | on_dibao)
    return _picked(draft, keep | (draft.person >= n))


def agreed_deaths(rng: np.random.Generator, county: County) -> Draft:
    """Every death of the register is told, and of nobody else."""
    people = county.people
    person = np.flatnonzero(
        ~np.isnat(people.died) & (np.arange(len(people.died)) < people.registered)
    )
    died = people.died[person]
    told = died.astype("datetime64[s]") + rng.integers(1, RECORDED_WITHIN // 2, len(died)) * DAY
    return Draft("deaths", person, told, {"died_on": died})


def agreed_enrolments(county: County, draft: Draft, assistance: Draft) -> Draft:
    """Everybody of a household on assistance is insured, every year."""
    people, n = county.people, county.people.registered
    helped = np.zeros(county.count + 1, bool)
    known = assistance.person < n
    helped[people.household[assistance.person[known]]] = True
    columns = dict(draft.columns)
    theirs = (draft.person < n) & helped[people.household[draft.person]]
    columns["status"] = np.where(theirs, "1", columns["status"])
    parts = [replace(draft, columns=columns)]
    for year in np.unique(columns["year"]):
        opening = np.datetime64(f"{year}-01-01")
        have = np.zeros(len(people.name), bool)
        have[draft.person[columns["year"] == year]] = True
        who = np.flatnonzero(helped[people.household[:n]] & ~have[:n])
        paid = np.maximum(opening + 20, people.birth[who] + 25)
        who, paid = who[alive(people, who, paid)], paid[alive(people, who, paid)]
        columns_of_year = {
            "year": np.full(len(who), year),
            "insurance_type": np.full(len(who), "390"),
            "status": np.full(len(who), "1"),
            "paid_on": paid,
        }
        parts.append(Draft("enrolments", who, paid.astype("datetime64[s]") + DAY, columns_of_year))
    return joined(parts)


def joined(parts: list[Draft]) -> Draft:
    """Drafts of one record type as one; an end that a part lacks is none."""
    has_ends = any(part.closed is not None for part in parts)
    ends = [
        np.full(len(part), np.datetime64("NaT", "s")) if part.closed is None else part.closed
        for part in parts
    ]
    source = parts[0].source
    if source is not None:
        more = sum(len(part) for part in parts[1:])
        source = np.append(source, len(source) + np.arange(more))
    return replace(
        parts[0],
        source=source,
        person=np.concatenate([part.person for part in parts]),
        born=np.concatenate([part.born.astype("datetime64[s]") for part in parts]),
        columns={
            name: np.concatenate([part.columns[name] for part in parts])
            for name in parts[0].columns
        },
        closed=np.concatenate([e.astype("datetime64[s]") for e in ends]) if has_ends else None,
    )


def agreed_casualties(county: County, draft: Draft) -> Draft:
    """Who is said to be dead has died, on that day."""
    columns, died = dict(draft.columns), county.people.died[draft.person].astype("datetime64[D]")
    dead = columns["outcome"] == "death"
    columns["outcome"] = np.where(dead & np.isnat(died), "serious_injury", columns["outcome"])
    fell = dead & ~np.isnat(died)
    columns["occurred_on"] = np.where(fell, died, columns["occurred_on"])
    born = np.where(fell, died.astype("datetime64[s]") + DAY, draft.born.astype("datetime64[s]"))
    return replace(draft, columns=columns, born=born)


def agreed(draft: Draft, rng: np.random.Generator, county: County, assistance: Draft) -> Draft:
    """A draft that agrees with the others."""
    match draft.records:
        case "enrolments":
            return agreed_enrolments(county, draft, assistance)
        case "certificates":
            return agreed_certificates(county, draft)
        case "assistance":
            return assistance
        case "deaths":
            return agreed_deaths(rng, county)
        case "casualties":
            return agreed_casualties(county, draft)
        case "cases":
            return agreed_cases(draft)
    return draft
