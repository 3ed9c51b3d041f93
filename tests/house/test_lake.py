"""The lake: written aside and renamed, private, ordered, carried forward; one run at a time."""

from __future__ import annotations

import hashlib
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from resources.engines.duckdb import Engine
from resources.lake import Lake, NotInLake
from resources.runtime.lock import RunLocked, run_lock
from resources.settings import ROOT

DAY, NEXT = date(2026, 11, 19), date(2026, 11, 20)
ROWS = (
    "select i as id, '6109' || (21 + i % 2)::varchar as county, i * 7 % 13 as value from"
    " range(300000) as t(i)"
)


def test_a_day_is_a_file_a_county_in_total_order_and_private(engine: Engine, lake: Lake) -> None:
    written = lake.write(engine, "household", "person", DAY, ROWS, "value, id", county="county")
    assert written.rows == 300_000
    assert written.counties == ("610921", "610922")
    files = sorted((lake.root / "household" / "person" / "as_of=2026-11-19").rglob("*.parquet"))
    assert [f.parent.name for f in files] == ["county=610921", "county=610922"]
    assert {stat.S_IMODE(f.stat().st_mode) for f in files} == {0o600}
    assert {stat.S_IMODE(f.parent.stat().st_mode) for f in files} == {0o700}


def test_the_same_rows_give_the_same_bytes_in_whatever_order_they_come(
    engine: Engine, lake: Lake
) -> None:
    def digest(select: str) -> str:
        written = lake.write(engine, "household", "person", DAY, select, "id")
        return hashlib.sha256(
            b"".join(f.read_bytes() for f in sorted(written.path.rglob("*.parquet")))
        ).hexdigest()

    assert digest(ROWS) == digest(f"select * from ({ROWS}) order by value desc, id desc")


def test_a_write_that_fails_leaves_the_day_as_it_was(engine: Engine, lake: Lake) -> None:
    lake.write(engine, "household", "person", DAY, "select 1 as id", "id")
    with pytest.raises(Exception, match="Conversion"):
        lake.write(engine, "household", "person", DAY, "select 'x'::integer as id", "id")
    assert engine.scalar(f"select max(id) from {lake.relation('household', 'person', DAY)}") == 1
    assert [p.name for p in lake.table("household", "person").iterdir()] == ["as_of=2026-11-19"]


def test_a_carried_day_reads_like_its_source(engine: Engine, lake: Lake) -> None:
    lake.write(engine, "household", "person", DAY, "select 1 as id", "id")
    lake.carry(engine, "household", "person", DAY, NEXT)
    assert lake.days("household", "person") == [DAY, NEXT]
    assert lake.latest("household", "person", NEXT) == DAY
    assert engine.rows(f"select id from {lake.relation('household', 'person', NEXT)}") == [(1,)]


def test_a_second_run_says_so_and_leaves(tmp_path: Path) -> None:
    hold = (
        "import sys, time; from pathlib import Path; from resources.runtime.lock import run_lock\n"
    )
    hold += "with run_lock(Path(sys.argv[1])):\n print('held', flush=True); time.sleep(30)"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(RunLocked, match=f"process {holder.pid} since"), run_lock(tmp_path):
            pass
        holder.kill()
    with run_lock(tmp_path), run_lock(tmp_path):
        pass


@pytest.mark.parametrize("folder", ["the county's", "two words", "100%", "a[1]*", "{x} ü"])
def test_a_home_may_have_any_name(engine: Engine, tmp_path: Path, folder: str) -> None:
    lake = Lake(tmp_path / folder / "lake")
    lake.write(
        engine,
        "household",
        "person",
        DAY,
        "select unnest([1, 2]) as id, '61092' || id as county",
        "id",
        county="county",
    )
    assert engine.rows(
        f"select id from {lake.relation('household', 'person', DAY)} order by id"
    ) == [(1,), (2,)]
    assert engine.rows(f"select id from {lake.relation('household', 'person', DAY, '610922')}") == [
        (2,)
    ]


def test_a_day_that_is_not_there_is_an_error(lake: Lake) -> None:
    with pytest.raises(NotInLake, match=r"household person has no day 2026-11-19"):
        lake.relation("household", "person", DAY)


def test_a_day_written_again_with_other_rows_is_another_version(engine: Engine, lake: Lake) -> None:
    assert lake.version("household", "person", DAY) is None
    lake.write(engine, "household", "person", DAY, "select 1 as id", "id")
    first = lake.version("household", "person", DAY)
    assert first == lake.version("household", "person", DAY)
    lake.write(engine, "household", "person", DAY, "select 1 as id", "id")
    assert first == lake.version("household", "person", DAY)
    lake.write(engine, "household", "person", DAY, "select 2 as id", "id")
    assert first != lake.version("household", "person", DAY)
