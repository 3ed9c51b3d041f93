"""`make backup` and `make restore`: the warehouse's rows, who may log in, the lake and the secrets,
in one private folder.

Belongs here: what a backup holds, and putting it back into an empty home and an empty database. Not
here: how rows travel (`warehouse.database.copying`).
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from expectations.errors import YihuError
from resources.runtime.lock import run_lock
from resources.server import warehouse_server
from resources.settings import SHANGHAI, Settings
from warehouse.database.copying import copy_in, copy_out
from warehouse.schema.logins import CONNECTIONS, SETTINGS, other_counties
from warehouse.schema.roles import IS_SUPERUSER, ROLES

HOME_PARTS = ("secrets", "lake", "alerts.json", "alerts.log")
"""What of a home cannot be made again;
Dagster's history, the sandbox and the embedded server's files stay.
"""
ARCHIVE, ROWS, LOGINS, NOTE = "home.tar", "warehouse", "logins.json", "backup.json"
PIECE = 1 << 20
_MEMBERS = (
    "select m.rolname, r.rolname from pg_auth_members as a join pg_roles as m on m.oid = a.member"
    " join pg_roles as r on r.oid = a.roleid where r.rolname = any(:roles) and m.rolname in (select"
    " login from ops.person) order by 1, 2"
)


class BackupError(YihuError):
    """Nothing was backed up or restored, or not all of it; says what to do."""


def backup(settings: Settings, out: Path) -> Path:
    """Writes a new folder under `out`, readable by its owner alone; returns it.
    Waits for a run that is going on.

    Raises:
        BackupError: no place for it.
        CopyError: nothing to back up.
    """
    os.umask(0o077)
    target = out.expanduser().absolute() / f"yihu-{datetime.now(SHANGHAI):%Y%m%d-%H%M%S}"
    if settings.home in target.parents:
        raise BackupError(
            f"OUT is inside YIHU_HOME ({settings.home}):",
            "name a folder on another disk",
        )
    target.mkdir(parents=True, mode=0o700)
    with run_lock(settings.home), warehouse_server(settings.home, settings.warehouse_url) as server:
        engine = server.engine()
        try:
            rows = copy_out(engine, target / ROWS)
            _write(target / LOGINS, json.dumps(_logins(engine), indent=1))
        finally:
            engine.dispose()
        with tarfile.open(target / ARCHIVE, "w") as archive:
            for part in HOME_PARTS:
                if (settings.home / part).exists():
                    archive.add(settings.home / part, part)
    digests = {str(path.relative_to(target)): _sha256(path) for path in _files(target)}
    _write(target / NOTE, json.dumps({"rows": rows, "files": digests}, indent=1))
    return target


def restore(settings: Settings, source: Path) -> list[str]:
    """Puts a backup into an empty home and an empty warehouse;
    returns what was done and what is left to do.

    Raises:
        BackupError: the backup is not whole, or there is a lake already.
        CopyError: there is a warehouse already.
    """
    os.umask(0o077)
    _whole(source)
    if (settings.home / "lake").exists() and any((settings.home / "lake").iterdir()):
        raise BackupError(f"{settings.home} has a lake already:", "name an empty YIHU_HOME")
    with run_lock(settings.home):
        with tarfile.open(source / ARCHIVE) as archive:
            archive.extractall(settings.home, filter="data")
        _close_to_others(settings.home)
        with warehouse_server(settings.home, settings.warehouse_url) as server:
            engine = server.engine()
            try:
                rows = copy_in(engine, source / ROWS)
                without, others = _let_in(
                    engine, json.loads((source / LOGINS).read_text(encoding="utf-8"))
                )
            finally:
                engine.dispose()
    said = [
        f"{len(rows)} tables with {sum(rows.values()):,} rows, the lake and the secrets are back in"
        f" {settings.home}."
    ]
    if without:
        said.append(
            f"No password came along for {', '.join(without)}: give each a new one with make login."
        )
    if others:
        said.append(
            f"Another county of this server has logins named {', '.join(others)}, which are not"
            " let in here: make login with other names."
        )
    return [*said, "Now: make status"]


def _logins(engine: sa.Engine) -> dict[str, dict[str, object]]:
    """Who has which of our roles, with the verifier of the password where we may see
    it (never the password).
    """
    with engine.connect() as connection:
        members = connection.execute(sa.text(_MEMBERS), {"roles": list(ROLES)}).all()
        found: dict[str, dict[str, object]] = {
            str(login): {"roles": [], "verifier": None} for login, _ in members
        }
        for login, role in members:
            roles = found[str(login)]["roles"]
            assert isinstance(roles, list)
            roles.append(str(role))
        if connection.scalar(sa.text(IS_SUPERUSER)):
            kept = sa.text(
                "select rolname, rolpassword from pg_authid where rolname = any(:logins)"
            )
            for login, verifier in connection.execute(kept, {"logins": list(found)}):
                found[str(login)]["verifier"] = verifier
    return found


def _let_in(engine: sa.Engine, logins: dict[str, dict[str, object]]) -> tuple[list[str], list[str]]:
    """Makes the logins that are not there, with their roles; returns those that came without a
    password, and those that are another county's on this server.
    """
    without, others = [], []
    with engine.begin() as connection:
        quote = connection.dialect.identifier_preparer.quote
        have = set(connection.scalars(sa.text("select rolname from pg_roles")))
        database = quote(str(connection.scalar(sa.text("select current_database()"))))
        for login, said in logins.items():
            verifier = said["verifier"]
            if other_counties(connection, login):
                others.append(login)
                continue
            if login not in have:
                connection.exec_driver_sql(
                    f"create role {quote(login)} login connection limit {CONNECTIONS}"
                )
                for setting, value in SETTINGS.items():
                    connection.exec_driver_sql(
                        f"alter role {quote(login)} set {setting} = '{value}'"
                    )
                if verifier is None:
                    without.append(login)
                else:
                    literal = str(verifier).replace("'", "''")
                    connection.exec_driver_sql(f"alter role {quote(login)} password '{literal}'")
            for role in said["roles"] if isinstance(said["roles"], list) else []:
                connection.exec_driver_sql(f"grant {quote(str(role))} to {quote(login)}")
            connection.exec_driver_sql(f"grant connect on database {database} to {quote(login)}")
    return without, others


def _whole(source: Path) -> None:
    """Every file of the backup is there as it was written."""
    note = source / NOTE
    if not note.is_file():
        raise BackupError(
            f"{source} is no backup, or one that was not finished: it has no {NOTE}",
            "name the folder yihu-… that make backup printed",
        )
    for name, digest in json.loads(note.read_text(encoding="utf-8"))["files"].items():
        path = source / name
        if not path.is_file() or _sha256(path) != digest:
            raise BackupError(
                f"{path} is missing or damaged:",
                "take another backup; nothing was changed",
            )


def _close_to_others(home: Path) -> None:
    for part in HOME_PARTS:
        for path in (home / part, *(home / part).rglob("*")):
            if path.exists():
                path.chmod(0o700 if path.is_dir() else 0o600)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
