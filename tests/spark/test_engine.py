"""The engine on Spark does what `resources.engines.duckdb.Engine` does, keeps its tables to itself,
and leaves nothing behind.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from resources.engines.duckdb import Engine, EngineError
from resources.engines.spark import HELD_ROWS, SparkEngine

ROWS = pa.table(
    {
        "a": pa.array([2, 1, None], pa.int64()),
        "b": pa.array([Decimal("0.10"), None, Decimal("-7.00")], pa.decimal128(12, 2)),
        "c": pa.array([["x", "y"], [], None], pa.list_(pa.string())),
        "d": pa.array([dt.date(2026, 11, 20), None, dt.date(1900, 1, 1)], pa.date32()),
        "e": pa.array(
            [dt.datetime(2026, 11, 20, 23, 59, 59), None, dt.datetime(1989, 4, 16, 0, 30)],
            pa.timestamp("us"),
        ),
        "f": pa.array([True, None, False], pa.bool_()),
    }
)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[SparkEngine]:
    opened = SparkEngine(tmp_path / "tmp", "local[2]")
    yield opened
    opened.close()


def test_tables_views_and_rows_are_as_on_duckdb(engine: SparkEngine, tmp_path: Path) -> None:
    other = Engine(tmp_path / "duckdb")
    for each in (engine, other):
        each.from_arrow("given", ROWS)
        assert (
            each.table("kept", "select a, b, c, d, e, f, null as g from given where a is not null")
            == 2
        )
        each.view("seen", "select count(*) as n from kept")
    for sql in (
        "select * from given order by a",
        "select * from kept order by a",
        "select * from seen",
    ):
        assert engine.rows(sql) == other.rows(sql)
        assert engine.columns(sql) == other.columns(sql)
        assert engine.arrow(sql).read_all().to_pylist() == other.arrow(sql).read_all().to_pylist()
    assert engine.rows("select a from given where a = ? and d = ?", [2, dt.date(2026, 11, 20)]) == [
        (2,)
    ]
    assert engine.scalar("select a from given where a = 7") is None
    engine.table("kept", "select a from given")
    assert engine.scalar("select n from seen") == 3
    other.close()


def test_what_there_is_can_be_listed_and_dropped(engine: SparkEngine) -> None:
    engine.table("one", "select 1 as a")
    engine.view("two", "select a from one")
    listed = (
        "select table_name, table_type from information_schema.tables where table_name in ('one',"
        " 'two') order by 1"
    )
    assert engine.rows(listed) == [("one", "BASE TABLE"), ("two", "VIEW")]
    assert engine.exists("one")
    engine.drop("one")
    engine.drop("two")
    engine.drop("never there")
    assert not engine.exists("one")
    assert not engine.exists("two")


def numbers(count: int) -> pa.Table:
    return pa.table({"n": list(range(count))})


def folders(engine: SparkEngine) -> list[Path]:
    """The tables that lie on disk."""
    return list((engine.folder / "tables").iterdir())


def test_few_rows_are_held_by_the_driver_and_many_lie_on_disk(
    engine: SparkEngine, tmp_path: Path
) -> None:
    engine.from_arrow("few", numbers(HELD_ROWS))
    assert folders(engine) == []
    engine.from_arrow("many", numbers(HELD_ROWS + 1))
    assert len(folders(engine)) == 1
    # from many to few: written, then held
    engine.table(
        "some",
        "select n, [n] as listed, cast(n as decimal(9,2)) as exact, null as nothing from many where"
        " n < 3",
    )
    assert len(folders(engine)) == 1
    assert engine.columns("select * from some") == [
        ("n", "BIGINT"),
        ("listed", "BIGINT[]"),
        ("exact", "DECIMAL(9,2)"),
        ("nothing", "INTEGER"),
    ]
    # from few to many, which no estimate would tell
    assert engine.table("pairs", "select a.n from few as a cross join some as b") == 3 * HELD_ROWS
    assert len(folders(engine)) == 2
    for source in ("few", "many"):
        assert (
            engine.copy(f"select n from {source} order by n desc", tmp_path / f"{source}.parquet")
            > 0
        )
        assert pq.read_table(tmp_path / f"{source}.parquet").column("n")[0].as_py() == HELD_ROWS - (
            source == "few"
        )
    assert pq.read_schema(tmp_path / "few.parquet").equals(
        pq.read_schema(tmp_path / "many.parquet")
    )


def test_a_view_sees_what_its_table_has_become(engine: SparkEngine, tmp_path: Path) -> None:
    engine.table("given", "select 1::bigint as n")
    engine.view("seen", "select n from given")
    engine.view("seen_again", "select n from seen")
    assert engine.table("copied", "select * from seen_again") == 1
    engine.from_arrow("given", numbers(2 * HELD_ROWS))
    assert engine.table("copied", "select * from seen_again") == 2 * HELD_ROWS
    assert engine.scalar("select count(*) from copied") == 2 * HELD_ROWS
    engine.table("given", "select 2::bigint as n")
    assert engine.rows("select n from seen_again") == [(2,)]


def test_files_that_were_written_anew_are_read_anew(engine: SparkEngine, tmp_path: Path) -> None:
    select = (
        f"select n from read_parquet('{tmp_path}/*.parquet', hive_partitioning = false) order by n"
    )
    for rows in (1, 2, HELD_ROWS + 1):
        pq.write_table(numbers(rows), tmp_path / "part-0.parquet")
        assert len(engine.rows(select)) == rows
    pq.write_table(pa.table({"n": [7]}), tmp_path / "part-1.parquet")
    assert len(engine.rows(select)) == HELD_ROWS + 2


@pytest.mark.parametrize("adaptive", ["true", "false"])
def test_a_large_copy_is_one_file_in_its_order(
    engine: SparkEngine, tmp_path: Path, adaptive: str
) -> None:
    engine.session.conf.set("spark.sql.adaptive.enabled", adaptive)
    digits = "(values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) as"
    number = "a.n + 10 * b.n + 100 * c.n + 1000 * d.n"
    crossed = (
        f"{digits} a(n) cross join {digits} b(n) cross join {digits} c(n) cross join {digits} d(n)"
    )
    select = (
        f"select {number} as number, cast(0.5 * a.n as decimal(6,2)) as half, [cast(b.n as"
        f" varchar)] as texts from {crossed}"
    )
    assert (
        engine.copy(
            f"select * from ({select}) as s order by texts, half desc, number",
            tmp_path / "ours.parquet",
        )
        == 10_000
    )
    with_duckdb = Engine(tmp_path / "duckdb")
    with_duckdb.copy(
        f"select * from ({select}) as s order by texts, half desc, number",
        tmp_path / "theirs.parquet",
    )
    ours, theirs = (
        with_duckdb.rows(f"select * from read_parquet('{tmp_path / name}.parquet')")
        for name in ("ours", "theirs")
    )
    assert ours == theirs
    with_duckdb.close()


def test_tables_are_private_and_go_with_the_engine(tmp_path: Path) -> None:
    temp = tmp_path / "tmp"
    left = temp / "spark-999999999-dead"
    left.mkdir(parents=True)
    one, other = SparkEngine(temp, "local[2]"), SparkEngine(temp, "local[2]")
    one.table("mine", "select '610921198503011235' as number")
    assert not left.exists()
    assert not other.exists("mine")
    assert [path for path in (temp, *temp.iterdir()) if path.stat().st_mode & 0o077] == []
    one.close()
    assert other.scalar("select 1") == 1
    other.close()
    assert list(temp.iterdir()) == []
    with_new_context = SparkEngine(temp, "local[2]")
    assert with_new_context.scalar("select 1") == 1
    with_new_context.close()


@pytest.mark.parametrize(
    "sql",
    [
        "select nothing from given",
        "select * from nowhere",
        "select cast('610921198503011235X' as bigint)",
        "select '610921198503011235' from",
        "select (",
    ],
)
def test_an_error_tells_neither_statement_nor_value(
    engine: SparkEngine, capfd: pytest.CaptureFixture[str], sql: str
) -> None:
    engine.from_arrow("given", ROWS)
    with pytest.raises(EngineError) as raised:
        engine.rows(sql)
    assert "61092119850301" not in f"{raised.value}{''.join(capfd.readouterr())}"
    assert raised.value.__cause__ is None
