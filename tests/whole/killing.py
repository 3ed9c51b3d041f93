"""A sync in a process of its own that can be killed, without the seconds that Python's imports
take.

Belongs here: what the forked process runs, and starting it. Not here: when it is killed, and what
must hold then.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from datetime import date
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import expectations.gx_duckdb  # noqa: F401  # the fork server has imported what a run needs
import pipelines.automation.runs
import pipelines.operator.summary
import pipelines.operator.sync
from tests.whole.days import at_home


def start(home: Path, settings: Mapping[str, str], day: date, printed: Path) -> ForkServerProcess:
    """`make sync` of a day, in a session of its own; the caller ends it or waits for it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_sync, args=(home, dict(settings), day, printed), daemon=True)
    process.start()
    return process


def _sync(home: Path, settings: dict[str, str], day: date, printed: Path) -> None:
    os.setsid()
    said = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(said, 1)
    os.dup2(said, 2)
    with at_home(home, **settings, YIHU_AS_OF=day.isoformat()):
        raise SystemExit(pipelines.operator.sync.sync())
