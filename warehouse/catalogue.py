"""The catalogue of the 72 indicators: what each is called, what it counts, where it comes from.

Belongs here: reading `rules/indicators.csv`. Not here: how a value is computed (`models/indicators`) or scored (`rules/scoring-*.yaml`).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

RULES = Path(__file__).parent / "rules"

DOMAINS = ("income", "medical", "disability", "housing", "education", "employment", "disaster", "assistance")

_TYPES = {
    "yuan": "decimal(16,2)",
    "mu": "decimal(10,2)",
    "ratio": "decimal(12,4)",
    "flag": "boolean",
    "code": "varchar",
    "grade": "varchar",
}
"""SQL type by unit; every other unit is a count."""


@dataclass(frozen=True)
class Indicator:
    """One of the 72: 24 basic (B), 30 risk (R), 18 resilience (S)."""

    code: str
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


@lru_cache(maxsize=4)
def load_indicators(path: Path = RULES / "indicators.csv") -> tuple[Indicator, ...]:
    """The indicators in the order of the catalogue: B01 … B24, R01 … R30, S01 … S18."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            Indicator(
                code=row["code"],
                name=row["name"],
                chinese=row["chinese"],
                group=row["group"],
                domain=row["domain"] or None,
                unit=row["unit"],
                sources=tuple(row["sources"].split()),
                definition=row["definition"],
            )
            for row in csv.DictReader(file)
        )


@lru_cache(maxsize=1)
def indicators_by_code() -> dict[str, Indicator]:
    return {indicator.code: indicator for indicator in load_indicators()}
