"""Upgrading and downgrading a database:
the tables by Alembic, then functions, views, policies and grants anew.

Belongs here: the order of an upgrade, in one transaction. Not here: what is upgraded to
(`warehouse.schema`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext

from expectations.errors import YihuError
from warehouse.database.write_lock import (
    PATIENCE,
    TURN,
    blocking_sessions,
    is_lock_timeout,
    patient,
    take,
    with_lock_retries,
)
from warehouse.schema import logins, programs, roles, walls

HERE = Path(__file__).parent
VERSION_SCHEMA = "ops"
REVISIONS = "ops.alembic_version"
TURN_SECONDS = 60.0
"""How long an upgrade waits for a publisher."""
NEW = 7_104_001
"""The advisory lock under which an empty database is filled: it has no consumers yet."""


LEFT_BEHIND = """
select 'a prepared transaction of ' || owner from pg_prepared_xacts
where database = current_database() order by 1
"""


class MigrationError(YihuError):
    """The database cannot be brought to this code's schema; says what to do."""


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["connection"] = connection
    return config


def revision(connection: sa.Connection) -> str | None:
    """The revision that the database is at, None for an empty one."""
    return MigrationContext.configure(
        connection, opts={"version_table_schema": VERSION_SCHEMA}
    ).get_current_revision()


def _fingerprint() -> str:
    """What of the schema is not in the tables: a database that has it is not made anew."""
    text = "\n".join(
        [*programs.statements(), *roles.grants(), *roles.policies(), *roles.built_in()]
    )
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def upgrade(
    engine: sa.Engine, passwords: Mapping[str, str] | None = None, to: str = "head"
) -> None:
    """Brings the database to this code's schema;
    a database that is there already is left alone in milliseconds.

    `passwords`: for each of the roles for which yihu has a login of its own (`yihu_reader`, …). An
    older revision than this code's has its tables only.

    Raises:
        MigrationError: when the login may not do what it takes.
    """
    try:
        with_lock_retries(
            lambda lock_timeout: _upgrade(engine, passwords or {}, to, lock_timeout),
            engine,
            harmless=(),
        )
    except sa.exc.ProgrammingError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise MigrationError(
            f"the warehouse's schema could not be made: {reason}.",
            "The login must own the database and have CREATEROLE, and where another login made the"
            " roles, from PostgreSQL 16 on, be granted them with admin option.",
        ) from None
    except sa.exc.OperationalError as error:
        if not is_lock_timeout(error):
            raise
        held = [str(holder) for holder in blocking_sessions(engine, ())]
        with engine.connect() as connection:
            held += connection.scalars(sa.text(LEFT_BEHIND)).all()
        raise MigrationError(
            "the schema could not be upgraded: its tables are held by"
            f" {', '.join(held) or 'somebody who is gone by now'}.",
            "Have these sessions end (pg_terminate_backend, or rollback prepared with the gid of"
            " pg_prepared_xacts, as a superuser), then run this again.",
        ) from None


def _upgrade(engine: sa.Engine, passwords: Mapping[str, str], to: str, lock_timeout: float) -> None:
    with engine.begin() as connection:
        _one_at_a_time(connection, lock_timeout)
        roles.create_roles(connection)
        logins.make_own_logins(connection, passwords)
        roles.close_database(connection)
        walls.close_public_schema(connection)
        if _is_there(connection, to):
            logins.restrict_connect(connection)
            return
        if _has(connection, TURN):
            take(connection, TURN_SECONDS, lock_timeout)
        _lock_views(connection)
        for schema in programs.SCHEMAS:
            connection.exec_driver_sql(f"create schema if not exists {schema}")
        roles.drop_policies(connection)
        programs.drop_programs(connection)
        command.upgrade(_config(connection), to)
        if to != "head":
            return  # functions, views and rights are those of this code's tables
        walls.quiet(connection)
        programs.make_programs(connection)
        roles.apply_grants(connection)
        logins.restrict_connect(connection)
        connection.exec_driver_sql(
            f"comment on schema store is '{programs.SCHEMA_COMMENTS['store']} [{_fingerprint()}]'"
        )


def _one_at_a_time(connection: sa.Connection, lock_timeout: float) -> None:
    """Upgrades follow each other: by a lock on a table on which consumers have no right,
    once there is one.
    """
    connection.exec_driver_sql(patient(lock_timeout))
    if _has(connection, REVISIONS):
        connection.exec_driver_sql(f"lock table {REVISIONS} in share row exclusive mode")
    else:
        connection.exec_driver_sql("set local lock_timeout = 0")
        connection.execute(sa.text("select pg_advisory_xact_lock(:lock)"), {"lock": NEW})


def _lock_views(connection: sa.Connection) -> None:
    """Views before the tables behind them, as readers come to them:
    so nobody waits for us who holds what we wait for.
    """
    listed = (
        "select format('%I.%I', schemaname, viewname) from pg_views where schemaname = 'yihu' order"
        " by 1"
    )
    for view in connection.scalars(sa.text(listed)).all():
        connection.exec_driver_sql(f"lock table {view} in access exclusive mode")


def _has(connection: sa.Connection, table: str) -> bool:
    return connection.scalar(sa.text("select to_regclass(:table)"), {"table": table}) is not None


def downgrade(engine: sa.Engine, to: str = "base") -> None:
    """Takes the schema back; at `base` nothing is left but the roles."""
    with engine.begin() as connection:
        _one_at_a_time(connection, PATIENCE[-1])
        roles.drop_policies(connection)
        programs.drop_programs(connection)
        command.downgrade(_config(connection), to)
        if to == "base":
            for schema in programs.SCHEMAS:
                connection.exec_driver_sql(f"drop schema if exists {schema} cascade")


def _is_there(connection: sa.Connection, to: str) -> bool:
    comment = connection.scalar(
        sa.text("select obj_description(to_regnamespace('store')::oid, 'pg_namespace')")
    )
    if to != "head" or comment is None or f"[{_fingerprint()}]" not in comment:
        return False
    from alembic.script import ScriptDirectory

    return (
        revision(connection) == ScriptDirectory.from_config(_config(connection)).get_current_head()
    )
