"""What follows a lamp: changes, the departments' lists, tasks, cases, ledger, bulletin and the household's card.

Belongs here: running `models/following` in order, with the day and the rules filled in. Not here: the rules
(`following_rules`), what a lamp is (`scoring`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from expectations.engine import SqlEngine
from warehouse.catalogue import DOMAINS, indicators_by_code
from warehouse.following_rules import MEASURES, STAGES, FollowingRules
from warehouse.indicators import build_values, day_parameters, has_values, register_areas, source_states
from warehouse.model import render
from warehouse.scoring_rules import Rules

ORDER: Mapping[str, str] = {
    "flag_change": "household_id",
    "verify_item": "household_id, department, code",
    "follow_up_task": "task_id",
    "case_progress": "case_id",
    "area_ledger": "area_code",
    "bulletin": "area_code, measure",
    "household_card": "household_id",
}
"""The columns that order each table totally."""

LEVELS = (("county", 6), ("town", 9), ("village", 12))
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

LEDGER_COUNTS = (
    "households",
    "persons",
    "red",
    "yellow",
    "green",
    "held",
    "newly_red",
    "no_longer_red",
    *DOMAINS,
    "monitored_households",
    "monitored_persons",
    "cleared_households",
    "cleared_persons",
)

NO_PREVIOUS: Mapping[str, str] = {
    "warning_flag": "select null::varchar as household_id, null::varchar as area_code, null::varchar as level, "
    "null::decimal(6,2) as score, null::date as red_since, null::varchar[] as _red_codes, null::date as _as_of where false",
    "warning_reason": "select null::varchar as household_id, null::varchar as code, null::date as _as_of where false",
    "verify_item": "select null::varchar as household_id, null::varchar as department, null::varchar as code, null::date as since, "
    "null::date as _as_of where false",
    "follow_up_task": "select null::varchar as task_id, null::varchar as household_id, null::varchar as area_code, null::varchar as need, "
    "null::varchar as department, null::varchar as task, null::varchar as code, null::date as opened_on, null::date as due_on, "
    "null::date as closed_on, null::date as _as_of where false",
}
"""`previous_<table>` before the first day."""


@dataclass(frozen=True)
class FollowingCounts:
    """Rows of each of the seven tables."""

    rows: Mapping[str, int]


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


def _literal(day: date) -> str:
    return f"date '{day.isoformat()}'"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _items(as_of: date, rules: FollowingRules) -> tuple[Item, ...]:
    made: list[Item] = []
    for line in rules.verify:
        within = line.rule.certificate_issued_within_days
        condition = " or ".join(f"({c.sql})" for c in line.conditions)
        since = None if within is None else _literal(as_of - timedelta(days=within))
        made.append(Item(line.rule.department, line.rule.code, line.indicator.column, condition, since))
    return tuple(made)


def _measures(engine: SqlEngine, rules: FollowingRules) -> tuple[RankedMeasure, ...]:
    states = source_states(engine)
    made: list[RankedMeasure] = []
    for name in MEASURES:
        rule = rules.following.bulletin[name]
        unseen = any(states.get(records, "missing") == "missing" for records in rule.needs)
        made.append(RankedMeasure(name, rule.best == "lowest", unseen))
    return tuple(made)


def _register_rules(engine: SqlEngine, rules: FollowingRules) -> None:
    entries = rules.following.tasks.of.items()
    values = ", ".join(
        f"({_quoted(code)}, {_quoted(rule.need)}, {_quoted(rule.department)}, {_quoted(rule.task)})" for code, rule in entries
    )
    engine.table("task_rule", f"select code, need, department, task from (values {values}) as entry(code, need, department, task)")
    risks = ", ".join(f"('{i.code}', '{i.domain}')" for i in indicators_by_code().values() if i.group == "risk")
    engine.table("risk_domain", f"select code, domain from (values {risks}) as entry(code, domain)")


def _parameters(engine: SqlEngine, as_of: date, rules: Rules, following: FollowingRules) -> dict[str, Any]:
    tasks = following.following.tasks
    codes = {name: ", ".join(_quoted(code) for code in measure.codes) for name, measure in following.following.bulletin.items()}
    return {
        **day_parameters(as_of, rules),
        "as_of_digits": as_of.strftime("%Y%m%d"),
        "items": _items(as_of, following),
        "due_on": _literal(as_of + timedelta(days=tasks.due_days)),
        "kept_since": _literal(as_of - timedelta(days=tasks.keep_closed_days)),
        "stages": STAGES,
        "deadlines": following.following.deadlines,
        "recorded": STAGES.index("recorded") + 1,
        "cleared": STAGES.index("cleared") + 1,
        "levels": LEVELS,
        "domains": DOMAINS,
        "counts": LEDGER_COUNTS,
        "measures": _measures(engine, following),
        "codes": codes,
        "incomes": INCOMES,
        "lists": LISTS,
        "is_enrolment_seen": str(source_states(engine).get("enrolments", "missing") != "missing").lower(),
    }


def build_bulletin(engine: SqlEngine) -> int:
    """Makes `bulletin` from the engine's `bulletin_rate`: the rates of all areas, ranked."""
    return engine.table("bulletin", render("following/bulletin"))


def build_following(
    engine: SqlEngine, as_of: date, rules: Rules, following: FollowingRules, has_previous: bool | None = None
) -> FollowingCounts:
    """Makes the engine tables `flag_change`, `verify_item`, `follow_up_task`, `case_progress`, `area_ledger`, `bulletin` and
    `household_card` of the day.

    Reads what `build_indicators` and `build_flags` read and make (of another day or other rules it makes the values anew),
    and `previous_warning_flag`, `previous_warning_reason`, `previous_verify_item`, `previous_follow_up_task`: the newest earlier
    day, empty (`NO_PREVIOUS`) where there is none; and `released_warning_flag`, `released_warning_reason` where the release of
    that day was held back, and changes are counted from an earlier one. `has_previous`: whether there was an earlier day, where these tables are a
    part of it only.
    """
    if not has_values(engine, as_of, rules):
        build_values(engine, as_of, rules)
    register_areas(engine)
    _register_rules(engine, following)
    last_release = "released" if engine.exists("released_warning_flag") else "previous"
    if has_previous is None:
        has_previous = bool(engine.scalar(f"select count(*) from {last_release}_warning_flag"))
    parameters = {
        **_parameters(engine, as_of, rules, following),
        "has_previous": str(has_previous).lower(),
        "last_release": last_release,
    }
    for shared in ("severe_certificate", "household_place"):
        engine.table(shared, render(f"following/{shared}", **parameters))
    rows: dict[str, int] = {}
    for table in ORDER:
        if table == "bulletin":
            engine.table("bulletin_rate", render("following/bulletin_rate", **parameters))
        rows[table] = engine.table(table, render(f"following/{table}", **parameters))
    return FollowingCounts(rows)
