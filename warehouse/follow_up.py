"""What follows a lamp: changes, the departments' lists, tasks, cases, ledger,
bulletin and the household's card.

Belongs here: what `models/following` takes from the day and the rules. Not here: the rules
(`following_rules`), what a lamp is (`scoring`), running the models (`graph.runner`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from expectations.engine import day, literal
from warehouse.catalogue import Catalogue
from warehouse.following_rules import MEASURES, FollowingRules
from warehouse.schema.declared import AREA_LEDGER

AREA_LEVELS = (("county", 6), ("town", 9), ("village", 12))
"""The levels of areas and the digits of their codes (县, 镇, 村)."""

LISTS = ("income", "benefits", "medical", "schooling", "housing", "water")
"""The six lists of a card (六清单)."""

INCOMES = (
    ("wage", "b15_wage_income"),
    ("business_net", "b16_business_net_income"),
    ("property", "b17_property_income"),
    ("transfer", "b18_transfer_income"),
    ("net", "b19_net_income"),
    ("net_per_head", "b20_net_income_per_capita"),
    ("claims", "b22_claims_income"),
    ("reference_per_head", "b23_reference_income_per_capita"),
)

LEDGER_COUNTS = tuple(column.name for column in AREA_LEDGER.columns if column.type == "integer")


@dataclass(frozen=True)
class Item:
    """A verify rule as its model names it."""

    department: str
    code: str
    column: str
    condition: str
    issued_since: str | None


@dataclass(frozen=True)
class RankedMeasure:
    name: str
    is_lowest_best: bool
    is_unseen: bool
    """A record type that it needs was never read: no rate, whatever the counts."""


def items(as_of: date, rules: FollowingRules) -> tuple[Item, ...]:
    """The lists of the departments, as their model takes them."""
    made: list[Item] = []
    for line in rules.verify:
        within = line.rule.certificate_issued_within_days
        condition = " or ".join(f"({c.sql})" for c in line.conditions)
        since = None if within is None else day(as_of - timedelta(days=within))
        made.append(
            Item(line.rule.department, line.rule.code, line.indicator.column, condition, since)
        )
    return tuple(made)


def measures(states: Mapping[str, str], rules: FollowingRules) -> tuple[RankedMeasure, ...]:
    """The measures of the bulletin, under the day's state of each source."""
    made: list[RankedMeasure] = []
    for name in MEASURES:
        rule = rules.following.bulletin[name]
        unseen = any(states.get(records, "missing") == "missing" for records in rule.needs)
        made.append(RankedMeasure(name, rule.best == "lowest", unseen))
    return tuple(made)


def codes(rules: FollowingRules) -> dict[str, str]:
    """The codes that each measure counts, as an SQL list."""
    return {
        name: ", ".join(literal(code) for code in measure.codes)
        for name, measure in rules.following.bulletin.items()
    }


def due_on(as_of: date, rules: FollowingRules) -> str:
    """The day on which a task that opens on `as_of` is due."""
    return day(as_of + timedelta(days=rules.following.tasks.due_days))


def kept_since(as_of: date, rules: FollowingRules) -> str:
    """A task that was closed before that day is told no more."""
    return day(as_of - timedelta(days=rules.following.tasks.keep_closed_days))


def task_rule_select(rules: FollowingRules) -> str:
    """The reference table `task_rule`: what each risk needs, and whose task that is."""
    entries = rules.following.tasks.of.items()
    values = ", ".join(
        f"({', '.join(map(literal, (code, rule.need, rule.department, rule.task)))})"
        for code, rule in entries
    )
    return (
        f"select code, need, department, task from (values {values}) as entry(code, need,"
        " department, task)"
    )


def risk_domain_select(catalogue: Catalogue) -> str:
    """The reference table `risk_domain`."""
    risks = ", ".join(
        f"('{i.code}', '{i.domain}')" for i in catalogue.indicators if i.group == "risk"
    )
    return f"select code, domain from (values {risks}) as entry(code, domain)"
