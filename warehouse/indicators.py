"""The indicators of a day: what their models take from calendar, rules and the sources' states.

Belongs here: those values. Not here: the formulas (SQL), the catalogue (`catalogue`), points and
lamps (`scoring`), running the models (`graph.runner`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from expectations.engine import day, literal
from warehouse.catalogue import DOMAINS, RULES, Catalogue, Indicator
from warehouse.model import model_path
from warehouse.scoring_rules import Rules

MODEL_DOMAINS = ("basic", *DOMAINS, "resilience")


@dataclass(frozen=True)
class Cell:
    """An indicator as the models name it on a day."""

    indicator: Indicator
    alias: str
    """The domain model that computes it."""
    source_state: str
    """The worst state among its sources: `ok`, `stale` or `missing`."""
    formula_state: str | None
    """The model's own state column, where the formula can be not applicable."""

    @property
    def code(self) -> str:
        return self.indicator.code

    @property
    def column(self) -> str:
        return self.indicator.column

    @property
    def sql_type(self) -> str:
        return self.indicator.sql_type

    @property
    def formula(self) -> str:
        return f"{self.alias}.{self.column}"

    @property
    def needs_household(self) -> bool:
        """It is missing in a shell, whatever else is known."""
        return "households" in self.indicator.sources

    @property
    def has_value(self) -> str:
        """SQL: the sources were read and the formula applies; its value may still be null."""
        if self.source_state == "missing":
            return "false"
        parts = ["not r.is_shell"] if self.needs_household else []
        if self.formula_state is not None:
            parts.append(f"coalesce({self.alias}.{self.formula_state}, 'ok') = 'ok'")
        return " and ".join(parts) or "true"

    def when(self, status: str) -> str:
        """SQL: the indicator of a household with active members has this status; `true` or `false`
        where that is known without asking.
        """
        if self.source_state == "missing":
            return str(status == "missing").lower()
        state = self.formula_state and f"{self.alias}.{self.formula_state}"
        if status == "not_applicable":
            if not state:
                return "false"
            return (
                f"{'not r.is_shell and ' if self.needs_household else ''}{state} = 'not_applicable'"
            )
        if status == "stale":
            return (
                f"{self.has_value} and {self.formula} is not null"
                if self.source_state == "stale"
                else "false"
            )
        missing = [f"({self.has_value} and {self.formula} is null)"]
        if state:
            missing.insert(0, f"{state} = 'missing'")
        if self.needs_household:
            missing.insert(0, "r.is_shell")
        return " or ".join(missing)


def months_before(start: date, months: int) -> date:
    """The same day of the month `months` earlier, or that month's last day."""
    index = start.year * 12 + start.month - 1 - months
    year, month = index // 12, index % 12 + 1
    first_of_next = date(year + month // 12, month % 12 + 1, 1)
    return min(
        date(year, month, 1) + timedelta(days=start.day - 1), first_of_next - timedelta(days=1)
    )


def day_parameters(as_of: date, rules: Rules) -> dict[str, Any]:
    """What the models take from the calendar and the rules."""
    thresholds = rules.thresholds
    first = as_of.replace(day=1)
    months = [months_before(first, back) for back in range(thresholds.subsidy_months)]
    has_grace = f"{as_of:%m-%d}" <= thresholds.enrolment_grace_until
    years = [as_of.year, as_of.year - 1] if has_grace else [as_of.year]
    return {
        "as_of": day(as_of),
        "window_start": day(months_before(as_of, thresholds.window_months)),
        "appraised_since": day(months_before(as_of, thresholds.appraisal_months)),
        "as_of_year": as_of.year,
        "as_of_month": as_of.year * 100 + as_of.month,
        "as_of_month_day": as_of.month * 100 + as_of.day,
        "first_paid_day": day(min(months)),
        "paid_months": ", ".join(f"'{m:%Y%m}'" for m in months),
        "enrolment_years": ", ".join(map(str, years)),
        "medical_threshold": rules.scoring.medical_threshold,
    }


def standard_select(entries: tuple[tuple[str, Decimal], ...]) -> str:
    """A standard by area: codes of a county or a province, yuan."""
    columns = "select cast(area as varchar) as area, cast(yuan as decimal(16,2)) as yuan from"
    if not entries:
        return f"{columns} (select null as area, null as yuan) as nothing where false"
    values = ", ".join(f"({literal(area)}, {yuan})" for area, yuan in entries)
    return f"{columns} (values {values}) as entry(area, yuan)"


@lru_cache(maxsize=1)
def area_select() -> str:
    """The reference table `area` (area_code, area_name) from `rules/areas.csv`."""
    with (RULES / "areas.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["area_code"], row["area_name"]) for row in csv.DictReader(file)]
    values = ", ".join(f"({literal(code)}, {literal(area)})" for code, area in rows)
    return f"select area_code, area_name from (values {values}) as entry(area_code, area_name)"


def worst_state(indicator: Indicator, states: Mapping[str, str]) -> str:
    """The worst state among an indicator's sources; what is not among `states` was never read."""
    found = {states.get(records, "missing") for records in indicator.sources}
    return "missing" if "missing" in found else "stale" if "stale" in found else "ok"


@lru_cache(maxsize=1)
def formula_states() -> frozenset[str]:
    """The state columns that the domain models have, `r21_state`:
    of formulas that can be not applicable.
    """
    texts = (
        model_path(f"indicators/{domain}").read_text(encoding="utf-8") for domain in MODEL_DOMAINS
    )
    return frozenset(
        column for text in texts for column in re.findall(r"\bas ([bsr][0-9]{2}_state)\b", text)
    )


def cells(states: Mapping[str, str], catalogue: Catalogue) -> tuple[Cell, ...]:
    """The day's indicators with their models, under the state of each source."""
    made: list[Cell] = []
    for indicator in catalogue.indicators:
        state = f"{indicator.code.lower()}_state"
        alias = indicator.domain or indicator.group
        made.append(
            Cell(
                indicator,
                alias,
                worst_state(indicator, states),
                state if state in formula_states() else None,
            )
        )
    return tuple(made)
