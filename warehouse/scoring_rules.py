"""The rules of the score as data: `rules/scoring-<date>.yaml`, the thresholds where it is silent,
and `rules/standards.yaml`, checked when read.

Belongs here: reading, checking, and picking what is in force on a day. Not here: applying them
(`scoring`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TypeVar

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from expectations.errors import ConfigurationError
from warehouse.catalogue import DOMAINS, RULES, Catalogue, Indicator, load_catalogue
from warehouse.conditions import Condition, ConditionError, parse_condition
from warehouse.thresholds import FIRST_HASH, NamedThresholds, Thresholds, with_named

Points = Annotated[Decimal, Field(gt=0, le=100, decimal_places=2)]
Yuan = Annotated[Decimal, Field(gt=0, lt=10**9, decimal_places=2)]
MEND_LINES = "mend these lines (docs/rules.md); make rules-diff RULES=… tries a file"


class RuleError(ConfigurationError):
    """A rule file that cannot be used; the message has file, line and reason."""


def catalogue_of(info: ValidationInfo) -> Catalogue:
    """The catalogue that a rule file is held against: that of the day from which it is in force."""
    begins = (info.context or {}).get("effective_from")
    return load_catalogue(begins if isinstance(begins, date) else date.max)


class Strict(BaseModel):
    """A part of a rule file: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Levels(Strict):
    """A score above `red_above` is red, above `yellow_above` yellow."""

    red_above: Points
    yellow_above: Points

    @model_validator(mode="after")
    def _ordered(self) -> Levels:
        if self.red_above <= self.yellow_above:
            raise ValueError("red_above must be greater than yellow_above")
        return self


class Offset(Strict):
    """Resilience takes off at most `limit` points, and at most this share of the raw points."""

    limit: Annotated[Decimal, Field(ge=0, le=100, decimal_places=2)]
    share_of_raw: Annotated[Decimal, Field(ge=0, le=1, decimal_places=4)]


class MedicalThreshold(Strict):
    """T of R04 in yuan."""

    supported: Yuan
    general: Yuan


class Line(Strict):
    """One condition of an indicator and what it gives."""

    when: str
    points: Points
    hard: bool = False


class Scoring(Strict):
    """A whole `scoring-<date>.yaml`."""

    effective_from: date
    levels: Levels
    score_limit: Points
    hard_floor: Points
    offset: Offset
    medical_threshold: MedicalThreshold
    shells: Literal["as_without_active_member", "computed"] = "as_without_active_member"
    """How a household counts whose register row is out of force while members are there."""
    absence: Literal["plain", "undoubted"] = "plain"
    """Whether what waits in the review queue counts as absent."""
    thresholds: NamedThresholds | None = None
    caps: dict[str, Points]
    points: dict[str, tuple[Line, ...]]

    @field_validator("caps")
    @classmethod
    def _every_domain(cls, caps: dict[str, Decimal]) -> dict[str, Decimal]:
        if wrong := sorted(set(caps) ^ set(DOMAINS)):
            raise ValueError(
                f"one cap for each of {', '.join(DOMAINS)}; missing or unknown: {', '.join(wrong)}"
            )
        return caps

    @field_validator("points")
    @classmethod
    def _every_indicator(
        cls, points: dict[str, tuple[Line, ...]], info: ValidationInfo
    ) -> dict[str, tuple[Line, ...]]:
        scored = catalogue_of(info).codes("risk", "resilience")
        if wrong := sorted(set(points) ^ scored):
            raise ValueError(
                "one list of conditions (it may be empty) for each risk and resilience code;"
                f" missing or unknown: {', '.join(wrong)}"
            )
        return points

    @model_validator(mode="after")
    def _floor_is_red(self) -> Scoring:
        if not self.levels.red_above < self.hard_floor <= self.score_limit:
            raise ValueError("hard_floor must lie above levels.red_above and not above score_limit")
        return self


class FirstThresholds(Strict):
    """The whole `thresholds-2021-01-01.yaml`."""

    effective_from: date
    thresholds: Thresholds


class Standard(Strict):
    """An amount in yuan per person and year, for an area (beginning of the area code)
    from a day on.
    """

    area: Annotated[str, Field(pattern=r"^([0-9]{2}|[0-9]{6})$")]
    effective_from: date
    yuan: Yuan


class Standards(Strict):
    """The whole `standards.yaml`."""

    monitoring_line: tuple[Standard, ...]
    dibao_standard: tuple[Standard, ...]

    @field_validator("monitoring_line", "dibao_standard")
    @classmethod
    def _one_a_day(cls, entries: tuple[Standard, ...]) -> tuple[Standard, ...]:
        keys = [(e.area, e.effective_from) for e in entries]
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise ValueError(f"area {twice[0][0]} has two entries from {twice[0][1]}; keep one")
        return entries


@dataclass(frozen=True)
class PointLine:
    """A line of the points, compiled: in the order in which they are tried."""

    indicator: Indicator
    number: int
    condition: Condition
    points: Decimal
    is_hard: bool


@dataclass(frozen=True)
class Rules:
    """Everything that is in force on a day."""

    as_of: date
    scoring: Scoring
    monitoring_line: tuple[tuple[str, Decimal], ...]
    """Area (2 or 6 digits) and yuan, one entry an area."""
    dibao_standard: tuple[tuple[str, Decimal], ...]
    effective_from: date
    """The newest of the days from which its parts are in force."""
    hash: str
    """SHA-256 of what is in force; the same for every day on which the same is."""
    lines: tuple[PointLine, ...]
    thresholds: Thresholds
    """What the scoring file names, and the first ones where it is silent."""

    @property
    def version(self) -> str:
        """`<effective_from>-<8 digits of the hash>`, the `rule_version` of lamps and reasons."""
        return f"{self.effective_from}-{self.hash[:8]}"


Model = TypeVar("Model", bound=BaseModel)


def line_of(node: yaml.Node | None, loc: Sequence[int | str]) -> int:
    """The line of the innermost node on the way `loc` that the file has."""
    line = 1
    for step in loc:
        if isinstance(node, yaml.MappingNode):
            pairs = [(k, v) for k, v in node.value if k.value == str(step)]
            if not pairs:
                break
            line, node = pairs[0][0].start_mark.line + 1, pairs[0][1]
        elif (
            isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value)
        ):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line


def _refuse_twice(path: Path, node: yaml.Node | None) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise RuleError(
                    f"{path}:{key.start_mark.line + 1}: {key.value} stands here twice",
                    "keep one",
                )
            seen.add(key.value)
            _refuse_twice(path, value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_twice(path, value)


def _compose(path: Path) -> tuple[yaml.Node | None, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise RuleError(
            f"{path}:1: no YAML: the file is no text in UTF-8",
            "save it as UTF-8",
        ) from None
    try:
        return yaml.compose(text, Loader=yaml.CSafeLoader), yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RuleError(f"{path}:{line}: no YAML: {error.problem}", MEND_LINES) from None
    except ValueError as error:  # a date such as 2024-02-30
        raise RuleError(
            f"{path}:{_line_of_no_date(text)}: {error}",
            "write a day that exists",
        ) from None


def _line_of_no_date(text: str) -> int:
    for number, line in enumerate(text.splitlines(), 1):
        for found in re.findall(r"\b[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}\b", line):
            try:
                datetime.strptime(found, "%Y-%m-%d")
            except ValueError:
                return number
    return 1


def read_rule_file(path: Path, model: type[Model]) -> tuple[Model, yaml.Node | None]:
    """A rule file, checked, and its nodes (for lines).

    Raises `RuleError` naming file, line and reason.
    """
    if not path.is_file():
        raise RuleError(f"{path}:0: there is no such rule file", "name one that is there")
    node, content = _compose(path)
    if not isinstance(content, dict):
        raise RuleError(
            f"{path}:1: the file: {model.__name__.lower()} rules are keys with values,",
            "such as effective_from: 2021-01-01",
        )
    _refuse_twice(path, node)
    try:
        return (
            model.model_validate(
                content, context={"effective_from": content.get("effective_from")}
            ),
            node,
        )
    except ValidationError as error:
        lines = [
            f"{path}:{line_of(node, e['loc'])}: {'.'.join(map(str, e['loc'])) or 'the file'}:"
            f" {e['msg']}"
            for e in error.errors()
        ]
        raise RuleError("\n".join(lines), MEND_LINES) from None


def read_scoring(path: Path) -> tuple[Scoring, tuple[PointLine, ...]]:
    """A scoring file and its compiled lines. Raises `RuleError` naming file, line and reason."""
    scoring, node = read_rule_file(path, Scoring)
    catalogue = load_catalogue(scoring.effective_from).by_code
    compiled: list[PointLine] = []
    problems: list[str] = []
    for code in sorted(scoring.points):
        for position, line in enumerate(scoring.points[code]):
            try:
                condition = parse_condition(catalogue[code], line.when)
            except ConditionError as error:
                problems.append(
                    f"{path}:{line_of(node, ('points', code, position))}:"
                    f" points.{code}.{position}.when: {error}"
                )
                continue
            if line.hard and catalogue[code].group != "risk":
                problems.append(
                    f"{path}:{line_of(node, ('points', code, position))}:"
                    f" points.{code}.{position}.hard: only a risk can be hard"
                )
            compiled.append(
                PointLine(catalogue[code], position + 1, condition, line.points, line.hard)
            )
    if problems:
        raise RuleError("\n".join(problems), MEND_LINES)
    return scoring, tuple(compiled)


def _in_force(entries: Sequence[Standard], as_of: date) -> dict[str, Standard]:
    begun = sorted(
        (e for e in entries if e.effective_from <= as_of), key=lambda e: e.effective_from
    )
    return {e.area: e for e in begun}


SILENT = ("shells", "absence")
"""Settings that the first version did not name: at their defaults they are no part of a hash."""


def _said(scoring: Scoring) -> dict[str, Any]:
    silent = {
        name for name in SILENT if getattr(scoring, name) == Scoring.model_fields[name].default
    }
    return scoring.model_dump(mode="json", exclude=silent, exclude_none=True)


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def first_thresholds(folder: Path = RULES) -> Thresholds:
    """The thresholds that count where a scoring file is silent.

    Raises `RuleError`, also where they were changed.
    """
    path = folder / "thresholds-2021-01-01.yaml"
    instead = "name what is to change under thresholds in scoring-<day>.yaml"
    if others := sorted(set(folder.glob("thresholds-*.yaml")) - {path}):
        raise RuleError(f"{others[0]}:1: no such file is read:", instead)
    thresholds = read_rule_file(path, FirstThresholds)[0].thresholds
    if _hash(thresholds.model_dump(mode="json")) != FIRST_HASH:
        changed = "these are not the thresholds that releases were made with:"
        raise RuleError(f"{path}:1: {changed}", f"restore the file, and {instead}")
    return thresholds


def _assemble(as_of: date, scoring: Scoring, lines: tuple[PointLine, ...], folder: Path) -> Rules:
    standards = read_rule_file(folder / "standards.yaml", Standards)[0]
    monitoring, dibao = (
        _in_force(standards.monitoring_line, as_of),
        _in_force(standards.dibao_standard, as_of),
    )
    content = {
        "scoring": _said(scoring),
        "monitoring_line": {a: e.model_dump(mode="json") for a, e in monitoring.items()},
        "dibao_standard": {a: e.model_dump(mode="json") for a, e in dibao.items()},
    }
    begun = [
        scoring.effective_from,
        *(e.effective_from for e in (*monitoring.values(), *dibao.values())),
    ]
    return Rules(
        as_of=as_of,
        scoring=scoring,
        monitoring_line=tuple(sorted((a, e.yuan) for a, e in monitoring.items())),
        dibao_standard=tuple(sorted((a, e.yuan) for a, e in dibao.items())),
        effective_from=max(begun),
        hash=_hash(content),
        lines=lines,
        thresholds=with_named(first_thresholds(folder), scoring.thresholds),
    )


def load_rules(as_of: date, folder: Path = RULES) -> Rules:
    """The rules in force on `as_of`: the newest scoring file that has begun,
    and each area's newest standards.

    Every scoring file is read, so that a broken one is refused before its day comes. Raises
    `RuleError`.
    """
    return _in_force_on(as_of, _scorings(folder), folder)


def rules_by_version(folder: Path = RULES) -> list[Rules]:
    """Every version that the rule files give, by the day from which it is in force; those that
    begin later too.
    """
    read = _scorings(folder)
    standards = read_rule_file(folder / "standards.yaml", Standards)[0]
    entries = (*standards.monitoring_line, *standards.dibao_standard)
    first = min(scoring.effective_from for scoring, _ in read)
    days = {scoring.effective_from for scoring, _ in read} | {
        entry.effective_from for entry in entries if entry.effective_from > first
    }
    found = (_in_force_on(day, read, folder) for day in sorted(days))
    return list({rules.version: rules for rules in found}.values())


Read = Sequence[tuple[Scoring, tuple[PointLine, ...]]]


def _scorings(folder: Path) -> Read:
    """Every scoring file with its lines."""
    read = []
    for path in sorted(folder.glob("scoring-*.yaml")):
        scoring, lines = read_scoring(path)
        if path.stem != f"scoring-{scoring.effective_from}":
            raise RuleError(
                f"{path}:1: effective_from is {scoring.effective_from}",
                f"name the file scoring-{scoring.effective_from}.yaml",
            )
        read.append((scoring, lines))
    return read


def _in_force_on(as_of: date, read: Read, folder: Path) -> Rules:
    begun = [(scoring, lines) for scoring, lines in read if scoring.effective_from <= as_of]
    if not begun:
        raise RuleError(
            f"{folder}: no scoring file is in force on {as_of}",
            "add one with an earlier effective_from",
        )
    scoring, lines = max(begun, key=lambda entry: entry[0].effective_from)
    return _assemble(as_of, scoring, lines, folder)


def load_candidate(path: Path, as_of: date, folder: Path = RULES) -> Rules:
    """The rules of `as_of` with the scoring file `path` instead of the one in force,
    whatever its `effective_from`.
    """
    scoring, lines = read_scoring(path)
    return _assemble(as_of, scoring, lines, folder)


class Versioned(Protocol):
    """What is in force on a day: rules of the score, of what follows it, the catalogue."""

    @property
    def version(self) -> str: ...


AnyVersion = TypeVar("AnyVersion", bound=Versioned)


def named(version: str, load: Callable[[date], AnyVersion]) -> AnyVersion:
    """What a release was made under, by the version that it names: `<effective_from>-<hash>`.

    `load` gives what is in force on a day. Raises `RuleError` where the files no longer give that
    version: they were edited.
    """
    try:
        began = date.fromisoformat(version[:10])
    except ValueError:
        raise RuleError(
            f"a release names the version {version!r}, which begins with no date:",
            "see ops.release",
        ) from None
    found = load(began)
    if found.version != version:
        raise RuleError(
            f"the rules in force from {version[:10]} are not those that a release used"
            f" ({version}):",
            "restore the rule files, and put the change into a new file or row with a later"
            " effective_from",
        )
    return found
