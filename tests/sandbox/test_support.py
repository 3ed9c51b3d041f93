"""What the sandbox tells of helpers, measures and money agrees with itself and the register."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.county import County
from sandbox.days import end_of
from sandbox.rates import ErrorRates

DAY = date(2026, 11, 27)
END = end_of(datetime(DAY.year, DAY.month, DAY.day))
TYPES = (
    *("assignments", "visits", "measures", "loans", "employment", "student_aid", "assets"),
    *("dividends", "payments", "disputes"),
)


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> County:
    folder: Path = tmp_path_factory.mktemp("supported")
    return County(folder, 1500, 4, ErrorRates().none()).make()


def rows(county: County, records: str) -> list[dict[str, Any]]:
    """Rows in force with whose they truly are, by logical names."""
    contract = county.contract(records)
    named = {field.physical_name: field.name for field in contract.fields}
    key = contract.record_key.physical_name
    truth = {row["record_key"]: row for row in county.truth(records, END).to_pylist()}
    return [
        {named.get(name, name): value for name, value in row.items()}
        | {
            "person": truth.get(row[key], {}).get("true_member_id"),
            "home": truth.get(row[key], {}).get("true_household_id"),
        }
        for row in county.rows(records, END).to_pylist()
        if row["_op"] == "U"
    ]


def test_every_type_is_told(county: County) -> None:
    counts = {records: len(rows(county, records)) for records in TYPES}
    assert min(counts.values()) >= 5, counts


def test_the_truth_says_whose_each_record_is(county: County) -> None:
    for records in TYPES:
        outcomes = Counter(row["expects"] for row in county.truth(records, END).to_pylist())
        right = "placed" if records == "assets" else "linked"
        assert set(outcomes) <= {right, "withdrawn", "any"}, (records, outcomes)


def test_as_many_measures_are_in_force_as_the_register_counts(county: County) -> None:
    standing = Counter(
        row["household_id"] for row in rows(county, "measures") if row["status"] == "in_force"
    )
    for home in rows(county, "households"):
        if home["household_id"] > "H0000004":
            assert standing[home["household_id"]] == home["measures_count"]


def test_loans_are_as_the_register_marks_them(county: County) -> None:
    owing: dict[str, set[str]] = defaultdict(set)
    for row in rows(county, "loans"):
        owing[row["home"]].add(row["status"])
    for home in rows(county, "households"):
        if home["household_id"] > "H0000004" and home["microcredit"] is not None:
            told = owing[home["household_id"]]
            assert ("overdue" in told) == (home["microcredit"] == "2")
            assert ("in_use" in told) == (home["microcredit"] == "1")


def test_nobody_has_a_job_by_name_who_is_out_of_work(county: County) -> None:
    working = {row["member_id"]: row["working_now"] for row in rows(county, "members")}
    told = [row for row in rows(county, "employment") if row["person"] in working]
    assert told
    assert all(working[row["person"]] for row in told)


def test_each_month_of_an_award_is_paid_and_no_other(county: County) -> None:
    awards: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows(county, "assistance"):
        if row["scheme"] == "dibao" and row["home"]:
            awards[row["home"]].append(row)
    paid: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows(county, "payments"):
        if row["scheme"] == "dibao" and row["state"] == "paid":
            paid[row["home"], row["month"]] += row["amount"]
    assert awards
    assert paid
    for home, month in paid:
        last = date(int(month[:4]), int(month[4:]), 28)
        assert any(award["started_on"] <= last for award in awards[home]), (home, month)
    standing = [
        home
        for home, found in awards.items()
        if any(a["started_on"] <= date(2026, 9, 1) and a["ended_on"] is None for a in found)
    ]
    lacking = [home for home in standing if paid[home, "202610"] <= 0]
    assert len(lacking) <= len(standing) * 0.05


def test_no_more_is_handed_on_than_an_asset_earns(county: County) -> None:
    earned = {row["asset_id"]: row["annual_income"] for row in rows(county, "assets")}
    given: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for row in rows(county, "dividends"):
        given[row["asset_id"], row["paid_on"].year] += row["amount"]
    assert given
    assert all(amount <= earned[asset] for (asset, _), amount in given.items())


def test_an_officer_has_one_name_and_households_of_one_town(county: County) -> None:
    areas = {row["household_id"]: row["area_code"] for row in rows(county, "households")}
    told, towns = defaultdict(set), defaultdict(set)
    for row in rows(county, "assignments"):
        told[row["officer_id"]].add(row["officer_name"])
        if row["household_id"] in areas and not row["officer_id"].startswith("G9"):
            towns[row["officer_id"]].add(areas[row["household_id"]][:9])
    assert {len(found) for found in told.values()} == {1}
    assert {len(found) for found in towns.values()} == {1}
