"""Dagster's own storage: SQLite under `YIHU_HOME`, or PostgreSQL where its address is named."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from resources.runtime.dagster_storage import pooled_sqlite
from resources.server import embedded
from resources.settings import ROOT
from tests.whole.conftest import environment

PROGRAM = """
from resources.settings import load_settings
from pipelines.environment import prepare
prepare(load_settings())
import dagster as dg
with dg.DagsterInstance.get() as instance:
    @dg.asset
    def one() -> None: ...
    done = dg.materialize([one], instance=instance)
    print(type(instance.run_storage).__name__, len(instance.get_runs()), done.success)
"""


def stored(home: Path, **settings: str) -> list[str]:
    """The kind of run storage, how many runs it has and whether the run went well."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        cwd=ROOT,
        env=environment(home, **settings),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_sqlite_beside_the_data(tmp_path: Path) -> None:
    assert stored(tmp_path) == ["SqliteRunStorage", "1", "True"]
    assert (tmp_path / "dagster" / "history" / "runs.db").exists()


@pytest.mark.slow
def test_postgres_where_it_is_named() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="yihu-dagster-") as folder,
        embedded(Path(folder)) as server,
    ):
        engine = server.engine()
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("create database dagster"))
        engine.dispose()
        url = server.url.set(database="dagster", drivername="postgresql+psycopg2").render_as_string(
            hide_password=False
        )
        assert stored(Path(folder), YIHU_DAGSTER_DB_URL=url) == ["PostgresRunStorage", "1", "True"]
        assert not (Path(folder) / "dagster" / "history").exists()


def test_files_held_open_are_whole_for_others_and_closed_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YIHU_DAGSTER_DIR", str(tmp_path))
    address = f"sqlite:///{tmp_path}/events.db"
    with pooled_sqlite():
        for number in range(3):
            engine = sa.create_engine(address, poolclass=sa.NullPool)
            with engine.begin() as connection:
                connection.execute(sa.text("pragma journal_mode = wal")) if number == 0 else None
                connection.execute(sa.text("create table if not exists event (number)"))
                connection.execute(
                    sa.text("insert into event values (:number)"), {"number": number}
                )
            with engine.connect() as left_open:
                left_open.execute(sa.text("insert into event values (99)"))
            with closing(sqlite3.connect(tmp_path / "events.db")) as somebody_else:
                assert somebody_else.execute("select count(*) from event").fetchone() == (
                    number + 1,
                )
        assert open_files(tmp_path), "the file is held"
    assert not open_files(tmp_path), "nothing is held any more"
    with closing(sqlite3.connect(tmp_path / "events.db")) as afterwards:
        assert afterwards.execute("pragma integrity_check").fetchone() == ("ok",)


def test_dagster_gets_one_engine_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    make = sa.create_engine

    def counted(url: str, **options: object) -> sa.Engine:
        made.append(str(url))
        return make(url, **options)

    @dg.asset
    def one() -> None: ...

    monkeypatch.setenv("YIHU_DAGSTER_DIR", str(tmp_path))
    monkeypatch.setattr(sa, "create_engine", counted)
    with pooled_sqlite(), dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert dg.materialize([one], instance=instance).success
        assert len(instance.get_runs()) == 1
    assert len(made) == len(set(made)) >= 2


def open_files(folder: Path) -> list[str]:
    """The files under `folder` that this process has open."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(descriptor.readlink()))
    return [name for name in found if name.startswith(str(folder))]
