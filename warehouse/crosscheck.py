"""What departments say against each other: what its models take from rules and calendar.

Belongs here: those values. Not here: the rules (`crosscheck_rules`), the conditions
(`models/crosscheck`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from expectations.contract import contract_for
from expectations.engine import day, literal
from warehouse.crosscheck_rules import Crosscheck
from warehouse.indicators import months_before
from warehouse.matching import delivered_fields

SPAN_MONTHS = 13
"""How long it is remembered what stood, was open, was on a list."""
EVIDENCE = (
    *("assistance", "cases", "casualties", "certificates", "deaths", "disability_subsidies"),
    *("dwellings", "enrolments", "households", "losses", "members", "reports", "retrofits"),
    *("settlements", "payments", "employment", "loans", "measures"),
)
"""The record types that rules show as their evidence."""


def numbers(rules: Crosscheck) -> Mapping[str, Mapping[str, Any]]:
    """The numbers of each rule; words as SQL has them."""
    return {
        code: {
            name: [literal(word) for word in value] if isinstance(value, tuple) else value
            for name, value in rule.numbers.items()
        }
        for code, rule in rules.rules.items()
    }


def rule_select(rules: Crosscheck) -> str:
    """The reference table `crosscheck_rule`: the rules in force."""
    rows = ", ".join(
        f"({literal(code)}, {literal(rule.owner)}, {_or_null(rule.other)}, {rule.after_days},"
        f" {rule.weight}, {str(rule.reads_more).lower()}, {literal(rule.version)})"
        for code, rule in sorted(rules.rules.items())
    )
    columns = "code, owner, other, after_days, weight, reads_more, version"
    return f"select {columns} from (values {rows}) as entry({columns})"


def source_select(rules: Crosscheck) -> str:
    """The reference table `crosscheck_source`: what each rule reads."""
    rows = ", ".join(
        f"({literal(code)}, {literal(records)})"
        for code, rule in sorted(rules.rules.items())
        for records in rule.sources
    )
    return f"select code, records from (values {rows}) as entry(code, records)"


def _or_null(text: str | None) -> str:
    return "cast(null as varchar)" if text is None else literal(text)


def evidence_types() -> list[dict[str, Any]]:
    """The record types of the evidence, each with the fields that are its content: all that leave
    matching, but for the time of writing.
    """
    contracts = [contract_for(records, with_drafts=True) for records in EVIDENCE]
    return [
        {
            "records": contract.records,
            "department": contract.department,
            "table": f"matched_{contract.table}",
            "fields": [
                field["name"]
                for field in delivered_fields(contract)
                if contract.field(field["delivered"]).role != "updated_at"
            ],
        }
        for contract in contracts
    ]


def spans_since(as_of: date) -> str:
    """SQL: the day after which something is still remembered."""
    return day(months_before(as_of, SPAN_MONTHS))


@dataclass(frozen=True)
class DrawPeriod:
    """A time within which some rows are drawn by lot."""

    name: str
    """`2026-11` or `2026-Q4`."""
    first: str
    """SQL: its first day, and its last one."""
    last: str
    rows: int
    is_month: bool


def draw_periods(as_of: date, rules: Crosscheck) -> list[DrawPeriod]:
    """The month of the day, then its quarter and those before it that the last 12 months touch."""
    month = as_of.replace(day=1)
    made = [
        DrawPeriod(f"{as_of:%Y-%m}", day(month), day(as_of), rules.rest.rows_a_month, is_month=True)
    ]
    first = date(as_of.year, (as_of.month - 1) // 3 * 3 + 1, 1)
    since = months_before(as_of, 12)
    while True:
        last = months_before(first, -3) - timedelta(days=1)
        if last <= since:
            return made
        name = f"{first.year}-Q{(first.month + 2) // 3}"
        rows = rules.sample.rows_a_quarter
        made.append(DrawPeriod(name, day(first), day(last), rows, is_month=False))
        first = months_before(first, 3)
