"""A household whose register row is out of force lies in its county and in no town: whoever has the
county sees it, nobody below."""

from __future__ import annotations

from pathlib import Path

import pytest

from resources.engines.duckdb import Engine
from resources.server import Server
from tests.warehouse.conftest import HOUSEHOLD_OF_TOWN, MINE, Warehouse, make_warehouse
from warehouse.database.access import grant

SHELL = HOUSEHOLD_OF_TOWN[MINE]
COUNTY = MINE[:6]
OF_HOUSEHOLDS = (
    "household",
    "household_member",
    "household_indicator",
    "warning_flag",
    "warning_reason",
)


def _becomes_a_shell(engine: Engine, tables: dict[str, str]) -> None:
    place = f"area_code = '{COUNTY}000000', town_code = '{COUNTY}000'"
    for table in OF_HOUSEHOLDS:
        engine.execute(f"update {table} set {place} where household_id = '{SHELL}'")
    engine.execute(
        "update household set is_shell = true, village_name = '', town_name = '' where"
        f" household_id = '{SHELL}'"
    )


@pytest.fixture(scope="module")
def with_a_shell(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    made = make_warehouse(server, Path(tmp_path_factory.mktemp("shells")))
    made.publish(after=_becomes_a_shell)
    for login, area in (
        ("of_county", COUNTY),
        ("of_town", MINE),
        ("of_village", f"{MINE}002"),
        ("of_nowhere", f"{COUNTY}000"),
    ):
        grant(made.engine(), login, "yihu_area", [area], password=f"pw-{login}")
        made.server.passwords[login] = f"pw-{login}"
    return made


@pytest.mark.parametrize(
    ("login", "is_seen"),
    [
        ("of_county", True),
        ("of_town", False),
        ("of_village", False),
        ("of_nowhere", True),
        ("yihu_reader", True),
    ],
)
def test_who_sees_a_shell(with_a_shell: Warehouse, login: str, is_seen: bool) -> None:
    for view in OF_HOUSEHOLDS:
        rows = with_a_shell.rows(
            f"select distinct area_code from yihu.{view} where household_id = '{SHELL}'", login
        )
        assert rows == ([(f"{COUNTY}000000",)] if is_seen else []), view


def test_a_shell_is_marked(with_a_shell: Warehouse) -> None:
    assert with_a_shell.rows(
        "select household_id, is_shell from yihu.household where is_shell", "yihu_reader"
    ) == [(SHELL, True)]
