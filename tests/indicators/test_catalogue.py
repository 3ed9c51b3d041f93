"""Catalogue and rules are the design's, wherever the design is at hand."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path

from warehouse.catalogue import Indicator, indicators_by_code, load_indicators
from warehouse.scoring_rules import load_rules


def _design_rows(design: Path) -> list[dict[str, str]]:
    with (design / "indicators.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_catalogue_is_the_designs(design: Path) -> None:
    ours = [(i.code, i.name, i.chinese, i.group, i.domain or "", i.unit, " ".join(i.sources), i.definition) for i in load_indicators()]
    names = ("code", "name", "chinese", "group", "domain", "unit", "sources", "value")
    assert ours == [tuple(row[n] for n in names) for row in _design_rows(design)]


def _in_words(indicator: Indicator, when: str) -> str:
    """Our condition in the design's words."""
    words = {
        "value >= 2 * T": ">= 2T",
        "value >= 0.5 * T": ">= 0.5T",
        "previous_business_net > 0 and value <= 0.5 * previous_business_net": "else previous_business_net > 0 and B16 <= half of it",
        "value >= 2 and days_since_visit <= 30": ">= 2 and visited within 30 days",
        "value > 10000": "self-pay > 10000",
        "B09 >= 2": "else B09 >= 2",
    }
    text = words.get(when) or when.removeprefix("value ")
    if indicator.unit in ("flag", "grade"):
        return text.removeprefix("= ")
    return re.sub(r"^= (\d+)$", r"\1", text) if indicator.code not in ("R21", "S11") else text


def test_the_points_are_the_designs(design: Path) -> None:
    rules = load_rules(date(2026, 11, 19))
    catalogue = indicators_by_code()
    for row in _design_rows(design):
        if row["points"]:
            lines = rules.scoring.points[row["code"]]
            ours = "; ".join(f"{_in_words(catalogue[row['code']], x.when)}: {x.points}{' hard' if x.hard else ''}" for x in lines)
            assert (row["code"], ours) == (row["code"], row["points"])


def test_columns_and_types() -> None:
    catalogue = indicators_by_code()
    assert catalogue["B01"].column == "b01_household_size"
    assert catalogue["S18"].column == "s18_measure_count"
    kinds = {code: catalogue[code].sql_type for code in ("B01", "B05", "B10", "B12", "B13", "B20", "R14", "R30")}
    assert kinds == {
        "B01": "integer",
        "B05": "decimal(12,4)",
        "B10": "varchar",
        "B12": "boolean",
        "B13": "decimal(10,2)",
        "B20": "decimal(16,2)",
        "R14": "varchar",
        "R30": "integer",
    }
