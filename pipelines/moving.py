"""`make move-warehouse`: the whole warehouse, as it is, from one PostgreSQL to another one that is empty.

Belongs here: dump, restore, and the comparison that says nothing was lost. Not here: starting servers (`resources.server`), what
is in a warehouse (`warehouse.schema`).
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import sqlalchemy as sa

from resources.server import Server, external, package_binaries, warehouse_server
from resources.settings import Settings
from warehouse.migrations.run import downgrade, upgrade

TABLES = (
    "select table_schema, table_name from information_schema.tables where table_schema in ('store', 'ops', 'vault') "
    "and table_type = 'BASE TABLE' order by 1, 2"
)
LOGINS = "(select login from ops.area_grant union select login from ops.department_grant) except select rolname from pg_roles order by 1"


class MoveError(RuntimeError):
    """The warehouse was not moved; the one that it was to be moved from stands as it was."""


def move_warehouse(settings: Settings, to: str) -> list[str]:
    """Copies releases, gates, grants, decisions and the vault to the empty PostgreSQL at `to`; returns what to do next.

    Raises:
        MoveError: when the target is not empty, or does not hold the same afterwards.
    """
    with warehouse_server(settings.home, settings.warehouse_url) as source:
        target = external(settings.home, to)
        before = _counts(source)
        if not before:
            raise MoveError("there is no warehouse yet: set YIHU_WAREHOUSE_URL and run make sync")
        if _counts(target):
            raise MoveError("the PostgreSQL at TO has a warehouse already: name an empty database")
        _roles(target)
        with tempfile.TemporaryDirectory(prefix="yihu-move-", dir=settings.home) as folder:
            dump = Path(folder) / "yihu.dump"
            _run(source, "pg_dump", "--format=custom", "--no-owner", f"--file={dump}")
            _run(target, "pg_restore", "--exit-on-error", "--no-owner", str(dump))
        engine = target.engine()
        try:
            upgrade(engine, target.passwords)
            with engine.connect() as connection:
                logins = [str(login) for login in connection.scalars(sa.text(LOGINS))]
        finally:
            engine.dispose()
        after = _counts(target)
    differing = sorted(name for name in before if after.get(name) != before[name])
    if differing:
        raise MoveError(f"rows differ after the move in {', '.join(differing)}: drop the database at TO, create it again, and try again")
    rows = sum(before.values())
    said = [f"{len(before)} tables with {rows:,} rows are there, as many as before. Set YIHU_WAREHOUSE_URL to it, then: make status"]
    if logins:
        said.append(f"Logins are the server's, not the database's: create them there, then make grant again for {', '.join(logins)}")
    return said


def _roles(target: Server) -> None:
    """The roles that the dump's grants name; the schema that comes with them goes again."""
    engine = target.engine()
    try:
        upgrade(engine, target.passwords)
        downgrade(engine)
    finally:
        engine.dispose()


def _counts(server: Server) -> dict[str, int]:
    """Rows by table."""
    engine = server.engine()
    try:
        with engine.connect() as connection:
            names = [f"{schema}.{table}" for schema, table in connection.execute(sa.text(TABLES))]
            return {name: int(connection.scalar(sa.text(f"select count(*) from {name}")) or 0) for name in names}
    finally:
        engine.dispose()


def _run(at: Server, program: str, *arguments: str) -> None:
    """Runs one of PostgreSQL's own programs, of the package's version, on the database `at`; the password is in no argument."""
    (_, address, *_), environment = at.psql_command()
    command = [str(package_binaries() / program), *arguments, f"--dbname={address}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no message"])[0]
        raise MoveError(f"{program} failed: {reason}")
