"""Giving a login its role, and its areas or departments;
who maps a department's login is whoever administers the warehouse.

Belongs here: logins, whose they are and what they were granted. Not here: what a role may do
(`warehouse.schema.roles`).
"""

from __future__ import annotations

import difflib
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from expectations.contract import load_contracts
from expectations.errors import UsageError
from warehouse.database.actor import NOBODY, Actor, acting_as
from warehouse.schema.logins import (
    keep_out,
    let_in,
    make_login,
    other_counties,
    own_logins,
    quoted,
)
from warehouse.schema.roles import AREA, DEPARTMENT, ROLES, set_password

LOGIN = re.compile(r"[a-z_][a-z0-9_]{0,62}")
AREA_CODE = re.compile(r"[0-9]{6}|[0-9]{9}|[0-9]{12}")
LONG_NUMBER = re.compile(r"[0-9]{11}")
AREAS = """
select distinct area_code from store.household union select distinct town_code from store.household
union select distinct left(area_code, 6) from store.household
"""
SEE_GRANTS = "make grants lists who has what"


class AccessError(UsageError):
    """The grant makes no sense; says what to write."""


@dataclass(frozen=True)
class Granted:
    """What a login has now."""

    login: str
    role: str
    areas: tuple[str, ...]
    departments: tuple[str, ...]


@dataclass(frozen=True)
class GrantLine:
    """One line of who has what: `what` is an area, a department, or empty for the role itself."""

    login: str
    person: str
    role: str
    what: str
    since: datetime | None
    made_by: str
    ends_on: date | None


def grant(
    engine: sa.Engine,
    login: str,
    role: str,
    areas: Sequence[str] = (),
    departments: Sequence[str] = (),
    password: str | None = None,
    *,
    ends_on: date | None = None,
    person: str | None = None,
    officer_id: str | None = None,
    maker: Actor = NOBODY,
) -> Granted:
    """Gives `login` one role of yihu's, made if it is not there,
    and adds areas (`yihu_area`) or departments.

    A login has one role: another that it had is taken away, with what was granted for it. Areas are
    codes of 6 (county), 9 (town) or 12 digits (village). `ends_on` is the last day of what is
    granted here. `engine` is the administrator's.

    Raises:
        AccessError: with every mistake at once.
    """
    _check(login, role, areas, departments)
    with acting_as(engine, maker) as connection:
        _check_known(connection, areas)
        _check_ours(connection, login)
        if not _exists(connection, login):
            make_login(connection, login, password or secrets.token_urlsafe(18))
        elif password is not None:
            set_password(connection, login, password)
        _say_whose(connection, login, person, officer_id)
        _give_role(connection, login, role, ends_on, is_whole=not areas and not departments)
        _insert(connection, "area_grant", "area_code", login, areas, ends_on)
        _insert(connection, "department_grant", "department", login, departments, ends_on)
        let_in(connection, [login])
        return _granted(connection, login, role)


def make_person_login(
    engine: sa.Engine,
    login: str,
    role: str,
    person: str,
    officer_id: str | None = None,
    areas: Sequence[str] = (),
    departments: Sequence[str] = (),
    *,
    ends_on: date | None = None,
    maker: Actor = NOBODY,
) -> tuple[Granted, str]:
    """A login of a person's own with its role; returns its new password, which is nowhere else.

    Raises:
        AccessError: where it is another person's login already, or the grant makes no sense.
    """
    if not person.strip():
        raise AccessError("PERSON is missing:", "say whose login it is, by staff number or name")
    password = secrets.token_urlsafe(18)
    granted = grant(
        engine,
        login,
        role,
        areas,
        departments,
        password,
        ends_on=ends_on,
        person=person.strip(),
        officer_id=officer_id,
        maker=maker,
    )
    with acting_as(engine, maker) as connection:
        _log(connection, "login", login, role, None)
    return granted, password


def revoke(
    engine: sa.Engine,
    login: str,
    areas: Sequence[str] = (),
    departments: Sequence[str] = (),
    *,
    maker: Actor = NOBODY,
) -> None:
    """Takes the areas and departments that are named from a login;
    with none named everything, the way in too. The role stays where another county of the server
    lets the login in.

    Raises:
        AccessError: where there is no such login, or it does not have what is named.
    """
    if not LOGIN.fullmatch(login):
        raise AccessError(f"{login!r} is no login", SEE_GRANTS)
    with acting_as(engine, maker) as connection:
        if not _exists(connection, login):
            raise AccessError(
                f"there is no login {login}{_nearest(login, _logins(connection))}",
                SEE_GRANTS,
            )
        for table, column, named in (
            ("area_grant", "area_code", areas),
            ("department_grant", "department", departments),
        ):
            held = _held(connection, table, column, login)
            if lacking := sorted(set(named) - set(held)):
                raise AccessError(
                    f"{login} does not have {', '.join(lacking)}; it has"
                    f" {', '.join(held) or 'nothing'}",
                    SEE_GRANTS,
                )
            gone = list(named) if areas or departments else list(held)
            connection.execute(
                sa.text(f"delete from ops.{table} where login = :login and {column} = any(:gone)"),
                {"login": login, "gone": gone},
            )
        if not areas and not departments and login not in ROLES:
            others = other_counties(connection, login)
            for role in _roles_of(connection, login):
                if not others:
                    connection.exec_driver_sql(f"revoke {role} from {quoted(connection, login)}")
                _log(connection, "revoke", login, role, None)
            keep_out(connection, login)


def grants(engine: sa.Engine) -> list[Granted]:
    """Every login of a person's with a role of yihu's, and what it was granted."""
    with engine.connect() as connection:
        return [_granted(connection, login, role) for login, role in _members(connection)]


def who_has_what(engine: sa.Engine) -> list[GrantLine]:
    """Every role, area and department that a login has now: since when, by whom, until when."""
    lines = []
    with engine.connect() as connection:
        known = {
            row.login: row
            for row in connection.execute(sa.text("select login, person from ops.person"))
        }
        for login, role in _members(connection):
            person = known[login].person if login in known else login
            last = connection.execute(
                sa.text(
                    "select at, made_by, ends_on from ops.grant_log where login = :login and role ="
                    " :role and action = 'grant' and area_code is null and department is null order"
                    " by change_id desc limit 1"
                ),
                {"login": login, "role": role},
            ).one_or_none()
            lines.append(
                GrantLine(
                    login,
                    person,
                    role,
                    "",
                    *(last if last is not None else (None, "unknown", None)),
                )
            )
            for table, column in (("area_grant", "area_code"), ("department_grant", "department")):
                held = connection.execute(
                    sa.text(
                        f"select {column}, granted_at, granted_by, ends_on from ops.{table} where"
                        " login = :login order by 1"
                    ),
                    {"login": login},
                )
                lines += [GrantLine(login, person, role, *row) for row in held.all()]
    return lines


def _check(login: str, role: str, areas: Sequence[str], departments: Sequence[str]) -> None:
    problems = []
    if not LOGIN.fullmatch(login) or LONG_NUMBER.search(login):
        problems.append(
            f"LOGIN is {_shown(login)}: use lower-case letters, digits and _, at most 63, and no"
            " long number"
        )
    if role not in ROLES:
        problems.append(
            f"ROLE is {_shown(role)}{_nearest(role, ROLES)}: use one of {', '.join(ROLES)}"
        )
    if login in ROLES:
        problems.append(f"{login} is a role: nobody logs in as one, name a person's login")
    wrong = [area for area in areas if not AREA_CODE.fullmatch(area)]
    if wrong:
        problems.append(
            f"AREA {', '.join(wrong)}: write 6 (county), 9 (town) or 12 digits (village)"
        )
    if areas and role != AREA:
        problems.append(f"areas are for ROLE={AREA}")
    if departments and role != DEPARTMENT:
        problems.append(f"departments are for ROLE={DEPARTMENT}")
    known = sorted({contract.department for contract in load_contracts()})
    problems += [
        f"DEPARTMENT {_shown(name)} is none{_nearest(name, known)}"
        for name in departments
        if name not in known
    ]
    if problems:
        raise AccessError(
            "; ".join(problems),
            "docs/security.md has the roles, make grants who has which",
        )


def _check_known(connection: sa.Connection, areas: Sequence[str]) -> None:
    """Refuses an area that the register has not; nothing is known before the first release."""
    known = set(connection.scalars(sa.text(AREAS))) if areas else set()
    strange = [area for area in areas if known and area not in known]
    if strange:
        near = {area: _nearest(area, known) for area in strange}
        problems = [f"AREA {area} has no household in the register{near[area]}" for area in strange]
        raise AccessError("; ".join(problems), "write a code that the register has")


def _check_ours(connection: sa.Connection, login: str) -> None:
    """Refuses a login of another county on this server, whose password and role it would change."""
    if others := other_counties(connection, login):
        raise AccessError(
            f"{login} is a login of {', '.join(others)} on this server, with one role and one"
            " password for both:",
            "take another name",
        )


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.4)
    return f" (the nearest is {near[0]})" if near else ""


def _shown(text: str) -> str:
    return repr(LONG_NUMBER.sub("[number]", text))


def _exists(connection: sa.Connection, login: str) -> bool:
    return (
        connection.scalar(
            sa.text("select 1 from pg_roles where rolname = :login"), {"login": login}
        )
        is not None
    )


def _logins(connection: sa.Connection) -> list[str]:
    return list(connection.scalars(sa.text("select login from ops.person")))


def _say_whose(
    connection: sa.Connection, login: str, person: str | None, officer_id: str | None
) -> None:
    """Records whose login it is; where nobody said,
    the login stands for the person until somebody does.
    """
    known = connection.scalar(
        sa.text("select person from ops.person where login = :login"), {"login": login}
    )
    values = {"login": login, "person": person or login, "officer_id": officer_id or person}
    if LONG_NUMBER.search(f"{person or ''} {officer_id or ''}"):
        raise AccessError(
            "PERSON and OFFICER are a staff number or a name, never an ID number",
            "name another one",
        )
    if known is None:
        connection.execute(
            sa.text(
                "insert into ops.person (login, person, officer_id) values (:login, :person,"
                " :officer_id)"
            ),
            values,
        )
    elif person is not None and known == login != person:
        connection.execute(
            sa.text(
                "update ops.person set person = :person, officer_id = :officer_id where login ="
                " :login"
            ),
            values,
        )
    elif person is not None and known != person:
        raise AccessError(f"{login} is the login of {known}:", f"make another one for {person}")


def _roles_of(connection: sa.Connection, login: str) -> list[str]:
    return [role for member, role in _members(connection, login) if member == login]


def _members(connection: sa.Connection, login: str | None = None) -> list[tuple[str, str]]:
    rows = connection.execute(
        sa.text(
            "select m.rolname as login, r.rolname as role from pg_auth_members as a join pg_roles"
            " as m on m.oid = a.member join pg_roles as r on r.oid = a.roleid where r.rolname ="
            " any(:roles) and m.rolname <> all(:own) and (m.rolname = :login or cast(:login as"
            " text) is null) and (m.rolname in (select login from ops.person)) order by 1, 2"
        ),
        {"roles": list(ROLES), "own": list(own_logins(connection).values()), "login": login},
    )
    return [(member, role) for member, role in rows.all()]


def _give_role(
    connection: sa.Connection, login: str, role: str, ends_on: date | None, *, is_whole: bool
) -> None:
    """One role; `is_whole`: nothing else is granted with it,
    so that `ends_on` is the login's own last day.
    """
    name = quoted(connection, login)
    have = _roles_of(connection, login)
    for other in have:
        if other != role:
            connection.exec_driver_sql(f"revoke {other} from {name}")
            _log(connection, "revoke", login, other, None)
    if role not in have:
        connection.exec_driver_sql(f"grant {role} to {name}")
    last = ends_on if is_whole else None
    if role not in have or last is not None:
        until = f"{last} 24:00:00 Asia/Shanghai" if last is not None else "infinity"
        connection.exec_driver_sql(f"alter role {name} valid until '{until}'")
        _log(connection, "grant", login, role, last)
    if role != AREA:
        connection.execute(
            sa.text("delete from ops.area_grant where login = :login"), {"login": login}
        )
    if role != DEPARTMENT:
        connection.execute(
            sa.text("delete from ops.department_grant where login = :login"), {"login": login}
        )


def _log(
    connection: sa.Connection, action: str, login: str, role: str, ends_on: date | None
) -> None:
    """A change of the role itself; changes of areas and departments are logged by triggers."""
    connection.execute(
        sa.text(
            "insert into ops.grant_log (action, login, role, ends_on, remark) values (:action,"
            " :login, :role, :ends_on, nullif(current_setting('yihu.remark', true), ''))"
        ),
        {"action": action, "login": login, "role": role, "ends_on": ends_on},
    )


def _insert(
    connection: sa.Connection,
    table: str,
    column: str,
    login: str,
    values: Sequence[str],
    ends_on: date | None,
) -> None:
    for value in values:
        connection.execute(
            sa.text(
                f"insert into ops.{table} as t (login, {column}, ends_on) values (:login, :value,"
                f" :ends_on) on conflict (login, {column}) do update set ends_on = excluded.ends_on"
                " where t.ends_on is distinct from excluded.ends_on"
            ),
            {"login": login, "value": value, "ends_on": ends_on},
        )


def _granted(connection: sa.Connection, login: str, role: str) -> Granted:
    areas = _held(connection, "area_grant", "area_code", login)
    return Granted(login, role, areas, _held(connection, "department_grant", "department", login))


def _held(connection: sa.Connection, table: str, column: str, login: str) -> tuple[str, ...]:
    return tuple(
        connection.scalars(
            sa.text(f"select {column} from ops.{table} where login = :login order by 1"),
            {"login": login},
        )
    )
