"""What a database gives to everybody unless it is told not to,
and what its statistics tell of rows that nobody may see.

Belongs here: closing that, and naming what only a superuser can close. Not here: the roles' own
rights (`roles`).
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from warehouse.schema.declared import VIEWS, View
from warehouse.schema.periodic import PERIODIC
from warehouse.schema.roles import LOCKS, PUBLISHER, WRITERS_OF_LARGE_OBJECTS
from warehouse.schema.tables import STORE

TELLS_NOTHING = ("town_code", "from_release", "until_release")
"""Columns whose statistics stay: how many rows a town and a release have is no secret
of a household.
"""
OF_KEY = 1
"""The statistics target of a key: enough to know that it is one,
too little for a list of the keys that a table has.
"""

TARGETS = """
select a.attname, coalesce(a.attstattarget, -1) from pg_attribute as a
where a.attrelid = cast(:table as regclass) and a.attnum > 0 and not a.attisdropped
"""


@dataclass(frozen=True)
class Open:
    """Something that everybody may on this server:
    what it allows, and what a superuser says to close it.
    """

    what: str
    allows: str
    close: str


def wanted_targets(view: View) -> dict[str, int]:
    """The statistics target of each stored column that may not have the server's own."""
    columns = [
        column.name for column in STORE[view.name].columns if column.name not in TELLS_NOTHING
    ]
    return {name: OF_KEY if name in view.key else 0 for name in columns}


def quiet(connection: sa.Connection) -> None:
    """Keeps the planner from knowing values:
    its estimates are for everybody to see, and told the county's distributions.

    Where a column had statistics, they go at once: giving a column the type that it has drops them,
    without touching a row. The views that use it are not there at this moment of an upgrade.
    """
    for view in (*VIEWS, *PERIODIC):
        table = f'store."{view.name}"'
        have = {
            str(name): int(target)
            for name, target in connection.execute(sa.text(TARGETS), {"table": table})
        }
        loud = [name for name, target in wanted_targets(view).items() if have[name] != target]
        if not loud:
            continue
        changes = []
        for name in loud:
            kind = STORE[view.name].columns[name].type.compile(connection.dialect)
            changes += [
                f'alter column "{name}" set statistics {wanted_targets(view)[name]}',
                f'alter column "{name}" type {kind}',
            ]
        connection.exec_driver_sql(f"alter table {table} {', '.join(changes)}")
        connection.exec_driver_sql(f"analyze {table}")


FUNCTIONS = {
    "large objects": (
        WRITERS_OF_LARGE_OBJECTS,
        "any login can make large objects, which fill the disk and come along in backups",
    ),
    "advisory locks": (LOCKS, "any login can hold advisory locks"),
}
OTHER_DATABASES = """
select quote_ident(d.datname) from pg_database as d
where d.datallowconn and d.datname <> current_database()
    and has_database_privilege('public', d.oid, 'connect')
order by 1
"""
OWNER = (
    "select quote_ident(pg_get_userbyid(n.nspowner)) from pg_namespace as n where n.nspname ="
    " 'store'"
)
PREPARED = "select setting::integer > 0 from pg_settings where name = 'max_prepared_transactions'"
EXECUTABLE = (
    "select has_function_privilege('public', 'pg_catalog.' || cast(:name as text), 'execute')"
)
MAY_CREATE = "select has_schema_privilege('public', 'public', 'create')"


QUIET_LOG = {
    "log_min_messages": ("fatal", "panic", "log"),
    "log_statement": ("none", "ddl"),
    "log_min_duration_statement": ("-1",),
    "log_min_duration_sample": ("-1",),
    "log_transaction_sample_rate": ("0",),
    "log_min_error_statement": ("log", "fatal", "panic"),
    "log_error_verbosity": ("terse",),
    "log_parameter_max_length": ("0",),
    "log_parameter_max_length_on_error": ("0",),
    "debug_print_parse": ("off",),
    "debug_print_rewritten": ("off",),
    "debug_print_plan": ("off",),
    "auto_explain.log_min_duration": ("-1",),
    "pgaudit.log": ("none",),
}
"""How a server logs that writes down no statement with its values, an ID number among them:
setting, and what it may be. The last two are there where the server loads these modules.
"""


def talkative_log(connection: sa.Connection) -> Open | None:
    """Settings of the server under which its log would hold values of statements,
    None where there are none.
    """
    asked = sa.text("select name, setting from pg_settings where name = any(:names) order by 1")
    found = connection.execute(asked, {"names": list(QUIET_LOG)}).all()
    loud = [
        (str(name), str(setting)) for name, setting in found if setting not in QUIET_LOG[str(name)]
    ]
    if not loud:
        return None
    allows = (
        "the server's log may hold values of statements:"
        f" {', '.join(f'{name} is {setting}' for name, setting in loud)}"
    )
    close = " ".join(f"alter system set {name} = '{QUIET_LOG[name][-1]}';" for name, _ in loud)
    return Open("server log", allows, f"{close} select pg_reload_conf();")


def close_public_schema(connection: sa.Connection) -> None:
    """Nobody makes anything in the schema `public`
    (a database that was PostgreSQL 14 once lets everybody).
    """
    if connection.scalar(sa.text(MAY_CREATE)):
        connection.exec_driver_sql("revoke create on schema public from public")


def open_to_everybody(connection: sa.Connection) -> list[Open]:
    """What is still everybody's, since it is not the owner's to take away."""
    found = []
    for what, (functions, allows) in FUNCTIONS.items():
        loose = [
            name for name in functions if connection.scalar(sa.text(EXECUTABLE), {"name": name})
        ]
        if loose:
            named = ", ".join(loose)
            close = f"revoke execute on function {named} from public;"
            if functions is LOCKS:  # publishing and upgrading take them
                close += (
                    f" grant execute on function {named} to {PUBLISHER},"
                    f" {connection.scalar(sa.text(OWNER))};"
                )
            found.append(Open(what, allows, close))
    databases = connection.scalars(sa.text(OTHER_DATABASES)).all()
    if databases:
        allows = f"any login connects to {', '.join(databases)}"
        found.append(
            Open(
                "other databases",
                allows,
                f"revoke connect on database {', '.join(databases)} from public;",
            )
        )
    if connection.scalar(sa.text(PREPARED)):
        allows = "any login can leave a transaction behind whose locks no end of a session lifts"
        close = "alter system set max_prepared_transactions = 0; -- and start the server anew"
        found.append(Open("prepared transactions", allows, close))
    log = talkative_log(connection)
    return found if log is None else [*found, log]
