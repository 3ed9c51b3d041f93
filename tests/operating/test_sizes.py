"""What each part of a home takes, which one grows, and how long the disk lasts."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipelines.automation import sizes
from pipelines.automation.sizes import bytes_of, growth, measured, note_sizes
from pipelines.operator import status
from resources.settings import load_settings, today


def fill(home: Path, name: str, size: int) -> Path:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    fill(tmp_path, "lake/raw/t/b1/page.json", 1_000_000)
    fill(tmp_path, "lake/valid/t/as_of=2026-11-01/county=000000/part-0.parquet", 2_000_000)
    folder = fill(tmp_path, "lake/release/as_of=2026-11-01/release=1/a.parquet", 3_000_000)
    os.link(folder, fill(tmp_path, "lake/release/as_of=2026-11-02/b", 1).with_name("a.parquet"))
    fill(tmp_path, "dagster/history/runs.db", 4_000_000)
    return tmp_path


def test_each_file_counts_once_and_for_one_part(home: Path) -> None:
    found = measured(home)
    assert {part: round(size / 1e6) for part, size in found.items()} == {
        "raw batches": 1,
        "release folders": 3,
        "the lake's days": 2,
        "the warehouse": 0,
        "Dagster's storage": 4,
    }
    assert sum(found.values()) == bytes_of(home)


def test_what_grows_most_and_until_when(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert growth(home).a_day == {}
    note_sizes(home)
    assert growth(home).days_left is None  # nobody knows on the first day
    path = home / "sizes.json"
    (now,) = json.loads(path.read_text()).values()
    old = {**now, "raw batches": now["raw batches"] - 500_000, "Dagster's storage": 1_000_000}
    before = (today() - timedelta(days=3)).isoformat()
    path.write_text(json.dumps({before: old}))
    monkeypatch.setattr(sizes.shutil, "disk_usage", lambda _: SimpleNamespace(free=35_500_000))
    found = growth(home)
    assert found.most == "Dagster's storage"
    assert found.days_left == 30
    said = status._grown(found)
    assert "Dagster's storage grow most, 1.0 MB a day of 1.2" in said
    assert f"the disk is full on {today() + timedelta(days=30)}" in said


def test_a_disk_that_is_full_in_two_weeks_needs_doing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note_sizes(home)
    path = home / "sizes.json"
    (now,) = json.loads(path.read_text()).values()
    before = (today() - timedelta(days=10)).isoformat()
    path.write_text(json.dumps({before: {**now, "raw batches": 0}}))
    settings = load_settings({"YIHU_HOME": str(home)})
    for free, is_well in ((10e9, True), (6e9, True), (6e5, False)):
        usage = SimpleNamespace(free=free)
        monkeypatch.setattr(sizes.shutil, "disk_usage", lambda _, usage=usage: usage)
        found = status._disk(settings)
        assert found.is_well is is_well
        assert ("make prune" in found.next_step) is not is_well
