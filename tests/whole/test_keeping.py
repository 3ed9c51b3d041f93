"""A past day made anew, release folders made again, a day handed out whole, and what is given up:
on a county whose days were synced at once.
"""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from resources.lake import Lake
from resources.server import warehouse_server
from tests.whole.conftest import FEW, RANGE, Ranged, asking, pipelines
from tests.whole.days import PSEUDONYM, digests_of, releases

pytestmark = pytest.mark.long
LAYERS = ("valid", "withdrawn", "quarantine", "matched", "household", "flags")
FIRST, LAST = RANGE[0], RANGE[-1]
ANSWERED = (
    "insert into ops.review_decision (queue_id, decision, person_key, reason, decided_at) select"
    " queue_id, 'unregistered', candidates -> 0 ->> 'person_key', 'seen the papers',"
    f" timestamptz '{RANGE[1]} 12:00:00+08' from ops.review_queue where candidates is not null and"
    " record_id is not null"
)


def run(home: Path, *arguments: str, **settings: str) -> str:
    few = {"YIHU_SANDBOX_HOUSEHOLDS": str(FEW), "YIHU_PSEUDONYM_KEY": PSEUDONYM}
    done = pipelines(home, *arguments, **few, **settings)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def home(ranged: Ranged) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="yihu-keeping-") as folder:
        copy = Path(folder) / "home"
        subprocess.run(["cp", "-a", str(ranged.home), str(copy)], check=True)
        yield copy


def files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_days_tables_whole(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "day"
    said = run(home, "export-day", "--day", LAST.isoformat(), "--out", str(out))
    assert "they hold identities" in said
    lake = Lake(home / "lake")
    tables = [table for table in lake.tables() if LAST in lake.days(*table)]
    assert sorted(files(out)) == sorted(f"{layer}/{table}.parquet" for layer, table in tables)
    for layer, table in tables:
        exported, kept = f"'{out}/{layer}/{table}.parquet'", lake.relation(layer, table, LAST)
        differing = duckdb.sql(
            f"(select * from {exported} except all select * from {kept}) union all"
            f" (select * from {kept} except all select * from {exported})"
        )
        assert differing.fetchall() == [], table
    assert {path.stat().st_mode & 0o077 for path in out.rglob("*")} == {0}


def test_a_release_folder_again_with_the_same_bytes(home: Path) -> None:
    (folder,) = (home / "lake" / "release" / f"as_of={FIRST}").glob("release=*")
    before = files(folder)
    for file in folder.glob("*.parquet"):
        file.unlink()
    said = run(home, "release-folder", "--day", FIRST.isoformat())
    assert f"{len(before) - 1} files made again" in said
    assert files(folder) == before
    assert "every file is there" in run(home, "release-folder", "--day", FIRST.isoformat())


def test_a_plan_gives_nothing_up(home: Path) -> None:
    before = files(home / "lake")
    said = run(home, "prune", "--plan")
    assert "would give up:" in said
    assert [line.split(":")[0].strip() for line in said.splitlines()[1:5]] == [
        "releases", "lake", "raw", "runs"
    ]  # fmt: skip
    assert files(home / "lake") == before


def test_a_past_day_made_anew_waits_for_the_days_above(home: Path) -> None:
    """Answers of stewards that nobody had given when the day was made."""
    days = list(RANGE)
    before = {day: digests_of(home, day, LAYERS) for day in days}
    run(home, "sync", YIHU_AS_OF=days[1].isoformat())
    assert Lake(home / "lake").beside() is None  # the same rows
    with warehouse_server(home) as server, asking(server) as connection:
        # nobody may say when he answered: here, before the day was made
        connection.exec_driver_sql("alter table ops.review_decision disable trigger user")
        connection.exec_driver_sql(ANSWERED)
        connection.exec_driver_sql("alter table ops.review_decision enable trigger user")
        connection.commit()
    said = run(home, "sync", YIHU_AS_OF=days[1].isoformat())
    assert f"make sync FROM={days[1]}" in said
    line = Lake(home / "lake").beside()
    assert line is not None
    assert (line.first, line.made) == (days[1], {days[1]})
    assert {day: digests_of(home, day, LAYERS) for day in days} == before
    run(home, "sync", "--from", days[1].isoformat(), "--to", LAST.isoformat())
    assert Lake(home / "lake").beside() is None
    after = {day: digests_of(home, day, LAYERS) for day in days}
    assert after[FIRST] == before[FIRST]
    assert all(after[day] != before[day] for day in days[1:])
    last = [checksum for day, checksum in releases(home) if day == LAST]
    assert len(last) == 2
    assert last[0] != last[1]
    run(home, "sync", YIHU_AS_OF=LAST.isoformat())
    assert [checksum for day, checksum in releases(home) if day == LAST] == last


def test_what_is_kept_is_what_it_was(home: Path) -> None:
    """Pruned to the last two days; a day under legal hold stays, batches of open rows stay."""
    lake = Lake(home / "lake")
    before = {day: digests_of(home, day, LAYERS) for day in RANGE}
    run(home, "prune", "--keep", "2", YIHU_KEEP_FOLDER_DAYS="1")
    assert {day: digests_of(home, day, LAYERS) for day in RANGE} == before  # released, or in time
    raw = sorted(path.name for path in (home / "lake" / "raw").rglob("manifest.json"))
    assert raw
    assert lake.days("flags", "warning_flag") == list(RANGE)
