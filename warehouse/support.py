"""Who helps, with what, and was it enough: what `models/support` takes from calendar and rules.

Belongs here: those values, as SQL. Not here: the rules (`support_rules`), the models, running them
(`graph.runner`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from expectations.engine import day, literal
from warehouse.catalogue import Catalogue
from warehouse.indicators import months_before
from warehouse.support_rules import (
    ASSISTANCE,
    CompiledGroup,
    SupportRules,
)

PREFECTURE_DIGITS = 4
SECOND_ROUND = 2
"""What a village collective hands on to households; the third round is the same money again."""
MEDICAL_SUMS = (
    *("total_fee", "in_scope", "pooled_paid", "critical_illness_paid", "medical_aid_paid"),
    *("personal_paid", "fund_paid", "inpatient_fund_paid", "inpatient_in_scope"),
)
AWARDED_BY = {
    **dict.fromkeys(("dibao", "tekun", "edge"), ASSISTANCE),
    **dict.fromkeys(("living", "nursing"), "disability_subsidies"),
    "temporary_aid": "temporary_aid",
    "student_aid": "student_aid",
}
"""The record type that says what was awarded, by scheme."""
LISTS = {
    "measure_gap": (("households", "members", ASSISTANCE), ("measures",)),
    "zero_employment": (("households", "members"), ("employment",)),
}
"""What each list is made from: always, and where it was ever read."""


@dataclass(frozen=True)
class Period:
    """A week or a half-year of visits."""

    name: str
    first: str
    last: str


@dataclass(frozen=True)
class FullMonth:
    """A month that lies wholly in W."""

    name: str
    first: str
    last: str


@dataclass(frozen=True)
class Population:
    """Of whom figures are told: SQL over `support_household` as `h`, or a group's code."""

    code: str
    condition: str | None


@dataclass(frozen=True)
class Day:
    """What the models take; days are SQL literals."""

    red_days: int
    monitored_days: int
    lifted_days: int
    duties: str
    kinds: tuple[str, ...]
    helper_limit: int
    half_start: str
    half_end: str
    next_half_end: str
    periods: tuple[Period, ...]
    full_months: tuple[FullMonth, ...]
    paid_months: tuple[FullMonth, ...]
    """The last three full months, each from the first day on which its award may have been."""
    awarded_months: str
    """The names of the last two, and every day of them."""
    awarded_days: tuple[str, ...]
    relapse_since: str
    span_since: str
    transfer_before: str
    """Whoever was accepted on or before this day is late today."""
    begun_terms: str
    asked_term: str
    """The term of which student aid is asked for."""
    term_begins: str
    """Whether pupils are new: who never had any may have had no time."""
    development: str
    protection: str
    able_from: int
    able_to: int
    report_days: int
    groups: tuple[CompiledGroup, ...]


def months_after(start: date, months: int) -> date:
    """The same day of the month `months` later, or that month's last day."""
    return months_before(start, -months)


def half_year(on: date) -> tuple[date, date]:
    """The first and the last day of the half-year of a day."""
    first = date(on.year, 1 if on.month <= 6 else 7, 1)
    return first, months_after(first, 6) - timedelta(days=1)


def week_name(on: date) -> str:
    """`2026-W48`."""
    year, week, _ = on.isocalendar()
    return f"{year}-W{week:02d}"


def half_name(on: date) -> str:
    """`2026-H2`."""
    return f"{on.year}-H{1 if on.month <= 6 else 2}"


def visit_periods(as_of: date, weeks: int) -> tuple[tuple[str, date, date], ...]:
    """The ISO week of the day and those before, the half-year and the one before:
    name, first and last day, none after the day.
    """
    monday = as_of - timedelta(days=as_of.weekday())
    mondays = [monday - timedelta(weeks=back) for back in range(weeks)]
    found = [(week_name(first), first, first + timedelta(days=6)) for first in mondays]
    this, _ = half_year(as_of)
    for first, last in (half_year(as_of), half_year(this - timedelta(days=1))):
        found.append((half_name(first), first, last))
    return tuple((name, first, min(last, as_of)) for name, first, last in found)


def full_months(as_of: date, window_months: int) -> tuple[tuple[str, date, date], ...]:
    """The months that lie wholly in W: name, first and last day."""
    start = months_before(as_of, window_months)
    months = [months_before(as_of.replace(day=1), back) for back in range(window_months + 1)]
    spans = [
        (f"{first:%Y%m}", first, months_after(first, 1) - timedelta(days=1)) for first in months
    ]
    return tuple(sorted(span for span in spans if span[1] > start and span[2] <= as_of))


def asked_term(as_of: date, asked: Mapping[str, str]) -> str:
    """The newest school term that aid is asked for: from a day of its year on."""
    days = [
        (date.fromisoformat(f"{year}-{begins}"), f"{year}-{term}")
        for year in (as_of.year - 1, as_of.year)
        for term, begins in asked.items()
    ]
    return max(found for found in days if found[0] <= as_of)[1]


def last_months(as_of: date, count: int) -> tuple[tuple[str, date, date], ...]:
    """The last months that are over: name, first and last day."""
    first = months_after((as_of + timedelta(days=1)).replace(day=1), -count)
    begins = [months_after(first, n) for n in range(count)]
    return tuple((f"{one:%Y%m}", one, months_after(one, 1) - timedelta(days=1)) for one in begins)


def begun_terms(as_of: date, window_months: int, terms: Mapping[str, str]) -> tuple[str, ...]:
    """The school terms that began in W."""
    start = months_before(as_of, window_months)
    return tuple(
        f"{year}-{term}"
        for year in (start.year, *range(start.year + 1, as_of.year + 1))
        for term, opening in sorted(terms.items())
        if start < date.fromisoformat(f"{year}-{opening}") <= as_of
    )


def transfer_before(as_of: date, months: int) -> date:
    """The last day of which the same day so many months later is over."""
    found = months_before(as_of, months) + timedelta(days=3)
    while months_after(found, months) >= as_of:
        found -= timedelta(days=1)
    return found


def _list(values: Iterable[str]) -> str:
    return ", ".join(literal(value) for value in values) or "null"


def support_day(as_of: date, window_months: int, rules: SupportRules) -> Day:
    """What the models take on a day."""
    said = rules.support
    half_start, half_end = half_year(as_of)
    return Day(
        red_days=said.visits.red_days,
        monitored_days=said.visits.monitored_days,
        lifted_days=said.visits.lifted_days,
        duties=_list(said.visits.duties),
        kinds=said.visits.kinds,
        helper_limit=said.helper_limit,
        half_start=day(half_start),
        half_end=day(half_end),
        next_half_end=day(months_after(half_start, 12) - timedelta(days=1)),
        periods=tuple(
            Period(name, day(first), day(last))
            for name, first, last in visit_periods(as_of, said.visits.coverage_weeks)
        ),
        full_months=tuple(
            FullMonth(name, day(first), day(last))
            for name, first, last in full_months(as_of, window_months)
        ),
        paid_months=tuple(
            FullMonth(name, day(months_after(first, -2)), day(last))
            for name, first, last in last_months(as_of, 3)
        ),
        awarded_months=_list(name for name, *_ in last_months(as_of, 2)),
        awarded_days=tuple(
            day(first + timedelta(days=n))
            for _, first, last in last_months(as_of, 2)
            for n in range((last - first).days + 1)
        ),
        relapse_since=day(months_before(as_of, said.relapse_told_months)),
        span_since=day(months_before(as_of, said.span_months)),
        transfer_before=day(transfer_before(as_of, said.transfer_months)),
        begun_terms=_list(begun_terms(as_of, window_months, said.terms)),
        asked_term=asked_term(as_of, said.aid_asked),
        term_begins=str(as_of.month in said.new_pupils).lower(),
        development=_list(said.measures.development),
        protection=_list(said.measures.protection),
        able_from=said.able.age_from,
        able_to=said.able.age_to,
        report_days=said.report_days,
        groups=rules.groups,
    )


def read_types(states: Mapping[str, str]) -> frozenset[str]:
    """The record types that were ever read."""
    return frozenset(records for records, state in states.items() if state != "missing")


def awarding(states: Mapping[str, str]) -> str:
    """The schemes of which it is known what was awarded."""
    read = read_types(states)
    return _list(scheme for scheme, records in AWARDED_BY.items() if records in read)


def doubtful_lists(states: Mapping[str, str]) -> str:
    """The lists one of whose sources is stale or missing: what they lack today may stand."""
    read = read_types(states)
    sources = {
        name: (*always, *(records for records in optional if records in read))
        for name, (always, optional) in LISTS.items()
    }
    return _list(
        name
        for name, records in sources.items()
        if any(states.get(one, "missing") != "ok" for one in records)
    )


def populations(states: Mapping[str, str], rules: SupportRules) -> tuple[Population, ...]:
    """Those of whom something can be told: their sources were read."""
    read = read_types(states)
    own = (
        Population("everybody", "true"),
        Population("lifted", "h.is_lifted"),
        Population("monitored", "h.is_monitored"),
        Population("assisted", "h.is_assisted"),
    )
    needs = {"lifted": {"households"}, "monitored": {"households"}, "assisted": {ASSISTANCE}}
    groups = [Population(g.code, None) for g in rules.groups if set(g.sources) <= read]
    return (*(one for one in own if needs.get(one.code, set()) <= read), *groups)


def month_term_select(as_of: date, rules: SupportRules) -> str:
    """The reference table `month_term`: the days of the last months on which a case may have been
    cleared, with the last day of watching it and the last day of a relapse."""
    said = rules.support
    first = months_before(as_of, said.relapse_told_months)
    days = [first + timedelta(days=n) for n in range(1, (as_of - first).days + 1)]
    values = ", ".join(
        f"({day(one)}, {day(months_after(one, said.watch_months))},"
        f" {day(months_after(one, said.relapse_months))})"
        for one in days
    )
    return (
        "select cleared_on, watched_until, relapse_until from (values"
        f" {values}) as entry(cleared_on, watched_until, relapse_until)"
    )


def measure_need_select(rules: SupportRules, catalogue: Catalogue) -> str:
    """The reference table `measure_need`: which kinds of measure answer what a risk needs."""
    answers = rules.support.measures
    entries: list[tuple[str, str, str]] = []
    for indicator in catalogue.indicators:
        code, domain = indicator.code, indicator.domain or ""
        if indicator.group != "risk":
            continue
        need, kinds = (
            (code, answers.risks[code])
            if code in answers.risks
            else (domain, answers.domains.get(domain, ()))
        )
        entries += [(code, need, kind) for kind in kinds]
    values = ", ".join(f"({', '.join(map(literal, entry))})" for entry in entries)
    return f"select code, need, kind from (values {values}) as entry(code, need, kind)"
