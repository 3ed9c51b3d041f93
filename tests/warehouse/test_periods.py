"""A rhythm's period in the warehouse: replaced whole, beside the other periods; read by area and by
department.
"""

from __future__ import annotations

from datetime import date

import pytest

from resources.engines.duckdb import Engine
from tests.warehouse.conftest import Warehouse
from warehouse.database.access import grant, revoke
from warehouse.publication import PublicationError
from warehouse.publication.periods import publish_period
from warehouse.schema.periodic import QUARTERLY_SUPERVISION

FIRST, SECOND = date(2026, 7, 1), date(2026, 10, 1)


def supervision(engine: Engine, period_on: date, *rows: tuple[str, str, int]) -> str:
    """`supervised`: a row per (town, department, overdue)."""
    values = ", ".join(
        f"('{town}', '{department}', {overdue})" for town, department, overdue in rows
    )
    engine.table(
        "supervised",
        f"select date '{period_on}' as quarter_on, town as area_code, 'town' as area_level, town as"
        f" town_code, department, 'task' as kind, 'R17' as item, date '{period_on}' as counted_on,"
        " overdue as open_count, overdue as overdue_count, case when overdue > 0 then 3 end as"
        f" most_days_late from (values {values}) as v(town, department, overdue)",
    )
    return "supervised"


def overdue(warehouse: Warehouse, login: str) -> list[tuple[object, ...]]:
    return warehouse.rows(
        "select quarter_on, area_code, department, overdue_count from yihu.quarterly_supervision"
        " order by 1, 2, 3",
        login,
    )


def test_a_period_is_replaced_and_the_others_stay(warehouse: Warehouse, engine: Engine) -> None:
    url = warehouse.url("yihu_publisher")
    for period, rows in (
        (FIRST, [("610921100", "housing", 4)]),
        (SECOND, [("610921100", "housing", 1), ("610921101", "civil_affairs", 2)]),
    ):
        written = publish_period(
            engine, url, QUARTERLY_SUPERVISION, supervision(engine, period, *rows), period
        )
        assert written == len(rows)
    publish_period(
        engine,
        url,
        QUARTERLY_SUPERVISION,
        supervision(engine, SECOND, ("610921100", "housing", 0)),
        SECOND,
    )
    assert overdue(warehouse, "yihu_reader") == [
        (FIRST, "610921100", "housing", 4),
        (SECOND, "610921100", "housing", 0),
    ]


def test_a_write_that_fails_leaves_the_period_as_it_was(
    warehouse: Warehouse, engine: Engine
) -> None:
    url = warehouse.url("yihu_publisher")
    publish_period(
        engine,
        url,
        QUARTERLY_SUPERVISION,
        supervision(engine, FIRST, ("610921100", "housing", 4)),
        FIRST,
    )
    twice = supervision(engine, FIRST, ("610921100", "housing", 1), ("610921100", "housing", 2))
    with pytest.raises(PublicationError):
        publish_period(engine, url, QUARTERLY_SUPERVISION, twice, FIRST)
    assert overdue(warehouse, "yihu_reader") == [(FIRST, "610921100", "housing", 4)]


def test_an_area_and_a_department_see_their_own(warehouse: Warehouse, engine: Engine) -> None:
    rows = [
        ("610921100", "housing", 4),
        ("610921101", "housing", 5),
        ("610921101", "civil_affairs", 6),
    ]
    publish_period(
        engine,
        warehouse.url("yihu_publisher"),
        QUARTERLY_SUPERVISION,
        supervision(engine, FIRST, *rows),
        FIRST,
    )
    grant(warehouse.engine(), "town_officer", "yihu_area", ["610921101"], password="pw")
    warehouse.server.passwords["town_officer"] = "pw"
    assert [row[3] for row in overdue(warehouse, "town_officer")] == [6, 5]
    revoke(warehouse.engine(), "town_officer")
    grant(
        warehouse.engine(),
        "town_officer",
        "yihu_department",
        departments=["housing"],
        password="pw",
    )
    assert [row[3] for row in overdue(warehouse, "town_officer")] == [4, 5]
    revoke(warehouse.engine(), "town_officer")
