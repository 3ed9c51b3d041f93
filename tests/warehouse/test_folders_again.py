"""Release folders that keep their manifest only, and their files made again."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest

from resources.engines.duckdb import Engine
from tests.warehouse.conftest import Warehouse
from tests.warehouse.county import make_county
from warehouse.publication import Kept, PublishResult, make_again, prune
from warehouse.publication.again import OtherContent
from warehouse.schema.shape import newest_shape

TODAY = date(2026, 11, 20)
DAYS = [date(2026, month, day) for month, day in ((10, 31), (11, 2), (11, 5), (11, 18), (11, 19))]


def digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


def published(warehouse: Warehouse) -> dict[date, PublishResult]:
    return {
        day: warehouse.publish(day, households=60, day=number, changed=f"n % 10 = {number}")
        for number, day in enumerate(DAYS)
    }


def test_files_of_kept_releases_go_and_come_back_byte_for_byte(warehouse: Warehouse) -> None:
    folders = {day: result.folder for day, result in published(warehouse).items()}
    before = {day: digests(folder) for day, folder in folders.items()}
    asked: list[tuple[date, int]] = []

    def can(day: date, release: int) -> bool:
        asked.append((day, release))
        return day != DAYS[2]

    kept = Kept(releases=30, folders=7, can_make_again=can)
    engine = warehouse.engine()
    planned = prune(engine, warehouse.releases, TODAY, kept=kept, is_plan=True)
    assert {day: digests(folder) for day, folder in folders.items()} == before
    pruned = prune(engine, warehouse.releases, TODAY, kept=kept)
    assert planned.emptied == pruned.emptied == (folders[DAYS[1]],)
    assert {day for day, _ in asked} == {DAYS[1], DAYS[2]}
    assert [path.name for path in folders[DAYS[1]].iterdir()] == ["manifest.json"]
    unchanged = {day: digests(folders[day]) for day in DAYS if day != DAYS[1]}
    assert unchanged == {day: before[day] for day in DAYS if day != DAYS[1]}
    again = Engine(warehouse.folder / "again", threads=2)
    tables = make_county(again, 60, 1, "n % 10 = 1")
    made = make_again(again, tables, newest_shape(), folders[DAYS[1]])
    assert len(made) == len(before[DAYS[1]]) - 1
    assert digests(folders[DAYS[1]]) == before[DAYS[1]]
    assert make_again(again, tables, newest_shape(), folders[DAYS[1]]) == []
    again.close()


def test_other_rows_are_no_folder_of_the_release(warehouse: Warehouse) -> None:
    folder = published(warehouse)[DAYS[1]].folder
    prune(
        warehouse.engine(),
        warehouse.releases,
        TODAY,
        kept=Kept(releases=30, folders=7, can_make_again=lambda *_: True),
    )
    engine = Engine(warehouse.folder / "again")
    tables = make_county(engine, 60, 2, "n % 10 = 2")
    with pytest.raises(OtherContent, match="was made anew since"):
        make_again(engine, tables, newest_shape(), folder)
    assert [path.name for path in folder.iterdir()] == ["manifest.json"]
    engine.close()


def test_a_day_under_hold_loses_nothing(warehouse: Warehouse) -> None:
    results = published(warehouse)
    kept = Kept(releases=2, hold=lambda day: day == DAYS[1])
    planned = prune(warehouse.engine(), warehouse.releases, TODAY, kept=kept, is_plan=True)
    pruned = prune(warehouse.engine(), warehouse.releases, TODAY, kept=kept)
    assert planned.releases == pruned.releases == (results[DAYS[2]].release_id,)
    assert planned.rows == pruned.rows > 0
    assert results[DAYS[1]].folder.is_dir()
    assert not results[DAYS[2]].folder.exists()


def test_a_last_folder_without_its_files_is_no_hindrance(warehouse: Warehouse) -> None:
    last = published(warehouse)[DAYS[4]]
    for file in last.folder.glob("*.parquet"):
        file.unlink()
    again = warehouse.publish(DAYS[4], households=60, day=4, changed="n % 10 = 4")
    assert (again.release_id, again.is_new) == (last.release_id, False)
    assert len(list(last.folder.glob("*.parquet"))) > 10
