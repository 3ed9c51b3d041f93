"""The rules of what is to be mended as data: `rules/issues-<effective_from>.yaml`, checked when
read.

Belongs here: terms, and what of an issue still stands. Not here: the ledger (`models/issues`).
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from expectations.engine import day, literal
from warehouse.dated_rules import hash_of, in_force
from warehouse.scoring_rules import Strict, catalogue_of, read_rule_file

Days = Annotated[int, Field(ge=0, le=3660)]
FIRST_MONDAY = date(2000, 1, 3)


class Issues(Strict):
    """A whole `issues-<date>.yaml`."""

    effective_from: date
    notified_days: Days
    talked_days: Days
    accounted_days: Days
    proved_days: Days
    still_stands: dict[str, tuple[str, ...]]
    confirmed_days: Days
    term_days: Days

    @field_validator("still_stands")
    @classmethod
    def _risks(
        cls, themes: dict[str, tuple[str, ...]], info: ValidationInfo
    ) -> dict[str, tuple[str, ...]]:
        known = catalogue_of(info).codes("risk")
        if strange := sorted({code for codes in themes.values() for code in codes} - known):
            raise ValueError(f"{', '.join(strange)}: no risk indicator")
        return themes

    @property
    def hash(self) -> str:
        return hash_of(self)


def read_issues(path: Path) -> Issues:
    """The rules in `path`. Raises `RuleError` naming file, line and reason."""
    return read_rule_file(path, Issues)[0]


@lru_cache(maxsize=64)
def load_issues(as_of: date) -> Issues:
    """The rules in force on `as_of`. Raises `RuleError`."""
    return in_force("issues", as_of, read_issues)


def theme_select(rules: Issues) -> str:
    """The reference table `issue_theme`: what of a theme's issue still stands."""
    rows = ", ".join(
        f"({literal(theme)}, {literal(code)})"
        for theme, codes in sorted(rules.still_stands.items())
        for code in codes
    )
    return f"select theme, code from (values {rows}) as entry(theme, code)"


def week_select(as_of: date) -> str:
    """The reference table `found_week`: every week up to the day, as `2026-W48`."""
    rows = []
    monday = FIRST_MONDAY
    while monday <= as_of:
        year, week, _ = monday.isocalendar()
        sunday = monday + timedelta(days=6)
        rows.append(f"('{year}-W{week:02d}', {day(monday)}, {day(sunday)})")
        monday += timedelta(days=7)
    values = ", ".join(rows)
    columns = "week, first_day, last_day"
    return f"select {columns} from (values {values}) as entry({columns})"
