"""Tasks of monitored households, and what a case tells besides its stages."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from resources.engines.duckdb import Engine
from tests.following.county import Village, follow, later, rows
from warehouse.following_rules import load_following

BEFORE, FROM = date(2026, 11, 24), date(2026, 11, 25)


def thirsty_but_not_red(county: Village, **fields: Any) -> str:
    """A household whose one risk gives it points, and no red lamp."""
    return county.home("idle", {"worked_before": True, "working_now": False}, {}, **fields)


@pytest.mark.parametrize("day", [BEFORE, FROM])
@pytest.mark.parametrize("monitored", ["0", "1", "2", "3"])
def test_a_monitored_household_has_tasks_from_the_second_version_on(
    engine: Engine, day: date, monitored: str
) -> None:
    county = Village()
    thirsty_but_not_red(county, monitor_class=monitored)
    follow(engine, county, day)
    assert engine.scalar("select level from warning_flag") in ("yellow", "green")
    points = engine.rows("select code from warning_reason where code like 'R%' and points > 0")
    assert points
    tasks = rows(engine, "follow_up_task", "code")
    assert tasks == (points if day >= FROM and monitored != "0" else [])


def test_a_cleared_household_keeps_the_tasks_whose_reason_stands(engine: Engine) -> None:
    county = Village()
    thirsty_but_not_red(county, monitor_class="2")
    follow(engine, county, FROM)
    first = rows(engine, "follow_up_task", "task_id, closed_on")
    assert first
    later(engine, FROM)
    county.change("idle", monitor_cleared=True)
    follow(engine, county, FROM + timedelta(days=1))
    assert rows(engine, "follow_up_task", "task_id, closed_on") == first


def test_the_first_version_is_hashed_as_it_was() -> None:
    assert load_following(BEFORE).version == "2021-01-01-95278a48"
    assert load_following(FROM).following.tasks.households == "red_or_monitored"


def told(engine: Engine, county: Village, *columns: str) -> list[tuple[Any, ...]]:
    follow(engine, county, FROM)
    return rows(engine, "case_progress", ", ".join(columns))


def case(county: Village, **fields: Any) -> None:
    county.rows["cases"].append(
        {"case_id": "c", "record_id": "c", "household_id": "home", "monitor_class": "2",
         "risk_types": "job", "stage": 1, "discovered_on": date(2026, 11, 20), **fields}
    )  # fmt: skip


def report(county: Village, number: str, reported_at: datetime, member: str = "home-1") -> None:
    county.add("reports", member, number, channel="form", reported_at=reported_at,
               difficulty="job", status="closed")  # fmt: skip


@pytest.mark.parametrize(
    ("reports", "given", "expected"),
    [
        ({"near": datetime(2026, 11, 10, 8), "far": datetime(2026, 10, 1, 8)}, None, "near"),
        ({"first": datetime(2026, 9, 21, 0, 0)}, None, "first"),
        ({"old": datetime(2026, 9, 20, 23, 59)}, None, None),
        ({"same_day": datetime(2026, 11, 20, 23, 59)}, None, "same_day"),
        ({"after": datetime(2026, 11, 21, 0, 0)}, None, None),
        ({"near": datetime(2026, 11, 10, 8)}, "given", "given"),
    ],
)
def test_a_case_names_the_report_that_it_grew_out_of(
    engine: Engine, reports: dict[str, datetime], given: str | None, expected: str | None
) -> None:
    """Within 60 days before it was discovered, the far end included; as delivered where it is."""
    county = Village()
    county.home("home")
    county.home("neighbours")
    case(county, report_id=given)
    report(county, "theirs", datetime(2026, 11, 19, 8), "neighbours-1")
    for number, reported_at in reports.items():
        report(county, number, reported_at)
    assert told(engine, county, "report_id") == [(expected,)]


def test_what_lies_after_the_day_is_not_told_but_for_ends(engine: Engine) -> None:
    tomorrow = FROM + timedelta(days=1)
    county = Village()
    county.home("home")
    case(county, channel="petition", green_channel=True, authorised_on=tomorrow, objection=False,
         posted_until=tomorrow, rejected_on=tomorrow, clearance=None)  # fmt: skip
    assert told(
        engine, county, "channel", "green_channel", "authorised_on", "objection", "posted_until",
        "rejected_on", "clearance",
    ) == [("petition", True, None, False, tomorrow, None, None)]  # fmt: skip
