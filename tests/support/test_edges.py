"""The hard cases of who helps, with what, and was it enough, each by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from expectations.contract import contract_for, load_contracts
from resources.engines.duckdb import Engine
from tests.following.county import Village
from tests.making import FLAGS, HOUSEHOLDS, make, remember, runner
from tests.support.county import CARRIED, PUBLISHED
from warehouse.graph.moment import day_moment
from warehouse.support import (
    asked_term,
    begun_terms,
    full_months,
    last_months,
    transfer_before,
    visit_periods,
)

DAY = date(2026, 11, 27)
SICK = {"working_now": False, "public_post": False, "labour_class": "1", "student_status": "0"}


def made(
    engine: Engine, county: Village, view: str, columns: str, day: date = DAY
) -> list[tuple[Any, ...]]:
    county.register(engine)
    make(engine, (*HOUSEHOLDS, *FLAGS, *CARRIED, *PUBLISHED), day)
    return engine.rows(f"select {columns} from {view} order by all")


def assigned(county: Village, home: str, officer: str, duty: str = "helper", **more: Any) -> None:
    number = f"a{len(county.rows['assignments'])}"
    county.rows["assignments"].append(
        {"assignment_id": number, "record_id": number, "household_id": home, "officer_id": officer,
         "officer_name": "某干部", "duty": duty, "started_on": date(2025, 5, 1), **more}
    )  # fmt: skip


def visited(county: Village, home: str, officer: str, on: date, **more: Any) -> None:
    number = f"v{len(county.rows['visits'])}"
    county.rows["visits"].append(
        {"visit_id": number, "record_id": number, "household_id": home, "officer_id": officer,
         "visited_on": on, "kind": "routine", "found": "none", **more}
    )  # fmt: skip


def measured(county: Village, home: str, kind: str, **more: Any) -> None:
    number = f"m{len(county.rows['measures'])}"
    county.rows["measures"].append(
        {"measure_id": number, "record_id": number, "household_id": home, "kind": kind,
         "started_on": date(2026, 1, 1), "status": "in_force", **more}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "seen", "due"),
    [
        ({"water_safe": False}, date(2026, 11, 20), date(2026, 11, 27)),
        ({"water_safe": False, "monitor_class": "2", "household_type": "2"}, None,
         date(2025, 5, 8)),
        ({"monitor_class": "1", "household_type": "2"}, date(2026, 11, 20), date(2026, 12, 20)),
        ({"household_type": "3"}, date(2026, 11, 20), date(2027, 2, 18)),
        ({}, date(2026, 6, 30), date(2026, 12, 31)),
        ({}, date(2026, 7, 1), date(2027, 6, 30)),
        ({}, None, date(2026, 12, 31)),
    ],
    ids=["red", "the shortest, and nobody came", "monitored", "lifted", "seen in the half before",
         "seen in this half", "never seen"],
)  # fmt: skip
def test_the_next_visit(
    engine: Engine, fields: dict[str, Any], seen: date | None, due: date
) -> None:
    """Whoever saw the household last; the officer's own last visit is told beside it."""
    county = Village()
    county.home("home", **fields)
    assigned(county, "home", "G1")
    assigned(county, "home", "G2", "leader")
    if seen is not None:
        visited(county, "home", "G9", seen)
    visited(county, "home", "G9", DAY + timedelta(days=1))
    rows = made(engine, county, "responsibility", "officer_id, last_visit_on, next_visit_due_on")
    assert rows == [("G1", None, due), ("G2", None, None)]


def test_visits_of_the_register_count_where_nobody_delivers_them(engine: Engine) -> None:
    county = Village()
    county.home("home", household_type="3", last_visit_on=date(2026, 11, 1))
    county.home("later", household_type="3", last_visit_on=DAY + timedelta(days=1))
    for home in ("home", "later"):
        assigned(county, home, "G1")
    county.states["visits"] = "missing"
    rows = made(engine, county, "responsibility", "household_id, next_visit_due_on")
    assert rows == [("home", date(2027, 1, 30)), ("later", date(2025, 7, 30))]


@pytest.mark.parametrize(
    ("more", "since"),
    [
        ([{}, {"started_on": date(2024, 1, 1)}], date(2024, 1, 1)),
        ([{"ended_on": DAY}], date(2025, 5, 1)),
        ([{"ended_on": DAY - timedelta(days=1)}], None),
        ([{"started_on": DAY + timedelta(days=1)}], None),
        ([{"outcome": "unregistered"}], None),
    ],
    ids=["the earliest of two", "ends today", "ended", "begins tomorrow", "nobody's"],
)
def test_assignments_in_force(
    engine: Engine, more: list[dict[str, Any]], since: date | None
) -> None:
    county = Village()
    county.home("home")
    for fields in more:
        assigned(county, "home", "G1", **fields)
    assert made(engine, county, "responsibility", "since") == ([(since,)] if since else [])


def test_a_helper_with_sixteen_households_has_too_many_wherever_they_are(engine: Engine) -> None:
    county = Village()
    for number in range(16):
        area = "610921101201" if number else "610921100201"
        assigned(county, county.home(f"h{number:02}", area=area), "G1")
    county.home("nobody's")
    counts = "households, without_helper, officers, officers_above_limit"
    rows = made(engine, county, "responsibility_gap", f"area_code, {counts}")
    found = {row[0]: row[1:] for row in rows}
    assert found["610921100"] == (2, 1, 1, 1)
    assert found["610921"] == (17, 1, 1, 1)
    county.rows["assignments"].pop()
    rows = made(engine, county, "responsibility_gap", "area_code, officers_above_limit")
    assert {above for _, above in rows} == {0}


def test_periods_of_visits(engine: Engine) -> None:
    """A Monday begins a week; a week is of its ISO year."""
    county = Village()
    county.home("home")
    for on in (date(2026, 12, 27), date(2026, 12, 28), date(2027, 1, 1), date(2027, 1, 4)):
        visited(county, "home", "G1", on)
    rows = made(engine, county, "visit_coverage", "period, visited", date(2027, 1, 3))
    seen = dict(engine.rows(
        "select period, max(visited) from visit_coverage where kind = 'all' group by period"
    ))  # fmt: skip
    assert rows
    assert seen["2026-W52"] == seen["2026-W53"] == seen["2027-H1"] == seen["2026-H2"] == 1
    assert "2027-W01" not in seen
    assert len(seen) == 15


@pytest.mark.parametrize(
    ("kinds", "gaps"),
    [
        ([], ["no_measure"]),
        (["skills", "water"], []),
        (["skills"], ["not_to_need"]),
        (["water"], ["no_development", "not_to_need"]),
        (["skills", "housing"], ["not_to_need"]),
    ],
)
def test_what_a_household_that_can_work_and_has_no_water_lacks(
    engine: Engine, kinds: list[str], gaps: list[str]
) -> None:
    """R17 asks for water, and for no other measure of housing; one who earns alone for work."""
    county = Village()
    county.home("home", monitor_class="2", water_safe=False)
    county.home("others", water_safe=False)
    for kind in kinds:
        measured(county, "home", kind)
    assert made(engine, county, "measure_gap", "gap") == [(gap,) for gap in gaps]


@pytest.mark.parametrize(
    ("more", "gaps"),
    [
        ({"status": "planned"}, ["no_measure"]),
        ({"ended_on": DAY}, []),
        ({"ended_on": DAY - timedelta(days=1)}, ["no_measure"]),
        ({"started_on": DAY + timedelta(days=1)}, ["no_measure"]),
    ],
)
def test_measures_in_force(engine: Engine, more: dict[str, Any], gaps: list[str]) -> None:
    county = Village()
    county.home("home", monitor_class="2")
    measured(county, "home", "skills", **more)
    assert made(engine, county, "measure_gap", "gap") == [(gap,) for gap in gaps]


@pytest.mark.parametrize("what", ["nothing", "dibao", "a record that waits", "a measure"])
def test_protection_of_those_who_cannot_work(engine: Engine, what: str) -> None:
    county = Village()
    county.home("home", {"labour_class": "5", "working_now": False}, monitor_class="2")
    measured(county, "home", "protection" if what == "a measure" else "health")
    award: dict[str, Any] = {"scheme": "dibao", "started_on": date(2026, 1, 1)}
    if what == "dibao":
        county.add("assistance", "home-1", **award)
    elif what == "a record that waits":
        county.waits("assistance", "home-1", **award)
    gaps = [gap for (gap,) in made(engine, county, "measure_gap", "gap")]
    assert ("no_protection" in gaps) is (what == "nothing")


@pytest.mark.parametrize(("count", "gaps"), [(0, [("no_measure",)]), (1, []), (None, [])])
def test_without_measures_the_registers_count_is_all_that_is_known(
    engine: Engine, count: int | None, gaps: list[tuple[str]]
) -> None:
    county = Village()
    county.home("home", monitor_class="2", measures_count=count)
    county.states["measures"] = "missing"
    assert made(engine, county, "measure_gap", "gap") == gaps


@pytest.mark.parametrize("is_stale", [False, True])
def test_a_list_is_broken_by_what_is_seen_and_not_by_what_is_stale(
    engine: Engine, is_stale: bool
) -> None:
    county = Village()
    county.home("home", monitor_class="2")
    days = [DAY + timedelta(days=n) for n in range(4)]
    told = []
    for day in days:
        seen = [] if day != days[2] else [{"household_id": "home"}]
        county.rows["measures"] = []
        if seen:
            measured(county, "home", "skills")
        county.states["measures"] = "stale" if is_stale and day == days[2] else "ok"
        told.append(made(engine, county, "measure_gap", "since", day))
        remember(engine, day, CARRIED)
    began = days[0] if is_stale else days[3]
    assert told == [[(days[0],)], [(days[0],)], [], [(began,)]]


@pytest.mark.parametrize(
    ("person", "more", "counts"),
    [
        ({}, {}, True),
        ({"working_now": None}, {}, False),
        ({"public_post": None}, {}, False),
        ({"student_status": None}, {}, True),
        ({"student_status": "4"}, {}, False),
        ({"labour_class": "3"}, {}, False),
        ({"public_post": True}, {}, False),
        ({}, {"household_type": "1"}, False),
        ({}, {"household_type": "1", "relocated": True}, True),
        ({}, {"household_type": "1", "monitor_class": "3"}, True),
    ],
)
def test_nobody_works_who_could(
    engine: Engine, person: dict[str, Any], more: dict[str, Any], counts: bool
) -> None:
    county = Village()
    county.home("home", {**SICK, **person}, **{"household_type": "2", **more})
    rows = made(engine, county, "zero_employment", "able_members")
    assert rows == ([(1,)] if counts else [])


@pytest.mark.parametrize("what", ["a job", "a job that ended", "a job that waits"])
def test_a_job_by_name_is_work(engine: Engine, what: str) -> None:
    county = Village()
    county.home("home", SICK, household_type="2")
    job: dict[str, Any] = {"place": "county", "kind": "flexible", "started_on": date(2026, 1, 1)}
    if what == "a job that waits":
        county.waits("employment", "home-1", **job)
    else:
        county.add("employment", "home-1", **job,
                   ended_on=DAY - timedelta(days=1) if "ended" in what else None)  # fmt: skip
    rows = made(engine, county, "zero_employment", "household_id")
    assert rows == ([("home",)] if what == "a job that ended" else [])


@pytest.mark.parametrize(
    ("started", "ended", "awarded"),
    [
        (date(2026, 1, 1), None, Decimal(3000)),
        (date(2026, 1, 2), None, Decimal(2700)),
        (date(2026, 1, 1), date(2026, 6, 30), Decimal(1800)),
        (date(2026, 1, 1), date(2026, 6, 29), Decimal(1500)),
        (date(2020, 1, 1), None, Decimal(3300)),
    ],
)
def test_awards_are_counted_in_full_months(
    engine: Engine, started: date, ended: date | None, awarded: Decimal
) -> None:
    """W is (27 November 2025, 27 November 2026]: its full months are December to October."""
    county = Village()
    county.home("home")
    county.add("assistance", "home-1", scheme="dibao", started_on=started, ended_on=ended,
               monthly_amount=Decimal(300))  # fmt: skip
    rows = made(engine, county, "support_received",
                "amount_12_months, awarded_12_months, payments, last_paid_on")  # fmt: skip
    assert rows == [(Decimal(0), awarded, 0, None)]


def test_an_award_whose_amount_is_empty_is_unknown_and_its_row_is_there(engine: Engine) -> None:
    county = Village()
    county.home("home")
    county.add("assistance", "home-1", scheme="tekun", started_on=date(2026, 1, 1))
    assert made(engine, county, "support_received", "scheme, awarded_12_months") == [
        ("tekun", None)
    ]


def test_what_was_taken_back_is_deducted_and_is_no_payment(engine: Engine) -> None:
    county = Village()
    county.home("home")
    for amount, on, state in (
        (300, date(2025, 11, 28), "paid"),
        (300, date(2025, 11, 27), "paid"),
        (-100, date(2026, 10, 1), "paid"),
        (50, date(2026, 9, 1), "returned"),
        (70, DAY + timedelta(days=1), "paid"),
    ):
        county.add("payments", "home-1", scheme="other", amount=Decimal(amount), paid_on=on,
                   state=state)  # fmt: skip
    rows = made(engine, county, "support_received",
                "amount_12_months, awarded_12_months, payments, last_paid_on")  # fmt: skip
    assert rows == [(Decimal(200), None, 1, date(2025, 11, 28))]


def test_an_empty_fund_is_skipped_and_all_empty_is_unknown(engine: Engine) -> None:
    county = Village()
    county.home("home")
    money = {"total_fee": Decimal(100), "fund_paid": Decimal(60), "in_scope": Decimal(80)}
    county.settlement("home-1", datetime(2026, 5, 1), **money, pooled_paid=None)
    county.settlement("home-1", datetime(2026, 6, 1), **money, pooled_paid=Decimal(50))
    rows = made(engine, county, "medical_ledger",
                "area_code, population, pooled_paid, medical_aid_paid, in_scope_rate")  # fmt: skip
    found = {row[:2]: row[2:] for row in rows}
    assert found["610921", "everybody"] == (Decimal(50), None, Decimal("0.75"))
    assert found["610921", "lifted"] == (Decimal(0), Decimal(0), None)


def test_dividends_of_an_asset_that_is_not_there_are_in_no_row(engine: Engine) -> None:
    county = Village()
    county.home("home")
    card = {"record_id": "A1", "asset_id": "A1", "name": "厂房", "category": "operating",
            "area_code": "610921100201", "fund_source": "finance", "state": "disposed",
            "original_value": Decimal(1000), "outcome": "placed",
            "accepted_on": date(2026, 8, 26)}  # fmt: skip
    county.rows["assets"].append(card)
    for asset, turn in (("A1", 2), ("A1", 3), ("A2", 2)):
        county.add("dividends", "home-1", asset_id=asset, round=turn, amount=Decimal(100),
                   paid_on=date(2026, 1, 1))  # fmt: skip
    columns = "assets, transfer_overdue, annual_income, distributed, households"
    rows = made(engine, county, "asset_ledger", f"area_code, category, {columns}")
    found = {row[:2]: row[2:] for row in rows}
    assert found["610921", "all"] == (1, 0, None, Decimal(100), 1)
    assert found["610921", "public"] == (0, 0, Decimal(0), Decimal(0), 0)
    card["state"] = "idle"
    rows = made(engine, county, "asset_ledger", f"area_code, category, {columns}")
    assert {row[:2]: row[3] for row in rows}["610921", "all"] == 1


def test_a_prefecture_has_a_row_where_a_register_has_several_counties(engine: Engine) -> None:
    county = Village()
    county.home("one")
    rows = made(engine, county, "medical_ledger", "distinct area_code")
    assert {len(area) for (area,) in rows} == {6, 9, 12}
    county.home("two", area="610922100201")
    rows = made(engine, county, "visit_coverage", "distinct area_code, households")
    assert dict(rows)["6109"] == 2


def test_a_shell_counts_in_its_county_in_no_known_town(engine: Engine) -> None:
    county = Village()
    county.home("home")
    county.member("shell", "shell-1", date(1980, 1, 1), outcome="unregistered", labour_class="1")
    rows = made(engine, county, "visit_coverage", "distinct area_code, households")
    assert dict(rows)["610921"] == 2
    assert dict(rows)["610921000"] == dict(rows)["610921000000"] == 1


def test_nothing_is_made_where_nobody_reads_it(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the setting the optional types are no contracts, and their views are empty."""
    monkeypatch.delenv("YIHU_DRAFTS")
    assert {c.records for c in load_contracts()}.isdisjoint({"visits", "assignments", "payments"})
    county = Village()
    county.home("home", monitor_class="2", measures_count=0)
    county.register(engine)
    make(engine, (*HOUSEHOLDS, *FLAGS, *CARRIED, *PUBLISHED), DAY)
    counts = {view: engine.scalar(f"select count(*) from {view}") for view in PUBLISHED}
    empty = {view for view, rows in counts.items() if rows == 0}
    assert empty == {
        *("responsibility", "responsibility_gap", "visit_coverage", "support_received"),
        *("zero_employment", "asset_ledger", "relapse", "watch"),
    }
    assert engine.rows("select gap from measure_gap") == [("no_measure",)]


def test_a_staff_number_that_looks_like_somebodys_is_published_as_a_pseudonym(
    engine: Engine,
) -> None:
    contract = contract_for("visits")
    for table, columns in (
        ("valid_rural_revitalisation__households", "'h1' as household_id"),
        ("valid_rural_revitalisation__members", "'h1' as household_id, 'm1' as member_id"),
    ):
        engine.table(table, f"select {columns}")
    engine.table(
        f"valid_{contract.table}",
        "select 'v' || n as visit_id, 'h1' as household_id, officer_id, date '2026-01-01' as"
        " visited_on, 'routine' as kind, 'none' as found, timestamp '2026-01-01' as updated_at,"
        " date '2026-01-01' as _arrived_on, 'v' || n as _first_key from (values (1, 'G12'), (2,"
        " '13800138000'), (3, '13800138000')) as t(n, officer_id)",
    )
    engine.table("own_spine", "select 'm1' as member_id, 'p1' as person_key")
    making = runner(engine, DAY)
    making.make([f"matched_{contract.table}"], day_moment(DAY), given={"spine": "own_spine"})
    found = engine.rows(f"select officer_id from matched_{contract.table} order by record_id")
    assert found[0] == ("G12",)
    assert found[1] == found[2] != ("13800138000",)
    assert len(found[1][0]) == 64


@pytest.mark.parametrize(
    ("as_of", "months", "last"),
    [
        (date(2026, 5, 31), 3, date(2026, 2, 28)),
        (date(2026, 5, 29), 3, date(2026, 2, 28)),
        (date(2026, 5, 28), 3, date(2026, 2, 27)),
        (date(2026, 11, 27), 3, date(2026, 8, 26)),
    ],
)
def test_accepted_so_long_ago(as_of: date, months: int, last: date) -> None:
    """The same day three months later, or the last of a shorter month, is over."""
    assert transfer_before(as_of, months) == last


def test_months_terms_and_weeks() -> None:
    months = [name for name, *_ in full_months(date(2026, 11, 30), 12)]
    assert (months[0], months[-1]) == ("202512", "202611")
    assert len(full_months(date(2026, 11, 29), 12)) == 11
    assert [name for name, *_ in last_months(date(2026, 11, 30), 2)] == ["202610", "202611"]
    assert [name for name, *_ in last_months(date(2026, 11, 29), 2)] == ["202609", "202610"]
    terms = {"1": "03-01", "2": "09-01"}
    assert begun_terms(date(2027, 3, 1), 12, terms) == ("2026-2", "2027-1")
    asked = {"1": "05-01", "2": "11-01"}
    assert asked_term(date(2027, 1, 1), asked) == "2026-2"
    names = [name for name, *_ in visit_periods(date(2026, 1, 1), 13)]
    assert names[:2] == ["2026-W01", "2025-W52"]
    assert names[-2:] == ["2026-H1", "2025-H2"]
