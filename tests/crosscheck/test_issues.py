"""How far what is to be mended has come, what the rules ask for next, and the weeks of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from resources.engines.duckdb import Engine
from tests.indicators.facts import Facts
from tests.making import FLAGS, HOUSEHOLDS, make

DAY = date(2026, 11, 30)
MADE = (
    *HOUSEHOLDS,
    *FLAGS,
    *("contradiction", "contradiction_span", "crosscheck_run", "issue_ledger", "issue_summary"),
)
VILLAGE = "610921100201"
STEPS = ("notified_on", "talked_on", "accounted_on", "mended_on", "proved_on")


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Issues of every step, about one household without water, and about none."""
    monkeypatch.setenv("YIHU_DRAFTS", "issues")
    facts = Facts()
    facts.household("h", water_safe=False)
    facts.member("h", "m")

    def issue(name: str, *dates: date | None, area: str = VILLAGE, **more: Any) -> None:
        facts.rows["issues"].append(
            {"issue_id": name, "record_id": name, "source": "audit", "area_code": area}
            | {"found_on": date(2026, 10, 1), "due_on": date(2026, 10, 31), "theme": "work"}
            | {"owner": "农业农村局", "household_id": None, "contradiction_id": None}
            | {"mended_by": "office", "proved_by": None}
            | dict(zip(STEPS, dates, strict=False)) | more
        )  # fmt: skip

    told, talked, asked, mended, proved = (date(2026, 11, day) for day in (2, 10, 18, 20, 25))
    issue("a")
    issue("b", told)
    issue("c", told, talked)
    issue("d", told, talked, asked)
    issue("e", None, None, None, mended, theme="protection", household_id="h")
    issue("f", None, None, None, mended, proved, proved_by="another", area="610921100000")
    issue("g", None, None, None, mended, proved, proved_by="office", area="610921000000")
    issue("h", None, None, None, mended, proved)
    issue("i", None, None, None, None, proved, proved_by="another", due_on=date(2026, 11, 30))
    issue("j", date(2026, 12, 1), contradiction_id="0" * 16)
    issue("k", None, None, None, mended, contradiction_id="0" * 16)
    issue("l", found_on=date(2026, 12, 1), due_on=date(2026, 12, 31))
    engine = Engine(tmp_path)
    facts.register(engine)
    make(engine, MADE, DAY)
    yield engine
    engine.close()


@pytest.mark.slow
def test_a_step_asks_for_the_next_and_a_proof_is_that_of_another_office(made: Engine) -> None:
    rows = made.rows(
        "select issue_id, step, next_step, next_step_on, is_overdue, still_stands"
        " from issue_ledger order by issue_id"
    )
    due = date(2026, 12, 4)
    assert rows == [
        ("a", "list", "notified", date(2026, 11, 1), True, None),
        ("b", "notified", "talked", date(2026, 11, 9), True, None),
        ("c", "talked", "accounted", date(2026, 11, 17), True, None),
        ("d", "accounted", "mended", None, True, None),
        ("e", "mended", "proved", due, False, True),
        ("f", "proved", None, None, False, None),
        ("g", "mended", "proved", due, False, None),
        ("h", "mended", "proved", due, False, None),
        ("i", "list", "notified", date(2026, 12, 1), False, None),
        ("j", "list", "notified", date(2026, 11, 1), True, None),
        ("k", "mended", "proved", due, False, False),
    ]


@pytest.mark.slow
def test_an_issue_counts_in_the_areas_that_it_names(made: Engine) -> None:
    rows = made.rows(
        "select area_code, theme, week, open, overdue, mended, proved, still_standing"
        " from issue_summary order by area_code, theme"
    )
    week = "2026-W40"
    assert rows == [
        ("610921", "protection", week, 0, 0, 1, 0, 1),
        ("610921", "work", week, 6, 5, 3, 1, 0),
        ("610921100", "protection", week, 0, 0, 1, 0, 1),
        ("610921100", "work", week, 6, 5, 2, 1, 0),
        (VILLAGE, "protection", week, 0, 0, 1, 0, 1),
        (VILLAGE, "work", week, 6, 5, 2, 0, 0),
    ]
