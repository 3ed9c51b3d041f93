"""The catalogue of the indicators: what each is called, what it counts, its sources, since when.

Belongs here: reading `rules/indicators.csv` and picking what is in force on a day. Not here: how a
value is computed (`models/indicators`) or scored (`rules/scoring-*.yaml`).
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path

from expectations.errors import ConfigurationError

RULES = Path(__file__).parent / "rules"
FILE = RULES / "indicators.csv"

DOMAINS = (
    "income",
    "medical",
    "disability",
    "housing",
    "education",
    "employment",
    "disaster",
    "assistance",
)

_TYPES = {
    "yuan": "decimal(16,2)",
    "mu": "decimal(10,2)",
    "ratio": "decimal(12,4)",
    "flag": "boolean",
    "code": "varchar",
    "grade": "varchar",
}
"""SQL type by unit; every other unit is a count."""
_GROUPS = {"basic": "B", "risk": "R", "resilience": "S"}
_CODE = re.compile(r"[BRS][0-9]{2}")
_FIXED = ("name", "group", "domain", "unit")
"""What the rows of one indicator have in common: its column and its place in the score stay."""


class CatalogueError(ConfigurationError):
    """A catalogue that cannot be used; the message has file, line and reason."""


@dataclass(frozen=True)
class Indicator:
    """A row of the catalogue: an indicator from a day on. Basic (B), risk (R), resilience (S)."""

    code: str
    effective_from: date
    name: str
    chinese: str
    group: str
    domain: str | None
    """The domain that a risk indicator counts in; None for the others."""
    unit: str
    sources: tuple[str, ...]
    """The record types that it reads; the first is the one that a reason names."""
    definition: str

    @property
    def column(self) -> str:
        """Its column in `household_indicator`, e.g. `b01_household_size`."""
        return f"{self.code}_{self.name}".lower()

    @property
    def sql_type(self) -> str:
        return _TYPES.get(self.unit, "integer")

    @property
    def is_scored(self) -> bool:
        """It can give (risk) or take (resilience) points."""
        return self.group != "basic"


@dataclass(frozen=True)
class Catalogue:
    """The indicators in force on a day, in the order of their codes: B01 …, R01 …, S01 …."""

    indicators: tuple[Indicator, ...]

    @property
    def effective_from(self) -> date:
        """The newest of the days from which its rows are in force."""
        return max(indicator.effective_from for indicator in self.indicators)

    @cached_property
    def by_code(self) -> Mapping[str, Indicator]:
        return {indicator.code: indicator for indicator in self.indicators}

    @cached_property
    def hash(self) -> str:
        """SHA-256 of what a day is computed from; how an indicator is worded is no part of it."""
        rows = [[i.code, i.name, i.group, i.domain, i.unit, i.sources] for i in self.indicators]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()

    @property
    def version(self) -> str:
        """`<effective_from>-<8 digits of the hash>`."""
        return f"{self.effective_from}-{self.hash[:8]}"

    def codes(self, *groups: str) -> frozenset[str]:
        """The codes of these groups."""
        return frozenset(
            indicator.code for indicator in self.indicators if indicator.group in groups
        )


def load_catalogue(as_of: date, path: Path | None = None) -> Catalogue:
    """The catalogue in force on `as_of`: of each indicator the newest row that has begun.

    Raises `CatalogueError` where the file is broken, or nothing has begun.
    """
    path = path or FILE
    begun = [row for row in _rows(path) if row.effective_from <= as_of]
    if not begun:
        raise CatalogueError(
            f"{path}: no indicator is in force on {as_of}",
            "the first begins later",
        )
    return Catalogue(_newest(begun))


def load_indicators() -> tuple[Indicator, ...]:
    """Every indicator, each by its newest row, whether that has begun or not; by code."""
    return _newest(_rows(FILE))


def indicators_by_code() -> dict[str, Indicator]:
    return {indicator.code: indicator for indicator in load_indicators()}


def began_on() -> Mapping[str, date]:
    """The day on which each indicator came into the catalogue."""
    found: dict[str, date] = {}
    for row in _rows(FILE):
        found[row.code] = min(found.get(row.code, row.effective_from), row.effective_from)
    return found


def _newest(rows: Iterable[Indicator]) -> tuple[Indicator, ...]:
    found = {row.code: row for row in sorted(rows, key=lambda row: (row.code, row.effective_from))}
    return tuple(found.values())


@lru_cache(maxsize=8)
def _rows(path: Path) -> tuple[Indicator, ...]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [_row(path, line, said) for line, said in enumerate(csv.DictReader(file), 2)]
    first: dict[str, Indicator] = {}
    seen: set[tuple[str, date]] = set()
    for line, row in enumerate(rows, 2):
        if (row.code, row.effective_from) in seen:
            raise CatalogueError(
                f"{path}:{line}: {row.code} has two rows from {row.effective_from}",
                "keep one",
            )
        seen.add((row.code, row.effective_from))
        other = first.setdefault(row.code, row)
        if changed := [part for part in _FIXED if getattr(row, part) != getattr(other, part)]:
            raise CatalogueError(
                f"{path}:{line}: {row.code} has another {', '.join(changed)} than before:",
                "give what is new a code of its own",
            )
    return tuple(rows)


def _row(path: Path, line: int, said: dict[str, str]) -> Indicator:
    try:
        row = Indicator(
            code=said["code"],
            effective_from=date.fromisoformat(said["effective_from"]),
            name=said["name"],
            chinese=said["chinese"],
            group=said["group"],
            domain=said["domain"] or None,
            unit=said["unit"],
            sources=tuple(said["sources"].split()),
            definition=said["definition"],
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise CatalogueError(
            f"{path}:{line}: no row of the catalogue: {error}",
            "write it as the rows above it",
        ) from None
    if not _CODE.fullmatch(row.code) or _GROUPS.get(row.group) != row.code[0]:
        raise CatalogueError(
            f"{path}:{line}: {row.code} is no code of the group {row.group}:",
            "B, R or S, and two digits",
        )
    if (row.domain in DOMAINS) != (row.group == "risk"):
        raise CatalogueError(
            f"{path}:{line}: the domain of {row.code} is {row.domain}:",
            f"of a risk one of {', '.join(DOMAINS)}, else none",
        )
    return row
