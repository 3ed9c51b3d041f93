"""Giving a login its role, and its areas or departments; who maps a department's login is whoever administers the warehouse.

Belongs here: logins and what they were granted. Not here: what a role may do (`warehouse.schema.roles`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from warehouse.schema.roles import AREA, DEPARTMENT, ROLES, set_password

LOGIN = re.compile(r"[a-z_][a-z0-9_]{0,62}")
AREA_CODE = re.compile(r"[0-9]{6}|[0-9]{9}|[0-9]{12}")


class AccessError(ValueError):
    """The grant makes no sense; says what to write."""


@dataclass(frozen=True)
class Granted:
    """What a login has now."""

    login: str
    role: str
    areas: tuple[str, ...]
    departments: tuple[str, ...]


def grant(
    engine: sa.Engine,
    login: str,
    role: str,
    areas: Sequence[str] = (),
    departments: Sequence[str] = (),
    password: str | None = None,
) -> Granted:
    """Gives `login` one role of yihu's, made if it is not there, and adds areas (`yihu_area`) or departments.

    A login has one role: another that it had is taken away, with what was granted for it. Areas are codes of 6 (county),
    9 (town) or 12 digits (village). `engine` is the administrator's.

    Raises:
        AccessError: with every mistake at once.
    """
    _check(login, role, areas, departments)
    with engine.begin() as connection:
        name = connection.dialect.identifier_preparer.quote(login)
        if connection.scalar(sa.text("select 1 from pg_roles where rolname = :login"), {"login": login}) is None:
            connection.exec_driver_sql(f"create role {name} login")
        if password is not None:
            set_password(connection, login, password)
        for other in ROLES:
            if login not in ROLES and other != role:
                connection.exec_driver_sql(f"revoke {other} from {name}")
        if login not in ROLES:
            connection.exec_driver_sql(f"grant {role} to {name}")
        if role != AREA:
            connection.execute(sa.text("delete from ops.area_grant where login = :login"), {"login": login})
        if role != DEPARTMENT:
            connection.execute(sa.text("delete from ops.department_grant where login = :login"), {"login": login})
        _insert(connection, "area_grant", "area_code", login, areas)
        _insert(connection, "department_grant", "department", login, departments)
        return Granted(
            login, role, _held(connection, "area_grant", "area_code", login), _held(connection, "department_grant", "department", login)
        )


def revoke(engine: sa.Engine, login: str) -> None:
    """Takes every role, area and department from a login; it can still log in, and sees nothing."""
    if not LOGIN.fullmatch(login):
        raise AccessError(f"{login!r} is no login")
    with engine.begin() as connection:
        name = connection.dialect.identifier_preparer.quote(login)
        if login not in ROLES:
            for role in ROLES:
                connection.exec_driver_sql(f"revoke {role} from {name}")
        for table in ("area_grant", "department_grant"):
            connection.execute(sa.text(f"delete from ops.{table} where login = :login"), {"login": login})


def grants(engine: sa.Engine) -> list[Granted]:
    """Every login with a role of yihu's, and what it was granted."""
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                "select m.rolname as login, r.rolname as role from pg_auth_members as a"
                " join pg_roles as m on m.oid = a.member join pg_roles as r on r.oid = a.roleid"
                " where r.rolname = any(:roles) order by 1, 2"
            ),
            {"roles": list(ROLES)},
        ).all()
        return [
            Granted(
                login, role, _held(connection, "area_grant", "area_code", login), _held(connection, "department_grant", "department", login)
            )
            for login, role in rows
        ]


def _check(login: str, role: str, areas: Sequence[str], departments: Sequence[str]) -> None:
    problems = []
    if not LOGIN.fullmatch(login):
        problems.append(f"LOGIN is {login!r}: use lower-case letters, digits and _, at most 63")
    if role not in ROLES:
        problems.append(f"ROLE is {role!r}: use one of {', '.join(ROLES)}")
    if login in ROLES and login != role:
        problems.append(f"{login} is a role of its own: name a person's login, or ROLE={login}")
    wrong = [area for area in areas if not AREA_CODE.fullmatch(area)]
    if wrong:
        problems.append(f"AREA {', '.join(wrong)}: write 6 (county), 9 (town) or 12 digits (village)")
    if areas and role != AREA:
        problems.append(f"areas are for ROLE={AREA}")
    if departments and role != DEPARTMENT:
        problems.append(f"departments are for ROLE={DEPARTMENT}")
    if problems:
        raise AccessError("; ".join(problems))


def _insert(connection: sa.Connection, table: str, column: str, login: str, values: Sequence[str]) -> None:
    for value in values:
        connection.execute(
            sa.text(f"insert into ops.{table} (login, {column}) values (:login, :value) on conflict do nothing"),
            {"login": login, "value": value},
        )


def _held(connection: sa.Connection, table: str, column: str, login: str) -> tuple[str, ...]:
    return tuple(connection.scalars(sa.text(f"select {column} from ops.{table} where login = :login order by 1"), {"login": login}))
