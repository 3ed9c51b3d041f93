"""Every threshold of the formulas comes from the rule files: one that a scoring file names changes
what it is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from resources.engines.duckdb import Engine
from tests.indicators.county import County
from tests.indicators.reading import CODES
from tests.making import runner
from warehouse.catalogue import RULES, indicators_by_code
from warehouse.graph.moment import day_moment
from warehouse.model import MODELS
from warehouse.scoring_rules import load_candidate
from warehouse.thresholds import Thresholds

DAY = date(2026, 11, 19)
OTHER: dict[str, tuple[object, str]] = {
    "window_months": (6, "B21 B23 B24 R01 R04 R05 R09 R24 R25 R29 S05 S07 S09 S15"),
    "resident_months": (9, "B02"),
    "weak_labour_weight": ("0.75", "B05"),
    "elder_age": (65, "B06"),
    "child_under_age": (6, "B07"),
    "enrolment_grace_until": ('"12-31"', "R06 S08"),
    "chronic_followup_days": (92, "R08"),
    "subsidy_months": (1, "R13 S10"),
    "retrofit_days": (90, "R15"),
    "single_earner_share": ("0.5", "R22"),
    "stable_job_months": (3, "S01"),
    "income_source_share": ("0.3", "S04"),
    "appraisal_months": (24, "S12"),
}
"""Another value of each, and the indicators that it changes."""
Values = dict[str, tuple[Any, ...]]


class Day:
    """The indicators of a random county under rules that name thresholds."""

    def __init__(self, folder: Path) -> None:
        self.engine, self.folder = Engine(folder / "engine"), folder
        County(5, DAY, 300).facts.register(self.engine)
        self._runner = runner(self.engine, DAY)

    def values(self, thresholds: str) -> Values:
        rules = self.folder / "candidate.yaml"
        text = (RULES / "scoring-2021-01-01.yaml").read_text(encoding="utf-8")
        rules.write_text(f"{text}\n{thresholds}\n", encoding="utf-8")
        self._runner.make(["household_indicator"], day_moment(DAY, load_candidate(rules, DAY)))
        columns = ", ".join(indicators_by_code()[code].column for code in CODES)
        rows = self.engine.rows(f"select household_id, {columns} from household_indicator")
        return {household: tuple(values) for household, *values in rows}


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    made = Day(tmp_path_factory.mktemp("thresholds"))
    yield made
    made.engine.close()


@pytest.fixture(scope="module")
def first(day: Day) -> Values:
    return day.values("")


def test_each_threshold_is_tried() -> None:
    assert set(OTHER) == set(Thresholds.model_fields)


@pytest.mark.parametrize("name", OTHER)
def test_a_scoring_file_names_another_threshold(day: Day, first: Values, name: str) -> None:
    value, codes = OTHER[name]
    now = day.values(f"thresholds: {{{name}: {value}}}")
    changed = {
        code
        for household, values in first.items()
        for code, a, b in zip(CODES, values, now[household], strict=True)
        if a != b
    }  # fmt: skip
    assert changed == set(codes.split())


def test_naming_the_first_thresholds_changes_nothing(day: Day, first: Values) -> None:
    text = (RULES / "thresholds-2021-01-01.yaml").read_text(encoding="utf-8")
    assert day.values(text[text.index("\nthresholds:") :]) == first


ROOMS = ("indicators", "following", "rhythms")
NO_THRESHOLDS = (
    r"\A\{#-.*?-#\}",  # the head
    r"--[^\n]*",
    r"'[^']*'",  # codes
    r"\bdecimal\(\d+,\s?\d+\)",
    # digits of area codes, as length(area_code) below
    r"\b(?:substr|right)\((?:[^()]|\([^()]*\))*\)",
    r"\blength\([a-z_.]+\) >?= \d+",
    r"\bratio\((?:[^()]|\([^()]*\))*,\s+2\s*\)",  # digits of a rounded value
    r"\bmonth\([a-z_.]+\) \* 100 \+ day",
    r"\b[a-z_]\w*",  # names
    r"\b[01]\b(?!\.)",
)  # fmt: skip


def numbers_in(sql: str) -> list[str]:
    """The numbers of a model that are none of the forms above."""
    for form in NO_THRESHOLDS:
        sql = re.sub(form, " ", sql, flags=re.DOTALL)
    return re.findall(r"\d+(?:\.\d+)?", sql)


def test_no_threshold_stands_in_sql() -> None:
    paths = [path for room in ROOMS for path in sorted((MODELS / room).glob("*.sql"))]
    in_each = {path.name: numbers_in(path.read_text(encoding="utf-8")) for path in paths}
    found = {name: numbers for name, numbers in in_each.items() if numbers}
    assert not found, f"put them into warehouse/rules: {found}"


@pytest.mark.parametrize(
    ("sql", "numbers"),
    [
        ("where age >= 60", ["60"]),
        ('{{ members("age", "age < 16") }} as children', ["16"]),
        ("b15 >= 0.8 * b19", ["0.8"]),
        ("date_diff('day', seen_on, {{ as_of }}) > 100 as has_gap", ["100"]),
        ("case when x > 0 then 1 else 0 end, substr(a.area_code, 1, 9)", []),
        ("cast(x as decimal(16,2))", []),
        ("where level in ('1', '2') and length(area_code) >= 9", []),
    ],
)
def test_the_lint_sees_thresholds(sql: str, numbers: list[str]) -> None:
    assert numbers_in(sql) == numbers
