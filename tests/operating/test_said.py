"""What a sync says: stages by default and steps when asked, one clock, the day's own sources."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines.automation.progress import ProgressFormatter, StageHandler
from pipelines.operator.summary import by_state

STEPS = (
    "raw_citizen_reports__reports",
    "valid_citizen_reports__reports",
    "raw_housing__dwellings",
    "make_person",
    "matched_housing__dwellings",
    "make_links",
    "make_source_status",
    "make_households",
    "make_flags",
    "make_following",
    "release",
)


def record(step: str, message: str = "0.2 s  9 rows", level: int = logging.INFO) -> Any:
    made = logging.LogRecord("yihu", level, "", 0, message, None, None)
    made.created = datetime(2026, 11, 19, 18, 30, 5, tzinfo=UTC).timestamp()
    made.dagster_meta = {"step_key": step, "orig_message": message}
    return made


def test_a_line_a_stage(capsys: pytest.CaptureFixture[str]) -> None:
    handler = StageHandler()
    for step in STEPS:
        handler.emit(record(step))
    lines = capsys.readouterr().out.splitlines()
    stages = ["read and checked", "matched", "household", "lamps", "follow-up", "published"]
    assert lines == [f"02:30:05  {stage}" for stage in stages]


def test_a_stage_that_takes_long_says_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.automation.progress.OFTEN_SECONDS", -1.0)
    handler = StageHandler()
    for step in STEPS[:2]:
        handler.emit(record(step))
    handler.emit(record(STEPS[2], "no", logging.ERROR))
    assert capsys.readouterr().out.splitlines()[2:] == [
        f"02:30:05    2 steps so far, the last {STEPS[1]}",
        f"02:30:05    {STEPS[2]} no",
    ]


def test_a_line_a_step_when_asked() -> None:
    line = ProgressFormatter().format(record("make_person", "0.2 s  person: 9 rows"))
    assert line == f"02:30:05  {'make_person':<48} 0.2 s  person: 9 rows"


def test_sources_stand_under_their_state() -> None:
    def source(records: str, state: str, age: int | None) -> dict[str, Any]:
        return {"records": records, "state": state, "age_days": age}

    assert by_state(
        [
            source("reports", "ok", 0),
            source("losses", "stale", 9),
            source("cases", "missing", None),
            source("deaths", "ok", 1),
        ]
    ) == [
        "  sources  1 missing: cases",
        "           1 stale: losses (9 days old)",
        "           2 ok: reports, deaths",
    ]
