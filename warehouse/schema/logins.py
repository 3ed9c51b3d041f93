"""Logins: those that yihu itself uses for its roles, and who is let into this database.

Belongs here: a login's name, password, settings, and `connect`. Not here: what a role may do
(`roles`), whose a login is and what it was granted (`warehouse.database.access`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from warehouse.schema.roles import IS_SUPERUSER, PUBLISHER, ROLES, set_password

LONGEST = 63
LET_IN_ELSEWHERE = """
select d.datname from pg_database as d cross join lateral aclexplode(d.datacl) as a
where a.grantee = (select oid from pg_roles where rolname = :login)
    and a.privilege_type = 'CONNECT' and d.datname <> current_database()
order by 1
"""
SETTINGS = {
    "statement_timeout": "5min",
    "lock_timeout": "30s",
    "idle_in_transaction_session_timeout": "10min",
}
"""What a person's login begins with, against accidents;
settings of a group role do not reach its logins.
"""
CONNECTIONS = 10

KNOWN = """
select r.rolname from pg_roles as r
where r.rolname = any(:own) or r.rolname in (
    select login from ops.person union select login from ops.area_grant
    union select login from ops.department_grant
) and exists (
    select from pg_auth_members as m join pg_roles as g on g.oid = m.roleid
    where m.member = r.oid and g.rolname = any(:roles)
) order by 1
"""
"""Logins that belong here: yihu's own, and persons' that have a role;
one whose role was taken away does not.
"""


def own_login(role: str, database: str) -> str:
    """The login that yihu itself uses for a role in a database:
    another one for each county of a server.
    """
    name = f"{role}__{database}"
    return (
        name
        if len(name) <= LONGEST
        else f"{name[:50]}_{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    )


def own_logins(connection: sa.Connection) -> dict[str, str]:
    """Role → the login of yihu's own for it in this database."""
    database = str(connection.scalar(sa.text("select current_database()")))
    return {role: own_login(role, database) for role in ROLES}


def other_counties(connection: sa.Connection, login: str) -> list[str]:
    """The other counties of this server, by database, that let a login in: its role and its
    password are the server's, and so theirs.
    """
    databases = [
        str(name) for name in connection.scalars(sa.text(LET_IN_ELSEWHERE), {"login": login})
    ]
    own = {own_login(role, name): name for role in ROLES for name in databases}
    named = sa.text("select rolname from pg_roles where rolname = any(:names)")
    return sorted({own[str(name)] for name in connection.scalars(named, {"names": list(own)})})


def make_own_logins(connection: sa.Connection, passwords: Mapping[str, str]) -> None:
    """Makes the logins that are missing, for the roles that `passwords` names.

    A password goes to the server as a SCRAM verifier, never in clear.
    """
    logins = {role: login for role, login in own_logins(connection).items() if role in passwords}
    named = sa.text("select rolname from pg_roles where rolname = any(:names)")
    have = set(connection.scalars(named, {"names": list(logins.values())}))
    for role, login in logins.items():
        if login in have:
            continue
        name = quoted(connection, login)
        passes = (
            " bypassrls" if role == PUBLISHER and connection.scalar(sa.text(IS_SUPERUSER)) else ""
        )
        connection.exec_driver_sql(f"create role {name} login{passes} in role {role}")
        set_password(connection, login, passwords[role])


def make_login(connection: sa.Connection, login: str, password: str) -> None:
    """A person's login with the settings that a session of a person begins with."""
    name = quoted(connection, login)
    connection.exec_driver_sql(f"create role {name} login connection limit {CONNECTIONS}")
    set_password(connection, login, password)
    for setting, value in SETTINGS.items():
        connection.exec_driver_sql(f"alter role {name} set {setting} = '{value}'")


def let_in(connection: sa.Connection, logins: Iterable[str]) -> None:
    """Lets logins connect to this database."""
    database = quoted(connection, str(connection.scalar(sa.text("select current_database()"))))
    for login in logins:
        connection.exec_driver_sql(
            f"grant connect on database {database} to {quoted(connection, login)}"
        )


def keep_out(connection: sa.Connection, login: str) -> None:
    """Takes `connect` on this database from a login."""
    database = quoted(connection, str(connection.scalar(sa.text("select current_database()"))))
    connection.exec_driver_sql(
        f"revoke connect on database {database} from {quoted(connection, login)}"
    )


def restrict_connect(connection: sa.Connection) -> None:
    """Only the logins that belong here connect.

    A restored or copied database does not bring this along: done at every upgrade. What another
    county of the server calls alike is somebody else's, but where everybody came in until now.
    """
    database = quoted(connection, str(connection.scalar(sa.text("select current_database()"))))
    was_open = connection.scalar(
        sa.text("select has_database_privilege('public', current_database(), 'connect')")
    )
    if was_open:
        connection.exec_driver_sql(f"revoke connect on database {database} from public")
    asked = {"own": list(own_logins(connection).values()), "roles": list(ROLES)}
    for login in connection.scalars(sa.text(KNOWN), asked).all():
        if not connection.scalar(
            sa.text("select has_database_privilege(:login, current_database(), 'connect')"),
            {"login": login},
        ) and (was_open or not other_counties(connection, login)):
            let_in(connection, [login])


def quoted(connection: sa.Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
