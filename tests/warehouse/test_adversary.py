"""Every role tries everything that it must not do: login × attempt, printed; and an officer of one
town tries to learn of another.

Belongs here: ways around. Not here: the plain matrix of objects and actions (`test_roles`).
"""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from tests.conftest import Show
from tests.warehouse.conftest import HOUSEHOLD_OF_TOWN, MINE, OTHER, ROLES, Warehouse
from warehouse.schema import METADATA, PERIODIC, VIEWS

READERS = (
    "yihu_reader",
    "officer",
    "nobody_yet",
    "clerk",
    "yihu_steward",
    "yihu_auditor",
    "yihu_analyst",
    "stranger",
)
WRITER = "yihu_publisher"
THEIRS = HOUSEHOLD_OF_TOWN[OTHER]

FORBIDDEN = {
    "read a server file": "select pg_read_file('/etc/passwd')",
    "list a server folder": "select pg_ls_dir('.')",
    "copy from a program": "copy store.household from program 'cat /dev/null'",
    "copy to a file": "copy (select 1) to '/tmp/yihu-copied'",
    "copy the vault out": "copy vault.person to stdout",
    "import a large object": "select lo_import('/etc/passwd')",
    "make a large object": "select lo_from_bytea(0, 'x')",
    "create a large object": "select lo_create(0)",
    "make a temporary table": "create temporary table t (a integer)",
    "make a temporary function": (
        "create function pg_temp.f() returns integer language sql as 'select 1'"
    ),
    "make a table in public": "create table public.t (a integer)",
    "make a table in yihu": "create table yihu.t (a integer)",
    "make a schema": "create schema mine",
    "make a role": "create role mine",
    "become the administrator": "set role postgres",
    "become the publisher": "set role yihu_publisher",
    "become a steward": "set role yihu_steward",
    "session of the administrator": "set session authorization postgres",
    "give oneself a role": "grant yihu_steward to {login}",
    "give oneself an area": (
        "insert into ops.area_grant (login, area_code) values ('{login}', '610921')"
    ),
    "give oneself a department": (
        "insert into ops.department_grant (login, department) values ('{login}', 'housing')"
    ),
    "pass row security": "alter role {login} bypassrls",
    "switch row security off": "alter table store.household disable row level security",
    "a policy of one's own": "create policy mine on store.household using (true)",
    "replace a function": (
        "create or replace function yihu.granted_areas() returns text[] language sql as 'select"
        " array[''610921'']'"
    ),
    "replace a view": "create or replace view yihu.household as select 1 as one",
    "own a view": "alter view yihu.household owner to {login}",
    "write by a DO block": "do $$ begin delete from store.household; end $$",
    "read the vault by a DO block": "do $$ begin perform * from vault.person; end $$",
    "prepare a read of the vault": "prepare peek as select * from vault.person; execute peek",
    "a cursor on the vault": "declare peek cursor for select * from vault.person",
    "a sequence's next value": "select nextval('ops.access_log_access_id_seq')",
    "a sequence's last value": "select last_value from ops.review_decision_decision_id_seq",
    "passwords": "select rolpassword from pg_authid",
    "statistics": "select * from pg_statistic",
    "write the access log": "select ops.take_ticket('a', 'b', null, 1, true, 'audit', 'why')",
    "write the access log by hand": (
        "insert into ops.access_log (login, action) values ('somebody', 'yihu.ask')"
    ),
    "change the access log": "update ops.access_log set reason = 'other'",
    "seal it": "select ops.seal_log()",
    "change a seal": "update ops.access_seal set hash = ''",
    "whose login it is": "insert into ops.person (login, person) values ('{login}', 'somebody')",
    "unmake a rollback": "delete from ops.rollback",
    "unmake a grant's record": "update ops.grant_log set made_by = 'somebody'",
    "open a gate": (
        "insert into ops.gate_opening (as_of, gate, opened_by, reason) values ('2026-11-19',"
        " 'red_jump', 'somebody', 'why')"
    ),
    "change a decision of one's own": "update ops.review_decision set reason = 'other'",
    "remove a decision of one's own": "delete from ops.review_decision",
    "clear the access log": "delete from ops.access_log",
    "empty a table": "truncate store.household",
    "lock readers out": "lock table store.household in access exclusive mode",
    "hold up the publisher": "lock table ops.turn in access share mode",
    "move the pointer": "update ops.current_release set release_id = 1",
    "publish": "insert into ops.release default values",
    "refresh statistics away": "select pg_stat_reset()",
    "end others' sessions": (
        "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres' and pid"
        " <> pg_backend_pid()"
    ),
    "load a library": "load 'auto_explain'",
    "listen in on the server's log": "select pg_current_logfile()",
    "a trigger of one's own": (
        "create trigger t before insert on store.household for each row execute function"
        " ops.name_record()"
    ),
}
WRITER_MAY = {
    "make a temporary table",
    "make a temporary function",
    "write by a DO block",
    "hold up the publisher",
    "lock readers out",
    "move the pointer",
    "publish",
    "seal it",
}
"""What publishing takes."""


def refused(connection: sa.Connection, sql: str) -> bool:
    """True where the database refuses for want of privilege.

    What fails otherwise says nothing and is an error of the test.
    """
    with connection.begin() as transaction:
        try:
            connection.exec_driver_sql(sql.replace("%", "%%"))
        except sa.exc.DBAPIError as error:
            state = getattr(error.orig, "sqlstate", "")
            if state == "42501":
                return True
            if state == "23502":
                return False
            raise
        finally:
            transaction.rollback()
    return False


def test_what_nobody_may_do(guarded: Warehouse, show: Show) -> None:
    logins = (*READERS, WRITER)
    connections = {login: guarded.engine(login).connect() for login in logins}
    lines, wrong = [], []
    for attempt, sql in FORBIDDEN.items():
        found = {login: refused(connections[login], sql.format(login=login)) for login in logins}
        lines.append(
            f"{attempt:32}"
            + "  ".join(
                ("refused" if found[login] else "ALLOWED").ljust(12) for login in logins
            ).rstrip()
        )
        own = {"yihu_steward": "become a steward", WRITER: "become the publisher"}
        for login in logins:
            may = own.get(login) == attempt or (login == WRITER and attempt in WRITER_MAY)
            wrong += [f"{login}: {attempt}"] if found[login] == may else []
    for connection in connections.values():
        connection.close()
    show(
        "login x attempt",
        "\n".join(
            [
                " " * 32 + "  ".join(login.removeprefix("yihu_").ljust(12) for login in logins),
                *lines,
            ]
        ),
    )
    assert not wrong


@pytest.mark.parametrize("sql", ["create database mine", "alter system set work_mem = '1GB'"])
def test_what_runs_outside_of_a_transaction(guarded: Warehouse, sql: str) -> None:
    for login in (*READERS, WRITER):
        with (
            guarded.engine(login)
            .execution_options(isolation_level="AUTOCOMMIT")
            .connect() as connection
        ):
            with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
                connection.exec_driver_sql(sql)


LEARN = {
    "a view": "select count(*) from yihu.{view} where {other}",
    "a view, by or": "select count(*) from yihu.{view} where ({other}) and (true or 1 / 0 > 0)",
    "a prepared statement": (
        "prepare peek as select count(*) from yihu.{view} where {other}; execute peek"
    ),
}


def test_an_officer_learns_nothing_of_another_town(guarded: Warehouse) -> None:
    """Every view, by every kind of statement; the other town's rows are there for those who may see
    them.
    """
    checked = 0
    with (
        guarded.engine("officer").connect() as officer,
        guarded.engine("yihu_reader").connect() as reader,
    ):
        for view in (*VIEWS, *PERIODIC):
            if "yihu_area" not in view.readers:
                continue
            other = f"town_code = '{OTHER}'"
            if "yihu_reader" in view.readers:
                there = reader.exec_driver_sql(
                    f"select count(*) from yihu.{view.name} where {other}"
                ).scalar()
                checked += bool(there)
            for sql in LEARN.values():
                for part in sql.format(view=view.name, other=other).split("; "):
                    answer = officer.exec_driver_sql(part)
                assert answer.scalar() == 0
                officer.exec_driver_sql("deallocate all")
            officer.exec_driver_sql(
                f"do $$ begin if exists (select 1 from yihu.{view.name} where {other}) then raise"
                " 'leak'; end if; end $$"
            )
            officer.rollback()
            reader.rollback()
    assert checked >= 5


@pytest.mark.parametrize(
    "leaky",
    [
        "1 / (case when town_code = '{other}' then 0 else 1 end) > 0",
        "village_name::integer = 1",
        "cast(case when town_code = '{other}' then household_id end as integer) is null",
        (
            "(select pg_notify('seen', case when town_code = '{other}' then household_id else ''"
            " end)) is null"
        ),
    ],
)
def test_an_error_tells_nothing_of_another_town(guarded: Warehouse, leaky: str) -> None:
    """A condition that fails on a row is not reached by rows that the policy hides."""
    with guarded.engine("officer").connect() as officer:
        said = ""
        try:
            officer.exec_driver_sql(
                f"select count(*) from yihu.household where {leaky.format(other=OTHER)}"
            )
        except sa.exc.DBAPIError as error:
            said = str(error.orig)
        assert "division by zero" not in said
        assert THEIRS not in said
        theirs = guarded.rows(
            f"select distinct village_name from yihu.household where town_code = '{OTHER}'",
            "yihu_reader",
        )
        mine = guarded.rows(
            f"select distinct village_name from yihu.household where town_code = '{MINE}'",
            "yihu_reader",
        )
        assert not [name for name in set(theirs) - set(mine) if f'"{name[0]}"' in said]


def test_a_plan_shows_no_row_and_no_value_of_another_town(guarded: Warehouse) -> None:
    """Estimates come from statistics over the whole county; what was read does not."""
    with guarded.engine("officer").connect() as officer:
        for query in (f"household_id = '{THEIRS}'", f"town_code = '{OTHER}'"):
            plan = officer.exec_driver_sql(
                "explain (analyze, verbose, format json) select * from yihu.household where"
                f" {query}"
            ).scalar()
            assert plan[0]["Plan"]["Actual Rows"] == 0
            text = re.sub(r"\\?'[^']*'::text", "", str(plan))
            assert not re.search("徐|村|镇", text)


def test_catalogues_show_no_value(guarded: Warehouse) -> None:
    with (
        guarded.engine().execution_options(isolation_level="AUTOCOMMIT").connect() as administrator
    ):
        administrator.exec_driver_sql("analyze")
    for login in READERS:
        with guarded.engine(login).connect() as connection:
            assert (
                connection.exec_driver_sql(
                    "select count(*) from pg_stats where schemaname in ('store', 'vault')"
                ).scalar()
                == 0
            )
            others = (
                "select count(*) from pg_stat_activity where usename <> session_user and query not"
                " like '<insufficient%%' and query <> ''"
            )
            assert connection.exec_driver_sql(others).scalar() == 0
            assert (
                connection.exec_driver_sql(
                    "select count(*) from pg_sequences where last_value is not null"
                ).scalar()
                == 0
            )


def test_settings_of_a_session_open_nothing(guarded: Warehouse) -> None:
    """search_path, row_security and the session's release are the caller's to set, and change
    nothing about whose rows they are.
    """
    with guarded.engine("officer").connect() as officer:
        for setting in (
            "set search_path = store, vault, ops, yihu",
            "set row_security = off",
            "set row_security = on",
            "select yihu.yihu_as_of('2026-11-19')",
            "select set_config('yihu.release_id', '1', false)",
            "select set_config('session.user', 'postgres', false)",
        ):
            officer.exec_driver_sql(setting)
            assert (
                officer.exec_driver_sql(
                    f"select count(*) from yihu.household where town_code = '{OTHER}'"
                ).scalar()
                == 0
            )


def test_the_servers_log_keeps_who_asked_and_rolled_back(guarded: Warehouse) -> None:
    """It shows nobody's name (`test_looking`), and is not forgotten."""
    mine = HOUSEHOLD_OF_TOWN[MINE]
    with guarded.engine("officer").connect() as officer:
        officer.exec_driver_sql(f"select yihu.ask('{mine}', 'visit', 'to find the family')")
        officer.rollback()
        officer.exec_driver_sql("set transaction read only")
        with pytest.raises(sa.exc.DBAPIError, match="read-only"):
            officer.exec_driver_sql(f"select yihu.ask('{mine}', 'visit', 'to find the family')")
    log = guarded.server.log
    assert log is not None
    assert f"yihu access: yihu.ask by officer on {mine}" in log.read_text()
    assert "徐某某" not in log.read_text()


def test_functions_that_run_as_their_owner_cannot_be_led_astray(guarded: Warehouse) -> None:
    """Each has a search path of its own with temporary objects last, prints no plan to its caller,
    and is for nobody but those named.
    """
    loose = guarded.rows(
        "select p.oid::regprocedure::text from pg_proc as p join pg_namespace as n on n.oid ="
        " p.pronamespace where n.nspname in ('yihu', 'yihu_in', 'ops', 'vault') and p.prosecdef and"
        " not coalesce(array['search_path=pg_catalog, pg_temp', 'client_min_messages=notice'] <@"
        " p.proconfig, false)"
    )
    assert loose == []
    public = guarded.rows(
        "select p.oid::regprocedure::text from pg_proc as p join pg_namespace as n on n.oid ="
        " p.pronamespace where n.nspname in ('yihu', 'ops', 'vault') and"
        " has_function_privilege('stranger', p.oid, 'execute') and has_schema_privilege('stranger',"
        " n.oid, 'usage')"
    )
    assert public == []


def test_every_role_is_tried(guarded: Warehouse) -> None:
    assert set(ROLES) - {"yihu_area", "yihu_department"} == {*READERS, WRITER} - {
        "officer",
        "nobody_yet",
        "clerk",
    }
    assert {table.schema for table in METADATA.tables.values()} == {"store", "ops", "vault"}
