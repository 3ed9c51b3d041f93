"""Nobody reads another's household one bit at a time: 200 pairs for each login and tool, on both
servers, the owner no superuser.

Belongs here: who attacks, what is attacked, and the control that shows that the attack is one. Not
here: the attack (`oracle`).
"""

from __future__ import annotations

import random

import psycopg
import pytest
import sqlalchemy as sa

from resources.engines.duckdb import Engine
from resources.server import libpq_url
from tests.conftest import Show
from tests.warehouse.conftest import DAY, OTHER, SERVERS, Warehouse, make_owned
from tests.warehouse.oracle import SHARPEST, TOOLS, Pair, clock, limit_steps, score
from warehouse.database.access import grant
from warehouse.schema import OPEN, PERIODIC, VIEW, VIEWS

SPOTTED, CHANCE = 190, 120
"""Of 200: what the control must reach at least, and what no tool may reach."""
MINE = "610921109"
ALTERNATE = "household_id between 'H000000040' and 'H000000579'"
"""Where every second household is of the officer's town, so that its rows lie beside others'."""
ONE_MORE = "R99"
SECRETS = {
    "household": ("head_name_masked", "吕*", "徐*"),
    "household_member": ("age_band", "80+", "16-59"),
    "warning_flag": ("level", "red", "green"),
    "warning_reason": ("value", "42", "1"),
}
"""By view: a column, what is true of half the households, and what of the others."""
ON_LISTS = {"verify_item": ("value", "42", "1")}


def _secret(engine: Engine, tables: dict[str, str]) -> None:
    """A small town for the officer; in the others something is true of half the households, and
    nothing else tells which. Half of the officer's neighbours have a reason more.
    """
    engine.table(
        "verify_item",
        "select household_id, 'civil_affairs' as department, 'R04' as code, '1' as value, date"
        " '2026-11-19' as since, area_code, town_code from household union all select household_id,"
        " 'housing', 'R14', '1', date '2026-11-19', area_code, town_code from household where"
        " household_id < 'H000000040'",
    )
    tables["verify_item"] = "verify_item"
    for table in ("household_indicator", *SECRETS, *ON_LISTS):
        engine.execute(
            f"update {table} set town_code = '{MINE}', area_code = '{MINE}001' where household_id <"
            " 'H000000040'"
        )
    for table in ("household_indicator", *SECRETS, *ON_LISTS):
        for town, digits in ((MINE, "02468"), (OTHER, "13579")):
            engine.execute(
                f"update {table} set town_code = '{town}', area_code = '{town}001' where"
                f" {ALTERNATE} and strpos('{digits}', right(household_id, 1)) > 0"
            )
    engine.execute(
        f"insert into warning_reason by name select * replace ('{ONE_MORE}' as code, 0 as points)"
        f" from warning_reason where code = 'R04' and {ALTERNATE} and town_code = '{OTHER}'"
        " and substr(md5(household_id || 'more'), 1, 1) < '8'"
    )
    for table, (column, true, false) in (SECRETS | ON_LISTS).items():
        half = f"substr(md5(household_id || '{table}'), 1, 1) < '8'"
        engine.execute(
            f"update {table} set {column} = case when {half} then '{true}' else '{false}' end where"
            " household_id >= 'H000000040'"
        )


@pytest.fixture(scope="module", params=SERVERS)
def attacked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """A warehouse whose owner is no superuser, as on a server of one's own, with statistics as
    fresh as they get.
    """
    made = make_owned(request.getfixturevalue(request.param), tmp_path_factory.mktemp("attacked"))
    made.publish(households=2500, after=_secret, login=None)
    made.publish(
        DAY.replace(day=20), 2500, day=20, changed="n % 100 = 1", after=_secret, login=None
    )
    for login, role, areas, departments in (
        ("spy_of_town", "yihu_area", [MINE], []),
        ("spy_of_village", "yihu_area", [MINE + "001"], []),
        ("spy_without", "yihu_area", [], []),
        ("spy_of_housing", "yihu_department", [], ["housing"]),
        ("control", "yihu_area", [MINE], []),
    ):
        grant(made.engine(), login, role, areas, departments, password=f"pw-{login}")
        made.server.passwords[login] = f"pw-{login}"
    with made.engine().execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        # as rows of an older warehouse lie: one household's beside the next one's, town or no town
        connection.exec_driver_sql("cluster store.warning_reason using warning_reason_pkey")
        connection.exec_driver_sql("vacuum (analyze)")
    return made


def _pairs(
    warehouse: Warehouse, secrets: dict[str, tuple[str, str, str]], named: str = ""
) -> list[Pair]:
    """200 pairs of another town, half of them true, in equal parts of the views that the login may
    ask.
    """
    each = 100 // len(secrets)
    made = []
    for view, (column, true, _) in secrets.items():
        for is_true in (True, False):
            sql = (
                f"select distinct household_id from store.{view} where until_release = {OPEN} and"
                f" town_code = '{OTHER}' and ({column} = '{true}') = {is_true}"
            )
            found = sorted(str(row[0]) for row in warehouse.rows(sql))
            made += [
                Pair(named + view, household, column, true, is_true)
                for household in random.Random(view).sample(found, each)
            ]
    assert (len(made), sum(pair.is_true for pair in made)) == (200, 100)
    return made


def _neighbours(warehouse: Warehouse, named: str = "") -> list[Pair]:
    """200 households that lie between two of the officer's own; half of them have a reason more."""
    found = warehouse.rows(
        f"select household_id, bool_or(code = '{ONE_MORE}') from store.warning_reason where"
        f" {ALTERNATE} and town_code = '{OTHER}' and until_release = {OPEN} and household_id not in"
        f" (select household_id from store.warning_reason where until_release <> {OPEN})"
        " group by 1 order by 1"
    )
    made = [
        Pair(named + "warning_reason", str(household), "code", ONE_MORE, is_true)
        for kind in (True, False)
        for household, is_true in [row for row in found if row[1] is kind][:100]
    ]
    assert (len(made), sum(pair.is_true for pair in made)) == (200, 100)
    return made


def _let_in(warehouse: Warehouse, login: str) -> psycopg.Connection:
    connection = psycopg.connect(libpq_url(warehouse.url(login)), autocommit=True)
    connection.execute("set jit = off")
    return connection


LOGINS = {
    "spy_of_town": SECRETS,
    "spy_of_village": SECRETS,
    "spy_without": SECRETS,
    "spy_of_housing": ON_LISTS,
}
BY_DAY = tuple(tool for tool in SHARPEST if tool != "LIMIT steps")  # tried beside own rows
BY_NIGHT = [pytest.param(login, tuple(TOOLS), marks=pytest.mark.long, id=login) for login in LOGINS]


@pytest.mark.parametrize(
    ("login", "tools"), [pytest.param("spy_of_town", BY_DAY, id="by day"), *BY_NIGHT]
)
def test_no_tool_tells_of_anothers_household(
    attacked: Warehouse, login: str, tools: tuple[str, ...], show: Show
) -> None:
    pairs = _pairs(attacked, LOGINS[login])
    with _let_in(attacked, login) as connection:
        seen = connection.execute(
            f"select count(*) from yihu.{pairs[0].view} where town_code = '{OTHER}'"
        ).fetchone()
        scores = {name: score(connection, TOOLS[name], pairs) for name in tools}
        if "warning_reason" in LOGINS[login]:
            scores["LIMIT steps beside"] = score(connection, limit_steps, _neighbours(attacked))
    show("right guesses of 200 about others' households", f"{login:16} {scores}")
    assert seen == (0,)
    assert not {name: found for name, found in scores.items() if found >= CHANCE}


def test_the_attack_works_on_a_view_as_it_was(attacked: Warehouse, show: Show) -> None:
    """The control: row security under the caller's own rights.

    Its plans and counters give everything away, and LIMIT counts what lies between one's own rows.
    """
    with attacked.engine().begin() as owner:
        for view in SECRETS:
            names = ", ".join(f't."{column.name}"' for column in VIEW[view].stored)
            owner.exec_driver_sql(
                f"create or replace view yihu.as_it_was_{view} with (security_invoker = true) as"
                f" select {names} from store.{view} as t where t.from_release <= (select"
                " yihu.current_release()) and t.until_release > (select yihu.current_release())"
            )
            owner.exec_driver_sql(f"grant select on yihu.as_it_was_{view}, store.{view} to control")
        owner.exec_driver_sql("grant usage on schema store to control")
    pairs = dict.fromkeys(SHARPEST, _pairs(attacked, SECRETS, "as_it_was_"))
    pairs["LIMIT steps"] = _neighbours(attacked, "as_it_was_")
    with _let_in(attacked, "control") as connection:
        scores = {name: score(connection, TOOLS[name], pairs[name]) for name in SHARPEST}
    with attacked.engine().begin() as owner:
        for view in SECRETS:
            owner.exec_driver_sql(f"drop view yihu.as_it_was_{view}")
    show("right guesses of 200 about others' households", f"{'as it was':16} {scores}")
    assert min(scores.values()) >= SPOTTED


@pytest.mark.long
@pytest.mark.parametrize("login", LOGINS)
def test_the_clock_does_not_tell_either(attacked: Warehouse, login: str, show: Show) -> None:
    with _let_in(attacked, login) as connection:
        found = score(connection, clock, _pairs(attacked, LOGINS[login]))
    show("right guesses of 200 about others' households", f"{login:16} by the clock: {found}")
    assert found < CHANCE


def test_the_planner_knows_no_value(attacked: Warehouse) -> None:
    """Statistics are of keys, towns and versions alone, and of a key no list of values."""
    known = attacked.rows("select tablename, attname from pg_stats where schemaname = 'store'")
    for table, column in known:
        view = next(view for view in (*VIEWS, *PERIODIC) if view.name == table)
        assert column in (*view.key, "town_code", "from_release", "until_release"), (table, column)
    lists = attacked.rows(
        "select tablename, attname from pg_stats where schemaname = 'store' and attname not in"
        " ('town_code', 'from_release', 'until_release') and"
        " (cardinality(histogram_bounds::text::text[]) > 2 or"
        " cardinality(most_common_vals::text::text[]) > 1)"
    )
    assert lists == []


def test_no_login_makes_a_function(attacked: Warehouse) -> None:
    for login in (*LOGINS, "yihu_reader", "yihu_analyst"):
        with attacked.engine(login).connect() as connection:
            for schema in ("public", "yihu", "yihu_in", "store", "pg_temp"):
                with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
                    connection.exec_driver_sql(
                        f"create function {schema}.spy() returns integer language sql as 'select 1'"
                    )
                connection.rollback()
