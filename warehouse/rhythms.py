"""The four rhythms (weekly statistics, monthly screening, monthly accounting of incomes, quarterly supervision), and what
visits found, by quarter.

Belongs here: periods, and running `models/rhythms` on the newest day of one. Not here: when they run (`pipelines`), where they
are kept (`schema.periodic`, `publication.periods`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from expectations.engine import SqlEngine
from warehouse.following_rules import FollowingRules
from warehouse.indicators import day_parameters
from warehouse.model import render
from warehouse.schema import View
from warehouse.schema.periodic import FLAG_ACCURACY, INCOME_ACCOUNTING, MONTHLY_SCREENING, QUARTERLY_SUPERVISION, WEEKLY_STATISTICS
from warehouse.scoring_rules import Rules

WEEKLY_COUNTS = (
    "red",
    "yellow",
    "newly_red",
    "no_longer_red",
    "open_tasks",
    "opened_tasks",
    "closed_tasks",
    "overdue_tasks",
    "visits_due",
    "chronic_overdue",
)


@dataclass(frozen=True)
class Rhythm:
    """One of them: its table, how long a period is, and the tables of a day that it counts."""

    view: View
    months: int
    """Months in a period; 0 for a week."""
    inputs: tuple[str, ...]
    previous: str | None
    """The table whose newest day before the period it is compared with."""
    must_be_period_before: bool
    """That day counts only where it lies in the period just before."""

    @property
    def name(self) -> str:
        return self.view.name

    @property
    def period_column(self) -> str:
        return self.view.key[0]

    def end(self, period_on: date) -> date:
        """The last day of the period that begins on `period_on`."""
        return _months_on(period_on, self.months) - timedelta(days=1) if self.months else period_on + timedelta(days=6)

    def before(self, period_on: date) -> date:
        """The first day of the period before."""
        return _months_on(period_on, -self.months) if self.months else period_on - timedelta(days=7)


def _months_on(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


REGISTER = "matched_rural_revitalisation__households"
RHYTHMS = (
    Rhythm(
        WEEKLY_STATISTICS,
        0,
        (
            "household",
            "household_indicator",
            "warning_flag",
            "follow_up_task",
            "person",
            REGISTER,
            "matched_rural_revitalisation__members",
            "matched_civil_affairs__deaths",
            "matched_health_commission__chronic_followups",
        ),
        "warning_flag",
        False,
    ),
    Rhythm(MONTHLY_SCREENING, 1, ("verify_item",), "verify_item", False),
    Rhythm(INCOME_ACCOUNTING, 1, ("household_indicator",), "household_indicator", True),
    Rhythm(QUARTERLY_SUPERVISION, 3, ("household", "follow_up_task", "case_progress"), None, False),
    Rhythm(FLAG_ACCURACY, 3, ("household", "warning_flag", "warning_reason"), None, False),
)
FIELD_RESULTS = "matched_monitoring__field_results"
"""What visits found; there once its contract is active."""
RHYTHM: Mapping[str, Rhythm] = {rhythm.name: rhythm for rhythm in RHYTHMS}


def nothing_before(rhythm: Rhythm, engine: SqlEngine) -> None:
    """An empty `previous_<table>`, where no earlier day is to be compared with."""
    if rhythm.previous is not None:
        engine.view(f"previous_{rhythm.previous}", f"select *, cast(null as date) as _as_of from {rhythm.previous} where false")


def build_visits(engine: SqlEngine, period_on: date, as_of: date, flag_days: Sequence[date]) -> tuple[date, ...]:
    """Makes `field_visit`: the period's visits, each with the newest of `flag_days` on or before it; returns those days.

    Reads `matched_monitoring__field_results`, where the engine has it; without it nobody was visited.
    """
    none = "select null::varchar as record_id, null::varchar as household_id, null::date as visited_on, null::varchar as result"
    source = f"select record_id, household_id, visited_on, result from {FIELD_RESULTS} where outcome = 'linked'"
    visits = source if engine.exists(FIELD_RESULTS) else f"{none} where false"
    days = ", ".join(f"({_literal(day)})" for day in flag_days)
    engine.table(
        "field_visit",
        "select v.record_id, v.household_id, v.visited_on, v.result, max(d.day) as flag_on "
        f"from ({visits}) as v inner join (values {days}) as d(day) on d.day <= v.visited_on "
        f"where v.visited_on >= {_literal(period_on)} and v.visited_on <= {_literal(as_of)} "
        "group by v.record_id, v.household_id, v.visited_on, v.result",
    )
    return tuple(day for (day,) in engine.rows("select distinct flag_on from field_visit order by 1"))


def _literal(day: date | None) -> str:
    return "cast(null as date)" if day is None else f"date '{day.isoformat()}'"


def build_rhythm(
    engine: SqlEngine,
    rhythm: Rhythm,
    period_on: date,
    as_of: date,
    rules: Rules,
    following: FollowingRules,
    compared_on: date | None = None,
) -> int:
    """Makes the engine table of the rhythm's name for the period that begins on `period_on`; returns its rows.

    Reads the rhythm's `inputs` of the day `as_of`, and `previous_<table>` of `compared_on` (empty where that is None).
    """
    in_force = following.following
    parameters = {
        **day_parameters(as_of, rules),
        "period_on": _literal(period_on),
        "compared_on": _literal(compared_on),
        "visit_days": in_force.rhythms.visit_within_days,
        "chronic_days": in_force.rhythms.chronic_followup_within_days,
        "deadlines": in_force.deadlines,
        "weekly_counts": WEEKLY_COUNTS,
        "thresholds": in_force.rhythms.thresholds,
    }
    if "household" in rhythm.inputs:
        engine.table("household_place", render("following/household_place", **parameters))
    if "person" in rhythm.inputs:
        for shared in ("any_member", "active_member"):
            engine.table(shared, render(f"indicators/{shared}", **parameters))
    return engine.table(rhythm.name, render(f"rhythms/{rhythm.name}", **parameters))
