"""What an attacker with a login tries, tool by tool, for every kind of login, on both servers:
printed, and in docs/security.md.

Belongs here: attempts that are answered or fail by themselves. Not here: what is refused to
everybody (`test_adversary`), the matrix of objects and actions (`test_roles`), reading bit by bit
(`test_oracle`).
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from resources.settings import ROOT
from tests.conftest import Show
from tests.warehouse.conftest import HOUSEHOLD_OF_TOWN, OTHER, Warehouse
from warehouse.database.access import grant, revoke
from warehouse.migrations import upgrade

DOCUMENT = ROOT / "docs" / "security.md"
LOGINS = (
    "yihu_reader",
    "officer",
    "villager",
    "nobody_yet",
    "clerk",
    "yihu_steward",
    "yihu_auditor",
    "yihu_analyst",
    "taken_away",
)
THEIRS = HOUSEHOLD_OF_TOWN[OTHER]
REFUSED, NOT_THERE, NOTHING, ANSWERED = "refused", "no such", "nothing", "answered"
STORED = "('store.household'::regclass)"


@dataclass(frozen=True)
class Attempt:
    """Something tried: what it is after, by which tool, in SQL; what may come of it beside a
    refusal.
    """

    object: str
    tool: str
    sql: str
    comes_to: tuple[str, ...] = ()
    but: str = ""
    """Why it does no harm, where it is answered."""
    whose: tuple[str, ...] = ()
    """Logins whose business it is."""


ATTEMPTS = (
    # statistics and counters
    Attempt(
        "values",
        "pg_stats",
        "select count(*) from pg_stats where schemaname in ('store', 'vault')",
        (NOTHING,),
    ),
    Attempt("values", "pg_statistic", "select * from pg_statistic"),
    Attempt("values", "pg_statistic_ext_data", "select * from pg_statistic_ext_data"),
    Attempt("values", "pg_stats_ext", "select count(*) from pg_stats_ext", (NOTHING,)),
    Attempt(
        "rows of a table",
        "reltuples",
        "select reltuples from pg_class where oid = 'vault.person'::regclass",
        (ANSWERED,),
        "a size",
    ),
    Attempt(
        "rows of a table",
        "reltuples by oid",
        "select reltuples from pg_class where relname = 'person' and relnamespace ="
        " 'vault'::regnamespace",
        (ANSWERED,),
        "a size",
    ),
    Attempt(
        "rows of a table",
        "n_live_tup",
        "select sum(n_live_tup) from pg_stat_user_tables where relname = 'person'",
        (ANSWERED,),
        "a size",
    ),
    Attempt(
        "rows of a table",
        "pg_relation_size",
        "select pg_relation_size(c.oid) from pg_class c where relname = 'person'",
        (ANSWERED,),
        "a size",
    ),
    Attempt(
        "scans",
        "pg_stat_user_indexes",
        "select sum(idx_scan) from pg_stat_user_indexes",
        (ANSWERED,),
        "of everybody's queries together",
    ),
    Attempt("queries", "pg_stat_statements", "select * from pg_stat_statements", (NOT_THERE,)),
    *(
        Attempt("pages", f"extension {name}", f"create extension {name}", (NOT_THERE,))
        for name in (
            "pg_buffercache",
            "pg_walinspect",
            "dblink",
            "postgres_fdw",
            "pageinspect",
            "file_fdw",
            "pg_stat_statements",
        )
    ),
    # plans
    Attempt(
        "rows",
        "TABLESAMPLE of a view",
        "select * from yihu.household tablesample system (100)",
        (NOT_THERE,),
    ),
    Attempt(
        "rows", "TABLESAMPLE of a table", "select * from store.household tablesample system (100)"
    ),
    Attempt(
        "rows",
        "TID scan of a view",
        "select * from yihu.household where ctid = '(0,1)'",
        (NOT_THERE,),
    ),
    Attempt("rows", "TID scan of a table", "select * from store.household where ctid = '(0,1)'"),
    Attempt("versions", "xmin of a view", "select xmin from yihu.household", (NOT_THERE,)),
    Attempt("rows", "EXPLAIN of a table", "explain select * from store.household"),
    Attempt("rows", "EXPLAIN ANALYZE of a table", "explain analyze select * from store.household"),
    Attempt("plans of others", "auto_explain", "load 'auto_explain'"),
    Attempt(
        "planner's statistics",
        "ANALYZE",
        "analyze store.household",
        (NOTHING,),
        "skipped, with a warning",
    ),
    # others at work
    Attempt(
        "queries of others",
        "pg_stat_activity",
        "select count(*) from pg_stat_activity where usename <> session_user and query <> '' and"
        " query not like '<insufficient%'",
        (NOTHING,),
    ),
    Attempt(
        "addresses of others",
        "pg_stat_activity",
        "select count(*) from pg_stat_activity where usename <> session_user and client_addr is not"
        " null",
        (NOTHING,),
    ),
    Attempt(
        "names of others",
        "pg_stat_activity",
        "select count(*) from pg_stat_activity where usename <> session_user",
        (ANSWERED,),
        "who is there, not what for",
    ),
    Attempt(
        "locks",
        "pg_locks",
        "select count(*) from pg_locks",
        (ANSWERED,),
        "who holds which table, no row",
    ),
    Attempt(
        "roles",
        "pg_roles",
        "select count(*) from pg_roles",
        (ANSWERED,),
        "names of logins: psql and JDBC read it",
    ),
    Attempt(
        "members",
        "pg_auth_members",
        "select count(*) from pg_auth_members",
        (ANSWERED,),
        "who has which role",
    ),
    Attempt(
        "policies",
        "pg_policies",
        "select count(*) from pg_policies where schemaname = 'store'",
        (ANSWERED,),
        "they are in the source",
    ),
    Attempt(
        "sources",
        "pg_proc",
        "select count(prosrc) from pg_proc where pronamespace = 'yihu'::regnamespace",
        (ANSWERED,),
        "they are in the source",
    ),
    Attempt(
        "grants of others",
        "ops.area_grant",
        "select * from ops.area_grant",
        whose=("yihu_auditor",),
    ),
    Attempt(
        "sequences",
        "pg_sequences",
        "select count(*) from pg_sequences where last_value is not null",
        (NOTHING,),
    ),
    Attempt(
        "databases",
        "pg_database",
        "select count(*) from pg_database",
        (ANSWERED,),
        "names; none lets a login of yihu in",
    ),
    # ways round
    Attempt("rows", "SET ROLE", "set role yihu_publisher"),
    Attempt("rows", "SET SESSION AUTHORIZATION", "set session authorization postgres"),
    Attempt("rows", "session_replication_role", "set session_replication_role = replica"),
    Attempt("log", "log_statement", "set log_statement = 'all'"),
    Attempt("log", "log_min_messages", "set log_min_messages = 'debug5'"),
    Attempt(
        "rows",
        "row_security off",
        f"set row_security = off; select count(*) from yihu.household where town_code = '{OTHER}'",
        (NOTHING,),
    ),
    Attempt(
        "rows",
        "search_path",
        f"set search_path = store; select count(*) from yihu.household where town_code = '{OTHER}'",
        (NOTHING,),
    ),
    Attempt(
        "rows",
        "yihu.release_id by hand",
        "set yihu.release_id = '1'; select count(*) from yihu.household where town_code ="
        f" '{OTHER}'",
        (NOTHING,),
    ),
    Attempt(
        "a release that is not there",
        "yihu.release_id by hand",
        "set yihu.release_id = '999'; select count(*) from yihu.household",
        (NOT_THERE,),
    ),
    Attempt(
        "rows",
        "cursor WITH HOLD",
        "declare peek cursor with hold for select 1 from yihu.household where town_code ="
        f" '{OTHER}'; fetch all from peek",
        (NOTHING,),
    ),
    Attempt(
        "rows",
        "prepared statement",
        f"prepare peek as select count(*) from yihu.household where town_code = '{OTHER}'; execute"
        " peek",
        (NOTHING,),
    ),
    Attempt(
        "rows",
        "DO block",
        f"do $$ begin if exists (select 1 from yihu.household where household_id = '{THEIRS}') then"
        " raise division_by_zero; end if; end $$",
        (NOTHING,),
    ),
    Attempt(
        "rows",
        "COPY of a view",
        f"copy (select 1 from yihu.household where household_id = '{THEIRS}') to program 'cat'",
    ),
    Attempt("files", "COPY to a file", "copy (select 1) to '/tmp/yihu-copied'"),
    Attempt("files", "pg_read_file", "select pg_read_file('PG_VERSION')"),
    Attempt("files", "pg_ls_logdir", "select pg_ls_logdir()"),
    Attempt("rules of the server", "pg_hba_file_rules", "select * from pg_hba_file_rules"),
    Attempt("place of the data", "data_directory", "show data_directory"),
    # writing
    Attempt(
        "a view", "insert", "insert into yihu.household (household_id) values ('x')", (NOT_THERE,)
    ),
    Attempt("store", "insert", "insert into store.household (household_id) values ('x')"),
    Attempt("a schema", "create", "create schema mine"),
    Attempt(
        "a function",
        "create",
        "create function public.spy() returns integer language sql as 'select 1'",
    ),
    Attempt("a temporary table", "create", "create temporary table mine (a integer)"),
    Attempt("a large object", "lo_creat", "select lo_creat(-1)"),
    Attempt("an advisory lock", "pg_advisory_lock", "select pg_advisory_lock(7104002)"),
    Attempt("messages", "LISTEN", "listen yihu", (NOTHING,), "nobody sends any"),
    Attempt("messages", "NOTIFY", "notify yihu", (NOTHING,), "nobody listens"),
    Attempt(
        "another's password", "alter role", "alter role villager password 'x'", whose=("villager",)
    ),
    Attempt("a shared role's password", "alter role", "alter role yihu_reader password 'x'"),
)


def _outcome(connection: sa.Connection, sql: str) -> str:
    """`refused` for want of privilege, `no such` where it fails for another reason, `nothing` where
    no row and no count comes.
    """
    with connection.begin() as transaction:
        try:
            rows: list[tuple[object, ...]] = []
            for part in sql.split("; ") if not sql.startswith("do ") else [sql]:
                answer = connection.exec_driver_sql(part.replace("%", "%%"))
                rows = [tuple(row) for row in answer] if answer.returns_rows else []
        except sa.exc.DBAPIError as error:
            return REFUSED if getattr(error.orig, "sqlstate", "") == "42501" else NOT_THERE
        finally:
            transaction.rollback()
    return ANSWERED if [row for row in rows if any(row)] else NOTHING


@pytest.fixture(scope="module")
def tried(guarded: Warehouse) -> Warehouse:
    """With a village's officer, and a login whose role was taken away."""
    administrator = guarded.engine()
    grant(administrator, "villager", "yihu_area", ["610921101002"], password="pw-villager")
    grant(administrator, "taken_away", "yihu_reader", password="pw-taken")
    guarded.server.passwords.update(villager="pw-villager", taken_away="pw-taken")
    with administrator.begin() as connection:
        connection.exec_driver_sql("revoke yihu_reader from taken_away")
    with administrator.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("vacuum (analyze)")
    return guarded


def test_each_attempt(tried: Warehouse, show: Show) -> None:
    """What somebody may see anyway is no leak: who sees all counts the other town's rows, and only
    by asking the views.
    """
    lines, wrong = [], []
    connections = {login: tried.engine(login).connect() for login in LOGINS}
    for attempt in ATTEMPTS:
        found = {login: _outcome(connections[login], attempt.sql) for login in LOGINS}
        sees = (
            *attempt.whose,
            *(("yihu_reader",) if "from yihu.household where" in attempt.sql else ()),
        )
        for login, outcome in found.items():
            allowed = {REFUSED, *attempt.comes_to} | (
                {ANSWERED, NOT_THERE, NOTHING} if login in sees else set()
            )
            allowed |= {NOTHING} if ANSWERED in allowed else set()
            wrong += (
                [f"{login}: {attempt.tool} on {attempt.object} comes to {outcome}"]
                if outcome not in allowed
                else []
            )
        cells = " ".join(found[login].ljust(12) for login in LOGINS)
        lines.append(f"{attempt.object:28}{attempt.tool:30}{cells} {attempt.but}".rstrip())
    for connection in connections.values():
        connection.close()
    header = (
        f"{'object':28}{'tool':30}"
        + " ".join(login.removeprefix("yihu_").ljust(12) for login in LOGINS).rstrip()
    )
    table = "\n".join([header, *lines])
    show("login x object x tool", table)
    assert not wrong
    if int(str(tried.one("show server_version_num"))) >= 180000:
        assert table in DOCUMENT.read_text(encoding="utf-8"), (
            "docs/security.md is behind: it holds the table that this test prints"
        )


def test_no_other_database_lets_one_in(tried: Warehouse) -> None:
    for login in ("officer", "yihu_reader", "clerk"):
        for database in ("postgres", "template1"):
            with pytest.raises(sa.exc.OperationalError, match="permission denied for database"):
                sa.create_engine(
                    tried.url(login).set(database=database), poolclass=sa.NullPool
                ).connect()


def test_a_login_whose_role_was_taken_away_asks_nothing(tried: Warehouse) -> None:
    for view in ("household", "area_ledger", "source_status", "release"):
        with pytest.raises(sa.exc.DBAPIError, match="permission denied"):
            tried.rows(f"select 1 from yihu.{view}", "taken_away")


def test_a_login_that_was_revoked_does_not_come_in(tried: Warehouse) -> None:
    """Not after the next upgrade either; granted something again, it does."""
    grant(tried.engine(), "left_the_office", "yihu_reader", password="pw-left")
    tried.server.passwords["left_the_office"] = "pw-left"
    assert tried.one("select count(*) from yihu.release", "left_the_office") == 1
    revoke(tried.engine(), "left_the_office")
    for _ in range(2):
        with pytest.raises(sa.exc.OperationalError, match="permission denied for database"):
            tried.rows("select 1", "left_the_office")
        upgrade(tried.engine(), tried.server.passwords)
    grant(tried.engine(), "left_the_office", "yihu_area", ["610921"])
    assert tried.one("select count(*) from yihu.household", "left_the_office") == 200
