"""`make prune`, `make release-folder`, `make export-day`: what is given up, and what of a day is
made again or handed out whole.

Belongs here: the commands. Not here: what is old and not needed (`automation.retention`).
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from expectations.errors import OK, UsageError
from pipelines.automation.retention import give_up
from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.release_folders import folders_of, remake
from resources.runtime.lock import run_lock
from resources.settings import Settings


def prune(settings: Settings, arguments: argparse.Namespace) -> int:
    """Gives up what the retention does not keep; says before what it frees."""
    print("would give up:" if arguments.plan else "gives up:")
    give_up(
        settings, lambda said: print(f"  {said}"), arguments.keep or None, is_plan=arguments.plan
    )
    return OK


@contextmanager
def _lake(settings: Settings) -> Iterator[tuple[Engine, Lake]]:
    engine = Engine(settings.home / "tmp", memory_limit=settings.engine_memory)
    try:
        with run_lock(settings.home):
            yield engine, Lake(settings.lake)
    finally:
        engine.close()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"DAY is {text!r}, which is no date:", "write it as YYYY-MM-DD") from None


def make_release_folder(settings: Settings, arguments: argparse.Namespace) -> int:
    """Makes the files of the day's last release again that its folder lacks."""
    day = _day(arguments.day)
    folders = folders_of(settings.lake / "release", day)
    if not folders:
        raise UsageError(
            f"no release of {day} has a folder:", "see select as_of from yihu.release for the days"
        )
    folder = folders[-1][1]
    with _lake(settings) as (engine, lake):
        made = remake(engine, lake, day, folder)
    print(f"{folder}: " + (f"{len(made)} files made again" if made else "every file is there"))
    return OK


def export_day(settings: Settings, arguments: argparse.Namespace) -> int:
    """Writes every table of a day whole, as `<layer>/<table>.parquet` in a new folder."""
    day, out = _day(arguments.day), Path(arguments.out).expanduser().absolute()
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{out} is not empty:", "name a new folder")
    with _lake(settings) as (engine, lake):
        tables = [table for table in lake.tables() if day in lake.days(*table)]
        if not tables:
            raise UsageError(f"the lake has no day {day}:", f"run make sync AS_OF={day} first")
        os.umask(0o077)
        work = out.with_name(f".{out.name}.part")
        shutil.rmtree(work, ignore_errors=True)
        rows = 0
        for layer, table in tables:
            (work / layer).mkdir(parents=True, exist_ok=True, mode=0o700)
            rows += lake.export(engine, layer, table, day, work / layer / f"{table}.parquet")
        if out.exists():
            out.rmdir()
        os.rename(work, out)
    print(f"{out}: {len(tables)} tables with {rows:,} rows of {day}; they hold identities")
    return OK
