"""The four rhythms
(weekly statistics, monthly screening, monthly accounting of incomes, quarterly supervision), and
what visits found, by quarter.

Belongs here: their periods. Not here: what is counted (`models/rhythms`), when they run
(`pipelines`), where they are kept (`schema.periodic`, `publication.periods`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from warehouse.graph import registry
from warehouse.graph.heads import Kind
from warehouse.graph.moment import Moment
from warehouse.schema import View
from warehouse.schema.periodic import (
    FLAG_ACCURACY,
    INCOME_ACCOUNTING,
    MONTHLY_SCREENING,
    QUARTERLY_SUPERVISION,
    WEEKLY_STATISTICS,
)

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
class PeriodicReport:
    """One of them: its table, how long a period is, and the tables of a day that it counts."""

    view: View
    months: int
    """Months in a period; 0 for a week."""
    must_be_period_before: bool
    """That day counts only where it lies in the period just before."""

    @property
    def name(self) -> str:
        return self.view.name

    @property
    def inputs(self) -> tuple[str, ...]:
        """The tables of a day that it counts: those without which there is nothing to count."""
        return tuple(sorted(registry.inputs_of(self.name)))

    @property
    def previous(self) -> str | None:
        """The table whose newest day before the period it is compared with."""
        return next(iter(registry.reads(self.name, Kind.EARLIER_DAY)), None)

    @property
    def period_column(self) -> str:
        return self.view.key[0]

    def moment(self, period_on: date, day: Moment) -> Moment:
        """The period that begins on `period_on`, counted on the day."""
        first = self.before(period_on) if self.must_be_period_before else None
        return replace(day, earlier_than=period_on, not_before=first, period_on=period_on)

    def end(self, period_on: date) -> date:
        """The last day of the period that begins on `period_on`."""
        return (
            _months_on(period_on, self.months) - timedelta(days=1)
            if self.months
            else period_on + timedelta(days=6)
        )

    def before(self, period_on: date) -> date:
        """The first day of the period before."""
        return _months_on(period_on, -self.months) if self.months else period_on - timedelta(days=7)


def _months_on(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


PERIODIC_REPORTS = (
    PeriodicReport(WEEKLY_STATISTICS, 0, must_be_period_before=False),
    PeriodicReport(MONTHLY_SCREENING, 1, must_be_period_before=False),
    PeriodicReport(INCOME_ACCOUNTING, 1, must_be_period_before=True),
    PeriodicReport(QUARTERLY_SUPERVISION, 3, must_be_period_before=False),
    PeriodicReport(FLAG_ACCURACY, 3, must_be_period_before=False),
)
RHYTHM: Mapping[str, PeriodicReport] = {report.name: report for report in PERIODIC_REPORTS}
