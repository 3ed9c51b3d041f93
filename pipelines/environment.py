"""What every command sets before Dagster is loaded:
its home, its storage, no telemetry, private files.
"""

from __future__ import annotations

import os

from resources.settings import ON_POSTGRES, ON_SQLITE, ROOT, SHANGHAI, Settings

BY_STAGE = "YIHU_PROGRESS"
"""`stages` where a run prints a line per stage and not per step; nobody sets it by hand."""


def prepare(settings: Settings) -> None:
    """Points Dagster at `dagster-on-sqlite/dagster.yaml` and at `YIHU_HOME/dagster`;
    new files are private.

    With `YIHU_DAGSTER_DB_URL` set, Dagster keeps runs, events and schedules in that PostgreSQL
    instead of SQLite.
    """
    os.umask(0o077)
    storage = settings.home / "dagster"
    storage.mkdir(parents=True, exist_ok=True, mode=0o700)
    on_postgres = bool(os.environ.get("YIHU_DAGSTER_DB_URL"))
    os.environ["DAGSTER_HOME"] = str(ON_POSTGRES if on_postgres else ON_SQLITE)
    os.environ["YIHU_DAGSTER_DIR"] = str(storage)
    os.environ["YIHU_HOME"] = str(settings.home)
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
    os.environ["PYTHONPATH"] = str(ROOT)
    os.environ["PGTZ"] = str(SHANGHAI)  # one clock, also in what PostgreSQL writes out
