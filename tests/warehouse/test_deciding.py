"""Deciding: who and when are the database's to say, what was decided can only be added to, and two
stewards are two persons.

Belongs here: decisions, gates, rollbacks, grants, revocations, logins and the door. Not here:
looking at a person (`test_looking`).
"""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from resources.own_logins import logins_of_others
from resources.server import Server, with_login
from tests.warehouse.conftest import (
    DAY,
    MINE,
    OTHER,
    Warehouse,
    _given_up,
    _more,
    make_owned,
    make_warehouse,
    short_lived,
)
from tests.warehouse.test_looking import EXTRAS, _filled, refused, session
from warehouse.database.access import (
    AccessError,
    grant,
    grants,
    make_person_login,
    revoke,
    who_has_what,
)
from warehouse.database.actor import Actor
from warehouse.database.copying import copy_in, copy_out
from warehouse.database.review import ANSWERS_UP_TO
from warehouse.migrations import upgrade
from warehouse.migrations.run import downgrade
from warehouse.publication import AuditFailed, PublicationError, open_gate, rollback
from warehouse.schema.logins import CONNECTIONS, SETTINGS, own_login
from warehouse.schema.roles import ROLES

TOMORROW = DAY + timedelta(days=1)
LI = Actor("li_wei", "root", "Li Wei")
DECIDE = "insert into ops.review_decision (queue_id, decision, person_key, reason) values"


@pytest.fixture(scope="module")
def another_server() -> Iterator[Server]:
    """One whose roles nobody has made yet: from PostgreSQL 16 on, who made a role may give it."""
    with short_lived() as running:
        yield running


OTHERS = ("superuser", "another_server", "installed_server")


@pytest.fixture(
    scope="module", params=["server", *(pytest.param(o, marks=pytest.mark.long) for o in OTHERS)]
)
def office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Warehouse]:
    """A warehouse whose stewards are persons: Zhao with two logins, Qian with one. Its owner is no
    superuser, but for one.
    """
    folder = tmp_path_factory.mktemp("office")
    is_superuser = request.param == "superuser"
    server = request.getfixturevalue("server" if is_superuser else request.param)
    made = make_warehouse(server, folder) if is_superuser else make_owned(server, folder)
    made.publish(after=_filled, extras=EXTRAS, login=None)
    for login, role, person in (
        ("zhao_one", "yihu_steward", "Zhao"),
        ("zhao_two", "yihu_steward", "Zhao"),
        ("qian", "yihu_steward", "Qian"),
        ("auditing", "yihu_auditor", "Sun"),
    ):
        _, password = make_person_login(made.engine(), login, role, person, maker=LI)
        made.server.passwords[login] = password
    with _given_up(made, server):
        yield made


def decide(warehouse: Warehouse, login: str, decision: str, key: str = "'k'") -> None:
    warehouse.rows(f"{DECIDE} ('q1', '{decision}', {key}, 'seen the papers') returning 1", login)


def test_a_decision_is_signed_by_the_session(office: Warehouse) -> None:
    with session(office, "zhao_one") as steward:
        steward.exec_driver_sql("set yihu.os_user = 'zhao'")
        steward.exec_driver_sql("set yihu.acting_login = 'qian'")
        steward.exec_driver_sql(f"{DECIDE} ('q1', 'link', 'k', 'same address')")
        steward.commit()
    row = office.rows(
        "select decided_by, person, os_user, reason, record_id from ops.review_decision order by"
        " decision_id desc",
        "auditing",
    )[0]
    assert row == ("zhao_one", "Zhao", "zhao", "same address", "D1")
    for column in ("decided_by", "decided_at", "person", "os_user"):
        with session(office, "zhao_one") as steward:
            refused(steward,
                f"insert into ops.review_decision (queue_id, decision, reason, {column}) values"
                    " ('q1', 'link', 'x', '2020-01-01')",
                    "permission denied")  # fmt: skip


def test_a_decision_names_a_question_that_is_open_now(office: Warehouse) -> None:
    with session(office, "qian") as steward:
        refused(steward, f"{DECIDE} ('q-none', 'link', 'k', 'x')", "no such question is open now")
        steward.rollback()
        refused(
            steward,
            f"{DECIDE} ('q1', 'link', 'k', 'her number 610921198001010010')",
            "holds what may be an ID number",
        )
        steward.rollback()
        steward.exec_driver_sql(
            "insert into ops.review_decision (queue_id, department, records, record_id, decision,"
            " reason) values ('q1', 'other', 'other', 'other', 'unregistered', 'x')"
        )
        named = steward.exec_driver_sql(
            "select department, records, record_id from ops.review_decision order by decision_id"
            " desc"
        ).first()
        assert named is not None
        assert tuple(named) == (
            "housing",
            "dwellings",
            "D1",
        ), "what the question is about is the question's to say"


def test_a_decision_is_not_dated_back(office: Warehouse) -> None:
    """Its time is the clock's when it is made, not when the transaction began; one that is held
    open is refused when it is committed.
    """
    with session(office, "qian") as steward:
        began = steward.exec_driver_sql("select now()").scalar()
        steward.exec_driver_sql("select pg_sleep(0.3)")
        steward.exec_driver_sql(f"{DECIDE} ('q1', 'link', 'k', 'late')")
        made = steward.exec_driver_sql("select max(decided_at) from ops.review_decision").scalar()
        assert (made - began).total_seconds() > 0.25
        steward.commit()
    with office.engine().connect() as owner:
        owner.exec_driver_sql(f"{DECIDE} ('q1', 'link', 'k', 'held open')")
        body = "select prosrc from pg_proc where oid = 'ops.not_dated_back()'::regprocedure"
        assert "2 minutes" in str(owner.exec_driver_sql(body).scalar())
        owner.exec_driver_sql(
            "create or replace function ops.not_dated_back() returns trigger language plpgsql as $$"
            + str(owner.exec_driver_sql(body).scalar()).replace("2 minutes", "0.1 seconds")
            + "$$"
        )
        owner.exec_driver_sql("select pg_sleep(0.3)")
        with pytest.raises(sa.exc.DBAPIError, match="decide again"):
            owner.commit()
    assert office.one("select count(*) from ops.review_decision where reason = 'held open'") == 0


EARLY = {
    "set before": ("set constraints all immediate",
        f"{DECIDE} ('q1', 'link', 'k', 'early: before')"),
    "set afterwards": (f"{DECIDE} ('q1', 'link', 'k', 'early: after')",
        "set constraints all immediate"),
    "by its name": (f"{DECIDE} ('q1', 'link', 'k', 'early: named')",
        "/**/ SET /**/ CONSTRAINTS ops.not_dated_back IMMEDIATE"),
    "in a block": (f"{DECIDE} ('q1', 'link', 'k', 'early: block')",
                   "do $$ begin execute 'set const' || 'raints all immediate'; end $$"),
    "in one message": (f"{DECIDE} ('q1', 'link', 'k', 'early: one'); do $$ begin execute 'set"
        " const' || 'raints all immediate'; end $$",),
}  # fmt: skip


@pytest.mark.parametrize("way", EARLY)
def test_a_decision_is_not_looked_at_before_it_is_committed(office: Warehouse, way: str) -> None:
    """Else a session lets it pass at once, holds the transaction open for days, and what was
    decided then bears an old date.
    """
    with (
        session(office, "qian") as steward,
        pytest.raises(sa.exc.DBAPIError, match="looked at when it is committed"),
    ):
        _say(steward, *EARLY[way], EARLY["in a block"][1])
    assert office.one("select count(*) from ops.review_decision where reason like 'early:%%'") == 0


def test_a_decision_is_not_held_up_by_a_cursor(office: Warehouse) -> None:
    """A cursor that outlives its transaction is read to its end after the decision was looked at,
    and before it is committed.
    """
    slow = "declare peek cursor with hold for select pg_sleep(0.2)"
    with session(office, "qian") as steward:
        _say(steward, slow, f"{DECIDE} ('q1', 'link', 'k', 'held up')")
        with pytest.raises(sa.exc.DBAPIError, match="without a cursor with hold"):
            steward.commit()
        steward.rollback()
        _say(steward, slow)
        steward.commit()
        _say(steward, f"{DECIDE} ('q1', 'link', 'k', 'beside one of before')")
        steward.commit()
    reasons = {row[0] for row in office.rows("select reason from ops.review_decision")}
    assert ("held up" in reasons, "beside one of before" in reasons) == (False, True)


@pytest.mark.parametrize(
    "number", ["610921198001010010", "６１０９２１-19800101-001X", "李13891234567"]
)
@pytest.mark.parametrize("column", ["person_key", "other_person_key"])
def test_a_decision_holds_no_identity(office: Warehouse, number: str, column: str) -> None:
    """Not in place of a person's key, and not as the system's user, which the client says; a key of
    many digits is one.
    """
    key = "0123456789" * 6 + "abcd"
    decide = (
        f"insert into ops.review_decision (queue_id, decision, {column}, reason) values ('q1',"
        " 'merge', :key, 'seen') returning os_user"
    )
    with session(office, "qian") as steward:
        steward.execute(
            sa.text("select set_config('yihu.os_user', :said, false)"), {"said": number}
        )
        steward.commit()
        with pytest.raises(sa.exc.DBAPIError, match="a person is named by the key"):
            steward.execute(sa.text(decide), {"key": number})
        steward.rollback()
        assert steward.execute(sa.text(decide), {"key": key}).scalar() is None
        steward.rollback()


def _say(steward: sa.Connection, *statements: str) -> None:
    for sql in statements:
        steward.exec_driver_sql(sql)


def _merges(warehouse: Warehouse) -> set[str]:
    """Those who count as having said `merge`."""
    with warehouse.engine().connect() as connection:
        answers = connection.execute(
            sa.text(ANSWERS_UP_TO), {"as_of": date.today() + timedelta(days=2)}
        ).all()
    return {str(answer[3]) for answer in answers if answer[1] == "merge"}


def test_two_logins_of_one_person_are_one_steward(office: Warehouse) -> None:
    for login in ("zhao_one", "zhao_two"):
        decide(office, login, "merge")
    assert _merges(office) == {"Zhao"}
    decide(office, "qian", "merge")
    assert _merges(office) == {"Zhao", "Qian"}
    with pytest.raises(AccessError, match="zhao_two is the login of Zhao"):
        make_person_login(office.engine(), "zhao_two", "yihu_steward", "Somebody else")
    with office.engine().connect() as owner:
        refused(
            owner,
            "update ops.person set person = 'Somebody else' where login = 'zhao_two'",
            "can only be appended to",
        )


APPENDED = (
    "access_log",
    "access_seal",
    "review_decision",
    "gate_opening",
    "rollback",
    "grant_log",
    "person",
)


@pytest.mark.parametrize("table", APPENDED)
def test_what_was_decided_can_only_be_added_to(office: Warehouse, table: str) -> None:
    """By its owner too: who wants to must switch the wall off first, and cannot by mistake."""
    office.rows("select ops.seal_log()")
    _one_of_each(office)
    assert int(str(office.one(f"select count(*) from ops.{table}"))) > 0, (
        "there is something to change"
    )
    column = {
        "access_seal": "hash",
        "person": "person",
        "grant_log": "made_by",
        "access_log": "login",
    }.get(table, "reason")
    for sql in (
        f"update ops.{table} set {column} = 'other'",
        f"delete from ops.{table}",
        f"truncate ops.{table}",
    ):
        for login in (None, "qian", "auditing"):
            with session(office, login) if login else office.engine().connect() as connection:
                refused(connection, sql, "can only be appended to|permission denied")


def _one_of_each(office: Warehouse) -> None:
    with office.engine().begin() as owner:
        owner.exec_driver_sql(
            "insert into ops.rollback (from_release, to_release, reason) values (1, 1, 'x')"
        )
        owner.exec_driver_sql(
            "insert into ops.gate_opening (as_of, gate, opened_by, reason) values ('2000-01-01',"
            " 'red_jump', 'x', 'x') on conflict do nothing"
        )
        owner.exec_driver_sql("insert into ops.access_log (login, action) values ('x', 'x')")
    office.rows("select ops.seal_log()")
    decide(office, "qian", "unregistered", "null")


def test_rollback_keeps_its_record_when_the_release_is_brought_back(released: Warehouse) -> None:
    make_person_login(released.engine(), "li_wei", "yihu_reader", "Li Wei")
    second = released.publish(TOMORROW, day=20, changed="n % 100 = 1")
    rollback(released.engine(), by="Li Wei", reason="wrong extract", maker=LI)
    rollback(released.engine(), by="Li Wei", reason="it was right", to=second.release_id, maker=LI)
    assert released.one("select withdrawn_at is null from ops.release where release_id = 2") is True
    assert released.rows(
        "select from_release, to_release, reason, made_by, os_user, remark from ops.rollback order"
        " by 1 desc"
    ) == [
        (2, 1, "wrong extract", "li_wei", "root", "Li Wei"),
        (1, 2, "it was right", "li_wei", "root", "Li Wei"),
    ]
    rollback(released.engine(), by="Wang", reason="again")
    assert (
        released.one("select made_by from ops.rollback order by rollback_id desc limit 1")
        == "postgres"
    ), "whose session it was"


def test_a_gate_is_opened_once(released: Warehouse) -> None:
    with pytest.raises(AuditFailed, match="red_jump"):
        released.publish(TOMORROW, day=30, changed="n % 5 = 1")
    open_gate(released.engine(), TOMORROW, "red_jump", "Li Wei", "flood of 20 November", maker=LI)
    with pytest.raises(PublicationError, match="open already, by Li Wei at"):
        open_gate(released.engine(), TOMORROW, "red_jump", "Somebody", "another reason")
    released.publish(TOMORROW, day=30, changed="n % 5 = 1")
    opened = released.rows(
        "select opened_by, reason, used_by_release, login, os_user from ops.gate_opening",
        "yihu_auditor",
    )
    assert opened == [("Li Wei", "flood of 20 November", 2, "li_wei", "root")]


def test_grants_and_revocations_are_recorded(office: Warehouse) -> None:
    engine = office.engine()
    tomorrow = date.today() + timedelta(days=1)
    grant(
        engine,
        "he",
        "yihu_area",
        [MINE, OTHER],
        password="pw",
        person="He",
        ends_on=tomorrow,
        maker=LI,
    )
    revoke(engine, "he", [OTHER], maker=LI)
    grant(engine, "he", "yihu_reader", maker=LI)
    revoke(engine, "he", maker=Actor(None, "root"))
    log = office.rows(
        "select action, role, area_code, ends_on, made_by, os_user, remark from ops.grant_log where"
        " login = 'he' order by change_id",
        "auditing",
    )
    owner = str(office.one("select session_user"))
    assert log == [
        ("grant", "yihu_area", None, None, "li_wei", "root", "Li Wei"),
        ("grant", "yihu_area", MINE, tomorrow, "li_wei", "root", "Li Wei"),
        ("grant", "yihu_area", OTHER, tomorrow, "li_wei", "root", "Li Wei"),
        ("revoke", "yihu_area", OTHER, tomorrow, "li_wei", "root", "Li Wei"),
        ("revoke", "yihu_area", None, None, "li_wei", "root", "Li Wei"),
        ("grant", "yihu_reader", None, None, "li_wei", "root", "Li Wei"),
        ("revoke", "yihu_area", MINE, tomorrow, "li_wei", "root", "Li Wei"),
        ("revoke", "yihu_reader", None, None, owner, "root", None),
    ]
    assert "he" not in {made.login for made in grants(engine)}
    with pytest.raises(AccessError, match="does not have"):
        revoke(engine, "zhao_one", [MINE])
    with pytest.raises(AccessError, match="the nearest is qian"):
        revoke(engine, "qiann")


def test_a_grant_made_by_hand_is_recorded_too(office: Warehouse) -> None:
    grant(office.engine(), "hand", "yihu_area", [MINE], password="pw")
    office.rows("delete from ops.area_grant where login = 'hand' returning 1")
    last = office.rows(
        "select action, area_code from ops.grant_log where login = 'hand' order by change_id desc"
        " limit 1"
    )
    assert last == [("revoke", MINE)]


def test_who_has_what_since_when_by_whom(office: Warehouse) -> None:
    last = date.today() + timedelta(days=30)
    grant(
        office.engine(),
        "wu",
        "yihu_area",
        [MINE],
        password="pw",
        person="Wu",
        ends_on=last,
        maker=LI,
    )
    lines = [line for line in who_has_what(office.engine()) if line.login == "wu"]
    assert [(line.person, line.role, line.what, line.made_by, line.ends_on) for line in lines] == [
        ("Wu", "yihu_area", "", "li_wei", None),
        ("Wu", "yihu_area", MINE, "li_wei", last),
    ]
    assert all(line.since is not None for line in lines)
    assert not [line for line in who_has_what(office.engine()) if "__" in line.login], (
        "yihu's own logins are nobody's"
    )


def test_a_login_ends_with_its_last_day(office: Warehouse) -> None:
    yesterday = date.today() - timedelta(days=1)
    grant(office.engine(), "former", "yihu_reader", password="pw", ends_on=yesterday)
    office.server.passwords["former"] = "pw"
    with pytest.raises(sa.exc.OperationalError, match="password authentication failed"):
        office.rows("select 1", "former")
    grant(office.engine(), "former", "yihu_reader", ends_on=date.today() + timedelta(days=1))
    assert office.one("select 1", "former") == 1


def test_a_persons_login_has_settings_a_limit_and_a_password_of_its_own(office: Warehouse) -> None:
    granted, password = make_person_login(
        office.engine(), "zheng", "yihu_area", "Zheng", "S-17", [MINE]
    )
    assert (granted.areas, len(password) >= 20) == ((MINE,), True)
    office.server.passwords["zheng"] = password
    for setting, value in SETTINGS.items():
        assert office.one(f"show {setting}", "zheng") == value
    assert office.one("select rolconnlimit from pg_roles where rolname = 'zheng'") == CONNECTIONS
    assert office.rows(
        "select person, officer_id from ops.person where login = 'zheng'", "auditing"
    ) == [("Zheng", "S-17")]
    _, another = make_person_login(office.engine(), "zheng", "yihu_area", "Zheng")
    assert another != password
    with pytest.raises(sa.exc.OperationalError, match="password authentication failed"):
        office.rows("select 1", "zheng")
    for wrong in ("61092119800101001", "610921198001010010"):
        with pytest.raises(AccessError, match="never an ID number"):
            make_person_login(office.engine(), "feng", "yihu_area", wrong)
        with pytest.raises(AccessError, match="LOGIN"):
            make_person_login(office.engine(), f"l{wrong}", "yihu_area", "Feng")


def test_mistakes_name_the_nearest(office: Warehouse) -> None:
    for bad, said in (
        ({"role": "yihu_stewart"}, "the nearest is yihu_steward"),
        ({"role": "yihu_department", "departments": ["housin"]}, "the nearest is housing"),
        (
            {"role": "yihu_area", "areas": ["610921109"]},
            "has no household in the register .the nearest is 610921",
        ),
        ({"role": "yihu_reader", "login": "yihu_reader"}, "nobody logs in as one"),
    ):
        with pytest.raises(AccessError, match=said):
            grant(office.engine(), **{"login": "x", **bad})  # type: ignore[arg-type]


def test_nobody_logs_in_as_a_role_and_strangers_stay_outside(office: Warehouse) -> None:
    assert (
        office.rows(
            "select rolname from pg_roles where rolcanlogin and rolname = any(array["
            + ", ".join(f"'{r}'" for r in ROLES)
            + "])"
        )
        == []
    )
    assert office.one("select session_user", "yihu_reader") == own_login(
        "yihu_reader", office.database
    )
    assert (
        office.one("select has_database_privilege('public', current_database(), 'connect')")
        is False
    )
    with office.engine().begin() as owner:
        owner.exec_driver_sql("drop role if exists passer_by")
        owner.exec_driver_sql("create role passer_by login password 'pw'")
    with pytest.raises(sa.exc.OperationalError, match="permission denied for database"):
        sa.create_engine(
            with_login(office.url(), "passer_by", "pw"), poolclass=sa.NullPool
        ).connect()


def test_two_counties_on_one_server_do_not_see_each_other(server: Server, tmp_path: Path) -> None:
    one, two = make_warehouse(server, tmp_path / "one"), make_warehouse(server, tmp_path / "two")
    _, password = make_person_login(one.engine(), "of_one", "yihu_reader", "Person of one")
    for warehouse, is_let_in in ((one, True), (two, False)):
        url = with_login(warehouse.url(), "of_one", password)
        if is_let_in:
            with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
                assert (
                    connection.exec_driver_sql("select count(*) from yihu.household").scalar() == 0
                )
        else:
            with pytest.raises(sa.exc.OperationalError, match="permission denied for database"):
                sa.create_engine(url, poolclass=sa.NullPool).connect()
        upgrade(warehouse.engine(), server.passwords)
    with pytest.raises(sa.exc.OperationalError, match="permission denied for database"):
        sa.create_engine(
            with_login(
                two.url(), own_login("yihu_reader", one.database), server.passwords["yihu_reader"]
            )
        ).connect()


def test_two_counties_on_one_server_do_not_share_a_login(server: Server, tmp_path: Path) -> None:
    """A role and its password are the server's: whoever gives them in one county would give them in
    the other one. Not by a grant, not with rows that were copied.
    """
    with (
        _given_up(make_warehouse(server, tmp_path / "one")) as one,
        _given_up(make_warehouse(server, tmp_path / "two")) as two,
        _given_up(make_warehouse(server, tmp_path / "copy")) as copy,
    ):
        _, password = make_person_login(one.engine(), "of_both", "yihu_area", "Li", areas=[MINE])
        for county in (two, copy):
            with pytest.raises(AccessError, match=f"of_both is a login of {one.database} on this"):
                make_person_login(county.engine(), "of_both", "yihu_reader", "Another Li")
            with pytest.raises(AccessError, match="take another name"):
                grant(county.engine(), "of_both", "yihu_reader")
        copy_out(one.engine(), tmp_path / "rows")
        downgrade(copy.engine())
        copy_in(copy.engine(), tmp_path / "rows")
        upgrade(copy.engine(), server.passwords)
        assert copy.rows("select login, area_code from ops.area_grant") == [("of_both", MINE)]
        revoke(copy.engine(), "of_both")
        areas = "select yihu.sees_all(), yihu.granted_areas()"
        server.passwords["of_both"] = password
        assert one.rows(areas, "of_both") == [(False, [MINE])]
        for county in (two, copy):
            with pytest.raises(sa.exc.OperationalError, match="permission denied for database"):
                county.rows(areas, "of_both")


def test_a_login_that_two_counties_shared_is_named_and_revoked_in_one(
    server: Server, tmp_path: Path
) -> None:
    """As an older yihu let them be shared: the role stays with the other county."""
    with (
        _given_up(make_warehouse(server, tmp_path / "one")) as one,
        _given_up(make_warehouse(server, tmp_path / "two")) as two,
    ):
        _, password = make_person_login(one.engine(), "of_old", "yihu_reader", "Li")
        server.passwords["of_old"] = password
        with two.engine().begin() as owner:
            owner.exec_driver_sql("insert into ops.person (login, person) values ('of_old', 'Li')")
            owner.exec_driver_sql(f"grant connect on database {two.database} to of_old")
        counties = [replace(server, url=county.url()) for county in (one, two)]
        assert [logins_of_others(county) for county in counties] == [["of_old"]] * 2
        revoke(two.engine(), "of_old")
        assert [logins_of_others(county) for county in counties] == [[], []]
        assert one.one("select yihu.sees_all()", "of_old") is True
        with pytest.raises(sa.exc.OperationalError, match="permission denied for database"):
            two.one("select yihu.sees_all()", "of_old")


def test_a_wrong_secret_of_yihus_own_is_mended(server: Server, tmp_path: Path) -> None:
    from resources.own_logins import mended

    made = make_warehouse(server, tmp_path)
    of_county = replace(server, url=made.url())
    assert mended(of_county) == []
    with made.engine().begin() as owner:
        owner.exec_driver_sql(
            f"alter role \"{own_login('yihu_steward', made.database)}\" password 'another'"
        )
        owner.exec_driver_sql(
            f"revoke connect on database {made.database} from"
            f' "{own_login("yihu_area", made.database)}"'
        )
    assert mended(of_county) == ["yihu_area", "yihu_steward"]
    assert mended(of_county) == []
    assert made.one("select count(*) from yihu.release", "yihu_area") == 0


def test_an_upgrade_keeps_grants_decisions_log_and_releases(server: Server, tmp_path: Path) -> None:
    """A warehouse as it was at revision 0005, with two releases, an officer, a clerk, an answer and
    a look at a household.
    """
    administrator = sa.create_engine(
        server.url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with administrator.connect() as connection:
        connection.exec_driver_sql("create database kept_0005 template template0")
        for role in (
            *(f"{role} nologin" for role in ROLES),
            "old_officer login password 'pw'",
            "old_clerk login password 'pw'",
        ):
            name = role.split()[0]
            if (
                connection.scalar(
                    sa.text("select 1 from pg_roles where rolname = :name"), {"name": name}
                )
                is None
            ):
                connection.exec_driver_sql(f"create role {role}")
        connection.exec_driver_sql(
            "grant yihu_area to old_officer; grant yihu_department to old_clerk; alter role"
            " yihu_steward login password 'old'"
        )
    dump = gzip.decompress((Path(__file__).parent / "revision_0005.sql.gz").read_bytes())
    old = Warehouse(server, "kept_0005", tmp_path)
    command = [
        str(server.psql),
        old.url().set(drivername="postgresql").render_as_string(hide_password=False),
        "-v",
        "ON_ERROR_STOP=1",
        "-q",
    ]
    subprocess.run([*command, "--no-psqlrc"], input=dump, check=True, capture_output=True)
    kept = (
        "ops.release",
        "ops.area_grant",
        "ops.department_grant",
        "ops.review_decision",
        "ops.access_log",
        "ops.current_release",
    )
    columns = {table: [str(row[0]) for row in old.rows(
        f"select column_name from information_schema.columns where table_schema || '.' ||"
            f" table_name = '{table}' order by ordinal_position")]
        for table in kept}  # fmt: skip
    read = {
        table: f"select {', '.join(names)} from {table} order by 1, 2"
        for table, names in columns.items()
    }
    before = {table: old.rows(sql) for table, sql in read.items()}
    assert all(before.values())
    upgrade(old.engine(), server.passwords)
    assert {table: old.rows(sql) for table, sql in read.items()} == before
    old.server.passwords["old_officer"] = "pw"
    assert int(str(old.one("select count(*) from yihu.household", "old_officer"))) > 0
    assert old.one("select rolcanlogin from pg_roles where rolname = 'yihu_steward'") is False
    assert set(old.rows("select login, person from ops.person")) >= {
        ("old_clerk", "old_clerk"),
        ("old_officer", "old_officer"),
    }
    granted = old.rows(
        "select login, role, area_code, department, made_by from ops.grant_log order by 1"
    )
    assert granted == [
        ("old_clerk", "yihu_department", None, "housing", "postgres"),
        ("old_officer", "yihu_area", MINE, None, "postgres"),
    ]
    with old.engine().connect() as connection:
        assert [
            row[3]
            for row in connection.execute(
                sa.text(ANSWERS_UP_TO), {"as_of": date.today() + timedelta(days=1)}
            )
        ] == ["yihu_steward"]
    assert old.rows("select household_id, login, purpose, outcome from ops.who_looked") == [
        ("H000000001", "old_officer", "-", "granted")
    ]
    assert old.publish(date(2026, 11, 21), households=60, day=3, after=_more).is_new
    from warehouse.database.access_log import verify

    assert (verify(old.engine()).sealed_rows, verify(old.engine()).problems) == (1, ())
