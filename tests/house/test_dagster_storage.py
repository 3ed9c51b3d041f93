"""Dagster's own storage: SQLite under `YIHU_HOME`, or PostgreSQL where its address is named."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import sqlalchemy as sa

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
    with tempfile.TemporaryDirectory(prefix="yihu-dagster-") as folder, embedded(Path(folder)) as server:
        engine = server.engine()
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("create database dagster"))
        engine.dispose()
        url = server.url.set(database="dagster", drivername="postgresql+psycopg2").render_as_string(hide_password=False)
        assert stored(Path(folder), YIHU_DAGSTER_DB_URL=url) == ["PostgresRunStorage", "1", "True"]
        assert not (Path(folder) / "dagster" / "history").exists()
