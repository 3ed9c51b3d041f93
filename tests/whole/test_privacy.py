"""No identity leaves raw, valid, quarantine and the vault: everything that a run wrote is swept."""

from __future__ import annotations

import re
import subprocess

import duckdb
import pytest

from expectations.idnumber import names_somebody
from resources.lake import Lake
from resources.server import Server
from tests.views import READ_BY_ALL
from tests.whole.conftest import Synced, ask, asking
from tests.whole.sweep import ALLOWED, holds, text_of, written
from warehouse.schema import VIEWS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def identities(synced: Synced) -> tuple[list[str], list[str]]:
    """Every ID number and every full name of the register, as delivered."""
    lake, members = Lake(synced.home / "lake"), ("valid", "rural_revitalisation__members")
    days = " union all ".join(
        f"select id_number, name from {lake.relation(*members, day)}" for day in lake.days(*members)
    )
    rows = duckdb.sql(f"select distinct trim(id_number), name from ({days})").fetchall()
    numbers = sorted({n for n, _ in rows if n and len(n) >= 15 and not n.startswith("999999")})
    names = sorted({name for _, name in rows if name and len(name) >= 3})
    assert len(numbers) > 1000
    assert len(names) > 300
    return numbers, names


def test_no_number_and_no_name_outside_their_places(
    synced: Synced, identities: tuple[list[str], list[str]]
) -> None:
    numbers, names = identities
    files = list(written(synced.home))
    assert any("dagster" in f.parts for f in files)
    assert any("matched" in f.parts for f in files)
    sample = numbers[:: max(1, len(numbers) // 100)] + names[:: max(1, len(names) // 100)]
    assert [str(f) for f in files if holds(text_of(f), sample)] == []


def test_no_identity_in_what_sync_printed(
    synced: Synced, identities: tuple[list[str], list[str]]
) -> None:
    numbers, names = identities
    printed = "".join(synced.outputs.values())
    assert not any(text in printed for text in [*numbers, *names])


def test_no_identity_in_any_view(server: Server, identities: tuple[list[str], list[str]]) -> None:
    numbers, names = identities
    with asking(server) as connection:
        connection.exec_driver_sql("create temporary table identity_text (text text)")
        with (
            connection.connection.cursor() as cursor,
            cursor.copy("copy identity_text from stdin") as copy,
        ):
            for text in [*numbers, *names]:
                copy.write_row((text,))
        for view in VIEWS:
            found = connection.exec_driver_sql(
                f"select count(*) from (select to_jsonb(v) as j from yihu.{view.name} v) r,"
                " jsonb_each_text(r.j) e join identity_text t on t.text = e.value"
            ).scalar()
            assert found == 0, view.name
            loose = connection.exec_driver_sql(
                f"select count(*) from (select to_jsonb(v)::text as j from yihu.{view.name} v) r"
                " where r.j ~ '[^0-9a-f][1-9][0-9]{16}[0-9X][^0-9a-f]'"
            ).scalar()
            assert loose == 0, view.name


def test_no_record_number_looks_like_somebodys(server: Server) -> None:
    """What landing lets through and what is published are held against one function."""
    seen = 0
    for view in READ_BY_ALL:
        for column in (c.name for c in view.columns if c.type == "text" and c.name.endswith("_id")):
            numbers = [
                str(number)
                for (number,) in ask(
                    server,
                    f"select distinct {column} from yihu.{view.name} where {column} is not null",
                )
            ]
            seen += len(numbers)
            assert not [
                n for n in numbers if names_somebody(n) and not re.fullmatch("[0-9a-f]{64}", n)
            ], f"{view.name}.{column}"
    assert seen > 1000


def test_what_may_hold_identities_is_private(synced: Synced) -> None:
    for place in ALLOWED:
        folder = synced.home / "lake" / place
        listed = subprocess.run(
            ["find", str(folder), "-type", "f", "-perm", "/077"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert listed.stdout == ""
    assert (synced.home / "lake").stat().st_mode & 0o077 == 0


def test_an_area_officer_sees_nothing_without_a_grant_and_one_town_with_it(server: Server) -> None:
    towns = [
        r.town_code
        for r in ask(
            server, "select distinct town_code from yihu.household where town_code <> '' order by 1"
        )
    ]
    assert len(towns) == 10
    assert ask(server, "select count(*) from yihu.household", "yihu_area")[0][0] == 0
    login = server.url_of("yihu_area").username
    with asking(server, None) as connection:
        connection.exec_driver_sql(
            f"insert into ops.area_grant (login, area_code) values ('{login}', '{towns[1]}')"
        )
        connection.commit()
    try:
        for view in (
            "household",
            "household_member",
            "household_indicator",
            "warning_flag",
            "warning_reason",
        ):
            assert [
                r.town_code
                for r in ask(server, f"select distinct town_code from yihu.{view}", "yihu_area")
            ] == [towns[1]]
    finally:
        with asking(server, None) as connection:
            connection.exec_driver_sql(f"delete from ops.area_grant where login = '{login}'")
            connection.commit()
