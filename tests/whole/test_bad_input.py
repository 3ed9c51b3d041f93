"""Mistakes before and at the start of a sync: one clear line that says what to do, exit status not
0, no traceback.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from resources.runtime.lock import run_lock
from resources.settings import today
from tests.whole.conftest import FIRST, pipelines, sync


def complaint(home: Path, **settings: str) -> list[str]:
    """What `sync` says on standard error, where it must fail."""
    done = pipelines(home, "sync", **{"YIHU_AS_OF": FIRST.isoformat(), **settings})
    assert done.returncode != 0
    assert "Traceback" not in done.stdout + done.stderr
    return [line for line in done.stderr.splitlines() if line.startswith("yihu: ")]


def test_a_day_that_is_none_and_a_day_to_come(tmp_path: Path) -> None:
    assert "write it as YYYY-MM-DD" in complaint(tmp_path, YIHU_AS_OF="19.11.2026")[0]
    assert (
        "after today"
        in complaint(tmp_path, YIHU_AS_OF=(today() + timedelta(days=1)).isoformat())[0]
    )


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    said = complaint(
        tmp_path, YIHU_AS_OF="soon", YIHU_FORM="fax", YIHU_GATEWAY_URL="http://127.0.0.1:9/api"
    )
    assert len(said) == 4


def test_from_after_to(tmp_path: Path) -> None:
    done = pipelines(tmp_path, "sync", "--from", "2026-11-20", "--to", "2026-11-19")
    assert done.returncode != 0
    assert "exchange them" in done.stderr


def test_a_second_sync_says_so_and_leaves(tmp_path: Path) -> None:
    with run_lock(tmp_path):
        done = sync(tmp_path, FIRST)
    assert done.returncode != 0
    assert "another sync is running" in done.stderr


@pytest.mark.slow
def test_an_unreachable_gateway_is_said_in_one_line(tmp_path: Path) -> None:
    gateway = {
        "YIHU_GATEWAY_URL": "http://127.0.0.1:9/api",
        "YIHU_GATEWAY_SID": "me",
        "YIHU_GATEWAY_KEY": "a-key",
        "YIHU_FORM": "api",
    }
    said = complaint(tmp_path, **gateway)
    assert len(said) == 1
    assert "YIHU_GATEWAY_URL" in said[0]
    assert "stands untouched" in said[0]
