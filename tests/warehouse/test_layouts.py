"""Layouts: a day comes out as the release that it was, whatever has been added since; a reader
finds each as it was written.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.settings import ROOT
from tests.making import FLAGS, FOLLOWING, HOUSEHOLDS, make, remember
from tests.warehouse.conftest import DAY, Warehouse
from tests.warehouse.county import make_followers
from tests.warehouse.then import counties
from warehouse import layouts
from warehouse.catalogue import load_catalogue
from warehouse.graph.moment import day_moment
from warehouse.graph.under import (
    MADE,
    Under,
    made_moment,
    moment_under,
    note_of,
    under_in_lake,
    under_of,
    under_of_release,
)
from warehouse.layouts import FIRST, LAYOUTS, NEWEST, LayoutError, across
from warehouse.publication.content import prepare
from warehouse.schema import VIEW
from warehouse.schema.shape import Shape, newest_shape, shape_of
from warehouse.scoring_rules import RuleError

FIRST_COLUMNS = "58cce49460138cd69ebc732dfbae13cebdb3ea627f1370a796c4924d2bc5780b"
"""SHA-256 over the views and columns that 0.1.0 published."""
THEN = Under("2024-03-14-114e68ac", "2021-01-01-95278a48")
"""What the releases of 0.1.0 name."""
CHECKSUMS = {
    date(2026, 11, 19): "7d1c1adcf3057e53ea1a6335e627c688425098ca653ab025b3b0fd99539f38e5",
    date(2026, 11, 20): "addc37c6cf53f1b8e1ea714a5b382a54311853908d5018f39dffe50b5e9198a5",
}
"""What the code of 0.1.0 made of the two counties, the one on the day after the other."""


def test_a_day_of_the_first_layout_comes_out_as_it_did_then(engine: Engine, tmp_path: Path) -> None:
    tables = (*HOUSEHOLDS, *FLAGS, *FOLLOWING)
    made = {}
    for facts, day in zip(counties(), CHECKSUMS, strict=True):
        moment = moment_under(day, THEN)
        facts.register(engine)
        make(engine, tables, day, moment=moment)
        folder = tmp_path / day.isoformat()
        folder.mkdir()
        shape = shape_of(moment.layout, moment.catalogue)
        made[day] = prepare(engine, {table: table for table in tables}, folder, shape).checksum
        remember(engine, day)
    assert made == CHECKSUMS


def test_what_the_first_layout_has_is_settled() -> None:
    """A new view or column says `since`: it is in no checksum of an earlier layout."""
    shape = shape_of(FIRST, load_catalogue(DAY))
    said = [
        f"{view}.{column.name} {column.type}"
        for view, columns in shape.columns.items()
        for column in columns
    ]
    assert hashlib.sha256("\n".join(said).encode()).hexdigest() == FIRST_COLUMNS
    assert load_catalogue(DAY).version == "2021-01-01-57a2e2d9"


def test_layouts_are_counted_by_versions() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "version"
    ]
    assert version in LAYOUTS
    assert list(LAYOUTS) == sorted(
        LAYOUTS, key=lambda layout: [int(part) for part in layout.split(".")]
    )
    declared = {column.since for view in VIEW.values() for column in view.columns} | {
        view.since for view in VIEW.values()
    }
    assert declared <= set(LAYOUTS)


def test_what_came_later_stands_at_the_end() -> None:
    for view in VIEW.values():
        came = [
            (column.effective_from or date.min, LAYOUTS.index(column.since))
            for column in view.stored
        ]
        assert came == sorted(came)
        shown = [column.name for column in view.shown(())]
        text = {column.name for column in view.in_text}
        assert [name for name in shown if name not in text] == [
            column.name for column in view.stored if not column.is_hidden
        ]


def older() -> Shape:
    """A layout without the cards, and in which a reason had no day."""
    newest = newest_shape()
    columns = {
        name: tuple(c for c in found if c.name != "evidence_on")
        for name, found in newest.columns.items()
    }
    del columns["household_card"]
    return replace(newest, layout=FIRST, columns=columns)


def with_followers(engine: Engine, tables: dict[str, str]) -> None:
    tables.update(make_followers(engine))


SEEN = (
    "select count(*), count(evidence_on), (select count(*) from yihu.household_card) from"
    " yihu.warning_reason"
)


def test_each_release_is_read_in_its_own_layout(warehouse: Warehouse) -> None:
    first = warehouse.publish(shape=older(), after=with_followers)
    reasons, *had = warehouse.rows(SEEN, "yihu_reader")[0]
    assert had == [0, 0]
    assert not (first.folder / "household_card.parquet").exists()
    manifest = json.loads((first.folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["layout"] == FIRST
    assert "evidence_on" not in manifest["tables"]["warning_reason"]["columns"]
    assert "household_card" not in first.counts

    tomorrow = DAY + timedelta(days=1)
    second = warehouse.publish(tomorrow, after=with_followers)
    assert warehouse.rows(SEEN, "yihu_reader") == [(reasons, reasons, 200)]
    assert (second.changed["warning_reason"], second.changed["household_card"]) == (reasons, 200)
    assert (second.changed["household"], second.changed["warning_flag"]) == (0, 0)

    again = warehouse.publish(shape=older(), after=with_followers)
    assert (again.release_id, again.checksum) == (None, first.checksum)
    assert {file.name: file.read_bytes() for file in again.folder.glob("*.parquet")} == {
        file.name: file.read_bytes() for file in first.folder.glob("*.parquet")
    }

    back = warehouse.publish(tomorrow + timedelta(days=1), shape=older(), after=with_followers)
    assert back.checksum == first.checksum
    assert warehouse.rows(SEEN, "yihu_reader") == [(reasons, 0, 0)]
    with warehouse.engine("yihu_reader").connect() as connection:
        connection.exec_driver_sql(f"select yihu.yihu_as_of('{tomorrow}')")
        assert connection.exec_driver_sql(SEEN).one() == (reasons, reasons, 200)
    said = warehouse.rows("select release_id, layout from yihu.release order by 1", "yihu_reader")
    assert said == [(1, FIRST), (2, NEWEST), (3, FIRST)]


def test_a_release_names_what_it_was_made_under(warehouse: Warehouse) -> None:
    """The last one that was final; a provisional one binds nothing."""
    with warehouse.engine().connect() as connection:
        assert under_of_release(connection, DAY) is None
    warehouse.publish(is_provisional=True)
    with warehouse.engine().connect() as connection:
        assert under_of_release(connection, DAY) is None
    warehouse.publish(day=20, changed="n % 100 = 1", shape=replace(older(), catalogue_version="c"))
    with warehouse.engine().connect() as connection:
        assert under_of_release(connection, DAY) == Under("rules1", None, "c", FIRST)


def test_a_day_is_made_under_what_is_named() -> None:
    then = moment_under(date(2027, 5, 1), replace(THEN, layout=NEWEST))
    assert (then.as_of, then.rules.as_of, then.layout) == (
        date(2027, 5, 1),
        date(2027, 5, 1),
        NEWEST,
    )
    assert (then.rules.version, then.following.version) == (
        THEN.rule_version,
        THEN.following_version,
    )
    assert then.catalogue == load_catalogue(date(2021, 1, 1))
    with pytest.raises(RuleError, match="from 2024-03-14 are not those that a release used"):
        moment_under(DAY, Under("2024-03-14-00000000"))
    with pytest.raises(RuleError, match="from 2021-01-01 are not those that a release used"):
        moment_under(DAY, replace(THEN, catalogue_version="2021-01-01-00000000"))


def test_a_layout_that_is_not_made_any_more_is_only_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "MADE", ("0.2.0", "0.3.0"))
    with pytest.raises(
        LayoutError, match=r"of layout 0\.1\.0, and this code makes 0\.2\.0 and 0\.3\.0: it is read"
    ):
        moment_under(DAY, THEN)


def test_the_lake_says_under_what_its_days_were_made(engine: Engine, lake: Lake) -> None:
    """A day from before there were notes is told by its lamps."""
    assert under_in_lake(lake, engine, DAY) is None
    assert made_moment(lake, engine, DAY) == day_moment(DAY)
    lake.write(
        engine,
        "flags",
        "warning_flag",
        DAY,
        f"select 'h' as household_id, '{THEN.rule_version}' as rule_version",
        "household_id",
    )
    assert under_in_lake(lake, engine, DAY) == Under(THEN.rule_version)
    now = day_moment(DAY)
    lake.write_note(*MADE, DAY, note_of(now))
    assert under_in_lake(lake, engine, DAY) == under_of(now)
    assert made_moment(lake, engine, DAY) == now


def test_a_comparison_across_layouts_says_so() -> None:
    assert across(FIRST, FIRST) == ""
    assert across(FIRST, NEWEST).startswith("layout 0.1.0 is compared with layout 0.2.0")
