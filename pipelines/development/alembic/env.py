"""Alembic's environment for its own command line: it only looks.

Belongs here: the connection to the warehouse that the settings name. Not here: what is compared
(`warehouse/migrations/env.py`, which is run with it), upgrading (`warehouse.migrations.run`).
"""

import runpy
from typing import Any

from alembic import context

from expectations.errors import UsageError
from pipelines.environment import prepare
from resources.server import warehouse_server
from resources.settings import ROOT, load_settings

CHANGING = ("upgrade", "downgrade", "stamp")


def asked() -> str:
    """The subcommand."""
    options: Any = context.config.cmd_opts
    return options.cmd[0].__name__ if options is not None else ""


if asked() in CHANGING:
    raise UsageError(
        f"alembic {asked()} would change the tables, not the views, functions and rights on them",
        "make sync upgrades a warehouse; docs/deploy.md says how one goes back",
    )
settings = load_settings()
prepare(settings)
with warehouse_server(settings.home, settings.warehouse_url) as server:
    engine = server.engine()
    with engine.connect() as connection:
        context.config.attributes["connection"] = connection
        runpy.run_path(str(ROOT / "warehouse" / "migrations" / "env.py"))
    engine.dispose()
