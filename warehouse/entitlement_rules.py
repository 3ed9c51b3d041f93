"""The rules of entitlement and of what is not known as data:
`rules/entitlements-<effective_from>.yaml`, checked when read.

Belongs here: lines, departments, policy paragraphs, examples. Not here: how a line is reckoned
(`models/entitlement`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator

from expectations.contract import contract_for
from expectations.engine import day, literal
from warehouse.dated_rules import hash_of, in_force
from warehouse.scoring_rules import Strict, read_rule_file

Factor = Annotated[Decimal, Field(gt=0, le=100)]
Days = Annotated[int, Field(ge=0, le=3660)]
Age = Annotated[int, Field(ge=0, le=120)]
Text = Annotated[str, Field(min_length=1, max_length=300)]
UNCHECKED = "依据待核"
"""Of a line whose paragraph nobody has entered and checked: it is no law."""


class Basis(Strict):
    """The paragraph of the policy, as the county enters it."""

    words: Text
    source: Text
    checked_by: Text | None = None
    checked_on: date | None = None

    @property
    def said(self) -> str:
        is_checked = self.checked_by is not None and self.checked_on is not None
        return f"{self.words}（{self.source}）" if is_checked else UNCHECKED


class Scheme(Strict):
    """One line of entitlement."""

    chinese: Text
    department: str
    beyond: str | None = None
    """The rule of the contradictions that asks about what is held beyond it."""
    sources: tuple[str, ...]
    basis: Basis | None = None

    @field_validator("sources")
    @classmethod
    def _known(cls, sources: tuple[str, ...]) -> tuple[str, ...]:
        for records in sources:
            contract_for(records, with_drafts=True)
        return sources

    @property
    def said(self) -> str:
        return self.basis.said if self.basis else UNCHECKED


class Gap(Strict):
    """Why one expects rows of a record type, and whose they are."""

    department: str
    reason: Text


class Example(Strict):
    """A household in, states out: what is tried with the tests."""

    name: Text
    household: dict[str, Any] = Field(default_factory=dict)
    members: tuple[dict[str, Any], ...] = ()
    records: tuple[dict[str, Any], ...] = ()
    states: dict[str, str]


class Entitlements(Strict):
    """A whole `entitlements-<date>.yaml`."""

    effective_from: date
    edge_factor: Factor
    near: Factor
    event_days: Days
    loss_share: Factor
    damage_days: Days
    young_under: Age
    old_from: Age
    schemes: dict[str, Scheme]
    gaps: dict[str, Gap]
    examples: tuple[Example, ...] = ()

    @property
    def hash(self) -> str:
        return hash_of(self)


def read_entitlements(path: Path) -> Entitlements:
    """The rules in `path`. Raises `RuleError` naming file, line and reason."""
    return read_rule_file(path, Entitlements)[0]


@lru_cache(maxsize=64)
def load_entitlements(as_of: date) -> Entitlements:
    """The rules in force on `as_of`. Raises `RuleError`."""
    return in_force("entitlements", as_of, read_entitlements)


def numbers(rules: Entitlements, as_of: date) -> Mapping[str, Any]:
    """What the models take."""
    taken = ("edge_factor", "near", "event_days", "loss_share", "damage_days", "young_under")
    found = {name: getattr(rules, name) for name in (*taken, "old_from")}
    return found | {"event_since": day(as_of - timedelta(days=rules.event_days))}


def scheme_select(rules: Entitlements) -> str:
    """The reference table `entitlement_scheme`."""
    rows = ", ".join(
        f"({literal(name)}, {literal(scheme.department)},"
        f" {literal(scheme.beyond) if scheme.beyond else 'cast(null as varchar)'},"
        f" {literal(scheme.said)})"
        for name, scheme in sorted(rules.schemes.items())
    )
    columns = "scheme, department, beyond, basis"
    return f"select {columns} from (values {rows}) as entry({columns})"


def gap_select(rules: Entitlements) -> str:
    """The reference table `gap_reason`."""
    rows = ", ".join(
        f"({literal(records)}, {literal(gap.department)}, {literal(gap.reason)})"
        for records, gap in sorted(rules.gaps.items())
    )
    columns = "records, department, reason"
    return f"select {columns} from (values {rows}) as entry({columns})"


def doubtful_schemes(rules: Entitlements, states: Mapping[str, str]) -> str:
    """The lines of which a source is stale or missing today, as SQL has a list."""
    found = [
        name
        for name, scheme in sorted(rules.schemes.items())
        if any(states.get(records, "missing") != "ok" for records in scheme.sources)
    ]
    return ", ".join(map(literal, found)) or "''"


def gap_records(rules: Entitlements, states: Mapping[str, str]) -> list[str]:
    """The record types of which it is known who should have rows; visits the register tells too."""
    return [
        records
        for records in sorted(rules.gaps)
        if records == "visits" or states.get(records, "missing") != "missing"
    ]
