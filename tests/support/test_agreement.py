"""On random counties every view is what a plain reading of the pages says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest

from resources.engines.duckdb import Engine
from tests.support.county import SupportCounty, read_day
from tests.support.reading import Reading, Rows

DAYS = (
    (3, date(2026, 11, 27)),
    (4, date(2027, 3, 1)),
    (5, date(2028, 2, 29)),
    (6, date(2026, 8, 31)),
)
COLUMNS: dict[str, tuple[str, Callable[[Reading], Rows]]] = {
    "responsibility": (
        "household_id, officer_id, duty, since, last_visit_on, next_visit_due_on",
        Reading.responsibility,
    ),
    "responsibility_gap": (
        "area_code, households, without_helper, officers, officers_above_limit",
        Reading.responsibility_gap,
    ),
    "visit_coverage": (
        "area_code, period, kind, households, visited, found",
        Reading.visit_coverage,
    ),
    "measure_gap": ("household_id, gap", Reading.measure_gap),
    "support_received": (
        "household_id, scheme, amount_12_months, awarded_12_months, payments, last_paid_on",
        Reading.support_received,
    ),
    "medical_ledger": (
        "area_code, population, persons, inpatient_times, total_fee, in_scope, pooled_paid,"
        " critical_illness_paid, medical_aid_paid, personal_paid, fund_paid, inpatient_fund_paid,"
        " inpatient_in_scope, in_scope_rate",
        Reading.medical_ledger,
    ),
    "zero_employment": ("household_id, able_members, is_relocated", Reading.zero_employment),
    "special_group": ("household_id, group_code, members", Reading.special_group),
    "asset_ledger": (
        "area_code, category, assets, original_value, without_owner, transfer_overdue, idle,"
        " annual_income, distributed, households",
        Reading.asset_ledger,
    ),
    "watch": ("household_id, cleared_on, until", Reading.watch),
}


@pytest.fixture(scope="module", params=DAYS, ids=lambda param: str(param[1]))
def day(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, Reading]]:
    seed, as_of = request.param
    engine = Engine(tmp_path_factory.mktemp("support") / "tmp")
    county = SupportCounty(seed, as_of, 120)
    yield engine, read_day(county, engine)
    engine.close()


@pytest.mark.parametrize("view", COLUMNS)
def test_a_view_is_as_the_pages_say(day: tuple[Engine, Reading], view: str) -> None:
    engine, reading = day
    columns, read = COLUMNS[view]
    found: list[tuple[Any, ...]] = engine.rows(f"select {columns} from {view}")
    expected = read(reading)
    assert len(found) == len(set(found)) > 2
    assert set(found) - expected == set()
    assert expected - set(found) == set()
