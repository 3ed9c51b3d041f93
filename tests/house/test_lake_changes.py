"""A table's days as changes: what is written, what is read back, and what rests on what."""

from __future__ import annotations

import itertools
import json
import random
import shutil
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from resources.engines.duckdb import Engine
from resources.lake import BrokenChain, Lake, OtherBase
from resources.runtime.cleanup import sweep

FIRST = date(2026, 11, 1)
WHERE = ("flags", "t")
KEY = ("id", "part")
Row = tuple[int, int | None, str, str]


def days(count: int) -> list[date]:
    return [FIRST + timedelta(days=n) for n in range(count)]


def select(rows: Sequence[Row]) -> str:
    values = ", ".join(
        f"({i}, {'null' if part is None else part}, '{county}', '{value}')"
        for i, part, county, value in rows
    )
    listed = f"values {values}" if values else "values (0, 0, '', '') limit 0"
    columns = "id::integer as id, part::integer as part, county, value"
    return (
        f"select {columns}, [value, county] as pair from ({listed}) as v(id, part, county, value)"
    )


def put(engine: Engine, lake: Lake, day: date, rows: Sequence[Row]) -> int | None:
    order = "id, part nulls last, value"
    return lake.write(engine, *WHERE, day, select(rows), order, "county", KEY).changed


def read(engine: Engine, lake: Lake, day: date, county: str | None = None) -> list[Row]:
    relation = lake.relation(*WHERE, day, county)
    return engine.rows(
        f"select id, part, county, value from {relation}"
        " order by id, part nulls last, value, county"
    )


def many(count: int) -> list[Row]:
    return [(n, n % 3, f"61092{n % 2}", "old") for n in range(count)]


def in_order(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda r: (r[0], r[1] is None, r[1] or 0, r[3], r[2]))


def test_a_day_is_what_changed_and_reads_whole(engine: Engine, lake: Lake) -> None:
    one, two = days(2)
    rows = many(100)
    put(engine, lake, one, rows)
    changed: list[Row] = [*rows[3:], (1, 1, "610920", "new"), (200, None, "610921", "new")]
    assert put(engine, lake, two, changed) == 4
    assert read(engine, lake, two) == in_order(changed)
    assert read(engine, lake, one) == in_order(rows)
    by_county = {county: read(engine, lake, two, county) for county in ("610920", "610921")}
    assert by_county == {
        county: in_order([row for row in changed if row[2] == county]) for county in by_county
    }
    folder = lake.folder(*WHERE, two)
    assert folder is not None
    assert sorted(path.name for path in folder.iterdir()) == [
        "came-610920.parquet",
        "came-610921.parquet",
        "keys-all.parquet",
        "state.json",
    ]


def test_no_glob_over_days_meets_changes(engine: Engine, lake: Lake) -> None:
    rows = many(100)
    for n, day in enumerate(days(4)):
        put(engine, lake, day, [*rows, (500 + n, 1, "610920", "new")])
    for glob in ("*/*/as_of=*/*/*.parquet", "flags/t/*/*/*.parquet", "flags/*/*/*/*.parquet"):
        files = f"{lake.root}/{glob}"
        assert engine.scalar(f"select count(*) from read_parquet('{files}')") == 101


def test_an_unchanged_day_costs_a_note(engine: Engine, lake: Lake) -> None:
    rows = many(1000)
    for day in days(5):
        put(engine, lake, day, rows)
    for day in days(5)[1:]:
        folder = lake.folder(*WHERE, day)
        assert folder is not None
        assert [(path.name, path.stat().st_size < 600) for path in folder.iterdir()] == [
            ("state.json", True)
        ]
        assert read(engine, lake, day) == in_order(rows)
    assert len({lake.version(*WHERE, day) for day in days(5)[1:]}) == 1


def test_any_days_read_back_as_they_were_written(engine: Engine, lake: Lake) -> None:
    """Random rows over random days, keys that are empty or stand twice among them; days written
    again in between.
    """
    dice = random.Random(14)
    written: dict[date, list[Row]] = {}
    rows = many(60)
    for step in range(60):
        day = FIRST + timedelta(days=dice.choice([step, step, step, dice.randrange(step + 1)]))
        rows = [row for row in rows if dice.random() > 0.05]
        for _ in range(dice.choice([0, 0, 1, 3, 30])):
            part = dice.choice([None, 0, 1, 2])
            row = (dice.randrange(80), part, f"61092{dice.randrange(3)}", f"v{dice.randrange(3)}")
            rows.append(row)
        put(engine, lake, day, rows)
        written[day] = list(rows)
        for on in dice.sample(sorted(written), min(5, len(written))):
            assert read(engine, lake, on) == in_order(written[on]), (step, day, on)
            assert lake.digest(engine, *WHERE, on) == digest(engine, written[on])
    assert lake.days(*WHERE) == sorted(written)
    kinds = {len(list((lake.folder(*WHERE, on) or lake.root).glob("county=*"))) for on in written}
    assert 0 in kinds
    assert kinds - {0}


def digest(engine: Engine, rows: Sequence[Row]) -> str:
    """The digest of rows, counted from nothing."""
    from warehouse.row_hash import row_hash, summed

    kinds = (
        ("id", "INTEGER"),
        ("part", "INTEGER"),
        ("county", "VARCHAR"),
        ("value", "VARCHAR"),
        ("pair", "VARCHAR[]"),
    )
    return summed(engine.arrow(f"select {row_hash(kinds)} as h from ({select(rows)})")).digest


def test_a_snapshot_again_before_changes_weigh_more_than_a_quarter(
    engine: Engine, lake: Lake
) -> None:
    rows = many(100)
    whole = []
    for n, day in enumerate(days(30)):
        rows = [(i, part, county, f"{value}+" if i % 33 == n % 33 else value)
                for i, part, county, value in rows]  # fmt: skip
        put(engine, lake, day, rows)
        folder = lake.folder(*WHERE, day)
        assert folder is not None
        if folder.name.startswith("as_of="):
            whole.append(n)
        assert read(engine, lake, day) == in_order(rows)
    assert whole == [0, 9, 18, 27]


def test_a_snapshot_again_after_a_month(engine: Engine, lake: Lake) -> None:
    rows = many(1000)
    put(engine, lake, FIRST, rows)
    put(engine, lake, FIRST + timedelta(days=1), [*rows, (5000, 1, "610920", "new")])
    last = FIRST + timedelta(days=40)
    put(engine, lake, last, [*rows, (5001, 1, "610920", "new")])
    assert (lake.folder(*WHERE, last) or lake.root).name == f"as_of={last}"


def test_a_day_made_anew_leaves_what_rests_on_it_as_it_was(engine: Engine, lake: Lake) -> None:
    one, two, three = days(3)
    rows = many(100)
    put(engine, lake, one, rows)
    put(engine, lake, two, rows[1:])
    put(engine, lake, three, rows[2:])
    before = lake.digest(engine, *WHERE, three)
    put(engine, lake, two, [*rows, (900, 1, "610920", "late")])
    assert read(engine, lake, three) == in_order(rows[2:])
    assert lake.digest(engine, *WHERE, three) == before
    put(engine, lake, one, rows[:50])
    assert read(engine, lake, two) == in_order([*rows, (900, 1, "610920", "late")])
    assert read(engine, lake, three) == in_order(rows[2:])


def test_no_element_is_not_an_empty_one(engine: Engine, lake: Lake) -> None:
    one, two = days(2)
    lists = ("[]", "['']", "null", "['a', null]", "['a']", "['a', 'b']")
    for place, texts in enumerate(itertools.pairwise(lists)):
        where = ("flags", f"t{place}")
        for day, text in zip((one, two), texts, strict=True):
            value = f"(case when i = 1 then {text} end)::varchar[]"
            rows = f"select i as id, {value} as l from range(9) t(i)"
            lake.write(engine, *where, day, rows, "id", key=("id",))
        relation = lake.relation(*where, two)
        assert engine.rows(f"select l from {relation} where id = 1") == engine.rows(
            f"select {texts[1]}::varchar[]"
        )
        assert lake.digest(engine, *where, one) != lake.digest(engine, *where, two)


def test_the_same_rows_again_touch_nothing(engine: Engine, lake: Lake) -> None:
    one, two, three = days(3)
    rows = many(100)
    put(engine, lake, one, rows)
    put(engine, lake, two, rows[1:])
    put(engine, lake, three, rows[2:])
    folder = lake.folder(*WHERE, two)
    assert folder is not None
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    put(engine, lake, two, list(reversed(rows[1:])))
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_a_chain_whose_base_is_another_is_an_error(engine: Engine, lake: Lake) -> None:
    one, two = days(2)
    rows = many(100)
    put(engine, lake, one, rows)
    put(engine, lake, two, rows[1:])
    state = (lake.folder(*WHERE, one) or lake.root) / "state.json"
    said = json.loads(state.read_text())
    state.write_text(json.dumps(said | {"digest": "00" * 16}))
    with pytest.raises(
        BrokenChain, match="rests on 2026-11-01, which was made anew since"
    ) as found:
        lake.relation(*WHERE, two)
    assert found.value.next_step == "make sync FROM=2026-11-01 TO=2026-11-02"
    shutil.rmtree(state.parent)
    with pytest.raises(BrokenChain, match="is gone from the lake"):
        lake.relation(*WHERE, two)


def test_a_lake_of_the_first_layout_is_read_on(engine: Engine, lake: Lake) -> None:
    one, two, three = days(3)
    rows = many(100)
    for day in (one, two):
        put(engine, lake, day, rows)
        lake.make_whole(engine, *WHERE, day)
        folder = lake.folder(*WHERE, day)
        assert folder is not None
        (folder / "state.json").unlink()
    assert lake.days(*WHERE) == [one, two]
    version = lake.version(*WHERE, two)
    assert put(engine, lake, three, rows[1:]) == 1
    assert lake.version(*WHERE, two) == version
    assert read(engine, lake, two) == in_order(rows)
    assert read(engine, lake, three) == in_order(rows[1:])


def test_other_columns_are_a_snapshot(engine: Engine, lake: Lake) -> None:
    one, two = days(2)
    rows = many(100)
    put(engine, lake, one, rows)
    lake.write(engine, *WHERE, two, f"select *, 1 as more from ({select(rows)})", "id", key=KEY)
    assert (lake.folder(*WHERE, two) or lake.root).name == f"as_of={two}"
    assert engine.scalar(f"select sum(more) from {lake.relation(*WHERE, two)}") == 100


def test_a_known_difference_is_written_as_it_is(engine: Engine, lake: Lake) -> None:
    one, two, three = days(3)
    rows = many(100)
    put(engine, lake, one, rows)
    new: list[Row] = [(5, 2, "610921", "new"), (900, None, "610920", "new")]
    expected = [row for row in rows if row[0] not in (5, 7)] + new
    version = lake.version(*WHERE, one)
    assert version is not None
    for day, went in (
        (two, "select 5 as id, 2 as part union all select 7, 1"),
        (three, f"select * from {lake.relation(*WHERE, one)} where id in (5, 7)"),
    ):
        written = lake.write_difference(
            engine,
            *WHERE,
            day,
            base=one,
            base_version=version,
            came=select(new),
            went=went,
            key=KEY,
            order_by="id",
            county="county",
        )
        assert (written.rows, written.changed) == (100, 3)
        assert read(engine, lake, day) == in_order(expected)
        assert lake.digest(engine, *WHERE, day) == digest(engine, expected)
    known = lake.difference(*WHERE, one, two)
    assert known is not None
    assert engine.rows(f"select id from {known.came} order by 1") == [(5,), (900,)]
    assert engine.rows(f"select id from {known.keys} as k order by 1") == [(5,), (7,), (900,)]
    with pytest.raises(OtherBase, match="another day than was compared"):
        lake.write_difference(
            engine, *WHERE, three, base=one, base_version="other", came=select(new),
            went="select 5 as id, 2 as part", key=KEY, order_by="id",
        )  # fmt: skip


def test_what_differs_over_several_days_is_known(engine: Engine, lake: Lake) -> None:
    rows = many(100)
    one, two, three, four = days(4)
    put(engine, lake, one, rows)
    put(engine, lake, two, rows[1:])
    put(engine, lake, three, rows[1:])
    put(engine, lake, four, [*rows[2:], (1, 1, "610920", "new")])
    known = lake.difference(*WHERE, one, four)
    assert known is not None
    assert engine.rows(f"select id from {known.keys} as k order by 1") == [(0,), (1,)]
    assert engine.rows(f"select id, value from {known.came} as c") == [(1, "new")]
    none = lake.difference(*WHERE, two, three)
    assert none is not None
    assert engine.rows(f"select * from {none.came} as c") == []
    assert engine.rows(f"select * from {none.keys} as k") == []


def test_days_by_county_move_rows_over_the_border(engine: Engine, lake: Lake) -> None:
    one, two, three = days(3)
    rows = many(100)

    def by_county(day: date, rows: Sequence[Row]) -> None:
        with lake.writing(engine, *WHERE, day, "id, part", KEY) as writer:
            for county in sorted({row[2] for row in rows}):
                own = [row for row in rows if row[2] == county]
                engine.table("own", select(own))
                assert writer.add(engine, county, '"own"') == len(own)

    by_county(one, rows)
    moved: list[Row] = [(4, 1, "610921", "old"), *rows[:4], *rows[5:]]
    by_county(two, moved)
    assert read(engine, lake, two) == in_order(moved)
    assert read(engine, lake, two, "610921") == in_order([r for r in moved if r[2] == "610921"])
    assert (lake.folder(*WHERE, two) or lake.root).name == str(two)
    alone = [row for row in moved if row[2] == "610920"]
    by_county(three, alone)  # a county without a row is gone
    assert read(engine, lake, three) == in_order(alone)


@pytest.mark.parametrize("to_whole", [True, False])
def test_killed_between_the_two_ways_a_day_lies(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to_whole: bool
) -> None:
    """A day that was whole becomes changes, or the other way round: one of both stands, never a
    mixture.
    """
    lake = Lake(tmp_path / "lake")
    one, two = days(2)
    rows = many(100)
    put(engine, lake, one, rows)
    first, second = (rows[1:], rows[50:]) if to_whole else (rows[50:], rows[1:])
    put(engine, lake, two, first)
    assert ((lake.folder(*WHERE, two) or lake.root).name == str(two)) is to_whole
    monkeypatch.setattr(
        type(lake._places), "remove", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        put(engine, lake, two, second)
    monkeypatch.undo()
    found = read(engine, lake, two)
    assert found in (in_order(first), in_order(second))
    sweep(tmp_path)
    assert read(engine, lake, two) == found
    assert len(list(lake.root.rglob(f"*{two}"))) == 1
    put(engine, lake, two, second)
    assert read(engine, lake, two) == in_order(second)


def test_a_lent_day_is_read_and_not_touched(engine: Engine, lake: Lake, tmp_path: Path) -> None:
    one, two, three = days(3)
    rows = many(100)
    put(engine, lake, one, rows)
    put(engine, lake, two, rows[1:])
    before = {path: path.read_bytes() for path in lake.root.rglob("*") if path.is_file()}
    other = Lake(tmp_path / "other")
    lake.lend(other, *WHERE, two)
    assert read(engine, other, two) == in_order(rows[1:])
    put(engine, other, three, rows[2:])
    assert read(engine, other, three) == in_order(rows[2:])
    assert {path: path.read_bytes() for path in lake.root.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("killed_after", [None, 0, 1, 3])
def test_what_is_given_up_leaves_the_kept_days_as_they_were(
    engine: Engine, lake: Lake, monkeypatch: pytest.MonkeyPatch, killed_after: int | None
) -> None:
    """Forty days, of which the month's end and the last ones stay; killed in between too."""
    dice = random.Random(7)
    rows, written = many(200), dict[date, list[Row]]()
    for day in days(40):
        for _ in range(dice.choice([0, 0, 0, 3])):
            rows[dice.randrange(len(rows))] = (dice.randrange(300), 1, "610920", str(day))
        put(engine, lake, day, rows)
        written[day] = list(rows)
    kept = [days(40)[29], *days(40)[33:]]
    digests = {day: lake.digest(engine, *WHERE, day) for day in kept}
    gone = [day for day in written if day not in kept]
    if killed_after is not None:
        real, left = type(lake._places).remove, killed_after

        def remove(places: object, folder: Path) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            real(places, folder)  # type: ignore[arg-type]

        monkeypatch.setattr(type(lake._places), "remove", remove)
        with pytest.raises(KeyboardInterrupt):
            lake.forget(engine, *WHERE, gone)
        monkeypatch.undo()
        assert {day: read(engine, lake, day) for day in kept} == {
            day: in_order(written[day]) for day in kept
        }
        sweep(lake.root.parent)
    lake.forget(engine, *WHERE, gone)
    assert lake.days(*WHERE) == kept
    for day in kept:
        assert read(engine, lake, day) == in_order(written[day])
        assert lake.digest(engine, *WHERE, day) == digests[day] == digest(engine, written[day])
    whole = [d for d in kept if (lake.folder(*WHERE, d) or lake.root).name.startswith("as_of=")]
    assert len(whole) < 4
    put(engine, lake, days(41)[-1], rows[1:])
    assert read(engine, lake, days(41)[-1]) == in_order(rows[1:])
