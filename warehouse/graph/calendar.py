"""Whom the calendar alone touches: households with a fact whose date a boundary of the day passed.

Every condition on a date compares it with a boundary that goes up with the day (the day itself, a
window's start, so many days ago), so it turns between two days just where the date lies above the
earlier day's boundary and not above the later day's. Which dates, at which boundary, the heads of
the models say (`changes on`); days may be skipped.

Belongs here: the boundaries, and the SELECT of the rows that turn. Not here: the formulas
(`models`), whose records these are (`touched`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta

from expectations.engine import day
from expectations.errors import ConfigurationError
from warehouse.graph.heads import Change
from warehouse.graph.moment import Moment
from warehouse.graph.registry import laid_over, with_needs
from warehouse.indicators import day_parameters, months_before

AGE_BANDS = (6, 16, 60, 80)
"""The ages at which `household_member` changes a band."""
DATED = frozenset(
    (
        *("as_of", "as_of_year", "as_of_month_day", "window_start", "appraised_since"),
        *("paid_months", "kept_since", "items"),
    )
)
"""Parameters that go with the day: a model that has one says what changes on which date. The
enrolments' years go with it too; where they turn, everybody is touched."""
BEGINNING = frozenset(("as_of", "due_on", "as_of_digits"))
"""Of these, what only names the day on which something begins."""
_VISIT = re.compile(r"\bdays_since_visit\s*(?:<=|>=|=|<|>)\s*([0-9]+)\s*(?:and\b|\Z)")


def ago(days: int) -> Callable[[Moment], Sequence[date]]:
    return lambda moment: [moment.as_of - timedelta(days=days)]


def _threshold(name: str) -> Callable[[Moment], Sequence[date]]:
    """More days ago than a threshold."""
    return lambda moment: ago(getattr(moment.rules.thresholds, name) + 1)(moment)


def _appraisal(moment: Moment) -> Sequence[date]:
    since = months_before(moment.as_of, moment.rules.thresholds.appraisal_months)
    return [since - timedelta(days=1)]


def _certificate(moment: Moment) -> Sequence[date]:
    within = (line.rule.certificate_issued_within_days for line in moment.following.verify)
    return [moment.as_of - timedelta(days=days + 1) for days in within if days is not None]


def _task(moment: Moment) -> Sequence[date]:
    return ago(moment.following.following.tasks.keep_closed_days + 1)(moment)


def _visit(moment: Moment) -> Sequence[date]:
    """Around every number that a condition compares the days since the last visit with."""
    conditions = [line.condition for line in moment.rules.lines]
    conditions += [c for line in moment.following.verify for c in line.conditions]
    numbers: set[int] = set()
    for condition in conditions:
        found = [int(number) for number in _VISIT.findall(condition.text)]
        if condition.text.count("days_since_visit") != len(found):
            raise UnknownBoundary(f"nobody can tell when {condition.text} turns")
        numbers.update(found)
    return [moment.as_of - timedelta(days=n + more) for n in sorted(numbers) for more in (0, 1)]


class UnknownBoundary(ConfigurationError):
    """A condition of the rules whose turning nobody can tell: everybody is touched."""

    next_step = "write the days since the last visit against a whole number"


BOUNDARIES: Mapping[str, Callable[[Moment], Sequence[date]]] = {
    "day": ago(0),
    "end": ago(1),
    "window": lambda m: [months_before(m.as_of, m.rules.thresholds.window_months)],
    "appraisal": _appraisal,
    "followup": _threshold("chronic_followup_days"),
    "retrofit": _threshold("retrofit_days"),
    "visit": _visit,
    "certificate": _certificate,
    "task": _task,
}
"""Name → the boundaries of a day. Others: `age` (a birthday that counts), `month` (a month that
comes into those of the subsidies, or goes), `every_day`."""


def turning(change: Change, before: Moment, now: Moment) -> str:
    """SQL over the columns of the table: whether the row's date makes a difference between two
    days.

    Raises `UnknownBoundary`.
    """
    column = f"cast({change.column} as date)"
    if change.boundary == "every_day":
        passed = f"{column} <= {day(now.as_of)}"
    elif change.boundary == "age":
        passed = _aged(change.column, before, now)
    elif change.boundary == "month":
        months = [
            set(str(day_parameters(m.as_of, m.rules)["paid_months"]).split(", "))
            for m in (before, now)
        ]
        listed = ", ".join(sorted(months[0] ^ months[1]))
        passed = f"{change.column} in ({listed})" if listed else "false"
    else:
        limits = BOUNDARIES[change.boundary]
        passed = " or ".join(
            f"({column} > {day(was)} and {column} <= {day(on)})"
            for was, on in zip(limits(before), limits(now), strict=True)
        )
    return f"({passed or 'false'}) and ({change.where})"


def _aged(column: str, before: Moment, now: Moment) -> str:
    ages = []
    for moment in (before, now):
        of_day = day_parameters(moment.as_of, moment.rules)
        ages.append(
            f"({of_day['as_of_year']} - year({column}) - case when {of_day['as_of_month_day']} <"
            f" month({column}) * 100 + day({column}) then 1 else 0 end)"
        )
    thresholds = now.rules.thresholds
    at = sorted({*AGE_BANDS, thresholds.elder_age, thresholds.child_under_age})
    return " or ".join(f"({ages[0]} < {age} and {ages[1]} >= {age})" for age in at)


def changes() -> dict[str, list[Change]]:
    """What the models behind the tables that are laid over declare, by table."""
    found: dict[str, list[Change]] = {}
    for model in with_needs(laid_over()):
        for change in model.changes_on:
            if change not in found.setdefault(change.table, []):
                found[change.table].append(change)
    return found
