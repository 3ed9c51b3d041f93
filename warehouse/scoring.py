"""Points, score, lamp and reasons of each household on a day.

Belongs here: compiling the rules into `models/flags`, and running it with the evidence. Not here: the rules (`scoring_rules`),
the values that they score (`indicators`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from expectations.contract import contract_for
from expectations.engine import SqlEngine
from warehouse.catalogue import Indicator, load_indicators
from warehouse.indicators import Cell, build_household_indicator, build_indicators, build_values, cells, day_parameters, has_values
from warehouse.model import render
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
    sources = ", ".join(f"('{i.code}', '{records}', '{_place(i, records)}')" for i in load_indicators() for records in RECORD_TYPES)
    engine.table("indicator_source", f"select code, records, place from (values {sources}) as entry(code, records, place)")


def _place(indicator: Indicator, records: str) -> str:
    """Where a record type stands in an indicator's evidence, as three digits: first as the catalogue lists it, then by its name."""
    listed = indicator.sources.index(records) + 1 if records in indicator.sources else 9
    return f"{listed}{sorted(RECORD_TYPES).index(records):02}"


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
    """Makes `evidence_record`, a view: every record behind a point, with what puts them in order."""
    parameters = day_parameters(as_of, rules)
    engine.table("settlement_record", render("evidence/settlement_record", **parameters))
    for records in RECORD_TYPES:
        engine.view(f"evidence_{records}", render(f"evidence/{records}", **parameters))
    engine.view("evidence_record", render("evidence/evidence_record", record_types=RECORD_TYPES))


def build_lamps(engine: SqlEngine, as_of: date, rules: Rules) -> None:
    """Makes `warning_flag` without its reasons: what `build_flags` begins with, and all that a comparison needs."""
    build_points(engine, as_of, rules)
    if not engine.exists("household_indicator"):
        build_household_indicator(engine)
    risks = [cell for cell in cells(engine) if cell.indicator.group == "risk"]
    parameters = day_parameters(as_of, rules)
    select = render("flags/warning_flag", levels=rules.scoring.levels, risks=risks, rule_version=rules.version, **parameters)
    engine.table("warning_flag", select)


def build_flags(engine: SqlEngine, as_of: date, rules: Rules) -> FlagCounts:
    """Makes the engine tables `warning_flag` and `warning_reason` of the day.

    Reads what `build_indicators` reads and makes (of another day or other rules it makes the values anew), and
    `previous_warning_flag`: the flags of the newest earlier day, empty where there is none.
    """
    build_lamps(engine, as_of, rules)
    build_evidence(engine, as_of, rules)
    scoring = rules.scoring
    select = render(
        "flags/warning_reason",
        offset=scoring.offset,
        hard_floor=scoring.hard_floor,
        score_limit=scoring.score_limit,
        rule_version=rules.version,
    )
    engine.table("warning_reason", select)
    levels = dict(engine.rows("select level, count(*) from warning_flag group by level"))
    held = int(engine.scalar("select count(*) from warning_flag where is_held"))
    red, yellow, green, none = (int(levels.get(level, 0)) for level in ("red", "yellow", "green", "none"))
    return FlagCounts(red, yellow, green, none, held)


@dataclass(frozen=True)
class LevelChange:
    """A household whose level differs under candidate rules."""

    household_id: str
    from_level: str
    to_level: str
    from_score: Decimal
    to_score: Decimal
    changes: tuple[str, ...]
    """What makes the difference, e.g. `R01 20.00 -> 16.00`; empty where only levels, caps or limits differ."""


@dataclass(frozen=True)
class RulesDiff:
    """A day scored under two sets of rules."""

    as_of: date
    before: str
    """Rule version in force."""
    after: str
    """Rule version of the candidate."""
    counts: dict[tuple[str, str], int]
    """Households by level under the one and under the other."""
    changed: tuple[LevelChange, ...]

    def text(self, at_most: int = 50) -> str:
        """What `make rules-diff` prints."""
        lines = [f"{self.as_of}: rules in force {self.before}, candidate {self.after}"]
        lines += [f"{count:>8} {a} -> {b}" for (a, b), count in sorted(self.counts.items()) if a != b]
        lines += ["nobody changes level"] if not self.changed else []
        for c in self.changed[:at_most]:
            why = "; ".join(c.changes) or "levels, caps or limits"
            lines.append(f"{c.household_id}: {c.from_level} {c.from_score} -> {c.to_level} {c.to_score}: {why}")
        if len(self.changed) > at_most:
            lines.append(f"… and {len(self.changed) - at_most} more")
        return "\n".join(lines)


def rules_diff(engine: SqlEngine, as_of: date, rules: Rules, candidate: Rules) -> RulesDiff:
    """Scores a day under `rules` and under `candidate`: who would turn red or green, and why. Publishes nothing.

    Needs what `build_indicators` and `build_flags` read. Leaves the candidate's tables on the engine: use one that is
    thrown away.
    """
    for name, version in (("before", rules), ("after", candidate)):
        build_indicators(engine, as_of, version)
        build_lamps(engine, as_of, version)
        engine.table(f"diff_flag_{name}", "select household_id, area_code, level, score from warning_flag")
        engine.table(f"diff_point_{name}", "select household_id, code, domain, points from scored_point")
    rows = engine.rows(
        f"select household_id, from_level, to_level, from_score, to_score, changes from ({render('flags/rules_diff')}) "
        "order by to_level = 'red' desc, from_level = 'red' desc, to_score desc, household_id"
    )
    counts = engine.rows(
        "select b.level, a.level, count(*) from diff_flag_before as b inner join diff_flag_after as a using (household_id) group by 1, 2"
    )
    return RulesDiff(
        as_of=as_of,
        before=rules.version,
        after=candidate.version,
        counts={(str(a), str(b)): int(n) for a, b, n in counts},
        changed=tuple(LevelChange(h, a, b, x, y, tuple(changes)) for h, a, b, x, y, changes in rows),
    )
