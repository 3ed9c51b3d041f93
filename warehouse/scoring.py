"""Points, score, lamp and reasons: the rules of a day compiled into what `models/flags` takes.

Belongs here: those values and reference tables. Not here: the rules (`scoring_rules`), the values
that they score (`indicators`), running the models (`graph.runner`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from expectations.contract import contract_for
from expectations.engine import literal
from warehouse.catalogue import Catalogue, Indicator
from warehouse.graph import registry
from warehouse.scoring_rules import PointLine, Rules


@dataclass(frozen=True)
class CompiledLine:
    sql: str
    number: int


@dataclass(frozen=True)
class ScoredCell:
    """An indicator with its compiled conditions."""

    indicator: Indicator
    lines: tuple[CompiledLine, ...]
    note: str
    """SQL text appended to the threshold: what T is."""

    @property
    def code(self) -> str:
        return self.indicator.code

    @property
    def column(self) -> str:
        return self.indicator.column


def scored(rules: Rules, catalogue: Catalogue) -> tuple[ScoredCell, ...]:
    """The indicators that the rules give points for, in the order of the catalogue."""
    made: list[ScoredCell] = []
    for indicator in catalogue.indicators:
        lines = [line for line in rules.lines if line.indicator.code == indicator.code]
        if not lines:
            continue
        uses_threshold = any("T" in line.condition.inputs for line in lines)
        note = (
            "concat(' (T = ', cast(_medical_threshold as varchar), ')')" if uses_threshold else "''"
        )
        made.append(
            ScoredCell(
                indicator,
                tuple(CompiledLine(line.condition.sql, line.number) for line in lines),
                note,
            )
        )
    return tuple(made)


def _line_row(line: PointLine, indicator: Indicator) -> str:
    first = indicator.sources[0]
    domain = "null" if indicator.domain is None else literal(indicator.domain)
    return (
        f"({literal(indicator.code)}, {line.number}, {domain}, {line.points},"
        f" {str(line.is_hard).lower()}, {literal(line.condition.threshold)},"
        f" {literal(contract_for(first).department)}, {literal(first)})"
    )


def rule_line_select(rules: Rules, catalogue: Catalogue) -> str:
    """The reference table `rule_line`: a row per condition and its points."""
    lines = ", ".join(
        _line_row(line, catalogue.by_code[line.indicator.code]) for line in rules.lines
    )
    return (
        "select code, line, cast(domain as varchar) as domain, cast(points as decimal(6,2)) as"
        f" points, is_hard, threshold, department, records from (values {lines}) as entry(code,"
        " line, domain, points, is_hard, threshold, department, records)"
    )


def domain_cap_select(rules: Rules) -> str:
    """The reference table `domain_cap`."""
    caps = ", ".join(f"({literal(domain)}, {cap})" for domain, cap in rules.scoring.caps.items())
    return (
        f"select domain, cast(cap as decimal(6,2)) as cap from (values {caps}) as entry(domain,"
        " cap)"
    )


def indicator_source_select(catalogue: Catalogue) -> str:
    """The reference table `indicator_source`:
    where each record type stands in an indicator's evidence.
    """
    counting = registry.counting()
    pairs = {(one.code, str(model.records)) for model in counting for one in model.counted_by}
    pairs = {pair for pair in pairs if pair[0] in catalogue.by_code}
    records = sorted({records for _, records in pairs})
    by_code = catalogue.by_code
    rows = [(code, read, _place(by_code[code], read, records)) for code, read in sorted(pairs)]
    sources = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
    return f"select code, records, place from (values {sources}) as entry(code, records, place)"


def _place(indicator: Indicator, records: str, every: Sequence[str]) -> str:
    """Three digits: first as the catalogue lists it, then by its name."""
    listed = indicator.sources.index(records) + 1 if records in indicator.sources else 9
    return f"{listed}{every.index(records):02}"
