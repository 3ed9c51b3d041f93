"""What a killed run leaves in its home is put right when the next one begins; nothing else is
touched.
"""

from __future__ import annotations

import os
import time
from datetime import date
from pathlib import Path

import pytest

from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.runtime.lock import run_lock

DAY = date(2026, 11, 10)


class Killed(BaseException):
    pass


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_day_that_was_being_written_is_removed(engine: Engine, tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.write(engine, "valid", "t", DAY, "select 1 as a", "a")
    whole = names(lake.root)
    work = lake.table("valid", "t") / ".as_of=2026-11-11.0123abcd.tmp" / "county=000000"
    work.mkdir(parents=True)
    (work / "part-0.parquet").write_bytes(b"half")
    note = lake.write_note("ledger", "t", DAY, {})
    (note.parent / "as_of=2026-11-10.0123abcd.tmp").write_text("{")
    (lake.root / "release").mkdir()
    (lake.root / "release" / ".0123456789ab.tmp").mkdir()
    (lake.table("raw", "t") / "t-20261110-01").mkdir(parents=True)
    (lake.table("raw", "t") / ".t-20261110-01.rows.parquet.tmp").write_bytes(b"half")
    with run_lock(tmp_path):
        assert names(lake.root) == sorted([*whole, "ledger/t/as_of=2026-11-10.json"])
        assert not list(lake.root.rglob("*.tmp"))


def test_a_day_whose_replacement_never_came_is_back(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the two renames that put a day anew in the place of an old one."""
    lake = Lake(tmp_path / "lake")
    lake.write(engine, "valid", "t", DAY, "select 1 as a", "a")
    rename = os.rename

    def kill(source: Path, target: Path) -> None:
        if str(target).endswith("as_of=2026-11-10"):
            raise Killed
        rename(source, target)

    monkeypatch.setattr(os, "rename", kill)
    with pytest.raises(Killed):
        lake.write(engine, "valid", "t", DAY, "select 2 as a", "a")
    monkeypatch.undo()
    assert lake.version("valid", "t", DAY) is None
    with run_lock(tmp_path):
        assert engine.rows(f"select a from {lake.relation('valid', 't', DAY)}") == [(1,)]
    assert not list(lake.root.rglob("*.tmp"))


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    kept = [
        lake.table("valid", "t") / "notes.tmp",
        lake.table("valid", "t") / ".swap.tmp",
        lake.table("raw", "t") / ".t-20261110-01.reading" / "page-00001.json",
        lake.table("raw", "t") / "t-20261109-01" / "page-00001.tmp",
        lake.table("gates", "t") / "t-20261110-01.tmp",
    ]
    for path in kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    with run_lock(tmp_path):
        assert [path for path in kept if not path.exists()] == []
    os.utime(kept[-1], (time.time() - 7200,) * 2)
    with run_lock(tmp_path):
        assert [path for path in kept if not path.exists()] == kept[-1:]


def test_spills_of_processes_that_are_gone(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "tmp")
    engine.execute("set memory_limit = '60MB'")
    engine.execute(
        "create table t as select range as a, md5(range::varchar) as b from range(2000000)"
    )
    (own,) = [path for path in (tmp_path / "tmp").iterdir() if any(path.iterdir())]
    assert own.name.startswith(f"{os.getpid()}-")
    gone = tmp_path / "tmp" / "4194999-0123abcd"
    gone.mkdir()
    (gone / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"rows")
    with run_lock(tmp_path):
        assert own.exists()
        assert not gone.exists()
    engine.close()
    assert list((tmp_path / "tmp").iterdir()) == []
