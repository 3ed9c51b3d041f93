"""The county from outside: the same from the same seed, days in any order, sums that hold, errors
at their rates.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pytest
from stdnum.cn import ric

from expectations.contract import load_contracts
from resources.stand_ins import SANDBOX_SEED
from sandbox.county import County
from sandbox.days import end_of
from sandbox.draft import Draft, with_one_known
from sandbox.golden import GOLDEN, MEMBERS
from sandbox.people import draw_people
from sandbox.places import TOWNS, VILLAGES
from sandbox.rates import ErrorRates
from sandbox.shapes import SHAPES

DAY = end_of(datetime(2026, 11, 19))
ALL = [contract.records for contract in load_contracts() if contract.records in SHAPES]


def _rows(
    county: County, records: str, until: datetime = DAY, since: datetime | None = None
) -> dict[str, tuple[object, ...]]:
    table = county.rows(records, until, since)
    key = county.contract(records).record_key.physical_name
    return {row[key]: tuple(row.values()) for row in table.to_pylist()}


def test_every_record_type_of_the_contracts_has_rows(county: County) -> None:
    assert len(ALL) == 18
    assert {records for records in ALL if county.rows(records, DAY).num_rows == 0} == set()


def test_a_small_county_has_rows_of_rare_record_types_too(tmp_path: Path) -> None:
    """As `make sync` makes it: an answer without rows would be held back, no small clone be
    clean.
    """
    small = County(tmp_path / "county", 150, int(SANDBOX_SEED)).make()
    assert {records for records in ALL if county_lacks(small, records)} == set()


def county_lacks(county: County, records: str) -> bool:
    return "U" not in county.rows(records, DAY).column("_op").to_pylist()


def test_what_is_still_to_come_is_brought_forward_by_one_record() -> None:
    people = draw_people(7, 100, ErrorRates())
    days = np.array(["2028-03-01", "2027-05-10", "2028-12-01"], "datetime64[D]")
    person = np.flatnonzero(people.birth < np.datetime64("1980-01-01"))[:3]
    columns = {"occurred_on": days, "outcome": np.array(list("abc"))}
    drawn = Draft("casualties", person, days.astype("datetime64[s]"), columns)
    found = with_one_known(drawn, people)
    assert found.columns["occurred_on"].astype(str).tolist() == [
        "2028-03-01",
        "2026-10-02",
        "2028-12-01",
    ]
    assert (found.born.astype("datetime64[D]") == found.columns["occurred_on"]).all()
    assert found.columns["outcome"].tolist() == list("abc")
    assert with_one_known(found, people) is found
    nothing = Draft("casualties", person[:0], days[:0], {})
    assert with_one_known(nothing, people) is nothing


def test_the_same_seed_gives_the_same_county_and_another_seed_another(tmp_path: Path) -> None:
    first, second, other = (
        County(tmp_path / name, 150, seed).make() for name, seed in (("a", 3), ("b", 3), ("c", 4))
    )
    for records in ALL:
        assert first.rows(records, DAY).equals(second.rows(records, DAY)), records
    assert not first.rows("members", DAY).equals(other.rows("members", DAY))


def test_a_county_is_reused_until_something_about_it_changes(tmp_path: Path) -> None:
    said: list[str] = []
    County(tmp_path / "a", 300, 3, say=said.append).make()
    stamp = (tmp_path / "a" / "base" / "members.parquet").stat().st_mtime_ns
    County(tmp_path / "a", 300, 3, say=said.append).make()
    assert (tmp_path / "a" / "base" / "members.parquet").stat().st_mtime_ns == stamp
    County(tmp_path / "a", 300, 3, ErrorRates().doubled()).make()
    assert (tmp_path / "a" / "base" / "members.parquet").stat().st_mtime_ns != stamp
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "a" / "base").iterdir()} == {0o600}


@pytest.mark.parametrize("records", ALL)
def test_a_chain_of_increments_with_a_day_of_overlap_equals_one_full_read(
    county: County, records: str
) -> None:
    days = [end_of(datetime(2026, 11, 1)) + timedelta(days=n) for n in range(19)]
    state = _rows(county, records, days[0])
    for before, day in pairwise(days):
        state |= _rows(county, records, day, before - timedelta(days=1))
    assert state == _rows(county, records, days[-1])


def test_a_day_does_not_depend_on_what_was_asked_before(county: County) -> None:
    again = County(county.home, county.households, county.seed)
    later = again.rows("settlements", DAY + timedelta(days=90))
    assert again.rows("settlements", DAY).equals(county.rows("settlements", DAY))
    assert later.num_rows > county.rows("settlements", DAY).num_rows


def test_nothing_is_from_the_future(county: County) -> None:
    for contract in load_contracts():
        name = contract.by_role("updated_at").physical_name
        assert max(county.rows(contract.records, DAY)[name].to_pylist()) <= DAY, contract.records


def test_about_one_percent_changes_in_a_day(county: County) -> None:
    shares = []
    for records in ("households", "members", "enrolments", "settlements"):
        changed = county.rows(records, DAY, DAY - timedelta(days=10)).num_rows
        shares.append(changed / county.rows(records, DAY).num_rows / 10)
    assert all(0.008 < share < 0.0125 for share in shares), shares


def test_some_rows_are_committed_late_within_a_day(county: County) -> None:
    late = 0
    for n in range(4):
        day = DAY + timedelta(days=n)
        seen = _rows(county, "enrolments", day)
        known_later = _rows(county, "enrolments", day + timedelta(days=1), day - timedelta(days=1))
        column = county.rows("enrolments", day).column_names.index("updt_time")
        late += sum(
            1 for key, row in known_later.items() if row[column] <= day and seen.get(key) != row
        )
    assert late > 0


def test_some_records_are_withdrawn_and_a_few_return(county: County) -> None:
    gone: set[str] = set()
    returned: set[str] = set()
    for n in range(0, 300, 8):
        for key, row in _rows(
            county, "enrolments", DAY + timedelta(days=n), DAY + timedelta(days=n - 9)
        ).items():
            if row[-2] == "D":
                gone.add(key)
            elif key in gone:
                returned.add(key)
    assert len(gone) > 20
    assert 0 < len(returned) < len(gone)


def test_amounts_add_up_to_the_cent_and_reversals_negate(county: County) -> None:
    settlements = county.rows("settlements", DAY)
    select = """
        with s as (select * from settlements where _broken = 0)
        select count(*) filter (medfee_sumamt <> fund_pay_sumamt + psn_part_amt + hosp_part_amt)
             + count(*) filter (medfee_sumamt <> fulamt_ownpay_amt + overlmt_selfpay
                 + preselfpay_amt + inscp_scp_amt)
             + count(*) filter (fund_pay_sumamt <> hifp_pay + hifmi_pay + maf_pay), count(*)
                 from s"""
    wrong, count = duckdb.sql(select).fetchall()[0]
    assert (wrong, count > 3000) == (0, True)
    select = """
        select count(*), count(*) filter (r.medfee_sumamt = -o.medfee_sumamt
            and r.psn_part_amt = -o.psn_part_amt
            and r.inscp_scp_amt = -o.inscp_scp_amt and r.setl_time > o.setl_time
                and r.med_type = o.med_type)
        from settlements r join settlements o on o.setl_id = r.init_setl_id where r._broken = 0
            and o._broken = 0"""
    pairs, negated = duckdb.sql(select).fetchall()[0]
    assert pairs > 10
    assert pairs == negated
    assert settlements.num_rows > 0


def test_broken_rows_are_about_a_thousandth_and_break_what_they_say(county: County) -> None:
    enrolments = county.rows("enrolments", DAY + timedelta(days=40))
    bad, count = duckdb.sql(
        "select count(*) filter (_broken > 0), count(*) from enrolments"
    ).fetchall()[0]
    assert 0.0002 < bad / count < 0.002
    codes = duckdb.sql("select distinct psn_insu_stas from enrolments where _broken = 1").fetchall()
    assert codes == [("9",)]
    assert enrolments.num_rows == count


def test_numbers_are_sound_unique_and_mostly_of_the_old_region() -> None:
    people = draw_people(5, 3000, ErrorRates())
    numbers = people.number.tolist()
    assert len(set(numbers)) == len(numbers)
    assert {ric.calc_check_digit(number) == number[17] for number in numbers} == {True}
    adults = [number for number, age in zip(numbers, people.age, strict=True) if age > 30]
    assert sum(number.startswith("612422") for number in adults) / len(adults) > 0.8
    assert {
        int(number[16]) % 2 for number, male in zip(numbers, people.male, strict=True) if male
    } == {1}


def test_the_county_is_plausible(county: County) -> None:
    households = county.rows("households", DAY)
    members = county.rows("members", DAY)
    assert households.num_rows == 2000
    assert 2.8 < members.num_rows / 2000 < 3.2
    assert (len(TOWNS), len(VILLAGES)) == (10, 156)
    places = {code[:9] for code in households["行政区划代码"].to_pylist() if len(code) == 12}
    assert places == set(TOWNS)


def test_double_rates_are_double_and_no_rates_give_no_errors(tmp_path: Path) -> None:
    assert all(
        getattr(ErrorRates().doubled(), f.name) == min(1, 2 * getattr(ErrorRates(), f.name))
        for f in fields(ErrorRates)
    )
    clean = County(tmp_path / "clean", 400, 3, ErrorRates().none()).make()
    for records in ("settlements", "enrolments", "dwellings"):
        truth = clean.truth(records, DAY)
        assert set(truth["expects"].to_pylist()) == {"linked"}, records
        assert set(clean.rows(records, DAY)["_op"].to_pylist()) == {"U"}


def test_the_planted_households_stand_still_from_june_to_march(county: County) -> None:
    ours = {GOLDEN[name] for name in GOLDEN}
    versions = set()
    for day in (datetime(2026, 11, 15), datetime(2026, 11, 19), datetime(2026, 12, 15)):
        rows = [
            row
            for row in county.rows("households", end_of(day)).to_pylist()
            if row["户编号"] in ours
        ]
        people = [
            row for row in county.rows("members", end_of(day)).to_pylist() if row["户编号"] in ours
        ]
        assert {row["_broken"] for row in rows + people} == {0}
        versions.add(str(sorted(map(str, rows + people))))
    assert len(versions) == 1
    numbers = {member.number for member in MEMBERS}
    assert all(ric.calc_check_digit(number) == number[17] for number in numbers)
    facts = dict.fromkeys(ALL, 0)
    for contract in load_contracts():
        role = contract.find_role("id_number")
        if role is not None and contract.records in SHAPES:
            facts[contract.records] = sum(
                n in numbers
                for n in county.rows(contract.records, DAY)[role.physical_name].to_pylist()
            )
    named = {
        "members": 16,
        "settlements": 3,
        "serious_illnesses": 2,
        "chronic_followups": 1,
        "assistance": 1,
        "losses": 1,
        "dwellings": 1,
    }
    assert {k: v for k, v in facts.items() if v} == named | {"reports": 1, "enrolments": 32}


def test_the_planted_amounts_are_those_of_the_design(county: County) -> None:
    rows = {row["户编号"]: row for row in county.rows("households", DAY).to_pylist()}
    xu = rows[GOLDEN["xu"]]
    assert xu["户类型"] == "2"
    assert (xu["生产经营性收入"], xu["转移性收入"], xu["上期家庭纯收入"]) == (
        Decimal(4000),
        Decimal(12156),
        Decimal(42000),
    )
    assert str(xu["最近走访日期"]) == "2026-11-09"
    assert rows[GOLDEN["jiang"]]["工资性收入"] == Decimal(48000)
    personal = [
        row["psn_part_amt"]
        for row in county.rows("settlements", DAY).to_pylist()
        if row["setl_id"].startswith("ST9")
    ]
    assert sorted(personal) == [22000, 27000, 40000]
