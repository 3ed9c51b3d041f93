"""What a model's parameters stand for: a name in the SQL, and where its value comes from.

Belongs here: every name once. Not here: how a value is reckoned (`indicators`, `scoring`,
`follow_up`, `matching`, …).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from expectations.contract import Contract
from expectations.engine import day
from warehouse import (
    crosscheck,
    entitlement_rules,
    follow_up,
    identity,
    indicators,
    linkage,
    matching,
    names,
    scoring,
    support,
)
from warehouse import periodic_reports as rhythms
from warehouse.catalogue import DOMAINS
from warehouse.following_rules import STAGES
from warehouse.graph import registry
from warehouse.graph.heads import Model
from warehouse.graph.moment import Moment
from warehouse.model import render


@dataclass(frozen=True)
class Filling:
    """What a model is filled in for."""

    moment: Moment
    contract: Contract | None
    """The record type that it is made for."""
    contracts: tuple[Contract, ...]
    types: tuple[Contract, ...]
    """The record types whose open numbers and names are answered together."""
    states: Mapping[str, str]
    """State by record type, for a model that declares that it asks."""
    has_released: bool
    compared_on: date | None

    @property
    def key(self) -> Hashable:
        """Another one for another filling."""
        moment = self.moment
        days = (
            moment.as_of,
            moment.earlier_than,
            moment.not_before,
            moment.period_on,
            moment.flag_days,
            moment.base,
            self.compared_on,
        )
        types = tuple(contract.table for contract in self.types)
        rules = (moment.rules.hash, moment.following.hash, moment.catalogue.hash)
        others = (moment.further.hash, moment.layout)
        states = tuple(sorted(self.states.items()))
        return (*days, *rules, *others, types, states, self.has_released)

    @property
    def type(self) -> Contract:
        if self.contract is None:
            raise LookupError("the model is not one of a record type")
        return self.contract


NO_COUNTY = "000000"
"""The county of what is linked to no household, and of households whose register row is out of
force and whose county nobody knows."""


def _calendar(part: str) -> Callable[[Filling], Any]:
    return lambda f: indicators.day_parameters(f.moment.as_of, f.moment.rules)[part]


def _rule(part: str) -> Callable[[Filling], Any]:
    return lambda f: getattr(f.moment.rules.scoring, part)


def _of_type(part: str) -> Callable[[Filling], Any]:
    return lambda f: matching.type_parameters(f.type)[part]


def _rhythm(part: str) -> Callable[[Filling], Any]:
    return lambda f: getattr(f.moment.following.following.rhythms, part)


def _threshold(part: str) -> Callable[[Filling], Any]:
    return lambda f: getattr(f.moment.rules.thresholds, part)


CALENDAR = (
    *("as_of", "as_of_year", "as_of_month_day", "window_start", "appraised_since"),
    *("as_of_month", "first_paid_day", "paid_months", "enrolment_years", "medical_threshold"),
)
THRESHOLDS = (
    *("window_months", "resident_months", "weak_labour_weight", "elder_age", "child_under_age"),
    *("chronic_followup_days", "retrofit_days", "single_earner_share", "stable_job_months"),
    "income_source_share",
)
"""Those that models compare with as they are; the others stand in what the calendar gives."""
OF_TYPE = (
    *(
        "amounts",
        "area_code",
        "fields",
        "has_member_id",
        "household_id",
        "member_id",
        "name_value",
        "number",
        "pair",
        "person_key",
    ),
    *("record_id", "record_key", "record_type"),
)

PARAMETERS: Mapping[str, Callable[[Filling], Any]] = {
    **{part: _calendar(part) for part in CALENDAR},
    **{part: _threshold(part) for part in THRESHOLDS},
    **{part: _rule(part) for part in ("hard_floor", "levels", "offset", "score_limit")},
    **{part: _of_type(part) for part in OF_TYPE},
    "absence_is_undoubted": lambda f: str(f.moment.rules.scoring.absence == "undoubted").lower(),
    "area_levels": lambda f: follow_up.AREA_LEVELS,
    "area_outcomes": lambda f: matching.AREA_OUTCOMES,
    "as_of_digits": lambda f: f.moment.as_of.strftime("%Y%m%d"),
    "allowed_ages": lambda f: [(c.department, c.records, c.stale_after_days) for c in f.contracts],
    "awarding": lambda f: support.awarding(f.states),
    "at_once": lambda f: matching.at_once(
        "d.name" if f.contract is None else matching.type_parameters(f.type)["name_value"]
    ),
    "base_on": lambda f: day(f.moment.base),
    "catalogue": lambda f: f.moment.catalogue.indicators,
    "chronic_days": _rhythm("chronic_followup_within_days"),
    "cleared": lambda f: STAGES.index("cleared") + 1,
    "codes": lambda f: follow_up.codes(f.moment.following),
    "compared_on": lambda f: day(f.compared_on),
    "contracts": lambda f: list(f.contracts),
    "crosscheck": lambda f: crosscheck.numbers(f.moment.further.crosscheck),
    "counting": lambda f: registry.counting(),
    "counts": lambda f: follow_up.LEDGER_COUNTS,
    "deadlines": lambda f: f.moment.following.following.deadlines,
    "doubtful_schemes": lambda f: entitlement_rules.doubtful_schemes(
        f.moment.further.entitlements, f.states
    ),
    "doubtful_lists": lambda f: support.doubtful_lists(f.states),
    "domain_models": lambda f: indicators.MODEL_DOMAINS,
    "domains": lambda f: DOMAINS,
    "draw_periods": lambda f: crosscheck.draw_periods(f.moment.as_of, f.moment.further.crosscheck),
    "due_on": lambda f: follow_up.due_on(f.moment.as_of, f.moment.following),
    "entitlement": lambda f: entitlement_rules.numbers(
        f.moment.further.entitlements, f.moment.as_of
    ),
    "evidence_types": lambda f: crosscheck.evidence_types(),
    "flag_days": lambda f: ", ".join(f"({day(on)})" for on in f.moment.flag_days),
    "flood": lambda f: f.moment.further.crosscheck.flood,
    "gap_records": lambda f: entitlement_rules.gap_records(f.moment.further.entitlements, f.states),
    "has_released": lambda f: str(f.has_released).lower(),
    "incomes": lambda f: follow_up.INCOMES,
    "indicators": lambda f: indicators.cells(f.states, f.moment.catalogue),
    "is_enrolment_seen": lambda f: str(f.states.get("enrolments", "missing") != "missing").lower(),
    "issues": lambda f: f.moment.further.issues,
    "items": lambda f: follow_up.items(f.moment.as_of, f.moment.following),
    "kept_since": lambda f: follow_up.kept_since(f.moment.as_of, f.moment.following),
    "lists": lambda f: follow_up.LISTS,
    "measures": lambda f: follow_up.measures(f.states, f.moment.following),
    "medical_sums": lambda f: support.MEDICAL_SUMS,
    "methods": lambda f: matching.METHODS,
    "monitored_have_tasks": lambda f: str(
        f.moment.following.following.tasks.households == "red_or_monitored"
    ).lower(),
    "no_county": lambda f: NO_COUNTY,
    "outcomes": lambda f: matching.PERSONAL_OUTCOMES,
    "pair_text": lambda f: matching.pair_text,
    "period_on": lambda f: day(f.moment.period_on),
    "prefecture_digits": lambda f: support.PREFECTURE_DIGITS,
    "populations": lambda f: support.populations(f.states, f.moment.further.support),
    "read": lambda f: support.read_types(f.states),
    "recorded": lambda f: STAGES.index("recorded") + 1,
    "rest": lambda f: f.moment.further.crosscheck.rest,
    "risks": lambda f: [
        cell
        for cell in indicators.cells(f.states, f.moment.catalogue)
        if cell.indicator.group == "risk"
    ],
    "second_round": lambda f: support.SECOND_ROUND,
    "rule_version": lambda f: f.moment.rules.version,
    "scored": lambda f: scoring.scored(f.moment.rules, f.moment.catalogue),
    "shells_are_computed": lambda f: str(f.moment.rules.scoring.shells == "computed").lower(),
    "spans_since": lambda f: crosscheck.spans_since(f.moment.as_of),
    "stages": lambda f: STAGES,
    "stale": lambda f: sorted(records for records, state in f.states.items() if state == "stale"),
    "stopped_days": lambda f: f.moment.further.crosscheck.stopped_days,
    "support": lambda f: support.support_day(
        f.moment.as_of, f.moment.rules.thresholds.window_months, f.moment.further.support
    ),
    "thresholds": _rhythm("thresholds"),
    "types": lambda f: [matching.delivered(contract) for contract in f.types],
    "visit_days": _rhythm("visit_within_days"),
    "weekly_counts": lambda f: rhythms.WEEKLY_COUNTS,
    "z": lambda f: linkage.Z,
    "z2": lambda f: linkage.Z * linkage.Z,
}


def fill(model: Model, filling: Filling) -> str:
    """The model's SQL with exactly its declared parameters;
    an undeclared one is an error of the template.
    """
    values = {parameter: PARAMETERS[parameter](filling) for parameter in model.parameters}
    if filling.contract is not None:
        values["valid"] = f"valid_{filling.contract.table}"
    return render(model.name, ids=identity, names=names, **values)
