"""A steward's day, by SQL: look at the queue, answer, and see the next run use it and not ask
again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from resources.server import warehouse_server
from tests.whole.conftest import FIRST, SECOND, pipelines, sync

pytestmark = [pytest.mark.slow, pytest.mark.long]
SIZE = {"YIHU_SANDBOX_HOUSEHOLDS": "1000"}
THIRD = SECOND + timedelta(days=1)
ANSWER = "insert into ops.review_decision (queue_id, decision, person_key, reason)"


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A first day, and two stewards, one of them with two logins; not under pytest's own folder."""
    with tempfile.TemporaryDirectory(prefix="yihu-stewards-") as folder:
        home = Path(folder)
        done = sync(home, FIRST, **SIZE)
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
        with warehouse_server(home):
            for login, person in (
                ("steward_a", "Zhao"),
                ("steward_c", "Zhao"),
                ("steward_b", "Qian"),
            ):
                named = ("--login", login, "--role", "yihu_steward", "--person", person)
                made = pipelines(home, "login", *named)
                made.check_returncode()
                password = made.stdout.rpartition(": ")[2]
                (home / "secrets" / f"login_{login}").write_text(password)
            yield home


def ask(home: Path, login: str, sql: str) -> list[list[str]]:
    """The answer's rows, asked in the login's own name with its own password."""
    secret = (home / "secrets" / f"login_{login}").read_text().strip()
    done = pipelines(
        home,
        "psql",
        "--role",
        login,
        stdin=f"\\set QUIET on\n\\pset tuples_only on\n\\pset format unaligned\n{sql};",
        PGPASSWORD=secret,
    )
    assert done.returncode == 0, done.stderr
    return [line.split("|") for line in done.stdout.splitlines() if line]


def matched(home: Path, day: date, records: str, record_id: str) -> tuple[str, ...]:
    """Outcome, method and member of a record on a day."""
    files = f"{home}/lake/matched/{records}/as_of={day}/*/*.parquet"
    select = (
        "select outcome, coalesce(method, '-'), coalesce(member_id, '-') from"
        f" read_parquet('{files}') where record_id = ?"
    )
    return duckdb.execute(select, [record_id]).fetchall()[0]


def persons(home: Path, day: date, members: list[str]) -> list[tuple[str, ...]]:
    files = f"{home}/lake/household/person/as_of={day}/*/*.parquet"
    select = (
        f"select member_id, person_key, status, id_state from read_parquet('{files}') where"
        " list_contains(?, member_id) order by 1"
    )
    return duckdb.execute(select, [members]).fetchall()


def test_answers_are_used_by_the_next_run_and_never_asked_again(home: Path) -> None:
    queue = (
        "select queue_id, record_id, candidates->0->>'person_key', candidates->0->>'member_id' from"
        " ops.review_queue"
    )
    differs, shown, key, member = ask(
        home,
        "steward_a",
        f"{queue} where reason = 'name_differs' and records = 'enrolments' order by 1",
    )[0]
    refused, record = ask(
        home,
        "steward_a",
        f"{queue} where reason = 'name_differs' and records = 'enrolments' order by 1",
    )[1][:2]
    twice, _, first_key, first_member = ask(
        home, "steward_a", f"{queue} where reason = 'register_conflict' and records = 'members'"
    )[0]
    other = ask(
        home,
        "steward_a",
        f"select candidates->1->>'member_id' from ops.review_queue where queue_id = '{twice}'",
    )[0][0]
    ticket = ask(
        home, "steward_a", f"select vault.ask_candidates('{differs}', 'verify', 'comparing names')"
    )[0][0]
    seen = ask(
        home, "steward_a", f"select name, id_number, record_name from vault.candidates('{ticket}')"
    )
    assert seen[0][0] != seen[0][2], "the two names stand side by side"
    names = ask(
        home,
        "steward_a",
        f"select candidates->0->>'name_masked' from ops.review_queue where queue_id = '{differs}'",
    )
    assert names == [[seen[0][0][0] + "*"]], "masked but for who asks with a reason"

    ask(
        home,
        "steward_a",
        f"{ANSWER} values ('{differs}', 'link', '{key}', 'the office confirmed a new name')",
    )
    ask(
        home,
        "steward_a",
        f"{ANSWER} values ('{refused}', 'unregistered', null, 'somebody else''s number')",
    )
    for login in ("steward_a", "steward_a", "steward_c"):
        ask(
            home, login, f"{ANSWER} values ('{twice}', 'merge', '{first_key}', 'one person, moved')"
        )
    assert sync(home, SECOND, **SIZE).returncode == 0
    enrolments = "health_insurance__enrolments"
    assert matched(home, FIRST, enrolments, shown) == (
        "ambiguous",
        "-",
        "-",
    ), "the day before stays as it was"
    assert matched(home, SECOND, enrolments, shown) == ("linked", "decided", member)
    assert matched(home, SECOND, enrolments, record) == ("unregistered", "decided", "-")
    left = {row[0] for row in ask(home, "steward_b", "select queue_id from ops.review_queue")}
    assert left & {differs, refused, twice} == {twice}, (
        "a merge waits for a second steward, who is another person"
    )

    ask(
        home,
        "steward_b",
        f"{ANSWER} values ('{twice}', 'merge', '{first_key}', 'one person, moved')",
    )
    assert sync(home, THIRD, **SIZE).returncode == 0
    assert twice not in {
        row[0] for row in ask(home, "steward_b", "select queue_id from ops.review_queue")
    }
    merged = persons(home, THIRD, [first_member, other])
    assert {row[1] for row in merged} == {first_key}, "one person, one key"
    assert {(row[0], row[2], row[3]) for row in merged} == {
        (first_member, "1", "established"),
        (other, "2", "established"),
    }
    assert {row[3] for row in persons(home, SECOND, [first_member, other])} == {"conflict"}
