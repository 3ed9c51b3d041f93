"""A release taken from the last one's files and what the lake knows to differ has the bytes of one
that is hashed whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.warehouse.county import make_county
from warehouse.graph.inputs import MADE_OF, made_of
from warehouse.graph.registry import key_of, layer_and_folder, order_of
from warehouse.publication.content import Content, drop, prepare
from warehouse.publication.folder import complete, folder_of, move_into_place
from warehouse.publication.known import known_tables
from warehouse.schema.shape import newest_shape

BASE = date(2026, 11, 19)
DAY = BASE + timedelta(days=1)


@dataclass
class Releases:
    """Days of a county in a lake, and their release folders."""

    folder: Path
    engine: Engine
    lake: Lake = field(init=False)

    def __post_init__(self) -> None:
        self.lake = Lake(self.folder / "lake")

    @property
    def path(self) -> Path:
        return self.lake.root / "release"

    def keep(self, day: date, changed: str, like: date | None = None) -> dict[str, str]:
        """A day's published tables on the engine and in the lake; `like`: with another's rows."""
        tables = make_county(self.engine, 60, ((like or day) - BASE).days, changed)
        for table, source in tables.items():
            layer, folder = layer_and_folder(table)
            select, key = f'select * from "{source}"', key_of(table)
            order = order_of(table)
            self.lake.write(self.engine, layer, folder, day, select, order, key=key)
        return tables

    def release(self, tables: dict[str, str], day: date, number: int, known: Any = None) -> Path:
        work = self.path / f"work-{number}"
        work.mkdir(parents=True)
        content: Content = prepare(self.engine, tables, work, newest_shape(), known)
        complete(work, content, {"as_of": day.isoformat()}, None)
        final = folder_of(self.path, day, number, content.checksum)
        move_into_place(work, final, release_id=number)
        drop(self.engine)
        return final


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.parquet"))}


@pytest.fixture
def releases(tmp_path: Path, engine: Engine) -> Releases:
    made = Releases(tmp_path, engine)
    tables = made.keep(BASE, "false")
    made.release(tables, BASE, 1)
    made.lake.write_note(*MADE_OF, BASE, made_of(made.lake, BASE, 1))
    return made


def known(releases: Releases, day: date = DAY) -> dict[str, Any]:
    given = (releases.engine, releases.lake, releases.path, BASE, day, newest_shape())
    return known_tables(*given)


def test_the_bytes_are_those_of_a_release_that_is_hashed_whole(releases: Releases) -> None:
    tables = releases.keep(DAY, "n % 9 = 1")
    found = known(releases)
    assert {"household", "warning_flag"} <= set(found)
    by_difference = releases.release(tables, DAY, 2, found)
    whole = releases.release(tables, DAY, 3)
    assert bytes_of(by_difference) == bytes_of(whole)
    assert len(bytes_of(whole)) > 5
    before = bytes_of(releases.path / f"as_of={BASE}" / "release=1")
    assert bytes_of(whole) != before


def test_a_file_that_was_changed_is_not_taken(releases: Releases) -> None:
    releases.keep(DAY, "n % 9 = 1")
    file = releases.path / f"as_of={BASE}" / "release=1" / "household.parquet"
    file.write_bytes(file.read_bytes() + b"x")
    assert "household" not in known(releases)


def test_a_base_that_was_made_anew_with_other_rows_is_not_taken(releases: Releases) -> None:
    releases.keep(BASE, "n % 5 = 2", like=DAY)
    releases.keep(DAY, "n % 9 = 1")
    assert known(releases) == {}


def test_a_base_that_was_made_anew_with_the_same_rows_stands(releases: Releases) -> None:
    releases.keep(DAY, "n % 9 = 1")
    before = known(releases)
    releases.keep(BASE, "false")
    releases.keep(DAY, "n % 9 = 1")
    assert known(releases).keys() == before.keys() != set()


def test_on_sundays_everything_is_hashed(releases: Releases) -> None:
    releases.keep(DAY, "n % 9 = 1")
    assert known(releases, date(2026, 11, 22)) == {}
