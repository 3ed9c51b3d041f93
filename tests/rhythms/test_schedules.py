"""Each rhythm runs for the period that ended, at its hour in Asia/Shanghai, and leaves a
picture.
"""

from __future__ import annotations

import base64
import re
from datetime import datetime
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from assets.charts.svg import GREY, as_markdown, bars, figures, lines
from pipelines.definitions import build_defs

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("name", "moment", "period"),
    [
        ("weekly_statistics", datetime(2026, 11, 23, 4), "2026-11-16"),
        ("monthly_screening", datetime(2026, 12, 1, 4, 30), "2026-11-01"),
        ("income_accounting", datetime(2027, 1, 1, 5), "2026-12-01"),
        ("quarterly_supervision", datetime(2027, 1, 1, 5, 30), "2026-10-01"),
        ("flag_accuracy", datetime(2027, 1, 1, 6), "2026-10-01"),
    ],
)
def test_the_period_that_ended(name: str, moment: datetime, period: str) -> None:
    defs = build_defs()
    schedule = defs.resolve_schedule_def(f"{name}_schedule")
    assert schedule.execution_timezone == "Asia/Shanghai"
    context = dg.build_schedule_context(scheduled_execution_time=moment.replace(tzinfo=SHANGHAI))
    request = schedule(context)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == period
    assert defs.resolve_job_def(f"{name}_job").partitions_def is not None


def test_the_daily_job_leaves_the_rhythms_out() -> None:
    job = build_defs().resolve_job_def("daily_sync")
    keys = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    assert "release" in keys
    assert not keys & {
        "weekly_statistics",
        "monthly_screening",
        "income_accounting",
        "quarterly_supervision",
        "flag_accuracy",
    }


def test_lines_over_time_the_lowest_in_colour() -> None:
    days = ["11-19", "11-20", "11-21"]
    rows = [(f"source {n}", [99.0, None, 80.0 + n]) for n in range(12)]
    root = ElementTree.fromstring(lines("Match rate", days, rows, " %"))
    drawn = [element for element in root.iter() if element.tag.endswith("polyline")]
    assert [len(element.attrib["points"].split()) for element in drawn] == [2] * 12
    assert [element.attrib["stroke"] == GREY for element in drawn] == [True] * 4 + [False] * 8
    texts = [element.text for element in root.iter() if element.text]
    assert [text for text in texts if text.startswith("source")][-1] == "source 0 80 %"
    assert set(days) <= set(texts)
    assert "nothing" not in lines("Nothing", [], [])


def test_a_picture_is_whole_in_itself() -> None:
    svg = bars("Red <lamps>", [("城关镇", 12), ("涧池镇", None), ("none", 0)], " households")
    shown = as_markdown(svg, "Red lamps")
    found = re.fullmatch(r"!\[Red lamps\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)", shown)
    assert found
    root = ElementTree.fromstring(base64.b64decode(found[1]))
    texts = [element.text for element in root.iter() if element.text]
    assert "Red <lamps>" in texts
    assert "12 households" in texts
    assert figures(("a", "b"), [(1, None)]) == "| a | b |\n| --- | --- |\n| 1 | – |"
    theirs = figures(("file",), [("x | y\n\n<b>![p](http://evil.example/p)",)])
    assert theirs.splitlines()[2:] == ["| x \\| y \\<b\\>\\!\\[p\\](http://evil.example/p) |"]
