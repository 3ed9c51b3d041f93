"""A warehouse of revision 0005, as it was dumped then: grants, decisions, log and releases are
there after the upgrade, and closed.

Belongs here: what an upgrade keeps and what it closes. Not here: up and down on an empty one
(`test_consumers`).
"""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from resources.server import Server, libpq_url
from tests.warehouse.conftest import MINE, OTHER, Warehouse
from warehouse.layouts import FIRST
from warehouse.migrations import upgrade
from warehouse.schema import VIEWS
from warehouse.schema.roles import ROLES
from warehouse.schema.walls import open_to_everybody

DUMP = Path(__file__).with_name("revision_0005.sql.gz")
LOGINS = {"old_officer": "yihu_area", "old_clerk": "yihu_department", "old_reader": "yihu_reader"}
THEN = [view for view in VIEWS if view.since == FIRST]
"""The views that there were."""
KEPT = (
    "select login, area_code, granted_by, granted_at from ops.area_grant order by 1, 2",
    "select login, department, granted_by, granted_at from ops.department_grant order by 1, 2",
    (
        "select decision_id, queue_id, decision, person_key, decided_by, decided_at, reason from"
        " ops.review_decision order by 1"
    ),
    "select access_id, at, login, action, subject, row_count from ops.access_log order by 1",
    (
        "select release_id, as_of, checksum, published_at, published_by, households, red from"
        " ops.release order by 1"
    ),
    "select * from ops.current_release",
    "select member_id, person_key, id_number, name from vault.person order by 1",
)


@pytest.fixture
def old(any_server: Server, tmp_path: Path) -> Iterator[Warehouse]:
    """The dump restored into a database of an owner who is no superuser, with the logins that it
    had.
    """
    server, owner = any_server, "owner_of_old"
    administrator = sa.create_engine(
        server.url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with administrator.connect() as connection:
        have = set(connection.scalars(sa.text("select rolname from pg_roles")))
        for role in {*ROLES, "yihu_analyst"} - have:
            connection.exec_driver_sql(f"create role {role}")
        if owner not in have:
            connection.exec_driver_sql(f"create role {owner} login createrole password 'pw'")
        for role in ROLES:
            connection.exec_driver_sql(f"grant {role} to {owner} with admin option")
        for login, role in LOGINS.items():
            if login not in have:
                connection.exec_driver_sql(
                    f"create role {login} login password 'pw' in role {role}"
                )
        connection.exec_driver_sql(f"create database old owner {owner} template template0")
    server.passwords.update(dict.fromkeys((owner, *LOGINS), "pw"))
    made = Warehouse(server, "old", tmp_path)
    with gzip.open(DUMP, "rt", encoding="utf-8") as file:
        # the server that it is restored into may be older than the one that it was dumped from
        newer = ("\\restrict", "\\unrestrict", "SET transaction_timeout")
        text = "".join(line for line in file if not line.startswith(newer))
    restore = [
        str(server.psql),
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        libpq_url(made.url(owner)),
    ]
    done = subprocess.run(restore, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-800:]
    yield made
    with administrator.connect() as connection:
        connection.exec_driver_sql("drop database old with (force)")


def test_nothing_is_lost_and_everything_is_closed(old: Warehouse) -> None:
    before = [old.rows(sql) for sql in KEPT]
    assert all(before), "the dump has some of each"
    assert old.one("select version_num from ops.alembic_version") == "0005"
    readable = {
        view.name: old.rows(f"select count(*) from yihu.{view.name}", "old_reader") for view in THEN
    }
    with old.engine().execution_options(isolation_level="AUTOCOMMIT").connect() as administrator:
        administrator.exec_driver_sql("analyze")
    assert (
        old.one("select count(*) from pg_stats where schemaname = 'store' and attname = 'level'")
        != 0
    )

    upgrade(old.engine("owner_of_old"))

    assert [old.rows(sql) for sql in KEPT] == before
    assert {
        view.name: old.rows(f"select count(*) from yihu.{view.name}", "old_reader") for view in THEN
    } == readable
    assert old.rows("select distinct town_code from yihu.household", "old_officer") == [(MINE,)]
    assert (
        old.one(f"select count(*) from yihu.household where town_code = '{OTHER}'", "old_officer")
        == 0
    )
    assert old.rows("select distinct department from yihu.verify_item", "old_clerk") == [
        ("housing",)
    ]
    assert old.rows("select release_id from yihu.release order by 1", "old_reader") == [(1,), (2,)]
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        old.rows("select 1 from store.household", "old_officer")
    loud = (
        "select tablename, attname from pg_stats where schemaname = 'store' and attname in"
        " ('level', 'score', 'value', 'age_band')"
    )
    assert old.rows(loud) == []
    _named_and_closed(old)
    public = (
        "select has_database_privilege('public', 'old', 'connect'),"
        " has_database_privilege('public', 'old', 'temporary')"
    )
    assert old.rows(public) == [(False, False)]


def _named_and_closed(old: Warehouse) -> None:
    """What the owner may not take away is named, with what a superuser says; said, nothing of it is
    left.
    """
    with old.engine("owner_of_old").connect() as owner:
        named = open_to_everybody(owner)
    assert {"large objects", "advisory locks"} <= {door.what for door in named}
    with old.engine().begin() as superuser:
        for door in named:
            superuser.exec_driver_sql(door.close)
    with old.engine("owner_of_old").connect() as owner:
        assert open_to_everybody(owner) == []
    upgrade(old.engine("owner_of_old"))


def test_a_release_that_was_rolled_back_is_the_auditors_alone(old: Warehouse) -> None:
    """Whatever a session sets: neither the setting nor the day leads to it; the past is read under
    today's grants.
    """
    upgrade(old.engine("owner_of_old"))
    old.rows("select yihu.yihu_as_of('2026-11-19')", "old_reader")
    with old.engine("old_officer").connect() as connection:
        connection.exec_driver_sql("select yihu.yihu_as_of('2026-11-19')")
        assert connection.exec_driver_sql(
            "select distinct release_id, town_code from yihu.household"
        ).all() == [(1, MINE)]
    with old.engine().begin() as administrator:
        administrator.exec_driver_sql(
            "update ops.release set withdrawn_at = now(), withdrawn_by = 'x', withdrawn_reason ="
            " 'x' where release_id = 1"
        )
    for login in ("old_reader", "old_officer", "old_clerk"):
        for way in (
            "set yihu.release_id = '1'",
            "select set_config('yihu.release_id', '1', false)",
        ):
            with old.engine(login).connect() as connection:
                connection.exec_driver_sql(way)
                with pytest.raises(sa.exc.DBAPIError, match="cannot be read"):
                    connection.exec_driver_sql("select count(*) from yihu.verify_item")
        with pytest.raises(sa.exc.DBAPIError, match="no release on or before"):
            old.rows("select yihu.yihu_as_of('2026-11-19')", login)
        assert old.rows("select release_id from yihu.release", login) == [(2,)]
    with old.engine().begin() as administrator:
        administrator.exec_driver_sql("grant yihu_auditor to old_reader")
        administrator.exec_driver_sql("revoke yihu_reader from old_reader")
    with old.engine("old_reader").connect() as auditor:
        assert auditor.exec_driver_sql("select release_id from yihu.release order by 1").all() == [
            (1,),
            (2,),
        ]
        auditor.exec_driver_sql("set yihu.release_id = '1'")
        assert auditor.exec_driver_sql(
            "select distinct release_id from yihu.source_status"
        ).all() == [(1,)]
