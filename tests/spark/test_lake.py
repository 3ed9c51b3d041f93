"""Days as changes, written and read by Spark: the rows and digests that DuckDB gives."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from resources.engines.duckdb import Engine
from resources.engines.spark import SparkEngine
from resources.lake import Lake

FIRST = date(2026, 11, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(5)]
TABLE = ("flags", "t")


def rows(n: int) -> str:
    return (
        "select cast(i as integer) as id, case when i % 3 > 0 then cast(i % 3 as integer) end as"
        f" part, case when i % 40 = {n} then 'new' else 'old' end as value,"
        " cast(i as decimal(18, 2)) / 4 as amount, cast('2026-11-01' as date) as day,"
        " cast('2026-11-01 10:00:00.5' as timestamp) as at, i % 2 = 0 as is_even,"
        " case when i % 7 > 0 then ['a', 'b'] else cast([] as varchar[]) end as listed"
        f" from (select unnest(range({n}, 400)) as i) as t"
    )


def test_both_engines_write_and_read_the_same(tmp_path: Path) -> None:
    spark, duck = SparkEngine(tmp_path / "spark", "local[1]"), Engine(tmp_path / "duck")
    lakes = {}
    try:
        for name, engine in (("spark", spark), ("duck", duck)):
            lakes[name] = lake = Lake(tmp_path / name / "lake")
            for n, day in enumerate(DAYS):
                source = f"rows_{n}"
                if name == "spark":
                    spark.from_arrow(source, duck.arrow(rows(n)).read_all())
                else:
                    duck.table(source, rows(n))
                select = f'select * from "{source}"'
                lake.write(engine, *TABLE, day, select, "id", key=("id", "part"))
        for n, day in enumerate(DAYS):
            folders = {lake.folder(*TABLE, day).name for lake in lakes.values()}  # type: ignore[union-attr]
            assert len(folders) == 1
            found = {
                name: lake.digest(engine, *TABLE, day)
                for (name, lake), engine in zip(lakes.items(), (spark, duck), strict=True)
            }
            assert found["spark"] == found["duck"]
            read = spark.arrow(f"select * from {lakes['spark'].relation(*TABLE, day)} as r")
            duck.from_arrow("read", read.read_all())
            assert (
                duck.rows(f"(from read except {rows(n)}) union all ({rows(n)} except from read)")
                == []
            )
    finally:
        spark.close()
        duck.close()
