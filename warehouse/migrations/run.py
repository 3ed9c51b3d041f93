"""Upgrading and downgrading a database: the tables by Alembic, then functions, views, policies and grants anew.

Belongs here: the order of an upgrade, in one transaction. Not here: what is upgraded to (`warehouse.schema`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from warehouse.schema import programs, roles

HERE = Path(__file__).parent
VERSION_SCHEMA = "ops"
LOCK = 7_104_001
"""The advisory lock under which a database is upgraded."""


class MigrationError(RuntimeError):
    """The database cannot be brought to this code's schema; says what to do."""


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    return config


def revision(connection: sa.Connection) -> str | None:
    """The revision that the database is at, None for an empty one."""
    return MigrationContext.configure(connection, opts={"version_table_schema": VERSION_SCHEMA}).get_current_revision()


def _fingerprint() -> str:
    """What of the schema is not in the tables: a database that has it is not made anew."""
    text = "\n".join([*programs.statements(), *roles.grants(), *roles.policies(), *roles.built_in()])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def upgrade(engine: sa.Engine, passwords: Mapping[str, str] | None = None, to: str = "head") -> None:
    """Brings the database to this code's schema; a database that is there already is left alone in milliseconds.

    `passwords`: for each of the roles that may log in under its own name (`yihu_reader`, …).

    Raises:
        MigrationError: when the login may not do what it takes.
    """
    try:
        with engine.begin() as connection:
            connection.execute(sa.text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            roles.create_roles(connection, _fresh(connection, passwords or {}))
            roles.close_database(connection)
            if _is_there(connection, to):
                return
            for schema in programs.SCHEMAS:
                connection.exec_driver_sql(f"create schema if not exists {schema}")
            roles.drop_policies(connection)
            programs.drop_programs(connection)
            command.upgrade(_config(connection), to)
            programs.make_programs(connection)
            roles.apply_grants(connection)
            connection.exec_driver_sql(f"comment on schema store is '{programs.SCHEMA_COMMENTS['store']} [{_fingerprint()}]'")
    except sa.exc.ProgrammingError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise MigrationError(
            f"the warehouse's schema could not be made: {reason}. The login must own the database and have CREATEROLE."
        ) from None


def upgrade_tables(engine: sa.Engine, to: str) -> None:
    """Makes the tables of a revision in an empty database, and no more: rows of that revision are to be put in."""
    with engine.begin() as connection:
        for schema in programs.SCHEMAS:
            connection.exec_driver_sql(f"create schema if not exists {schema}")
        roles.create_roles(connection, {})
        command.upgrade(_config(connection), to)


def downgrade(engine: sa.Engine, to: str = "base") -> None:
    """Takes the schema back; at `base` nothing is left but the roles."""
    with engine.begin() as connection:
        connection.execute(sa.text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        roles.drop_policies(connection)
        programs.drop_programs(connection)
        command.downgrade(_config(connection), to)
        if to == "base":
            for schema in programs.SCHEMAS:
                connection.exec_driver_sql(f"drop schema if exists {schema} cascade")


def _fresh(connection: sa.Connection, passwords: Mapping[str, str]) -> dict[str, str]:
    """The passwords of the roles that cannot log in yet: setting one again at every start would only make writers collide."""
    have = connection.scalars(
        sa.text("select rolname from pg_roles where rolcanlogin and rolname = any(:names)"), {"names": list(roles.ROLES)}
    )
    known = set(have)
    return {login: password for login, password in passwords.items() if login not in known}


def _is_there(connection: sa.Connection, to: str) -> bool:
    comment = connection.scalar(sa.text("select obj_description(to_regnamespace('store')::oid, 'pg_namespace')"))
    if to != "head" or comment is None or f"[{_fingerprint()}]" not in comment:
        return False
    from alembic.script import ScriptDirectory

    return revision(connection) == ScriptDirectory.from_config(_config(connection)).get_current_head()
