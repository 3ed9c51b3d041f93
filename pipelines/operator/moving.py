"""`make move-warehouse`: the whole warehouse, as it is,
from one PostgreSQL to another one that is empty.

Belongs here: the order of a move, and what to do after it. Not here: how rows travel
(`warehouse.database.copying`), starting servers (`resources.server`).
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import sqlalchemy as sa

from expectations.errors import YihuError
from resources.server import external, warehouse_server, with_driver
from resources.settings import Settings
from warehouse.database.copying import copy_in, copy_out, counts
from warehouse.migrations.run import upgrade
from warehouse.schema.logins import other_counties

LOGINS = """
select p.login, r.oid is not null
from ops.person as p left join pg_roles as r on r.rolname = p.login order by 1
"""


class MoveError(YihuError):
    """The warehouse was not moved; the one that it was to be moved from stands as it was."""


def move_warehouse(settings: Settings, to: str) -> list[str]:
    """Copies releases, gates, grants, decisions and the vault to the empty PostgreSQL at `to`;
    returns what to do next.

    Raises:
        MoveError: there is nothing to move, or the address has a password.
        CopyError: the target is not empty, or does not hold the same afterwards.
    """
    if with_driver(to).password:
        raise MoveError(
            "TO has a password, which others on this machine could see:",
            "leave it out, and put it into PGPASSFILE",
        )
    with warehouse_server(settings.home, settings.warehouse_url) as source:
        target = external(settings.home, to)
        here, there = source.engine(), target.engine()
        try:
            if not counts(here):
                raise MoveError(
                    "there is no warehouse yet:",
                    "set YIHU_WAREHOUSE_URL and run make sync",
                )
            with tempfile.TemporaryDirectory(prefix="yihu-move-", dir=settings.home) as folder:
                before = copy_out(here, Path(folder))
                copy_in(there, Path(folder))
            upgrade(there, target.passwords)
            with there.connect() as connection:
                found = connection.execute(sa.text(LOGINS)).all()
                logins = [str(login) for login, is_there in found if not is_there]
                others = [str(login) for login, _ in found if other_counties(connection, login)]
        finally:
            here.dispose()
            there.dispose()
    rows = sum(before.values())
    said = [
        f"{len(before)} tables with {rows:,} rows are there, as many as before. Set"
        " YIHU_WAREHOUSE_URL to it, then: make status"
    ]
    if logins:
        said.append(
            "Logins are the server's, not the database's: make login again there for"
            f" {', '.join(logins)}"
        )
    if others:
        said.append(
            f"Another county of that server has logins named {', '.join(others)}, which are not let"
            " in: make login there with other names"
        )
    return said
