"""Publication by itself, on a home that was synced: the first release, then days on which a share
of the households changed.

    python -m bench.publication --home .yihu

Belongs here: timing `warehouse.publication` into databases of its own on the home's server, beside
a bare load of the same rows, so that a ratio says more than this machine's seconds. CPU seconds are
this process's and the server's.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as sa

from assets.release import PUBLISHED, attach_unversioned
from bench.__main__ import say
from resources.runtime.context import RunContext
from resources.server import Server
from warehouse.migrations.run import upgrade
from warehouse.publication import PublishResult, RunSource, publish
from warehouse.publication.content import engine_type
from warehouse.publication.wire import wired
from warehouse.schema import VIEWS

DATABASE = "yihu_bench"
IN_A_THOUSAND = (1, 10, 100)
"""How many households in a thousand change, day after day."""
CHANGED = "hash(household_id, {day}) % 1000 < {share}"
TOUCHED = {
    "household": ("village_name", "village_name || '1'"),
    "household_member": ("labour_class", "'9'"),
    "household_indicator": ("coverage", "0.1::decimal(5,4)"),
    "warning_flag": ("coverage", "0.1::decimal(5,4)"),
    "warning_reason": ("value", "coalesce(value, '') || '1'"),
    "household_card": ("card", "replace(card, '[]', '[1]')"),
}
"""One column of every large table: all of a changed household's rows are different."""


@contextmanager
def opened_house(home: Path) -> Iterator[RunContext]:
    os.environ["YIHU_HOME"] = str(home)
    with RunContext().yield_for_execution(dg.build_init_resource_context()) as house:
        yield house


@contextmanager
def database_of_its_own(server: Server) -> Iterator[sa.URL]:
    """An empty warehouse beside the home's, dropped after."""
    administrator = sa.create_engine(
        server.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    url = server.url.set(database=DATABASE)
    with administrator.connect() as connection:
        connection.exec_driver_sql(f"drop database if exists {DATABASE} with (force)")
        connection.exec_driver_sql(f"create database {DATABASE} template template0")
        try:
            upgrade(sa.create_engine(url, poolclass=sa.NullPool), server.passwords)
            yield url
        finally:
            connection.exec_driver_sql(f"drop database if exists {DATABASE} with (force)")


def server_cpu(url: sa.URL) -> float:
    """CPU seconds that the server has used, its sessions that ended included."""
    data = Path(str(url.query["host"])).parent / "data" / "postmaster.pid"
    postmaster = int(data.read_text().splitlines()[0]) if data.exists() else -1
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat.parent.name) == postmaster or int(fields[1]) == postmaster:
            ticks += sum(int(value) for value in fields[11:13])
            ticks += (
                sum(int(value) for value in fields[13:15])
                if int(stat.parent.name) == postmaster
                else 0
            )
    return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def timed(url: sa.URL) -> Iterator[dict[str, float]]:
    """Wall and CPU seconds of the block."""
    found: dict[str, float] = {}
    cpu, served, began = time.process_time(), server_cpu(url), time.perf_counter()
    yield found
    found["seconds"] = round(time.perf_counter() - began, 2)
    found["cpu"] = round(time.process_time() - cpu, 2)
    found["server_cpu"] = round(server_cpu(url) - served, 2)


def bare_load(house: RunContext, url: sa.URL) -> dict[str, float]:
    """The same rows by ADBC into tables without key, index, hash or audit, in one transaction."""
    with timed(url) as found, wired(url) as wire:
        for view in VIEWS:
            if view.name not in PUBLISHED:
                continue
            kinds = {
                column.name: "text" if column.type == "jsonb" else column.type
                for column in view.stored
            }
            have = {name for name, _ in house.engine.columns(f'select * from "{view.name}"')}
            declared = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items() if name in have)
            wire.execute(f'create table public."bare_{view.name}" ({declared})')
            picked = ", ".join(
                f'cast("{c.name}" as {engine_type(c)}) as "{c.name}"'
                for c in view.stored
                if c.name in have
            )
            wire.load(
                f"bare_{view.name}",
                house.engine.arrow(f'select {picked} from "{view.name}"'),
                schema="public",
            )
        wire.commit()
    return found


def touch(house: RunContext, day: int, share: int) -> None:
    """The engine's tables with so many households in a thousand changed since the day before."""
    for table, (column, value) in TOUCHED.items():
        source = house.engine.rows("select sql from duckdb_views() where view_name = ?", [table])[
            0
        ][0]
        select = str(source).partition(" AS ")[2].strip().rstrip(";")
        house.engine.view(
            table,
            f'select * exclude ("{column}"), case when {CHANGED.format(day=day, share=share)} then'
            f' {value} else "{column}" end as "{column}" from ({select})',
        )


def published(
    house: RunContext, url: sa.URL, as_of: date, releases: Path, extras: dict[str, str]
) -> tuple[PublishResult, dict[str, float]]:
    """One publication as the pipeline does it, with what goes along."""
    source = RunSource("bench", "bench", "bench")
    tables = {table: table for table in PUBLISHED}
    with timed(url) as found:
        done = publish(
            house.engine,
            url,
            as_of,
            tables,
            source,
            releases,
            extras=extras,
            register="matched_rural_revitalisation__households",
        )
    return done, found


def measure(home: Path) -> Iterator[dict[str, Any]]:
    """A line for the bare load, the first publication and each day that follows."""
    with opened_house(home) as house:
        as_of = house.lake.days("household", "household")[-1]
        releases = home / "tmp" / "bench-release"
        for table in PUBLISHED:
            house.use(table, as_of)
        with database_of_its_own(house.server) as url:
            bare = bare_load(house, url)
            yield {"bench": "publication.bare_load", **bare}
        extras = attach_unversioned(house, house.contracts(), as_of)
        try:
            with database_of_its_own(house.server) as url:
                yield _line(
                    "publication.first", *published(house, url, as_of, releases, extras), bare
                )
                for day, share in enumerate(IN_A_THOUSAND, 1):
                    touch(house, day, share)
                    done = published(house, url, as_of + timedelta(days=day), releases, extras)
                    yield _line(f"publication.{share / 10:g}_percent", *done, bare)
        finally:
            shutil.rmtree(releases, ignore_errors=True)


def _line(
    name: str, done: PublishResult, spent: dict[str, float], bare: dict[str, float]
) -> dict[str, Any]:
    changed, rows = sum(done.changed.values()), sum(done.counts.values())
    return {
        "bench": name,
        **spent,
        "ratio": round(spent["seconds"] / bare["seconds"], 2),
        "rows": rows,
        "changed": changed,
        "steps": done.seconds,
        "checksum": done.checksum[:12],
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.publication")
    parser.add_argument("--home", type=Path, required=True)
    for line in measure(parser.parse_args().home):
        say(**line)


if __name__ == "__main__":
    main()
