"""A small county, synced for real: gateway, files, front-end database, Dagster runs, PostgreSQL.
Made once a session.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from resources.server import Server, warehouse_server
from resources.settings import ROOT
from sandbox.county import County
from sandbox.rates import ErrorRates
from tests.whole.days import PSEUDONYM, releases

FIRST = date(2026, 11, 19)
SECOND = FIRST + timedelta(days=1)
HOUSEHOLDS = 1000
FEW = 300
"""Households where days, faults and kills are looked at."""
RANGE = (date(2026, 11, 14), date(2026, 11, 15), date(2026, 11, 16))
"""Saturday to Monday: the weekly reconciliation and a weekly file are among them."""
LIVELY = ErrorRates(withdrawn=0.6, late=0.3, broken=0.004)
"""Much happens in a few weeks, so that few households have something to tell."""


@dataclass(frozen=True)
class Synced:
    """A home with two days in it, what each `sync` printed, and a copy of the home as it was after
    the first.
    """

    home: Path
    outputs: dict[str, str]
    after_first: Path

    @property
    def seconds(self) -> float:
        """What the second day's run took."""
        return float(
            re.findall(r"^Release .* in ([0-9]+) s", self.outputs["second"], re.MULTILINE)[0]
        )

    def environment(self, **settings: str) -> dict[str, str]:
        return environment(self.home, **settings)


def environment(home: Path, **settings: str) -> dict[str, str]:
    """The process environment with nothing of yihu's but `settings`."""
    clean = {
        name: value for name, value in os.environ.items() if not re.match("YIHU_|DAGSTER_", name)
    }
    return {**clean, "YIHU_HOME": str(home), "YIHU_SANDBOX_HOUSEHOLDS": str(HOUSEHOLDS), **settings}


def pipelines(
    home: Path, *arguments: str, stdin: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    """`python -m pipelines …`, as the Makefile calls it."""
    return subprocess.run(
        [sys.executable, "-m", "pipelines", *arguments],
        cwd=ROOT, env=environment(home, **settings), input=stdin, capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip


def sync(home: Path, as_of: date, **settings: str) -> subprocess.CompletedProcess[str]:
    return pipelines(home, "sync", YIHU_AS_OF=as_of.isoformat(), **settings)


@pytest.fixture(scope="session")
def synced() -> Iterator[Synced]:
    """Two days of a small county, the second synced twice.

    Not under pytest's own folder: another pytest of the same user would lock the embedded server
    out of it.
    """
    folder = tempfile.TemporaryDirectory(prefix="yihu-county-")
    home, after_first = Path(folder.name) / "home", Path(folder.name) / "after-first"
    home.mkdir()
    outputs = {}
    for name, day in (("first", FIRST), ("second", SECOND), ("again", SECOND)):
        done = sync(home, day)
        outputs[name] = done.stdout + done.stderr
        assert done.returncode == 0, outputs[name][-4000:]
        if name == "first":
            # as it is: owners, modes and hard links are kept
            subprocess.run(["cp", "-a", str(home), str(after_first)], check=True)
    with folder, warehouse_server(home):
        yield Synced(home, outputs, after_first)


@dataclass(frozen=True)
class Ranged:
    """A home whose days were synced at once, and the releases that they gave."""

    home: Path
    releases: list[tuple[date, str]]
    printed: str


@pytest.fixture(scope="session")
def ranged() -> Iterator[Ranged]:
    """`make sync FROM=… TO=…` over the days of `RANGE`; not under pytest's own folder either."""
    folder = tempfile.TemporaryDirectory(prefix="yihu-ranged-")
    home = Path(folder.name)
    days = ("--from", RANGE[0].isoformat(), "--to", RANGE[-1].isoformat())
    done = pipelines(
        home, "sync", *days, YIHU_SANDBOX_HOUSEHOLDS=str(FEW), YIHU_PSEUDONYM_KEY=PSEUDONYM
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    with folder:
        yield Ranged(home, releases(home), done.stdout + done.stderr)


@pytest.fixture(scope="session")
def lively(tmp_path_factory: pytest.TempPathFactory) -> County:
    """A county where much is withdrawn, returned and committed late."""
    return County(tmp_path_factory.mktemp("lively"), FEW, 6, LIVELY).make()


@pytest.fixture(scope="session")
def server(synced: Synced) -> Iterator[Server]:
    """The embedded server of the county, running for the whole session."""
    with warehouse_server(synced.home) as running:
        yield running


@contextmanager
def asking(server: Server, login: str | None = None) -> Iterator[sa.Connection]:
    """A connection as `login`."""
    engine = server.engine(login)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def ask(
    server: Server, sql: str, login: str | None = "yihu_reader", **parameters: Any
) -> Sequence[sa.Row[Any]]:
    """The rows of a query as `login` sees them."""
    with asking(server, login) as connection:
        return connection.execute(sa.text(sql), parameters).all()
