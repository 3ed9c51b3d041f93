"""Who may do what, tried by logging in as each role: role × object × action, and every way around
an area.
"""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.conftest import Show
from tests.warehouse.conftest import HOUSEHOLD_OF_TOWN, MINE, OTHER, ROLES, Warehouse, attempt
from warehouse.database.access import AccessError, grant, grants, revoke
from warehouse.schema import METADATA, PERIODIC, VIEWS
from warehouse.schema.lookups import IN_WORDS

ACTIONS = ("select", "insert", "update", "delete")
LISTS = ("verify_item", "follow_up_task", "monthly_screening", "quarterly_supervision")
COUNTS = (
    "area_ledger",
    "bulletin",
    "weekly_statistics",
    "income_accounting",
    "quarterly_supervision",
    "flag_accuracy",
)
HOMES = (
    *("responsibility", "measure_gap", "support_received", "zero_employment", "special_group"),
    *("relapse", "watch"),
)
OF_AREAS = ("contradiction_accuracy", "issue_summary", "entitlement_edge", "known_gap_share")
AREAS = ("responsibility_gap", "visit_coverage", "medical_ledger", "asset_ledger")
ASKED = {
    "contradiction": ("yihu_area", "yihu_department"),
    "contradiction_accuracy": ("yihu_reader", "yihu_area"),
    "issue_ledger": ("yihu_reader", "yihu_area", "yihu_department"),
    "issue_summary": ("yihu_reader", "yihu_area", "yihu_department"),
    "entitlement": ("yihu_reader", "yihu_area", "yihu_department"),
    "entitlement_edge": ("yihu_reader", "yihu_area"),
    "known_gap": ("yihu_reader", "yihu_area", "yihu_department"),
    "known_gap_share": ("yihu_reader", "yihu_area"),
}
"""What departments say against each other, and what follows: who reads which."""
COLUMN = {
    "release": "as_of",
    "source_status": "department",
    "indicator": "code",
    "area": "area_code",
    "department": "department",
    "code_list": "code",
    "rule_line": "code",
}
"""A column of each view that is open to all: what a release is, and what codes mean."""
OPEN_TO_ALL = tuple(COLUMN)


def expected(role: str, schema: str, table: str, action: str) -> bool:
    """The design's matrix (warehouse.md, "Who sees what"), written down a second time."""
    if role == "stranger" or (action != "select" and schema == "yihu"):
        return False
    if role == "yihu_publisher":
        if schema in ("yihu", "store"):
            return True
        written = [
            "release",
            "current_release",
            "source_status",
            "validation_result",
            "quarantine",
            "review_queue",
            "contradiction_alias",
            "stopped_after_listing",
        ]
        if schema == "ops":
            return table in written or (table, action) in (
                ("review_decision", "select"),
                ("opening", "select"),
                ("gate_opening", "select"),
                ("gate_opening", "update"),
                ("turn", "select"),
                ("turn", "update"),
            )
        return (
            table in ("person", "quarantine_row", "queue_candidate", "record_number", "officer")
            and action != "select"
        )
    if schema == "yihu" and table in ASKED:
        return role in ASKED[table]
    if schema == "yihu" and table in HOMES:
        return role in ("yihu_reader", "yihu_area", "yihu_steward")
    if schema == "yihu" and table in AREAS:
        return role not in ("yihu_department", "yihu_analyst", "stranger")
    if schema == "yihu":
        readers = role in ("yihu_reader", "yihu_area") or (
            role == "yihu_department" and table in LISTS
        )
        return table in OPEN_TO_ALL or readers or (role == "yihu_analyst" and table in COUNTS)
    if schema == "ops":
        if role == "yihu_auditor":
            return action == "select" and table != "turn"
        if role == "yihu_steward":
            return (
                action == "select"
                and table
                in (
                    "review_queue",
                    "review_decision",
                    "quarantine",
                    "release",
                    "source_status",
                    "current_release",
                )
            ) or (table == "review_decision" and action == "insert")
    return False


def objects() -> list[tuple[str, str]]:
    views = [("yihu", view.name) for view in (*VIEWS, *PERIODIC, *IN_WORDS)] + [
        ("yihu", name) for name in OPEN_TO_ALL
    ]
    return views + sorted((table.schema or "", table.name) for table in METADATA.tables.values())


def statement(schema: str, table: str, action: str) -> str:
    column = (
        "household_id"
        if schema in ("yihu", "store")
        else METADATA.tables[f"{schema}.{table}"].columns.keys()[-1]
    )
    of_areas = {"area_ledger", "bulletin", *AREAS, *OF_AREAS, *(view.name for view in PERIODIC)}
    if table in of_areas:
        column = "area_code"
    if schema == "yihu" and table in OPEN_TO_ALL:
        column = COLUMN[table]
    name = f'{schema}."{table}"'
    insert = (
        f"insert into {name} (queue_id, decision, reason) values ('q', 'link', 'w')"
        if table == "review_decision"
        else f"insert into {name} default values"
    )
    return {
        "select": f"select * from {name} limit 1",
        "insert": insert,
        "update": f"update {name} set {column} = null where false",
        "delete": f"delete from {name} where false",
    }[action]


def test_matrix(guarded: Warehouse, show: Show) -> None:
    lines, wrong = [], []
    logins = {role: guarded.engine(role).connect() for role in ROLES}
    for schema, table in objects():
        cells = []
        for role in ROLES:
            found = {
                action: attempt(logins[role], statement(schema, table, action))
                for action in ACTIONS
            }
            cells.append(
                "".join(action[0] if allowed else "-" for action, allowed in found.items())
            )
            wrong += [
                f"{role} {action} {schema}.{table}"
                for action in ACTIONS
                if found[action] != expected(role, schema, table, action)
            ]
        lines.append(
            f"{schema + '.' + table:30} " + "  ".join(cell.ljust(15) for cell in cells).rstrip()
        )
    for connection in logins.values():
        connection.close()
    header = " " * 31 + "  ".join(role.removeprefix("yihu_").ljust(15) for role in ROLES)
    show("roles: s select, i insert, u update, d delete, - refused", "\n".join([header, *lines]))
    assert not wrong


FUNCTIONS = {
    "yihu.current_release()": set(ROLES) - {"stranger"},
    "yihu.yihu_as_of(null)": set(ROLES) - {"stranger"},
    "yihu.ask('H000000001', 'audit', 'why')": {"yihu_area"},
    "yihu.reveal('ask-00000000000000000000000000000000')": {"yihu_area"},
    "yihu.granted_areas()": {"yihu_area"},
    "vault.ask_person('k', 'audit', 'why')": {"yihu_steward"},
    "vault.ask_quarantine('housing', 'dwellings', 'audit', 'why')": {"yihu_steward"},
    "vault.ask_candidates('q1', 'audit', 'why')": {"yihu_steward"},
    "vault.ask_record('r1', 'audit', 'why')": {"yihu_steward"},
    "ops.take_ticket('a', 'b', null, 1, true, 'audit', 'why')": set(),
    "ops.seal_log()": {"yihu_publisher"},
    "set_config('session_authorization', 'postgres', false)": set(),
}


@pytest.mark.parametrize("call", FUNCTIONS)
def test_functions(guarded: Warehouse, call: str) -> None:
    found = set()
    for role in ROLES:
        with guarded.engine(role).connect() as connection:
            try:
                connection.exec_driver_sql(f"select * from {call}")
                found.add(role)
            except sa.exc.ProgrammingError as error:
                if getattr(error.orig, "sqlstate", "") != "42501":
                    raise
                if "no such ticket of yours" in str(error.orig):
                    found.add(role)
    assert found == FUNCTIONS[call]


def test_an_area_sees_itself_only(guarded: Warehouse) -> None:
    for view in VIEWS:
        codes = {
            row[0]
            for row in guarded.rows(f"select distinct town_code from yihu.{view.name}", "officer")
        }
        assert codes <= {MINE}
    assert guarded.one("select count(*) from yihu.household", "officer") == 50
    assert guarded.one("select count(*) from yihu.household", "nobody_yet") == 0
    assert guarded.one("select count(*) from yihu.household", "yihu_reader") == 200


@pytest.mark.parametrize("area", ["610921", MINE, MINE + "002"])
def test_areas_of_every_size(guarded: Warehouse, area: str) -> None:
    grant(guarded.engine(), "surveyor", "yihu_area", [area], password="pw")
    guarded.server.passwords["surveyor"] = "pw"
    seen = guarded.one("select count(*) from yihu.household", "surveyor")
    assert seen == guarded.one(
        f"select count(*) from yihu.household where area_code like '{area}%%'", "yihu_reader"
    )
    revoke(guarded.engine(), "surveyor")
    with pytest.raises(sa.exc.OperationalError, match="permission denied for database"):
        guarded.rows("select 1", "surveyor")


@pytest.mark.parametrize(
    "around",
    [
        f"select count(*) from yihu.household where town_code = '{OTHER}'",
        (
            f"select count(*) from yihu.household where town_code = '{OTHER}' or true or 1 /"
            " (member_count - 3) > 0"
        ),
        (
            "select count(*) from yihu.warning_reason where household_id ="
            f" '{HOUSEHOLD_OF_TOWN[OTHER]}'"
        ),
        (
            "select count(*) from yihu.household as h join yihu.household_member as m using"
            f" (household_id) where m.town_code = '{OTHER}'"
        ),
        (
            "select set_config('role', 'yihu_area', false), count(*) from yihu.household where"
            f" town_code = '{OTHER}' group by 1"
        ),
    ],
)
def test_ways_around_by_views(guarded: Warehouse, around: str) -> None:
    found = guarded.rows(around, "officer")
    assert not found or found[0][-1] in (0, 50)
    assert not found or "or true" in around or found[0][-1] == 0


def test_ways_around_by_errors_plans_and_statistics(guarded: Warehouse) -> None:
    with (
        guarded.engine().execution_options(isolation_level="AUTOCOMMIT").connect() as administrator
    ):
        administrator.exec_driver_sql("analyze")
    with guarded.engine("officer").connect() as connection:
        for peek in (
            "select * from store.household",
            "select * from store.warning_flag",
            "select * from vault.person",
            "select * from ops.area_grant",
            "table ops.access_log",
            "set session authorization postgres",
            "set role yihu_reader",
            "alter table store.household disable row level security",
            "create policy mine on store.household using (true)",
            "copy store.household to program 'cat'",
            "select * from pg_authid",
            "select nextval('ops.access_log_access_id_seq')",
            "select last_value from ops.review_decision_decision_id_seq",
            "insert into ops.area_grant (login, area_code) values ('officer', '610921')",
            "create table yihu.mine (a integer)",
            (
                "create or replace function yihu.granted_areas() returns text[] language sql as $$"
                " select array['610921'] $$"
            ),
        ):
            assert not attempt(connection, peek), peek
        with pytest.raises(sa.exc.DBAPIError) as failed:
            connection.exec_driver_sql(
                f"select 1 from yihu.household where household_id = '{HOUSEHOLD_OF_TOWN[OTHER]}' or"
                " village_name::integer = 1"
            )
        connection.rollback()
        theirs = {
            row[0]
            for row in guarded.rows(
                f"select village_name || town_name from yihu.household where town_code = '{OTHER}'",
                "yihu_reader",
            )
        }
        assert not [name for name in theirs if str(name) in str(failed.value.orig)]
        plan = (
            connection.exec_driver_sql(
                "explain (analyze, verbose) select * from yihu.household where town_code ="
                f" '{OTHER}'"
            )
            .scalars()
            .all()
        )
        assert "rows=0" in plan[0].replace("rows=0.00", "rows=0") or "never executed" in str(plan)
        assert (
            connection.exec_driver_sql(
                "select count(*) from pg_stats where schemaname in ('store', 'vault')"
            ).scalar()
            == 0
        )


def test_a_function_of_ones_own_does_not_see_more(guarded: Warehouse) -> None:
    """A cheap function in the condition is not called for rows that the policy hides: also where
    the login may make functions.
    """
    with guarded.engine().begin() as administrator:
        administrator.exec_driver_sql(f"grant temporary on database {guarded.database} to officer")
    with guarded.engine("officer").connect() as connection:
        connection.exec_driver_sql(
            "create function pg_temp.spy(code text) returns boolean language plpgsql cost 0.0000001"
            " as $$ begin raise notice 'seen %%', code; return true; end $$"
        )
        notices: list[str] = []
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.add_notice_handler(lambda notice: notices.append(notice.message_primary))
        connection.exec_driver_sql(
            "select count(*) from yihu.household where pg_temp.spy(town_code)"
        )
        assert {notice.removeprefix("seen ") for notice in notices} == {MINE}
    with guarded.engine().begin() as administrator:
        administrator.exec_driver_sql(
            f"revoke temporary on database {guarded.database} from officer"
        )


def test_what_is_beside_the_vault_is_masked(guarded: Warehouse) -> None:
    assert (
        guarded.rows("select candidates from ops.review_queue", "yihu_steward")[0][0][0][
            "name_masked"
        ]
        == "徐*"
    )
    assert guarded.rows("select record_key from ops.quarantine", "yihu_auditor") == [(None,)]


def test_a_department_sees_its_own_lists(guarded: Warehouse) -> None:
    assert guarded.rows("select distinct department from yihu.verify_item", "clerk") == [
        ("housing",)
    ]
    assert guarded.one("select count(*) from yihu.source_status", "clerk") == 0
    with pytest.raises(sa.exc.ProgrammingError):
        guarded.rows("select * from yihu.household", "clerk")


def test_each_side_of_a_contradiction_sees_its_own(guarded: Warehouse) -> None:
    """A department its records, of the other side the count by type; an area the owner's alone."""
    sides = (
        "select distinct left(array_to_string(record_ids, ','), 27), left(record_ids_text, 27),"
        " left(array_to_string(other_record_ids, ','), 2), left(other_record_ids_text, 2) from"
        " yihu.contradiction"
    )
    told = "civil_affairs.assistance: 1"
    assert guarded.rows(sides, "clerk") == [(told, told, "FW", "FW")]
    seen = guarded.rows(sides, "officer")
    assert {(own[:2], other) for own, _, other, _ in seen} == {("AS", None)}
    assert {text for *_, text in seen} == {None}
    assert guarded.one("select count(*) from yihu.issue_ledger", "clerk") == 0
    assert guarded.rows("select distinct records from yihu.known_gap", "clerk") == [("dwellings",)]
    assert guarded.one("select count(*) from yihu.entitlement", "clerk") == 0


def test_grants_say_what_is_wrong_all_at_once(guarded: Warehouse) -> None:
    with pytest.raises(AccessError) as failed:
        grant(guarded.engine(), "Bad Login", "yihu_boss", ["61"], ["housing"])
    for said in ("LOGIN", "ROLE", "AREA", "departments"):
        assert said in str(failed.value)
    listed = {made.login: made for made in grants(guarded.engine())}
    assert listed["officer"].areas == (MINE,)
    assert listed["clerk"].departments == ("housing",)


def test_row_security_is_on_wherever_there_is_an_area(guarded: Warehouse) -> None:
    bare = guarded.rows(
        "select n.nspname || '.' || c.relname from pg_attribute as a join pg_class as c on c.oid ="
        " a.attrelid join pg_namespace as n on n.oid = c.relnamespace where a.attname = 'area_code'"
        " and c.relkind = 'r' and n.nspname in ('yihu', 'store', 'vault') and not c.relrowsecurity"
    )
    assert bare == []
    barriers = "select relname from pg_class where reloptions = array['security_barrier=true']"
    assert (
        guarded.rows(
            "select viewname from pg_views where schemaname = 'yihu' and viewname not in"
            f" ({barriers})"
        )
        == []
    )


def test_the_second_wall(guarded: Warehouse) -> None:
    """Nobody but the publisher may read `store`; given that right by mistake, an officer still sees
    their own rows only.
    """
    with guarded.engine().connect() as administrator, administrator.begin() as mistake:
        administrator.exec_driver_sql("grant usage on schema store to yihu_area, yihu_department")
        administrator.exec_driver_sql(
            "grant select on all tables in schema store to yihu_area, yihu_department"
        )
        for login, seen in (("officer", {MINE}), ("nobody_yet", set())):
            administrator.exec_driver_sql(f"set local session authorization {login}")
            for view in (*VIEWS, *PERIODIC):
                found = (
                    administrator.exec_driver_sql(
                        f'select distinct town_code from store."{view.name}"'
                    )
                    .scalars()
                    .all()
                )
                assert set(found) <= seen, view.name
            administrator.exec_driver_sql("reset session authorization")
        administrator.exec_driver_sql("set local session authorization clerk")
        lists = (
            administrator.exec_driver_sql("select distinct department from store.verify_item")
            .scalars()
            .all()
        )
        assert lists == ["housing"]
        administrator.exec_driver_sql("reset session authorization")
        mistake.rollback()


def test_no_identity_in_any_column_of_any_view(guarded: Warehouse) -> None:
    secrets = [
        str(row[0])
        for row in guarded.rows(
            "select id_number from vault.person union select name from vault.person"
        )
    ]
    read = [view.name for view in (*VIEWS, *PERIODIC) if "yihu_reader" in view.readers]
    for view in (*read, *(view.name for view in IN_WORDS), *OPEN_TO_ALL):
        text = "\n".join(
            str(row) for row in guarded.rows(f"select v::text from yihu.{view} as v", "yihu_reader")
        )
        assert not [secret for secret in secrets if secret in text]
