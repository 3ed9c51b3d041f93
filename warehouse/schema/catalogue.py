"""The 72 indicator columns: names, types and meanings, from the catalogue in `warehouse/rules/`.

Belongs here: a unit's type. Not here: what an indicator is (`warehouse/rules/indicators.csv`).
"""

from __future__ import annotations

import csv
from pathlib import Path

CATALOGUE = Path(__file__).parents[1] / "rules" / "indicators.csv"

TYPES = {
    "persons": "integer",
    "times": "integer",
    "projects": "integer",
    "sources": "integer",
    "measures": "integer",
    "days": "integer",
    "yuan": "numeric(16,2)",
    "ratio": "numeric(12,4)",
    "mu": "numeric(10,2)",
    "flag": "boolean",
    "code": "text",
    "grade": "text",
}


def indicator_columns() -> list[tuple[str, str, str]]:
    """Name, type and meaning of each indicator's column, in the catalogue's order."""
    with CATALOGUE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [
        (f"{row['code'].lower()}_{row['name']}", TYPES[row["unit"]], f"{row['code']} {row['chinese']}, {row['unit']}: {row['definition']}")
        for row in rows
    ]
