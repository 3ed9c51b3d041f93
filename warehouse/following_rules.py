"""The rules of what follows a lamp as data: `rules/following-<date>.yaml`, checked when read.

Belongs here: the lists, tasks, deadlines and measures that are in force on a day. Not here: what is
made of them (`follow_up`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from expectations.contract import contract_for, load_contracts
from warehouse.catalogue import RULES, Indicator, load_catalogue
from warehouse.conditions import Condition, ConditionError, parse_condition
from warehouse.scoring_rules import (
    MEND_LINES,
    RuleError,
    Strict,
    catalogue_of,
    line_of,
    read_rule_file,
)

STAGES = (
    "discovered",
    "verified",
    "compared",
    "reviewed",
    "approved",
    "recorded",
    "assisted",
    "cleared",
)
"""The eight stages of a case, in order: stage 1 is the first."""

MEASURES = (
    "red_rate",
    "insured_rate",
    "chronic_signed_rate",
    "support_rate",
    "microcredit_rate",
    "clearance_rate_households",
    "clearance_rate_persons",
)

Days = Annotated[int, Field(ge=0, le=3660)]
Stage = Literal[
    "discovered", "verified", "compared", "reviewed", "approved", "recorded", "assisted", "cleared"
]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")]
Text = Annotated[str, Field(min_length=1, max_length=200)]


def _department(name: str) -> str:
    known = sorted({contract.department for contract in load_contracts()})
    if name not in known:
        raise ValueError(f"no contract has the department {name}; known are {', '.join(known)}")
    return name


def _risk(code: str, info: ValidationInfo) -> str:
    if code not in catalogue_of(info).codes("risk"):
        raise ValueError(f"{code} is no risk indicator")
    return code


class VerifyRule(Strict):
    """A department's list by one indicator: a household is on it where one of the
    conditions holds.
    """

    department: str
    code: str
    when: Annotated[tuple[str, ...], Field(min_length=1)]
    certificate_issued_within_days: Days | None = None

    _known_department = field_validator("department")(_department)
    _known_risk = field_validator("code")(_risk)


class TaskRule(Strict):
    """What a risk needs, and whose task that is."""

    need: str
    department: str
    task: Text

    _known_department = field_validator("department")(_department)

    @field_validator("need")
    @classmethod
    def _known_difficulty(cls, need: str) -> str:
        known = [code.code for code in contract_for("reports").field("difficulty").codes]
        if need not in known:
            raise ValueError(f"{need} is no difficulty code; known are {', '.join(known)}")
        return need


class Tasks(Strict):
    """Tasks of every risk indicator."""

    households: Literal["red", "red_or_monitored"] = "red"
    """Whose risks have tasks."""
    due_days: Days
    keep_closed_days: Days
    of: Annotated[dict[str, TaskRule], Field(alias="for")]

    @field_validator("of")
    @classmethod
    def _every_risk(cls, of: dict[str, TaskRule], info: ValidationInfo) -> dict[str, TaskRule]:
        if wrong := sorted(set(of) ^ catalogue_of(info).codes("risk")):
            raise ValueError(f"one task for each risk code; missing or unknown: {', '.join(wrong)}")
        return of


class Deadline(Strict):
    """A stage that must be reached within so many calendar days after another."""

    stage: Stage
    days: Days
    after: Stage

    @property
    def number(self) -> int:
        return STAGES.index(self.stage) + 1


class Measure(Strict):
    """How a measure of the bulletin is ranked, and what it needs."""

    best: Literal["highest", "lowest"]
    needs: tuple[str, ...] = ()
    codes: tuple[Code, ...] = ()

    @field_validator("needs")
    @classmethod
    def _known_records(cls, needs: tuple[str, ...]) -> tuple[str, ...]:
        for records in needs:
            contract_for(records)
        return needs


class PeriodicRules(Strict):
    """Days within which a household is visited and a chronic patient seen,
    and the scores at which lamps are tried.
    """

    visit_within_days: Days
    chronic_followup_within_days: Days
    thresholds: tuple[Annotated[int, Field(ge=0, le=100)], ...]


class Following(Strict):
    """A whole `following-<date>.yaml`."""

    effective_from: date
    verify: tuple[VerifyRule, ...]
    tasks: Tasks
    deadlines: tuple[Deadline, ...]
    bulletin: dict[str, Measure]
    rhythms: PeriodicRules

    @field_validator("verify")
    @classmethod
    def _once(cls, verify: tuple[VerifyRule, ...]) -> tuple[VerifyRule, ...]:
        keys = [(rule.department, rule.code) for rule in verify]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise ValueError(
                f"{twice[0][0]} has {twice[0][1]} twice; write its conditions into one entry"
            )
        return verify

    @field_validator("bulletin")
    @classmethod
    def _every_measure(cls, bulletin: dict[str, Measure]) -> dict[str, Measure]:
        if wrong := sorted(set(bulletin) ^ set(MEASURES)):
            raise ValueError(
                f"one entry for each of {', '.join(MEASURES)}; missing or unknown:"
                f" {', '.join(wrong)}"
            )
        return bulletin


@dataclass(frozen=True)
class VerifyLine:
    """A verify rule with its conditions compiled."""

    rule: VerifyRule
    indicator: Indicator
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class FollowingRules:
    """What is in force on a day."""

    following: Following
    verify: tuple[VerifyLine, ...]
    hash: str

    @property
    def version(self) -> str:
        """`<effective_from>-<8 digits of the hash>`."""
        return f"{self.following.effective_from}-{self.hash[:8]}"


def read_following(path: Path) -> FollowingRules:
    """The rules in `path`. Raises `RuleError` naming file, line and reason."""
    following, node = read_rule_file(path, Following)
    catalogue = load_catalogue(following.effective_from).by_code
    lines: list[VerifyLine] = []
    problems: list[str] = []
    for position, rule in enumerate(following.verify):
        indicator = catalogue[rule.code]
        try:
            lines.append(
                VerifyLine(
                    rule, indicator, tuple(parse_condition(indicator, text) for text in rule.when)
                )
            )
        except ConditionError as error:
            problems.append(
                f"{path}:{line_of(node, ('verify', position))}: verify.{position}:"
                f" {rule.department} {rule.code}: {error}"
            )
    if problems:
        raise RuleError("\n".join(problems), MEND_LINES)
    content = json.dumps(_said(following), sort_keys=True)
    return FollowingRules(following, tuple(lines), hashlib.sha256(content.encode()).hexdigest())


def _said(following: Following) -> dict[str, Any]:
    """What the file says; a setting that the first version did not name is no part of a hash at
    its default.
    """
    said = following.model_dump(mode="json")
    if following.tasks.households == Tasks.model_fields["households"].default:
        del said["tasks"]["households"]
    return said


def load_following(as_of: date, folder: Path = RULES) -> FollowingRules:
    """The rules in force on `as_of`: of the newest file that has begun; every file is read.
    Raises `RuleError`.
    """
    read = [(path, read_following(path)) for path in sorted(folder.glob("following-*.yaml"))]
    for path, rules in read:
        if path.stem != f"following-{rules.following.effective_from}":
            raise RuleError(
                f"{path}:1: effective_from is {rules.following.effective_from}",
                "name the file so",
            )
    begun = [rules for _, rules in read if rules.following.effective_from <= as_of]
    if not begun:
        raise RuleError(
            f"{folder}: no following file is in force on {as_of}",
            "add one with an earlier effective_from",
        )
    return max(begun, key=lambda rules: rules.following.effective_from)
