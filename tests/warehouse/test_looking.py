"""Looking at a person in two steps: no identity without a row of the log that was committed, and
none of those rows can be lost unseen.

Belongs here: tickets, the log, its seals. Not here: who decided what (`test_deciding`), the roles'
plain rights (`test_roles`).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import pytest
import sqlalchemy as sa

from tests.warehouse.conftest import (
    HOUSEHOLD_OF_TOWN,
    MINE,
    OTHER,
    SERVERS,
    Warehouse,
    _more,
    make_owned,
)
from warehouse.database.access import grant
from warehouse.database.access_log import seal, seals_in_manifests, verify, who_looked

HOME, THEIRS = HOUSEHOLD_OF_TOWN[MINE], HOUSEHOLD_OF_TOWN[OTHER]
ASK = f"select yihu.ask('{HOME}', 'visit', 'letter of 19 November')"
EXTRAS = {
    "person": "people",
    "quarantine": "raw",
    "quarantine_row": "raw",
    "review_queue": "queue",
    "queue_candidate": "candidate",
    "record_number": "number",
}


def _filled(engine, tables) -> None:  # type: ignore[no-untyped-def]
    _more(engine, tables)
    engine.table(
        "number",
        "select 'disability_federation' as department, 'certificates' as records, 'p1' as"
        f" record_id, '61092119800101001044' as record_key, '{HOME}' as household_id",
    )


@pytest.fixture(scope="module", params=SERVERS)
def watched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A warehouse with an officer, a steward and an auditor, whose owner is no superuser."""
    made = make_owned(request.getfixturevalue(request.param), tmp_path_factory.mktemp("watched"))
    made.publish(after=_filled, extras=EXTRAS, login=None)
    for login, role, areas in (
        ("wang", "yihu_area", [MINE]),
        ("zhao", "yihu_steward", []),
        ("sun", "yihu_auditor", []),
    ):
        grant(
            made.engine(),
            login,
            role,
            areas,
            password=f"pw-{login}",
            person=f"{login} of the office",
        )
        made.server.passwords[login] = f"pw-{login}"
    return made


@contextmanager
def session(warehouse: Warehouse, login: str) -> Iterator[sa.Connection]:
    engine = warehouse.engine(login)
    with engine.connect() as connection:
        yield connection


def fresh(
    warehouse: Warehouse,
    login: str,
    suffix: str,
    areas: list[str] | None = None,
    role: str = "yihu_area",
) -> str:
    """Another login of the kind, so that one test's tickets do not count for another's limit."""
    name = f"{login}_{suffix}"
    grant(
        warehouse.engine(),
        name,
        role,
        areas if areas is not None else [MINE],
        password=f"pw-{name}",
    )
    warehouse.server.passwords[name] = f"pw-{name}"
    return name


def refused(connection: sa.Connection, sql: str, match: str) -> None:
    with pytest.raises(sa.exc.DBAPIError, match=match):
        connection.exec_driver_sql(sql).all()


def ticket_of(warehouse: Warehouse, login: str, sql: str = ASK) -> str:
    return str(warehouse.rows(sql, login)[0][0])


def logged(warehouse: Warehouse, login: str) -> int:
    return int(
        str(warehouse.one(f"select count(*) from ops.access_log where login = '{login}'", "sun"))
    )


def test_two_steps_show_the_household_and_leave_a_row(watched: Warehouse) -> None:
    officer = fresh(watched, "li", "plain")
    ticket = ticket_of(watched, officer)
    names = watched.rows(f"select member_id, name, id_number from yihu.reveal('{ticket}')", officer)
    assert [row[1] for row in names] == ["徐某某"] * 3
    row = watched.rows(
        "select action, subject, households, purpose, reason, outcome, row_count from"
        f" ops.access_log where login = '{officer}'",
        "sun",
    )
    assert row == [("yihu.ask", HOME, [HOME], "visit", "letter of 19 November", "granted", 3)]
    assert watched.rows(f"select 1 from yihu.reveal('{ticket}')", officer), (
        "again within two minutes"
    )


def test_the_old_way_names_the_two_steps(watched: Warehouse) -> None:
    with session(watched, "wang") as officer:
        refused(
            officer,
            f"select * from yihu.reveal('{HOME}')",
            r"1\. select yihu\.ask.*2\. select \* from yihu\.reveal",
        )
    with session(watched, "zhao") as steward:
        for old, step in (("person_of('k', 'why')", "ask_person"),
                          ("candidates('q1', 'why')", "ask_candidates"),
                          ("find_person('1', 'why')", "ask_person"),
                          ("quarantine_rows('housing', 'dwellings', 'why')",
                           "ask_quarantine")):  # fmt: skip
            refused(steward, f"select vault.{old}", f"two steps.*{step}")
            steward.rollback()


ONE_TRANSACTION = {
    "one statement": f"select * from yihu.reveal((select yihu.ask('{HOME}', 'visit', 'x')))",
    "one statement, materialised": (
        f"with t as materialized (select yihu.ask('{HOME}', 'visit', 'x') as k) select r.* from t,"
        " lateral yihu.reveal(t.k) as r"
    ),
    "a DO block": (
        "do $$ declare t text; n text; begin t := yihu.ask('{home}', 'visit', 'x'); select name"
        " into n from yihu.reveal(t); raise exception 'seen %', n; end $$"
    ),
    "a DO block with a handler": (
        "do $$ declare t text; n text; begin begin t := yihu.ask('{home}', 'visit', 'x'); select"
        " name into n from yihu.reveal(t); raise exception 'undo'; exception when raise_exception"
        " then null; end; raise exception 'seen %', n; end $$"
    ),
}


@pytest.mark.parametrize("way", ONE_TRANSACTION)
def test_nothing_is_shown_in_the_transaction_that_asks(watched: Warehouse, way: str) -> None:
    with session(watched, "wang") as officer:
        with pytest.raises(sa.exc.DBAPIError) as failed:
            officer.exec_driver_sql(
                ONE_TRANSACTION[way].replace("{home}", HOME).replace("%", "%%")
            ).all()
        assert "徐" not in str(failed.value.orig)
        assert "commit first" in str(failed.value.orig)


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_a_transaction_of_several_statements_shows_nothing(
    watched: Warehouse, isolation: str
) -> None:
    with session(watched, "wang") as officer, session(watched, "wang") as beside:
        officer.exec_driver_sql(f"set transaction isolation level {isolation.lower()}")
        ticket = officer.exec_driver_sql(ASK).scalar()
        refused(beside, f"select * from yihu.reveal('{ticket}')", "rolled back")
        beside.rollback()
        refused(officer, f"select * from yihu.reveal('{ticket}')", "commit first")
        officer.rollback()
        for connection in (officer, beside):
            refused(connection, f"select * from yihu.reveal('{ticket}')", "rolled back")
            connection.rollback()


def test_a_savepoint_that_is_given_up_shows_nothing(watched: Warehouse) -> None:
    officer = fresh(watched, "li", "savepoint")
    with session(watched, officer) as connection:
        connection.exec_driver_sql("savepoint before")
        ticket = connection.exec_driver_sql(ASK).scalar()
        connection.exec_driver_sql("savepoint after")
        refused(connection, f"select * from yihu.reveal('{ticket}')", "commit first")
        connection.exec_driver_sql("rollback to after")
        connection.exec_driver_sql("rollback to before")
        refused(connection, f"select * from yihu.reveal('{ticket}')", "rolled back")
        connection.exec_driver_sql("rollback to before")
        connection.commit()
        refused(connection, f"select * from yihu.reveal('{ticket}')", "rolled back")
    assert logged(watched, officer) == 0


def test_an_error_after_it_takes_row_and_ticket(watched: Warehouse) -> None:
    officer = fresh(watched, "li", "error")
    with session(watched, officer) as connection:
        ticket = connection.exec_driver_sql(ASK).scalar()
        with pytest.raises(sa.exc.DBAPIError, match="division by zero"):
            connection.exec_driver_sql("select 1 / 0")
        connection.rollback()
        refused(connection, f"select * from yihu.reveal('{ticket}')", "rolled back")
    assert logged(watched, officer) == 0


def test_a_cancelled_statement_shows_nothing(watched: Warehouse) -> None:
    """The statement that asks and reads is cancelled while it waits; so is one that asks for
    many.
    """
    officer = fresh(watched, "li", "cancelled")
    with session(watched, officer) as connection:
        connection.exec_driver_sql("set statement_timeout = '300ms'")
        connection.commit()
        with pytest.raises(sa.exc.DBAPIError, match="statement timeout"):
            connection.exec_driver_sql(
                f"select yihu.ask('{HOME}', 'visit', 'x'), pg_sleep(5)"
            ).all()
        connection.rollback()
    assert logged(watched, officer) == 0


def test_a_killed_session_shows_nothing(watched: Warehouse) -> None:
    officer = fresh(watched, "li", "killed")
    with session(watched, officer) as connection:
        pid = connection.exec_driver_sql("select pg_backend_pid()").scalar()
        ticket = connection.exec_driver_sql(ASK).scalar()
        assert watched.one(f"select pg_terminate_backend({pid})", officer)
        time.sleep(0.2)
        connection.invalidate()
    with session(watched, officer) as connection:
        refused(connection, f"select * from yihu.reveal('{ticket}')", "rolled back")
    assert logged(watched, officer) == 0


def test_what_is_shown_is_on_the_disk(watched: Warehouse) -> None:
    """Asking switches the synchronous commit on; one that switches it off again waits until its row
    is written.
    """
    with session(watched, "wang") as officer:
        officer.exec_driver_sql("set synchronous_commit = off")
        officer.exec_driver_sql(ASK)
        assert officer.exec_driver_sql("show synchronous_commit").scalar() == "on"
        officer.exec_driver_sql("set local synchronous_commit = off")
        ticket = officer.exec_driver_sql(ASK).scalar()
        officer.commit()
        committed = officer.exec_driver_sql("select pg_current_wal_insert_lsn()").scalar()
        began = time.monotonic()
        assert officer.exec_driver_sql(f"select name from yihu.reveal('{ticket}')").all()
        waited = time.monotonic() - began
        # three rounds of the WAL writer are what it takes; a machine under load may be slower than
        # that
        assert (
            waited >= 0.7
            or officer.exec_driver_sql(
                f"select pg_current_wal_flush_lsn() >= '{committed}'"
            ).scalar()
        )


def test_a_ticket_is_for_its_own_login_and_for_two_minutes(watched: Warehouse) -> None:
    one, other = fresh(watched, "li", "one"), fresh(watched, "li", "other")
    ticket = ticket_of(watched, one)
    with session(watched, other) as connection:
        refused(connection, f"select * from yihu.reveal('{ticket}')", "somebody else")
    with session(watched, "zhao") as steward:
        refused(steward, f"select * from vault.person_of('{ticket}')", "somebody else")
    with watched.engine().begin() as owner:
        owner.exec_driver_sql("alter table ops.access_log disable trigger append_only")
        owner.exec_driver_sql(
            f"update ops.access_log set at = at - interval '121 seconds' where login = '{one}'"
        )
        owner.exec_driver_sql("alter table ops.access_log enable trigger append_only")
    with session(watched, one) as connection:
        refused(connection, f"select * from yihu.reveal('{ticket}')", "older than two minutes")


def test_refusals_are_recorded_and_all_sound_the_same(watched: Warehouse) -> None:
    officer = fresh(watched, "li", "refused")
    said = set()
    for typed in (THEIRS, "H-no-such", "610921198001010011"):
        with session(watched, officer) as connection:
            ticket = connection.exec_driver_sql(f"select yihu.ask('{typed}', 'help', 'x')").scalar()
            connection.commit()
            with pytest.raises(sa.exc.DBAPIError, match="no such household in your area") as failed:
                connection.exec_driver_sql(f"select * from yihu.reveal('{ticket}')")
            said.add(str(failed.value.orig))
    assert len(said) == 1
    rows = watched.rows(
        f"select subject, outcome, row_count from ops.access_log where login = '{officer}' order by"
        " access_id",
        "sun",
    )
    assert rows == [
        (THEIRS, "refused", 0),
        ("no such household", "refused", 0),
        ("no such household", "refused", 0),
    ]


COUNTERS = """
select relname::text, coalesce(seq_scan, 0), coalesce(seq_tup_read, 0), coalesce(idx_scan, 0),
    coalesce(idx_tup_fetch, 0)
from pg_stat_xact_user_tables where schemaname in ('store', 'vault') order by 1
"""


def test_asking_tells_nothing_of_a_household_elsewhere(watched: Warehouse) -> None:
    """Whether there is one, and of how many persons: not by counters, not by what the server writes
    for itself.
    """
    officer = fresh(watched, "li", "counting")
    told = []
    for typed in (THEIRS, f"{THEIRS}-none", "no such household", "X610921198001010011"):
        said: list[str] = []
        with session(watched, officer) as connection:
            raw = connection.connection.driver_connection
            raw.add_notice_handler(
                lambda notice, said=said: said.append(
                    notice.message_primary  # type: ignore[union-attr]
                )
            )
            for setting in (
                "client_min_messages = debug1",
                "debug_print_plan = on",
                "trace_sort = on",
            ):
                connection.exec_driver_sql(f"set {setting}")
            before = connection.exec_driver_sql(COUNTERS).all()
            said.clear()
            connection.execute(sa.text("select yihu.ask(:home, 'help', 'x')"), {"home": typed})
            heard = [text for text in said if text and text != "plan:"]
            after = connection.exec_driver_sql(COUNTERS).all()
            connection.rollback()
        told.append(
            (
                heard,
                [
                    [b - a for a, b in zip(x[1:], y[1:], strict=True)]
                    for x, y in zip(before, after, strict=True)
                ],
            )
        )
    assert told[0][0] == ["ticket 1 of 60 in this hour"]
    assert any(any(counts) for counts in told[0][1]), (
        "the control: looking a household up is counted"
    )
    assert told[1:] == told[:1] * 3


LOCKED = """
select relation::regclass::text, page, tuple from pg_locks
where pid = pg_backend_pid() and mode = 'SIReadLock' order by 1, 2, 3
"""


def _locked(warehouse: Warehouse, login: str | None, read: str) -> list[tuple[object, ...]]:
    """What a serializable transaction that reads leaves in `pg_locks`."""
    with warehouse.engine(login).connect() as connection:
        connection.exec_driver_sql("set transaction isolation level serializable")
        connection.exec_driver_sql("set local enable_seqscan = off")
        connection.exec_driver_sql(read).all()
        return [tuple(row) for row in connection.exec_driver_sql(LOCKED)]


def test_what_a_session_locks_tells_nothing_of_a_household_elsewhere(watched: Warehouse) -> None:
    """A serializable transaction locks the rows that it reads, and everybody sees where these lie:
    town by town.
    """
    officer = fresh(watched, "li", "locking")
    read = "select * from {}.household where household_id = '{}'"
    lies = watched.one(f"select ctid::text from store.household where household_id = '{THEIRS}'")
    locked = _locked(watched, None, read.format("store", THEIRS))
    assert lies in {f"({page},{line})" for _, page, line in locked}, "the control"
    theirs, nobodys = (
        _locked(watched, officer, read.format("yihu", home)) for home in (THEIRS, "none")
    )
    assert theirs == nobodys
    for home in (THEIRS, HOME, "none"):
        with pytest.raises(sa.exc.DBAPIError, match="not in a serializable transaction"):
            _locked(watched, officer, f"select yihu.ask('{home}', 'help', 'x')")


def test_a_grant_that_was_taken_away_shows_nothing_more(watched: Warehouse) -> None:
    officer = fresh(watched, "li", "moved")
    ticket = ticket_of(watched, officer)
    watched.rows(f"delete from ops.area_grant where login = '{officer}' returning 1")
    with session(watched, officer) as connection:
        refused(
            connection, f"select * from yihu.reveal('{ticket}')", "no such household in your area"
        )


def test_a_grant_ends_with_its_day(watched: Warehouse) -> None:
    today = watched.one("select ops.today()")
    assert isinstance(today, date)
    for days, seen in ((0, 50), (-1, 0)):
        grant(
            watched.engine(),
            "li_until",
            "yihu_area",
            [MINE],
            password="pw",
            ends_on=date.fromordinal(today.toordinal() + days),
        )
        watched.server.passwords["li_until"] = "pw"
        assert watched.one("select count(*) from yihu.household", "li_until") == seen


@pytest.mark.parametrize(
    ("purpose", "reason", "said"),
    [
        ("curiosity", "x", "the purpose is one of visit, verify, correct, help, audit"),
        (None, "x", "the purpose is one of"),
        ("visit", " ", "say why"),
        ("visit", None, "say why"),
        ("visit", "x" * 501, "at most 500"),
        ("visit", "two\nlines", "one line"),
        ("visit", "her number is 610921198001010010", "holds what may be"),
        ("visit", "61092119800101001X", "holds what may be"),
        ("visit", "６１０９２１１９８００１０１００１０", "holds what may be"),
        ("visit", "610921 19800101 0010", "holds what may be"),
        ("visit", "610921-800101-001", "holds what may be"),
        ("visit", "call 138 0000 0000", "holds what may be"),
        ("visit", "call １３８—００００—００００", "holds what may be"),
        ("visit", "电话一三八零零零零零零零零", "holds what may be"),
        (
            "visit",
            "1\u200b3\u200b8\u200b0\u200b0\u200b0\u200b0\u200b0\u200b0\u200b0\u200b0",
            "holds what may be",
        ),
        ("visit", "0912-3456789", "holds what may be"),
        ("visit", "138*0000*0000", "holds what may be"),
        ("visit", "幺三八零零零零○○○○", "holds what may be"),
    ],
)
def test_a_reason_holds_no_identity(
    watched: Warehouse, purpose: str | None, reason: str | None, said: str
) -> None:
    with session(watched, "wang") as officer:
        with pytest.raises(sa.exc.DBAPIError, match=said) as failed:
            officer.execute(
                sa.text("select yihu.ask(:home, :purpose, :reason)"),
                {"home": HOME, "purpose": purpose, "reason": reason},
            )
        assert "1980" not in str(failed.value.orig)


@pytest.mark.parametrize(
    "reason",
    [
        "visit on 2026-11-19 at 14:30",
        "roof fell in, R14 of 20261119",
        "走访第二组，三户",
        "H000000001",
    ],
)
def test_a_plain_reason_is_taken(watched: Warehouse, reason: str) -> None:
    assert watched.one(f"select ops.holds_number('{reason}')") is False


def test_the_limit_counts_tickets_and_is_told(watched: Warehouse) -> None:
    officer = fresh(watched, "li", "limit")
    most = int(str(watched.one("select ops.tickets_per_hour()")))
    said: list[str] = []
    with session(watched, officer) as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.add_notice_handler(lambda notice: said.append(notice.message_primary))
        for _ in range(most):
            last = connection.exec_driver_sql(ASK).scalar()
            connection.commit()
        assert said[-1] == f"ticket {most} of {most} in this hour"
        assert connection.exec_driver_sql(f"select * from yihu.reveal('{last}')").all()
        beyond = connection.exec_driver_sql(ASK).scalar()
        connection.commit()
        assert f"the limit of {most} tickets an hour is reached" in said[-1]
        refused(
            connection, f"select * from yihu.reveal('{beyond}')", f"limit of {most} tickets an hour"
        )
        connection.rollback()
        for _ in range(most - 1):
            connection.exec_driver_sql(ASK)
        connection.commit()
        refused(connection, ASK, "nothing is answered in this hour")
    outcomes = watched.rows(
        f"select outcome, count(*) from ops.access_log where login = '{officer}' group by 1 order"
        " by 1",
        "sun",
    )
    assert outcomes == [("granted", most), ("limit", most)]


def test_a_whole_area_is_not_shown_at_once(watched: Warehouse) -> None:
    """In one statement nothing is; ticket by ticket not more than the limit, and a statement that
    asks for more asks for nothing.
    """
    officer = fresh(watched, "li", "bulk", ["610921"])
    households = int(str(watched.one("select count(*) from yihu.household", officer)))
    assert households > 2 * int(str(watched.one("select ops.tickets_per_hour()")))
    with session(watched, officer) as connection:
        both = (
            "select r.* from yihu.household as h, lateral yihu.reveal(yihu.ask(h.household_id,"
            " 'visit', 'x')) as r"
        )
        refused(connection, both, "commit first")
        connection.rollback()
        refused(
            connection,
            "select yihu.ask(household_id, 'visit', 'x') from yihu.household",
            "nothing is answered in this hour",
        )
    assert logged(watched, officer) == 0


def test_many_sessions_at_once_do_not_pass_the_limit(watched: Warehouse) -> None:
    """Each asks in a transaction that the others do not see; the newest is read first."""
    officer = fresh(watched, "li", "many")
    most = int(str(watched.one("select ops.tickets_per_hour()")))
    with session(watched, officer) as one, session(watched, officer) as two:
        tickets = []
        for connection in (one, two):
            tickets.append([connection.exec_driver_sql(ASK).scalar() for _ in range(most - 10)])
        two.commit()
        shown = sum(_shows(two, ticket) for ticket in tickets[1])
        one.commit()
        shown += sum(_shows(one, ticket) for ticket in tickets[0])
    assert shown == most - 10, "what was read before the limit was passed, and nothing after it"


def _shows(connection: sa.Connection, ticket: object) -> bool:
    try:
        return bool(connection.exec_driver_sql(f"select name from yihu.reveal('{ticket}')").all())
    except sa.exc.DBAPIError:
        return False
    finally:
        connection.rollback()


def test_the_vault_opens_in_two_steps(watched: Warehouse) -> None:
    number = str(watched.one("select id_number from vault.person where member_id = 'H000000001-1'"))
    key = str(watched.one("select person_key from vault.person where member_id = 'H000000001-1'"))
    by_number = ticket_of(
        watched, "zhao", f"select vault.ask_person('{number}', 'correct', 'a letter')"
    )
    assert watched.rows(f"select person_key, name from vault.find_person('{by_number}')", "zhao")[
        0
    ] == (key, "徐某某")
    by_key = ticket_of(watched, "zhao", f"select vault.ask_person('{key}', 'correct', 'a letter')")
    assert watched.rows(f"select id_number from vault.person_of('{by_key}')", "zhao") == [(number,)]
    candidates = ticket_of(
        watched, "zhao", "select vault.ask_candidates('q1', 'verify', 'which one?')"
    )
    assert watched.rows(f"select name from vault.candidates('{candidates}')", "zhao") == [
        ("徐某某",)
    ]
    rows = ticket_of(
        watched, "zhao", "select vault.ask_quarantine('housing', 'dwellings', 'correct', 'replay')"
    )
    assert watched.rows(f"select raw from vault.quarantine_rows('{rows}')", "zhao") == [("{}",)]
    record = ticket_of(
        watched, "zhao", "select vault.ask_record('p1', 'correct', 'the office asks')"
    )
    assert watched.rows(f"select record_key from vault.record_of('{record}')", "zhao") == [
        ("61092119800101001044",)
    ]
    with session(watched, "zhao") as steward:
        refused(steward, f"select * from vault.candidates('{by_key}')", "somebody else")
    log = watched.rows(
        "select subject, reason, action from ops.access_log where login = 'zhao'", "sun"
    )
    assert number not in str(log)
    assert "61092119800101001044" not in str(log)
    nobody = ticket_of(
        watched, "zhao", "select vault.ask_person('11010519491231002X', 'correct', 'is she here?')"
    )
    assert watched.rows(f"select * from vault.person_of('{nobody}')", "zhao") == []
    assert "11010519491231002X" not in str(watched.rows("select * from ops.access_log", "sun"))


VAULT_ASKS = {
    "person": ("vault.ask_person('nobody', 'audit', 'x')", "vault.person_of"),
    "candidates": ("vault.ask_candidates('q1', 'audit', 'x')", "vault.candidates"),
    "quarantine": (
        "vault.ask_quarantine('housing', 'dwellings', 'audit', 'x')",
        "vault.quarantine_rows",
    ),
    "record": ("vault.ask_record('p1', 'audit', 'x')", "vault.record_of"),
}


@pytest.mark.parametrize("kind", VAULT_ASKS)
def test_the_vault_shows_nothing_in_the_transaction_that_asks(
    watched: Warehouse, kind: str
) -> None:
    ask, read = VAULT_ASKS[kind]
    with session(watched, "zhao") as steward:
        refused(steward, f"select * from {read}((select {ask}))", "commit first")


def test_nobody_writes_changes_or_empties_the_log(watched: Warehouse) -> None:
    ticket_of(watched, "wang")
    for sql in ("update ops.access_log set reason = 'x'", "delete from ops.access_log",
                "truncate ops.access_log",
                "update ops.access_seal set hash = 'x'", "truncate ops.access_seal"):  # fmt: skip
        for login in (None, "wang", "zhao", "sun"):
            with session(watched, login) if login else watched.engine().connect() as connection:
                seal_first = login is None and "seal" in sql
                if seal_first:
                    seal(watched.engine())
                refused(connection, sql, "appended to|permission denied")
    for login in ("wang", "zhao", "sun"):
        with session(watched, login) as connection:
            refused(
                connection,
                "select ops.take_ticket('a', 'b', null, 1, true, 'visit', 'x')",
                "permission denied",
            )
            connection.rollback()
            refused(connection, "select ops.seal_log()", "permission denied")


def test_somebody_idle_after_asking_stops_nobody(watched: Warehouse) -> None:
    """Sealing, publishing and other officers go on; what was idle is in a later seal."""
    idle = fresh(watched, "li", "idle")
    with session(watched, idle) as sleeper:
        sleeper.exec_driver_sql(ASK)
        began = time.monotonic()
        ticket = ticket_of(watched, "wang")
        assert watched.rows(f"select name from yihu.reveal('{ticket}')", "wang")
        first = seal(watched.engine())
        published = watched.publish(date(2026, 11, 20), day=20, changed="n % 100 = 1", login=None)
        assert published.is_new
        assert time.monotonic() - began < 20
        assert verify(watched.engine()).problems == ()
        waiting = verify(watched.engine()).unsealed_rows
        sleeper.commit()
        assert verify(watched.engine()).unsealed_rows == waiting + 1
    last = seal(watched.engine())
    assert last != first
    found = verify(watched.engine(), seals_in_manifests(watched.releases))
    assert (found.problems, found.unsealed_rows, found.last) == ((), 0, last)
    late = watched.rows(
        "select row_count, from_id, to_id from ops.access_seal order by seal_id desc limit 1"
    )[0]
    assert late[0] == 1
    assert int(str(late[2])) < int(str(watched.one("select max(access_id) from ops.access_log")))


def test_two_that_seal_at_once_make_one_chain(watched: Warehouse) -> None:
    for _ in range(3):
        ticket_of(watched, "wang")
        threads = [threading.Thread(target=seal, args=[watched.engine()]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert verify(watched.engine()).problems == ()
    assert verify(watched.engine()).unsealed_rows == 0


def test_the_last_seal_goes_out_with_the_release_and_not_into_its_checksum(
    watched: Warehouse,
) -> None:
    ticket_of(watched, "wang")
    one = watched.publish(date(2026, 11, 21), day=21, changed="n % 100 = 2", login=None)
    seal_then = watched.one(
        f"select access_seal from ops.release where release_id = {one.release_id}"
    )
    assert json.loads((one.folder / "manifest.json").read_text())["access_seal"] == seal_then
    assert seal_then == verify(watched.engine()).last
    ticket_of(watched, "wang")
    seal(watched.engine())
    again = watched.publish(date(2026, 11, 21), day=21, changed="n % 100 = 2", login=None)
    assert (again.is_new, again.checksum) == (False, one.checksum)


TAMPERING = {
    "a reason is changed": (
        "update ops.access_log set reason = 'other' where access_id = {id}",
        "was changed",
    ),
    "a login is changed": (
        "update ops.access_log set login = 'other' where access_id = {id}",
        "was changed",
    ),
    "a time is changed": (
        "update ops.access_log set at = at + interval '1 us' where access_id = {id}",
        "was changed",
    ),
    "a household is taken out": (
        "update ops.access_log set households = null where access_id = {id}",
        "was changed",
    ),
    "a row is removed": (
        "delete from ops.access_log where access_id = {id}",
        "1 rows were removed: {id}",
    ),
    "the newest sealed row is removed": (
        "delete from ops.access_log where access_id = {last}",
        "1 rows were removed: {last}",
    ),
    "a seal is removed": ("delete from ops.access_seal where seal_id = 1", "seal 1 is missing"),
    "a seal is made to fit": (
        (
            "delete from ops.access_log where access_id = {id}; update ops.access_seal set"
            " row_count = row_count - 1, ids = ids - int8multirange(int8range({id}, {id} + 1))"
        ),
        "was changed",
    ),
    "the last seals and their rows are removed": (
        (
            "delete from ops.access_log where access_id > (select to_id from ops.access_seal where"
            " seal_id = 1); delete from ops.access_seal where seal_id > 1"
        ),
        "names the seal",
    ),
    "the database's own functions lie": (
        (
            "create or replace function ops.access_line(logged ops.access_log) returns text"
            " language sql as $f$ select 'x' $f$; update ops.access_log set reason = 'other' where"
            " access_id = {id}"
        ),
        "was changed",
    ),
}


@pytest.mark.parametrize("how", TAMPERING)
def test_a_changed_or_removed_row_is_found(watched: Warehouse, how: str) -> None:
    sql, said = TAMPERING[how]
    ticket_of(watched, "wang")
    ticket_of(watched, "wang")
    seal(watched.engine())
    ticket_of(watched, "wang")
    last_seal = seal(watched.engine())
    known = watched.rows("select min(access_id), max(access_id) from ops.access_log")[0]
    ids = {"id": known[0], "last": known[1]}
    told = [("the alert of yesterday", str(last_seal))]
    assert verify(watched.engine(), told).problems == ()
    with watched.engine().connect() as owner:
        for table in ("access_log", "access_seal"):
            owner.exec_driver_sql(f"alter table ops.{table} disable trigger append_only")
        for part in sql.format(**ids).split("; "):
            owner.exec_driver_sql(part)
        owner.commit()
    try:
        found = verify(watched.engine(), told)
        assert found.problems
        assert said.format(**ids) in "; ".join(found.problems)
    finally:
        _mend(watched)


def test_a_row_put_in_by_hand_is_told(watched: Warehouse) -> None:
    """Between the rows of a seal, or before them, with a time to match."""
    _mend(watched)
    ticket_of(watched, "wang")
    with session(watched, "wang") as given_up:
        given_up.exec_driver_sql(ASK)
        given_up.rollback()
    ticket_of(watched, "wang")
    seal(watched.engine())
    ticket_of(watched, "wang")
    assert verify(watched.engine()).late == ()
    (first, last), *_ = watched.rows(
        "select min(access_id), min(access_id) + 2 from ops.access_log"
    )
    with watched.engine().begin() as owner:
        owner.exec_driver_sql(
            "insert into ops.access_log (access_id, at, login, action, purpose, reason, outcome)"
            f" overriding system value select {int(str(first)) + 1}, at - interval '1 hour', login,"
            f" action, purpose, 'forged', outcome from ops.access_log where access_id = {last}"
        )
    forged = verify(watched.engine())
    assert (forged.late, forged.problems) == ((int(str(first)) + 1,), ())
    seal(watched.engine())
    assert verify(watched.engine()).late == (int(str(first)) + 1,), (
        "sealed afterwards, it still came too late"
    )
    _mend(watched)


def _mend(watched: Warehouse) -> None:
    """Puts log and seals back to an empty beginning for the next test."""
    with watched.engine().begin() as owner:
        for table in ("access_log", "access_seal"):
            owner.exec_driver_sql(f"alter table ops.{table} disable trigger user")
            owner.exec_driver_sql(f"delete from ops.{table}")
            owner.exec_driver_sql(f"alter table ops.{table} enable trigger user")
        owner.exec_driver_sql("update ops.release set access_seal = null")
        line = """
          create or replace function ops.access_line(logged ops.access_log) returns text
          language sql stable set search_path = pg_catalog, pg_temp as $$
            select array_to_string(array[
              logged.access_id::text,
              to_char(logged.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), logged.login,
              logged.action,
              logged.subject, logged.reason, logged.row_count::text, logged.purpose, logged.outcome,
              array_to_string(logged.households, ',', '-'), logged.transaction_id::text,
              encode(logged.ticket_hash, 'hex')
            ], chr(31), chr(29)) $$
        """
        owner.exec_driver_sql(line)


def test_who_looked_is_told_by_household(watched: Warehouse) -> None:
    officer = fresh(watched, "li", "looked")
    ticket_of(watched, officer)
    ticket_of(watched, officer, f"select yihu.ask('{THEIRS}', 'help', 'lost her way')")
    ticket_of(watched, "zhao", "select vault.ask_person('" + str(
        watched.one(f"select person_key from vault.person where household_id = '{HOME}' limit 1"))
        + "', 'correct', 'a letter')")  # fmt: skip
    seen = [look for look in who_looked(watched.engine(), HOME) if look.login in (officer, "zhao")]
    assert {(look.login, look.purpose, look.outcome) for look in seen} >= {
        (officer, "visit", "granted"),
        ("zhao", "correct", "granted"),
    }
    assert {look.officer for look in seen} >= {"zhao of the office"}
    assert [
        (look.outcome, look.purpose)
        for look in who_looked(watched.engine(), THEIRS)
        if look.login == officer
    ] == [("refused", "help")]
    by = "select count(*) from ops.who_looked where day = current_date and {where}"
    for where in (
        f"household_id = '{HOME}'",
        "officer = 'zhao of the office'",
        "purpose = 'visit'",
    ):
        assert int(str(watched.one(by.format(where=where), "sun"))) >= 1
    for login in (officer, "zhao"):
        with session(watched, login) as connection:
            refused(connection, "select * from ops.who_looked", "permission denied")
