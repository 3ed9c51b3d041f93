"""The 72 indicators of each household on a day, and the household tables beside them.

Belongs here: running `models/indicators` and `models/household` in order, with the day and the rules filled in.
Not here: the formulas (SQL), the catalogue (`catalogue`), points and lamps (`scoring`).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from expectations.engine import SqlEngine
from warehouse.catalogue import DOMAINS, RULES, Indicator, load_indicators
from warehouse.model import render
from warehouse.scoring_rules import Rules

ORDER = {"household": "household_id", "household_member": "member_id", "household_indicator": "household_id"}
"""The columns that order each table totally."""

SHARED = (
    "any_member",
    "active_member",
    "register_household",
    "settlement_reversal",
    "net_settlement",
    "scheme_in_force",
    "valid_certificate",
    "subsidy_entitlement",
    "counted_retrofit",
    "lived_in_dwelling",
    "counted_loss",
    "known_enrolment",
    "chronic_followup",
    "open_report",
)
"""What several formulas read: who counts, what is in force; in the order in which they build on each other."""

READ_BY_OTHERS = ("basic", "medical", "disability")
"""The domains that another one reads: tables. The others are views, computed once, in `indicator_state`."""

MODEL_DOMAINS = ("basic", *DOMAINS, "resilience")


@dataclass(frozen=True)
class IndicatorCounts:
    """What one build of the indicators counted."""

    households: int
    shells: int
    """Households whose register row is out of force while members are there."""
    orphan_reversals: int
    """Reversals of settlements that lead to no original: dropped."""


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
    def has_value(self) -> str:
        """SQL: the sources were read and the formula applies; its value may still be null."""
        if self.source_state == "missing":
            return "false"
        return "true" if self.formula_state is None else f"coalesce({self.alias}.{self.formula_state}, 'ok') = 'ok'"

    def when(self, status: str) -> str:
        """SQL: the indicator of a household with active members has this status; `true` or `false` where that is known without asking."""
        if self.source_state == "missing":
            return str(status == "missing").lower()
        state = self.formula_state and f"{self.alias}.{self.formula_state}"
        if status == "not_applicable":
            return f"{state} = 'not_applicable'" if state else "false"
        if status == "stale":
            return f"{self.has_value} and {self.formula} is not null" if self.source_state == "stale" else "false"
        empty = f"({self.has_value} and {self.formula} is null)"
        return f"{state} = 'missing' or {empty}" if state else empty


def months_before(day: date, months: int) -> date:
    """The same day of the month `months` earlier, or that month's last day."""
    index = day.year * 12 + day.month - 1 - months
    year, month = index // 12, index % 12 + 1
    first_of_next = date(year + month // 12, month % 12 + 1, 1)
    return min(date(year, month, 1) + timedelta(days=day.day - 1), first_of_next - timedelta(days=1))


def _literal(day: date) -> str:
    return f"date '{day.isoformat()}'"


def day_parameters(as_of: date, rules: Rules) -> dict[str, Any]:
    """What the models take from the calendar and the rules."""
    months = [months_before(as_of.replace(day=1), back) for back in range(3)]
    years = [as_of.year] if as_of.month > 3 else [as_of.year, as_of.year - 1]
    return {
        "as_of": _literal(as_of),
        "year_ago": _literal(months_before(as_of, 12)),
        "five_years_ago": _literal(months_before(as_of, 60)),
        "as_of_year": as_of.year,
        "as_of_month_day": as_of.month * 100 + as_of.day,
        "subsidy_months": ", ".join(f"'{m:%Y%m}'" for m in months),
        "enrolment_years": ", ".join(map(str, years)),
        "medical_threshold": rules.scoring.medical_threshold,
    }


def _standard_select(entries: tuple[tuple[str, Decimal], ...]) -> str:
    columns = "select cast(area as varchar) as area, cast(yuan as decimal(16,2)) as yuan from"
    if not entries:
        return f"{columns} (select null as area, null as yuan) as nothing where false"
    values = ", ".join(f"('{area}', {yuan})" for area, yuan in entries)
    return f"{columns} (values {values}) as entry(area, yuan)"


def register_areas(engine: SqlEngine) -> None:
    """The engine table `area` (area_code, area_name) from `rules/areas.csv`."""
    with (RULES / "areas.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["area_code"], row["area_name"]) for row in csv.DictReader(file)]
    values = ", ".join("('{}', '{}')".format(code, name.replace("'", "''")) for code, name in rows)
    engine.table("area", f"select area_code, area_name from (values {values}) as entry(area_code, area_name)")


def source_states(engine: SqlEngine) -> dict[str, str]:
    """State by record type, from the engine's `source_state`; what is not there was never read."""
    return {str(records): str(state) for records, state in engine.rows("select records, state from source_state")}


def worst_state(indicator: Indicator, states: dict[str, str]) -> str:
    found = {states.get(records, "missing") for records in indicator.sources}
    return "missing" if "missing" in found else "stale" if "stale" in found else "ok"


def cells(engine: SqlEngine) -> tuple[Cell, ...]:
    """The indicators with their models and the day's source states; the domain tables must be there."""
    states = source_states(engine)
    columns = {domain: {name for name, _ in engine.columns(f"select * from indicators_{domain}")} for domain in MODEL_DOMAINS}
    made: list[Cell] = []
    for indicator in load_indicators():
        alias = indicator.domain or indicator.group
        state = f"{indicator.code.lower()}_state"
        made.append(Cell(indicator, alias, worst_state(indicator, states), state if state in columns[alias] else None))
    return tuple(made)


def build_values(engine: SqlEngine, as_of: date, rules: Rules) -> None:
    """Makes `indicator_state`: the value of each indicator, a row per household, and what it is made of."""
    parameters = day_parameters(as_of, rules)
    engine.table("monitoring_line", _standard_select(rules.monitoring_line))
    engine.table("dibao_standard", _standard_select(rules.dibao_standard))
    for name in SHARED:
        make = engine.view if name == "active_member" else engine.table
        make(name, render(f"indicators/{name}", **parameters))
    for domain in MODEL_DOMAINS:
        make = engine.table if domain in READ_BY_OTHERS else engine.view
        make(f"indicators_{domain}", render(f"indicators/{domain}", **parameters))
    engine.table("indicator_state", render("indicators/indicator_state", indicators=cells(engine), domains=MODEL_DOMAINS))
    engine.table("indicator_day", f"select {_literal(as_of)} as as_of, '{rules.hash}' as rules_hash")


def has_values(engine: SqlEngine, as_of: date, rules: Rules) -> bool:
    """Whether the engine holds the indicators of this day under these rules."""
    return engine.exists("indicator_day") and engine.rows("select as_of, rules_hash from indicator_day") == [(as_of, rules.hash)]


def build_household_indicator(engine: SqlEngine) -> None:
    """Makes `household_indicator` from `indicator_state`."""
    engine.view("household_indicator", render("household/household_indicator", indicators=cells(engine)))


def _count_reversals(engine: SqlEngine) -> int:
    return int(
        engine.scalar(
            "select count(*) from matched_health_insurance__settlements as s "
            "left join settlement_reversal as r on r.record_id = s.record_id where s.reverses_id is not null and r.record_id is null"
        )
    )


def build_indicators(engine: SqlEngine, as_of: date, rules: Rules) -> IndicatorCounts:
    """Makes the engine tables `household`, `household_member` and `household_indicator` of the day.

    Reads `matched_<table>` of every record type that an indicator lists, `person` and `source_state`.
    """
    parameters = day_parameters(as_of, rules)
    build_values(engine, as_of, rules)
    register_areas(engine)
    engine.table("household", render("household/household", **parameters))
    engine.table("household_member", render("household/household_member", **parameters))
    build_household_indicator(engine)
    return IndicatorCounts(
        households=int(engine.scalar("select count(*) from household")),
        shells=int(engine.scalar("select count(*) from register_household where is_shell")),
        orphan_reversals=_count_reversals(engine),
    )
