"""Who helps, with what, and was it enough, as rules: `rules/support-<date>.yaml` and the groups of
`rules/groups-<date>.yaml`, checked when read.

Belongs here: what is in force on a day. Not here: what the models take from it (`support`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationInfo, field_validator, model_validator

from expectations.contract import contract_for
from expectations.engine import literal
from warehouse.catalogue import DOMAINS, RULES, Catalogue, load_catalogue
from warehouse.conditions import ConditionError, parse_condition
from warehouse.scoring_rules import RuleError, Strict, catalogue_of, read_rule_file
from warehouse.thresholds import Age, Days, Months

ASSISTANCE = "assistance"
Code = Annotated[str, Field(pattern=r"^[a-z_]+$")]


def _codes(records: str, field: str) -> set[str]:
    return {code.code for code in contract_for(records, with_drafts=True).field(field).codes}


def _known(values: Iterable[str], records: str, field: str) -> None:
    known = _codes(records, field)
    if strange := sorted(set(values) - known):
        raise ValueError(
            f"{', '.join(strange)} is no {field} of {records}; known are {', '.join(sorted(known))}"
        )


class VisitRules(Strict):
    """Within how many days who is visited again, and by whom."""

    red_days: Days
    monitored_days: Days
    lifted_days: Days
    duties: tuple[str, ...]
    kinds: tuple[str, ...]
    coverage_weeks: Annotated[int, Field(ge=1, le=104)]

    @field_validator("duties")
    @classmethod
    def _known_duties(cls, duties: tuple[str, ...]) -> tuple[str, ...]:
        _known(duties, "assignments", "duty")
        return duties

    @field_validator("kinds")
    @classmethod
    def _known_kinds(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        _known(kinds, "visits", "kind")
        return kinds


class MeasureRules(Strict):
    """Which kinds of measure answer which need."""

    development: tuple[str, ...]
    protection: tuple[str, ...]
    domains: dict[str, tuple[str, ...]]
    risks: dict[str, tuple[str, ...]]

    @model_validator(mode="after")
    def _known_kinds(self) -> MeasureRules:
        answers = (*self.domains.values(), *self.risks.values())
        named = {kind for kinds in answers for kind in kinds}
        _known({*named, *self.development, *self.protection}, "measures", "kind")
        if strange := sorted(set(self.domains) - set(DOMAINS)):
            raise ValueError(f"{', '.join(strange)} is no domain; known are {', '.join(DOMAINS)}")
        return self

    @field_validator("risks")
    @classmethod
    def _known_risks(
        cls, risks: dict[str, tuple[str, ...]], info: ValidationInfo
    ) -> dict[str, tuple[str, ...]]:
        if strange := sorted(set(risks) - catalogue_of(info).codes("risk")):
            raise ValueError(f"{', '.join(strange)} is no risk indicator")
        return risks


class Able(Strict):
    """The ages of those who are able to work."""

    age_from: Age
    age_to: Age


DayOfYear = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]


class Support(Strict):
    """A whole `support-<date>.yaml`."""

    effective_from: date
    visits: VisitRules
    helper_limit: Annotated[int, Field(ge=1, le=1000)]
    watch_months: Months
    relapse_months: Months
    relapse_told_months: Months
    span_months: Months
    measures: MeasureRules
    able: Able
    transfer_months: Months
    terms: dict[Annotated[str, Field(pattern=r"^[12]$")], DayOfYear]
    aid_asked: dict[Annotated[str, Field(pattern=r"^[12]$")], DayOfYear]
    new_pupils: tuple[Annotated[int, Field(ge=1, le=12)], ...]
    report_days: Days


class MemberCondition(Strict):
    """What is said of an active member; all of it holds."""

    age: Literal["unknown"] | None = None
    age_from: Age | None = None
    age_to: Age | None = None
    labour_class: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        """Over a row of `active_member`; true or false, never null."""
        parts = []
        if self.age is not None:
            parts.append("age is null")
        if self.age_from is not None:
            parts.append(f"age >= {self.age_from}")
        if self.age_to is not None:
            parts.append(f"age <= {self.age_to}")
        if self.labour_class:
            listed = ", ".join(literal(code) for code in self.labour_class if code)
            empty = " or labour_class is null" if "" in self.labour_class else ""
            parts.append(f"(labour_class in ({listed}){empty})")
        return f"coalesce({' and '.join(parts) or 'true'}, false)"


class Group(Strict):
    """A group of households."""

    chinese: Annotated[str, Field(min_length=1)]
    when: dict[str, str] = Field(default_factory=dict)
    scheme: str | None = None
    every_member: MemberCondition | None = None
    no_member: tuple[MemberCondition, ...] = ()
    members: str

    @field_validator("scheme")
    @classmethod
    def _known_scheme(cls, scheme: str | None) -> str | None:
        if scheme is not None:
            _known([scheme], ASSISTANCE, "scheme")
        return scheme


class Groups(Strict):
    """A whole `groups-<date>.yaml`."""

    effective_from: date
    groups: dict[Code, Group]

    @field_validator("groups")
    @classmethod
    def _conditions_can_be_read(
        cls, groups: dict[str, Group], info: ValidationInfo
    ) -> dict[str, Group]:
        catalogue = catalogue_of(info)
        for code, group in groups.items():
            if taken := {code} & set(POPULATIONS):
                raise ValueError(f"{taken.pop()} is a population of its own")
            try:
                _compiled(code, group, catalogue)
            except (KeyError, ConditionError) as error:
                raise ValueError(f"{code}: {error}") from None
        return groups


POPULATIONS = ("everybody", "lifted", "monitored", "assisted")
"""Who figures are told of, beside the groups."""


@dataclass(frozen=True)
class CompiledGroup:
    """A group as its model takes it."""

    code: str
    condition: str
    """SQL over a row `i` of `household_indicator`."""
    scheme: str | None
    every_member: str | None
    """SQL over a row of `active_member`."""
    no_member: str | None
    members: str
    """The column of `household_indicator` that counts who belongs to it."""
    sources: tuple[str, ...]
    """The record types without which nobody is known to be in it."""


def _compiled(code: str, group: Group, catalogue: Catalogue) -> CompiledGroup:
    by_code = catalogue.by_code
    conditions = [
        f"coalesce({parse_condition(by_code[name], text).sql}, false)"
        for name, text in group.when.items()
    ]
    listed = [by_code[name] for name in (*group.when, group.members)]
    sources = {records for indicator in listed for records in indicator.sources}
    if group.scheme is not None:
        sources.add(ASSISTANCE)
    return CompiledGroup(
        code=code,
        condition=" and ".join(conditions) or "true",
        scheme=group.scheme,
        every_member=group.every_member.sql if group.every_member else None,
        no_member=" or ".join(said.sql for said in group.no_member) or None,
        members=by_code[group.members].column,
        sources=tuple(sorted(sources)),
    )


@dataclass(frozen=True)
class SupportRules:
    """What is in force on a day."""

    support: Support
    groups: tuple[CompiledGroup, ...]
    names: tuple[tuple[str, str], ...]
    """Code and Chinese name of each group."""
    effective_from: date
    hash: str


Dated = TypeVar("Dated", Support, Groups)


def _in_force(kind: str, model: type[Dated], as_of: date, folder: Path) -> Dated:
    found = [
        (path, read_rule_file(path, model)[0]) for path in sorted(folder.glob(f"{kind}-*.yaml"))
    ]
    for path, rules in found:
        if path.stem != f"{kind}-{rules.effective_from}":
            raise RuleError(
                f"{path}:1: effective_from is {rules.effective_from}", "name the file so"
            )
    begun = [rules for _, rules in found if rules.effective_from <= as_of]
    if not begun:
        raise RuleError(
            f"{folder}: no {kind} file is in force on {as_of}",
            "add one with an earlier effective_from",
        )
    return max(begun, key=lambda rules: rules.effective_from)


@lru_cache(maxsize=64)
def load_support(as_of: date, folder: Path = RULES) -> SupportRules:
    """The rules in force on `as_of`; every file is read. Raises `RuleError`."""
    support = _in_force("support", Support, as_of, folder)
    groups = _in_force("groups", Groups, as_of, folder)
    catalogue = load_catalogue(groups.effective_from)
    said = [support.model_dump(mode="json"), groups.model_dump(mode="json")]
    return SupportRules(
        support,
        tuple(_compiled(code, group, catalogue) for code, group in groups.groups.items()),
        tuple((code, group.chinese) for code, group in groups.groups.items()),
        max(support.effective_from, groups.effective_from),
        hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest(),
    )
