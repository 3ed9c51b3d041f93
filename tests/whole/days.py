"""Days of a small county without a server: departments in this process, raw and valid through
Dagster's own job.

Belongs here: starting departments, running days, looking at what the lake holds. Not here: what
must hold.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import sqlalchemy as sa

from expectations.contract import Contract, load_contracts
from pipelines.definitions import build_defs
from pipelines.environment import prepare
from resources.departments import Departments
from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.server import warehouse_server
from resources.settings import load_settings
from sandbox import drop, frontdb
from sandbox.county import County
from sandbox.faults import FaultPlan
from sandbox.gateway import start
from warehouse.asof import make_valid
from warehouse.row_hash import row_hash, summed

SID, KEY = "whole-tests", "a-key-of-the-whole-tests"
PSEUDONYM = "a-pseudonym-key-of-the-whole-tests"
NOWHERE = "http://127.0.0.1:9/api"


@contextmanager
def at_home(home: Path, **settings: str) -> Iterator[None]:
    """The process environment with nothing of yihu's but these settings; all of it is put back."""
    before, mask = dict(os.environ), os.umask(0o077)
    try:
        for name in [name for name in os.environ if re.match("YIHU_|DAGSTER_HOME", name)]:
            del os.environ[name]
        os.environ.update({"YIHU_HOME": str(home), "YIHU_PSEUDONYM_KEY": PSEUDONYM, **settings})
        yield
    finally:
        os.umask(mask)
        os.environ.clear()
        os.environ.update(before)


@dataclass
class Offices:
    """The departments of a county: a gateway, a drop folder, a front-end database (SQLite)."""

    county: County
    folder: Path
    url: str
    plan: FaultPlan = field(default_factory=FaultPlan)

    @property
    def drop(self) -> Path:
        return self.folder / "drop"

    @property
    def front(self) -> str:
        return f"sqlite:///{self.folder / 'front.sqlite'}"

    @property
    def settings(self) -> dict[str, str]:
        """What a home needs to read from them."""
        return {
            "YIHU_GATEWAY_URL": self.url,
            "YIHU_GATEWAY_SID": SID,
            "YIHU_GATEWAY_KEY": KEY,
            "YIHU_DROP_DIR": str(self.drop),
            "YIHU_FRONT_DB_URL": self.front,
        }

    def bring_to(self, day: date, writing: drop.Writing = "tidy") -> None:
        """Files and tables as the departments have them at the end of `day`."""
        drop.drop(self.county, self.drop, day, writing=writing)
        frontdb.load(self.county, self.front, day)


@contextmanager
def offices(county: County, folder: Path) -> Iterator[Offices]:
    """The departments, as long as the block lasts."""
    plan = FaultPlan()
    server, url = start(county, SID, KEY.encode(), plan)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield Offices(county, folder, url, plan)
    finally:
        server.shutdown()
        server.server_close()


def closed(folder: Path) -> dict[str, str]:
    """Settings of departments that are switched off: nobody listens, nothing lies there."""
    (folder / "empty").mkdir(parents=True, exist_ok=True)
    return {
        "YIHU_GATEWAY_URL": NOWHERE,
        "YIHU_GATEWAY_SID": SID,
        "YIHU_GATEWAY_KEY": KEY,
        "YIHU_DROP_DIR": str(folder / "empty"),
        "YIHU_FRONT_DB_URL": frontdb.down_url(),
    }


def run_valid(
    home: Path,
    settings: Mapping[str, str],
    day: date,
    contracts: Sequence[Contract] | None = None,
    layers: Sequence[str] = ("raw", "valid"),
) -> dg.ExecuteInProcessResult:
    """Raw and valid of a day, through the job that `make sync` runs."""
    wanted = load_contracts() if contracts is None else contracts
    keys = [dg.AssetKey(f"{layer}_{contract.table}") for contract in wanted for layer in layers]
    with (
        at_home(home, **settings, YIHU_AS_OF=day.isoformat()),
        dg.DagsterInstance.ephemeral() as instance,
    ):
        job = build_defs().resolve_job_def("daily_sync")
        return job.execute_in_process(
            partition_key=day.isoformat(), asset_selection=keys, instance=instance
        )


def merge_day(home: Path, settings: Mapping[str, str], day: date) -> None:
    """Raw and valid of a day without Dagster: the same readers and the same merge, in a third of
    the time.
    """
    loaded = load_settings(
        {
            "YIHU_HOME": str(home),
            "YIHU_PSEUDONYM_KEY": PSEUDONYM,
            **settings,
            "YIHU_AS_OF": day.isoformat(),
        }
    )
    lake, engine = Lake(loaded.lake), Engine(home / "tmp")
    departments = Departments(loaded, lake)
    try:
        departments.prefetch(load_contracts(), day)
        for contract in load_contracts():
            departments.read_day(contract, day)
            make_valid(engine, lake, contract, day)
    finally:
        departments.close()
        engine.close()


def ledger(home: Path, contract: Contract, day: date) -> dict[str, Any]:
    note = Lake(home / "lake").read_note("ledger", contract.table, day)
    assert note is not None, f"{contract.table} has no ledger of {day}"
    return note


def in_force(home: Path, contract: Contract, day: date) -> dict[str, tuple[Any, ...]]:
    """The rows in force by record key, as delivered; not when they came, nor in which batch."""
    relation = Lake(home / "lake").relation("valid", contract.table, day)
    names = ", ".join(f'"{f.name}"' for f in contract.fields)
    with duckdb.connect() as connection:
        rows = connection.execute(f"select {contract.record_key.name}, {names} from {relation}")
        return {row[0]: row[1:] for row in rows.fetchall()}


def quarantined(home: Path, contract: Contract, day: date) -> set[str]:
    """The keys of the rows in quarantine."""
    relation = Lake(home / "lake").relation("quarantine", contract.table, day)
    with duckdb.connect() as connection:
        return {
            key for (key,) in connection.execute(f"select record_key from {relation}").fetchall()
        }


def digests_of(home: Path, day: date, layers: Sequence[str]) -> dict[str, str]:
    """The digest of every table of a day in the lake's layers, counted from its rows."""
    lake, found = Lake(home / "lake"), {}
    engine = Engine(home / "tmp")
    for layer, table in lake.tables():
        if layer in layers and day in lake.days(layer, table):
            relation = lake.relation(layer, table, day)
            columns = engine.columns(f"select * from {relation}")
            hashes = engine.arrow(f"select {row_hash(columns)} as row_hash from {relation}")
            found[f"{layer}/{table}"] = summed(hashes).digest
            assert lake.digest(engine, layer, table, day) == found[f"{layer}/{table}"]
    engine.close()
    return found


def backfill(home: Path, settings: Mapping[str, str], days: Sequence[date]) -> list[str]:
    """The job's partitions one after the other, upward, each published; returns the steps that
    failed.
    """
    with at_home(home, **settings):
        loaded = load_settings()
        prepare(loaded)
        with warehouse_server(home), dg.DagsterInstance.get() as instance:
            job = build_defs().resolve_job_def("daily_sync")
            results = [
                job.execute_in_process(
                    partition_key=day.isoformat(),
                    instance=instance,
                    raise_on_error=False,
                    tags={"dagster/backfill": "whole"},
                )
                for day in days
            ]
    failed = [event for result in results for event in result.get_step_failure_events()]
    return [
        f"{event.step_key}: {event.step_failure_data.error.to_string()}"
        for event in failed
        if event.step_failure_data.error
    ]


def releases(home: Path) -> list[tuple[date, str]]:
    """Day and checksum of every release, in the order in which they were made."""
    with warehouse_server(home) as server:
        engine = server.engine()
        with engine.connect() as connection:
            rows = connection.execute(
                sa.text("select as_of, checksum from ops.release order by release_id")
            ).all()
        engine.dispose()
    return [(row.as_of, row.checksum) for row in rows]


def only_raw(source: Path, target: Path) -> None:
    """A home that holds the batches and pointers of another, and nothing else."""
    shutil.copytree(
        source / "lake" / "raw",
        target / "lake" / "raw",
        ignore=shutil.ignore_patterns("rows.parquet", "landed.json"),
    )
