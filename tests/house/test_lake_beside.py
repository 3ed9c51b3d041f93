"""Days made anew: beside the old ones until every day above is made too, then in their place at
once.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

import resources.lake.beside
from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.runtime.cleanup import sweep

FIRST = date(2026, 11, 1)
ONE, TWO, THREE, FOUR, FIVE = (FIRST + timedelta(days=n) for n in range(5))
LAMPS, STATE = ("flags", "warning_flag"), ("valid", "t")
ALL = (LAMPS, STATE)


def rows(first: int, more: int) -> str:
    return (
        f"select i as id, i + {more} * (i % 50 = 0)::int as value from range({first}, 200) as t(i)"
    )


def make(engine: Engine, root: Path, day: date, first: int, more: int = 0) -> bool:
    """A run of one day, in a process of its own; whether days took their place."""
    lake = Lake(root)
    lake.begin(day, LAMPS)
    lake.remove_note("ledger", "t", day)
    for table in ALL:
        lake.write(engine, *table, day, rows(first, more), "id", key=("id",))
    lake.write_note("ledger", "t", day, {"first": first, "more": more})
    done = lake.settle(engine, day, LAMPS, ALL)
    lake.move_in()
    return done


def made(engine: Engine, root: Path, day: date, lake: Lake | None = None) -> tuple[int, int]:
    """First id and sum of what is added, of both tables alike and of the note."""
    lake = lake or Lake(root)
    found = {
        engine.rows(f"select min(id), max(value - id) from {lake.relation(*table, day)}")[0]
        for table in ALL
    }
    assert len(found) == 1
    note = lake.read_note("ledger", "t", day) or {}
    (first, more), *_ = found
    assert (note["first"], note["more"]) == (first, more)
    return int(first), int(more)


@pytest.fixture
def root(engine: Engine, tmp_path: Path) -> Iterator[Path]:
    """Four days; each has a row less than the one before."""
    folder = tmp_path / "lake"
    for n, day in enumerate((ONE, TWO, THREE, FOUR)):
        assert not make(engine, folder, day, n)
    assert not (folder / "beside").exists()
    yield folder
    assert list(folder.rglob("*.tmp")) == []


def files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def test_a_past_day_lies_beside_until_every_day_above_is_made(engine: Engine, root: Path) -> None:
    before = files(root)
    assert not make(engine, root, TWO, 1, 7)
    assert not make(engine, root, THREE, 2, 7)
    lake = Lake(root)
    assert [made(engine, root, day) for day in (ONE, TWO, THREE, FOUR)] == [
        (0, 0), (1, 0), (2, 0), (3, 0)
    ]  # fmt: skip
    assert {name: text for name, text in files(root).items() if "beside" not in name} == before
    waits = lake.beside()
    assert waits is not None
    assert (waits.first, waits.made) == (TWO, {TWO, THREE})
    assert made(engine, root, TWO, lake.seeing(TWO)) == (1, 7)
    assert made(engine, root, FOUR, lake.seeing(FOUR)) == (3, 0)
    assert make(engine, root, FOUR, 3, 7)
    assert [made(engine, root, day) for day in (ONE, TWO, THREE, FOUR)] == [
        (0, 0), (1, 7), (2, 7), (3, 7)
    ]  # fmt: skip
    assert lake.beside() is None
    assert list((root / "beside").iterdir()) == []
    assert not make(engine, root, FIVE, 4, 7)
    assert made(engine, root, FIVE) == (4, 7)


def test_the_same_rows_take_no_place(engine: Engine, root: Path) -> None:
    before = files(root)
    assert make(engine, root, TWO, 1)
    assert files(root) == before


def by_county(engine: Engine, root: Path, day: date, more: int = 0) -> bool:
    """As `make`, each table written by county."""
    lake = Lake(root)
    lake.begin(day, LAMPS)
    for table in ALL:
        with lake.writing(engine, *table, day, "id", ("id",)) as writer:
            for half in (0, 1):
                engine.table("own", f"select * from ({rows(0, more)}) as t where id % 2 = {half}")
                writer.add(engine, f"61092{half}", '"own"')
    done = lake.settle(engine, day, LAMPS, ALL)
    lake.move_in()
    return done


def test_the_same_rows_by_county_take_no_place_and_count(engine: Engine, tmp_path: Path) -> None:
    root = tmp_path / "lake"
    for day in (ONE, TWO, THREE):
        by_county(engine, root, day)
    Lake(root).digest(engine, *LAMPS, ONE)
    Lake(root).digest(engine, *STATE, ONE)
    before = files(root)
    assert by_county(engine, root, ONE), "the day counts, and nothing waits"
    assert files(root) == before
    assert not by_county(engine, root, ONE, 7)
    assert not by_county(engine, root, TWO, 7)
    assert by_county(engine, root, THREE, 7)
    total = f"select max(value - id) from {Lake(root).relation(*LAMPS, ONE)}"
    assert engine.rows(total) == [(7,)]


def test_what_failed_to_be_written_does_not_count(engine: Engine, root: Path) -> None:
    """The day lies there with its old rows, and must not take a place with the new ones."""
    lake = Lake(root)
    lake.begin(TWO, LAMPS)
    lake.write(engine, *LAMPS, TWO, rows(1, 7), "id", key=("id",))
    with pytest.raises(Exception, match="nowhere"):
        lake.write(engine, *STATE, TWO, "select * from nowhere", "id", key=("id",))
    assert not lake.settle(engine, TWO, LAMPS, ALL)
    assert Lake(root).beside() is None, "no day of the line counts"
    lake.move_in()
    assert made(engine, root, TWO) == (1, 0)


def test_a_past_day_that_was_never_made_has_its_place(engine: Engine, root: Path) -> None:
    """Nobody rests on it."""
    missed = ONE - timedelta(days=1)
    assert not make(engine, root, missed, 0, 3)
    assert made(engine, root, missed) == (0, 3)
    assert [made(engine, root, day)[0] for day in (ONE, TWO, THREE, FOUR)] == [0, 1, 2, 3]
    assert not (root / "beside").exists()


def test_the_newest_day_is_made_in_its_place(engine: Engine, root: Path) -> None:
    assert not make(engine, root, FOUR, 3, 5)
    assert made(engine, root, FOUR) == (3, 5)
    assert not (root / "beside").exists()


def test_a_day_made_anew_twice_begins_again(engine: Engine, root: Path) -> None:
    make(engine, root, TWO, 1, 7)
    make(engine, root, THREE, 2, 7)
    make(engine, root, TWO, 1, 8)
    make(engine, root, THREE, 2, 8)
    assert make(engine, root, FOUR, 3, 8)
    assert [made(engine, root, day)[1] for day in (ONE, TWO, THREE, FOUR)] == [0, 8, 8, 8]


def test_a_day_further_up_does_not_rest_on_a_line_with_a_hole(engine: Engine, root: Path) -> None:
    """Day 2 was made anew, then day 4 without 3: it rests on 3 as it was."""
    make(engine, root, TWO, 1, 7)
    assert not make(engine, root, FOUR, 3, 9)
    assert [made(engine, root, day)[1] for day in (ONE, TWO, THREE, FOUR)] == [0, 0, 0, 9]


def test_a_new_day_rests_on_what_readers_saw(engine: Engine, root: Path) -> None:
    make(engine, root, TWO, 1, 7)
    assert not make(engine, root, FIVE, 4)
    assert made(engine, root, FIVE) == (4, 0)
    waits = Lake(root).beside()
    assert waits is not None
    assert waits.made == {TWO}


def test_a_run_that_broke_off_does_not_count(engine: Engine, root: Path) -> None:
    make(engine, root, TWO, 1, 7)
    lake = Lake(root)
    lake.begin(THREE, LAMPS)
    lake.remove_note("ledger", "t", THREE)
    assert lake.read_note("ledger", "t", THREE) is None
    lake.write(engine, *STATE, THREE, rows(2, 7), "id", key=("id",))
    assert not lake.settle(engine, THREE, LAMPS, ALL)
    assert made(engine, root, THREE) == (2, 0)
    assert not make(engine, root, FOUR, 3, 7)  # three was not made anew: four rests on it as it was
    assert [made(engine, root, day)[1] for day in (TWO, THREE, FOUR)] == [0, 0, 7]


def test_a_later_day_that_was_only_begun_stays_what_it_was(engine: Engine, root: Path) -> None:
    lake = Lake(root)
    lake.write(engine, *STATE, FIVE, rows(4, 0), "id", key=("id",))
    make(engine, root, THREE, 2, 7)
    assert make(engine, root, FOUR, 3, 7)
    found = engine.rows(f"select min(id), sum(value - id) from {Lake(root).relation(*STATE, FIVE)}")
    assert found == [(4, 0)]


@pytest.mark.parametrize("step", range(24))
def test_killed_while_days_take_their_place(
    engine: Engine, root: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Whenever it is killed, either all days are the old ones or all are the new ones."""
    make(engine, root, TWO, 1, 7)
    make(engine, root, THREE, 2, 7)
    left, os = step, resources.lake.beside.os
    for name in ("rename", "replace"):
        real = getattr(os, name)

        def renamed(*paths: Path, _real: object = real) -> None:
            nonlocal left
            if "beside" in str(paths[0]) or left < step:
                left -= 1
            if left < 0:
                raise KeyboardInterrupt
            _real(*paths)  # type: ignore[operator]

        monkeypatch.setattr(os, name, renamed)
    with contextlib.suppress(KeyboardInterrupt):
        make(engine, root, FOUR, 3, 7)
    monkeypatch.undo()
    found = {made(engine, root, day)[1] for day in (TWO, THREE, FOUR)}
    assert found in ({0}, {7})
    sweep(root.parent)
    assert {made(engine, root, day)[1] for day in (TWO, THREE, FOUR)} == found
    make(engine, root, FIVE, 4)  # the next run completes what was begun
    assert {made(engine, root, day)[1] for day in (TWO, THREE, FOUR)} == found
    assert not (root / "beside" / "in_force.json").exists()


def test_a_note_that_was_given_up_is_gone_afterwards(engine: Engine, root: Path) -> None:
    lake = Lake(root)
    lake.write_note("release", "held_back", THREE, {"run_id": "x"})
    lake.begin(THREE, LAMPS)
    for table in ALL:
        lake.write(engine, *table, THREE, rows(2, 7), "id", key=("id",))
    lake.write_note("ledger", "t", THREE, {"first": 2, "more": 7})
    lake.remove_note("release", "held_back", THREE)
    assert lake.note_days("release", "held_back") == []
    lake.settle(engine, THREE, LAMPS, ALL)
    lake.move_in()
    assert Lake(root).note_days("release", "held_back") == [THREE]
    assert make(engine, root, FOUR, 3, 7)
    assert Lake(root).note_days("release", "held_back") == []


def test_the_pointer_says_what_is_in_force(
    engine: Engine, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lake, "move_in", lambda _: None)
    lake = Lake(root)
    make(engine, root, THREE, 2, 7)
    lake = Lake(root)
    line = resources.lake.beside.line_of(root)
    assert line is not None
    lake._sees(line)
    for table in ALL:
        lake.write(engine, *table, FOUR, rows(3, 7), "id", key=("id",))
    lake.write_note("ledger", "t", FOUR, {"first": 3, "more": 7})
    assert lake.settle(engine, FOUR, LAMPS, ALL)
    said = json.loads((root / "beside" / "in_force.json").read_text())
    assert said == {"line": line.root.name, "first": "2026-11-03"}
    assert made(engine, root, FOUR) == (3, 7)  # read where they lie, before they are moved
    monkeypatch.undo()
    Lake(root).move_in()
    assert made(engine, root, FOUR) == (3, 7)
