"""The logins that yihu itself uses, one for each role:
made when they are needed, their secrets found wrong and mended.

Belongs here: looking whether they let in, and mending. Not here: how they are called and made
(`warehouse.schema.logins`).
"""

from __future__ import annotations

import sqlalchemy as sa

from resources.server import LOGINS, Server
from warehouse.schema.logins import (
    make_own_logins,
    other_counties,
    own_logins,
    restrict_connect,
)
from warehouse.schema.roles import set_password

LET_IN = """
select p.login from ops.person as p join pg_roles as r on r.rolname = p.login
where has_database_privilege(r.oid, current_database(), 'connect') order by 1
"""


def lets_in(server: Server, role: str) -> bool:
    """Whether yihu's login of the role gets into the warehouse with its secret."""
    engine = sa.create_engine(server.url_of(role), poolclass=sa.NullPool)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("select 1")
            return True
    except sa.exc.OperationalError:
        return False


def ensure_own_login(server: Server, role: str) -> bool:
    """Makes yihu's login of a role, or mends its secret or its way in;
    true where something had to be done.

    Needs the schema: before the first run there is no role to log in to.
    """
    if lets_in(server, role):
        return False
    if not has_warehouse(server):
        return False
    engine = server.engine()
    try:
        with engine.begin() as connection:
            make_own_logins(connection, {role: server.passwords[role]})
            set_password(connection, own_logins(connection)[role], server.passwords[role])
            restrict_connect(connection)
    finally:
        engine.dispose()
    return True


def mended(server: Server) -> list[str]:
    """The roles whose login did not get in, and does now."""
    return [role for role in LOGINS if role in server.passwords and ensure_own_login(server, role)]


def has_warehouse(server: Server) -> bool:
    """Whether the schema is there, as this code knows it."""
    return bool(_asked(server, "select 1 where to_regclass('ops.person') is not null"))


def logins_of_nobody(server: Server) -> list[str]:
    """The stewards' logins of which nobody said whose they are:
    two stewards have to be two persons.
    """
    return _asked(
        server,
        "select p.login from ops.person as p join pg_roles as r on r.rolname = p.login where"
        " p.person = p.login and pg_has_role(r.oid, 'yihu_steward', 'member') and not r.rolsuper"
        " order by 1",
    )


def logins_of_others(server: Server) -> list[str]:
    """Persons' logins that another county of the server lets in too: what one of the two gives them
    holds in both.
    """
    engine = server.engine()
    try:
        with engine.connect() as connection:
            let_in = connection.scalars(sa.text(LET_IN)).all()
            return [str(login) for login in let_in if other_counties(connection, login)]
    finally:
        engine.dispose()


def _asked(server: Server, sql: str) -> list[str]:
    engine = server.engine()
    try:
        with engine.connect() as connection:
            return [str(value) for value in connection.scalars(sa.text(sql))]
    finally:
        engine.dispose()
