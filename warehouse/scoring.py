"""Points, score, lamp and reasons of each household on a day.

Belongs here: compiling the rules into `models/flags`, and running it with the evidence. Not here: the rules (`scoring_rules`),
the values that they score (`indicators`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from expectations.contract import contract_for
from warehouse.catalogue import indicators_by_code, load_indicators
from warehouse.indicators import Cell, build_values, cells, day_parameters, has_values
from warehouse.model import SqlEngine, render
from warehouse.scoring_rules import PointLine, Rules

ORDER = {"warning_flag": "household_id", "warning_reason": "household_id, code"}
"""The columns that order each table totally."""

RECORD_TYPES = (
    "households",
    "members",
    "settlements",
    "enrolments",
    "certificates",
    "disability_subsidies",
    "assistance",
    "dwellings",
    "retrofits",
    "losses",
    "casualties",
    "relief",
    "serious_illnesses",
    "chronic_followups",
    "deaths",
    "reports",
)
"""The record types that are evidence of a point; one model each."""


@dataclass(frozen=True)
class CompiledLine:
    sql: str
    number: int


@dataclass(frozen=True)
class ScoredCell:
    """An indicator with its compiled conditions."""

    cell: Cell
    lines: tuple[CompiledLine, ...]
    note: str
    """SQL text appended to the threshold: what T is."""

    @property
    def code(self) -> str:
        return self.cell.code

    @property
    def column(self) -> str:
        return self.cell.column

    @property
    def status(self) -> str:
        return self.cell.status


@dataclass(frozen=True)
class FlagCounts:
    """Lamps of a day."""

    red: int
    yellow: int
    green: int
    none: int
    held: int


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _scored(all_cells: tuple[Cell, ...], rules: Rules) -> tuple[ScoredCell, ...]:
    scored: list[ScoredCell] = []
    for cell in all_cells:
        lines = [line for line in rules.lines if line.indicator.code == cell.code]
        if not lines:
            continue
        uses_threshold = any("T" in line.condition.inputs for line in lines)
        note = "concat(' (T = ', cast(_medical_threshold as varchar), ')')" if uses_threshold else "''"
        scored.append(ScoredCell(cell, tuple(CompiledLine(line.condition.sql, line.number) for line in lines), note))
    return tuple(scored)


def _line_row(line: PointLine) -> str:
    first = line.indicator.sources[0]
    domain = "null" if line.indicator.domain is None else _quoted(line.indicator.domain)
    return (
        f"({_quoted(line.indicator.code)}, {line.number}, {domain}, {line.points}, {str(line.is_hard).lower()}, "
        f"{_quoted(line.condition.threshold)}, {_quoted(contract_for(first).department)}, {_quoted(first)})"
    )


def _register_rules(engine: SqlEngine, rules: Rules) -> None:
    lines = ", ".join(_line_row(line) for line in rules.lines)
    engine.table(
        "rule_line",
        "select code, line, cast(domain as varchar) as domain, cast(points as decimal(6,2)) as points, is_hard, "
        "threshold, department, records "
        f"from (values {lines}) as entry(code, line, domain, points, is_hard, threshold, department, records)",
    )
    caps = ", ".join(f"({_quoted(domain)}, {cap})" for domain, cap in rules.scoring.caps.items())
    engine.table("domain_cap", f"select domain, cast(cap as decimal(6,2)) as cap from (values {caps}) as entry(domain, cap)")
    sources = ", ".join(f"('{i.code}', '{records}', {place})" for i in load_indicators() for place, records in enumerate(i.sources, 1))
    engine.table("indicator_source", f"select code, records, place from (values {sources}) as entry(code, records, place)")


def build_points(engine: SqlEngine, as_of: date, rules: Rules) -> None:
    """Makes `scored_point` (a row per point given or taken) and `household_score` from `indicator_state`."""
    if not has_values(engine, as_of, rules):
        build_values(engine, as_of, rules)
    _register_rules(engine, rules)
    scored = _scored(cells(engine), rules)
    engine.table("scored_point", render("flags/scored_point", scored=scored))
    scoring = rules.scoring
    engine.table(
        "household_score",
        render("flags/household_score", offset=scoring.offset, score_limit=scoring.score_limit, hard_floor=scoring.hard_floor),
    )


def build_evidence(engine: SqlEngine, as_of: date, rules: Rules) -> None:
    """Makes `evidence_record`: every record behind a point, in its place."""
    parameters = day_parameters(as_of, rules)
    engine.table("settlement_record", render("evidence/settlement_record", **parameters))
    for records in RECORD_TYPES:
        engine.table(f"evidence_{records}", render(f"evidence/{records}", **parameters))
    engine.table("evidence_record", render("evidence/evidence_record", record_types=RECORD_TYPES))


def build_flags(engine: SqlEngine, as_of: date, rules: Rules) -> FlagCounts:
    """Makes the engine tables `warning_flag` and `warning_reason` of the day.

    Reads what `build_indicators` reads and makes (of another day or other rules it makes the values anew), and
    `previous_warning_flag`: the flags of the newest earlier day, empty where there is none.
    """
    build_points(engine, as_of, rules)
    build_evidence(engine, as_of, rules)
    parameters = day_parameters(as_of, rules)
    scoring = rules.scoring
    risks = [cell for cell in cells(engine) if indicators_by_code()[cell.code].group == "risk"]
    engine.table(
        "warning_flag",
        render("flags/warning_flag", levels=scoring.levels, risks=risks, rule_version=rules.version, **parameters),
    )
    engine.table(
        "warning_reason",
        render(
            "flags/warning_reason",
            offset=scoring.offset,
            hard_floor=scoring.hard_floor,
            score_limit=scoring.score_limit,
            rule_version=rules.version,
        ),
    )
    levels = dict(engine.rows("select level, count(*) from warning_flag group by level"))
    held = int(engine.scalar("select count(*) from warning_flag where is_held"))
    red, yellow, green, none = (int(levels.get(level, 0)) for level in ("red", "yellow", "green", "none"))
    return FlagCounts(red, yellow, green, none, held)
