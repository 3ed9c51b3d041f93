"""The commands of deciding and looking, as an operator types them: by make's own hand-over, with a
login of one's own.

Belongs here: `python -m pipelines
login|grant|revoke|grants|rollback|open-gate|verify-log|who-looked|psql|status` and the Makefile's
part.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from resources.lake import Lake
from resources.server import Server
from resources.settings import ROOT
from tests.at_terminal import typed
from tests.warehouse.conftest import (
    DAY,
    HOUSEHOLD_OF_TOWN,
    MINE,
    Warehouse,
    _given_up,
    make_warehouse,
)
from tests.warehouse.test_looking import EXTRAS, _filled
from warehouse.graph.inputs import HELD_BACK
from warehouse.schema.logins import own_login

HOME = HOUSEHOLD_OF_TOWN[MINE]
ODD = 'it\'s $HOME, "quoted" `touch {0}` $(touch {0}) $5; touch {0}'


@dataclass(frozen=True)
class Home:
    """A home, and the warehouse that its settings name."""

    folder: Path
    warehouse: Warehouse
    mine: dict[str, str] = field(default_factory=dict)
    """The environment of somebody with a login of their own."""

    def run(self, *arguments: str, stdin: str = "", **environment: str) -> CompletedProcess[str]:
        """A command of this home."""
        where = self.warehouse.url().set(drivername="postgresql").render_as_string(False)
        own = {"YIHU_HOME": str(self.folder), "YIHU_WAREHOUSE_URL": where}
        return typed(*arguments, stdin=stdin, **own, **environment)

    def decide(self, *arguments: str, **environment: str) -> CompletedProcess[str]:
        """A command in somebody's own name."""
        return self.run(*arguments, **(self.mine | environment))

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        return self.warehouse.rows(statement)

    def own(self, role: str) -> str:
        """The login of yihu's own for a role."""
        return own_login(role, self.warehouse.database)


@pytest.fixture(scope="module")
def home(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home whose warehouse has two releases of a small county."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(server.secrets_home / "secrets", folder / "secrets")
    made = make_warehouse(server, folder)
    for day, changed in ((0, "false"), (20, "n % 100 = 1")):
        made.publish(
            DAY + timedelta(days=bool(day)),
            day=day,
            changed=changed,
            after=_filled,
            extras=EXTRAS,
            login=None,
        )
    home = Home(folder, made)
    first = home.run("login", "--login", "chen", "--role", "yihu_reader", "--person", "Chen")
    home.mine.update(YIHU_LOGIN="chen", PGPASSWORD=password_in(first))
    with _given_up(made):
        yield home


def password_in(done: CompletedProcess[str]) -> str:
    found = re.search("password, shown this once: (.*)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    return found[1]


def test_the_administrator_decides_nothing_once_somebody_is_there(home: Home) -> None:
    """Who made the first login, and makes another one for who lost a password, is recorded as
    that.
    """
    listed = home.rows("select login, made_by from ops.grant_log where action = 'login' order by 1")
    assert ("chen", "postgres") in listed
    for arguments in (
        ["grant", "--login", "somebody", "--role", "yihu_reader"],
        ["revoke", "--login", "chen"],
        ["rollback", "--by", "Chen", "--why", "x"],
        ["extract", "--name", "lamps", "--columns", "level", "--why", "x"],
        ["open-gate", "--gate", "red_jump", "--by", "Chen", "--why", "x"],
    ):
        refused = home.run(*arguments)
        assert (refused.returncode != 0, "say who decides" in refused.stderr) == (True, True)
    again = home.run("login", "--login", "chen_two", "--role", "yihu_reader", "--person", "Chen")
    assert "recorded as postgres" in again.stderr


def test_a_login_of_ones_own_decides_and_looks(home: Home, tmp_path: Path) -> None:
    made = home.run(
        "login",
        "--login",
        "li_wei",
        "--role",
        "yihu_reader",
        "--person",
        "Li Wei",
        "--officer",
        "S-1",
    )
    password = password_in(made)
    assert not list((home.folder / "secrets").glob("login_li_wei")), (
        "it is nowhere but on the screen"
    )
    mine = {"YIHU_LOGIN": "li_wei", "PGPASSWORD": password}
    officer = home.run(
        "login",
        YIHU_TYPED_LOGIN="wang_da",
        YIHU_TYPED_ROLE="yihu_area",
        YIHU_TYPED_PERSON="Wang",
        YIHU_TYPED_AREA=MINE,
        **mine,
    )
    assert f"wang_da is yihu_area; areas: {MINE}" in officer.stdout
    again = home.run("grant", "--login", "li_wei", "--role", "yihu_reader", **mine)
    assert (again.returncode, "password" in again.stdout) == (
        0,
        False,
    ), "no word of a password that was not given"
    assert not list((home.folder / "secrets").glob("login_li_wei"))

    marker = tmp_path / "touched"
    why = ODD.format(marker)
    back = home.run("rollback", YIHU_TYPED_WHY=why, YIHU_TYPED_BY='Li "Wei" $x', **mine)
    assert "release 1 of" in back.stdout, back.stderr
    assert home.rows(
        "select made_by, reason, remark from ops.rollback order by rollback_id desc limit 1"
    ) == [("li_wei", why, 'Li "Wei" $x')]
    assert not marker.exists()
    (tmp_path / "why.txt").write_text("it was right after all\n")
    again = home.run("rollback", "--to", "2", WHY_FILE=str(tmp_path / "why.txt"), **mine)
    assert again.returncode == 0, again.stderr
    recorded = home.rows(
        "select made_by, reason, remark, os_user from ops.rollback order by rollback_id desc"
        " limit 1"
    )[0]
    assert recorded[:3] == (
        "li_wei",
        "it was right after all",
        "Li Wei",
    ), "without BY the person whose login it is"
    assert recorded[3]

    asked = "\\set QUIET on\n\\pset tuples_only on\n\\pset format unaligned\n"
    as_wang = {"PGPASSWORD": password_in(officer)}
    ticket = home.run(
        "psql",
        "--login",
        "wang_da",
        stdin=f"{asked}select yihu.ask('{HOME}', 'visit', 'the roof');",
        **as_wang,
    )
    seen = home.run(
        "psql",
        "--login",
        "wang_da",
        stdin=f"{asked}select name from yihu.reveal('{ticket.stdout.strip()}');",
        **as_wang,
    )
    assert seen.stdout.split() == ["徐某某"] * 3, ticket.stderr + seen.stderr
    told = home.run("who-looked", "--household", HOME)
    assert re.search(r"Wang +Wang +wang_da +visit +granted +the roof", told.stdout), told.stdout

    assert home.run("verify-log").stdout.splitlines()[-1] == "nothing was changed or removed"
    seal = home.run("seal-log").stdout.removeprefix("last seal ").strip()
    assert home.run("verify-log", "--seal", seal).returncode == 0
    wrong = home.run("verify-log", "--seal", "1:" + "0" * 64)
    assert (
        wrong.returncode,
        "SEAL names the seal 1:000000000000…, which is not there" in wrong.stdout,
    ) == (1, True)
    (home.folder / "alerts.log").write_text(
        json.dumps({"at": "2026-11-20", "access_seal": seal}) + "\n"
    )
    assert home.run("verify-log").returncode == 0
    with home.warehouse.engine().begin() as owner:
        owner.exec_driver_sql("alter table ops.access_log disable trigger append_only")
        owner.exec_driver_sql("update ops.access_log set reason = 'other' where login = 'wang_da'")
        owner.exec_driver_sql("alter table ops.access_log enable trigger append_only")
    changed = home.run("verify-log")
    assert (changed.returncode, "was changed" in changed.stdout) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (["rollback", "--why", "x"], {"YIHU_LOGIN": "li_two", "PGPASSWORD": "wrong"},
            "does not let it in"),
        (["rollback", "--why", "x"], {"YIHU_LOGIN": "nobody_there"}, "does not let it in"),
        (["rollback", "--why", "x"], {"YIHU_LOGIN": "postgres"}, "nobody's own"),
        (["rollback", "--by", "Li"], {}, "BY=… WHY=…"),
        (["rollback", "--why", "x"], {"YIHU_LOGIN": ""}, "say who decides: YIHU_LOGIN=…"),
        (["rollback"], {"YIHU_TYPED_TO": "seven"}, "no release number"),
        (["grant", "--login", "x"], {}, "ROLE is missing"),
        (["login", "--login", "x", "--role", "yihu_reader"], {}, "PERSON is missing"),
        (["grant", "--login", "x", "--role", "yihu_redaer"], {}, "the nearest is yihu_reader"),
        (["grant", "--login", "x", "--role", "yihu_reader", "--until", "soon"], {},
            "UNTIL is 'soon'"),
        (["revoke", "--login", "no_such"], {}, "there is no login no_such"),
        (["who-looked"], {}, "HOUSEHOLD is missing"),
        (["open-gate", "--records", "settlement", "--batch", "b", "--by", "Li", "--why",
            "it is right"], {}, "the nearest is settlements"),
        (["open-gate", "--records", "settlements", "--batch", "b", "--by", "Li", "--why",
            "it is right"], {}, "was never rejected"),
        (["open-gate", "--gate", "red_jump", "--by", "Li", "--why", "it is right"], {},
            "gate red_jump is not closed"),
        (["open-gate", "--gate", "red", "--by", "Li", "--why", "it is right"], {},
            "there is no gate 'red'"),
        (["psql", "--role", "yihu_stewart"], {}, "the nearest is yihu_steward"),
    ],
)  # fmt: skip
def test_mistakes_are_one_clear_line(
    home: Home, arguments: list[str], environment: dict[str, str], said: str
) -> None:
    done = home.decide(*arguments, **environment)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_gate_is_opened_where_it_is_closed(home: Home) -> None:
    Lake(home.folder / "lake").write_note(
        *HELD_BACK, date(2026, 11, 18), {"run_id": "r", "gates": ["red_jump"]}
    )
    day = {"YIHU_AS_OF": "2026-11-18"}
    other = home.decide(
        "open-gate", "--gate", "households_lost", "--by", "Li", "--why", "it is right", **day
    )
    assert "what holds the release of 2026-11-18 back is red_jump" in other.stderr
    opened = home.decide(
        "open-gate", "--gate", "red_jump", "--by", "Li", "--why", "it is right", **day
    )
    assert opened.returncode == 0, opened.stderr
    again = home.decide(
        "open-gate", "--gate", "red_jump", "--by", "Wang", "--why", "another", **day
    )
    assert "open already, by Li" in again.stderr
    assert home.rows(
        "select opened_by, reason, login from ops.gate_opening where as_of = '2026-11-18'"
    ) == [("Li", "it is right", "chen")]


def test_grants_are_listed_and_ended(home: Home) -> None:
    given = home.decide(
        "grant",
        "--login",
        "zhou",
        "--role",
        "yihu_area",
        "--area",
        MINE,
        "--until",
        "2099-12-31",
        "--by",
        "Chen",
    )
    assert (home.folder / "secrets" / "login_zhou").stat().st_mode & 0o777 == 0o600, given.stderr
    listed = home.decide("grants")
    assert re.search(rf"zhou +zhou +yihu_area +{MINE} +\S+ \S+ +chen +2099-12-31", listed.stdout), (
        listed.stdout
    )
    assert home.decide("revoke", "--login", "zhou").returncode == 0
    assert "zhou" not in home.decide("grants").stdout
    history = home.decide("grants", "--history").stdout
    assert re.search(rf"zhou +revoke +yihu_area +{MINE}", history), history
    assert "Chen" in history


def test_psql_as_a_role_and_a_wrong_secret_mended(home: Home) -> None:
    sql = (
        "\\set QUIET on\n\\pset tuples_only on\n\\pset format unaligned\nselect"
        " current_setting('yihu.os_user', true) <> '', session_user;"
    )
    assert (
        f"t|{home.own('yihu_auditor')}"
        in home.run("psql", "--role", "yihu_auditor", stdin=sql).stdout
    )
    assert home.own("yihu_reader") in home.run("psql", stdin=sql).stdout
    with home.warehouse.engine().begin() as owner:
        owner.exec_driver_sql(f"alter role {home.own('yihu_auditor')} password 'another'")
        owner.exec_driver_sql(f"drop owned by {home.own('yihu_steward')}")
        owner.exec_driver_sql(f"drop role {home.own('yihu_steward')}")
    assert "mended: yihu_steward, yihu_auditor" in home.run("status").stdout
    assert (
        f"t|{home.own('yihu_auditor')}"
        in home.run("psql", "--role", "yihu_auditor", stdin=sql).stdout
    )
    assert (
        f"t|{home.own('yihu_steward')}"
        in home.run("psql", "--role", "yihu_steward", stdin=sql).stdout
    )


PROBE = """
include {makefile}
probe:
	@env | grep -a '^YIHU_TYPED_WHY=' ; env | grep -ac '^\\(WHY\\|BY\\)=' || true
"""


@pytest.mark.parametrize("by", ["command line", "environment"])
def test_what_people_type_passes_through_no_shell(tmp_path: Path, by: str) -> None:
    (tmp_path / "probe.mk").write_text(PROBE.format(makefile=ROOT / "Makefile"))
    touched = tmp_path / "touched"
    why = ODD.format(touched) + f" $(shell touch {touched}) ${{HOME}} $$"
    typed = [f"WHY={why}", "BY=x"] if by == "command line" else []
    environment = {**os.environ, **({} if typed else {"WHY": why})}
    done = subprocess.run(["make", "-s", "-C", str(ROOT), "-f", str(tmp_path / "probe.mk"), "probe",
        *typed],
                          env=environment, capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout.splitlines() == [f"YIHU_TYPED_WHY={why}", "0"]
    assert not touched.exists()


def test_every_recipe_takes_typed_words_by_the_environment_only() -> None:
    text = (ROOT / "Makefile").read_text()
    found = re.search(r"^TYPED := ((?:.*\\\n)*.*)$", text, re.MULTILINE)
    assert found is not None
    recipes = "\n".join(line for line in text.splitlines() if line.startswith("\t"))
    names = found[1].replace("\\\n", " ").split()
    assert [name for name in names if re.search(rf"\$[({{](?:value )?{name}[)}},]", recipes)] == []
