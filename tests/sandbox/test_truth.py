"""The truth beside the county: which error does what, how often, and where a record must end."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict
from datetime import datetime

import pytest
from stdnum.cn import ric

from sandbox.county import County
from sandbox.days import end_of
from sandbox.errors import KINDS
from sandbox.rates import ErrorRates
from sandbox.truth import OUTCOMES

DAY = end_of(datetime(2026, 11, 19))
PATTERNS = {
    "fullwidth": r"[０-９]{17}[０-９Ｘ]",
    "separators": r".*[ '\u200b\ufeff-].*",
    "lower_x": r"[0-9]{17}[x×*Х]",
    "old15": r"[0-9]{15}",
    "lookalike": r"[0-9]*[OlBSZoibsz][0-9]*[0-9X]",
    "swap": r"[0-9]{17}[0-9X]",
    "wrong_digit": r"[0-9]{17}[0-9X]",
    "relative": r"[0-9]{17}[0-9X]",
    "wrong_person": r"[0-9]{17}[0-9X]",
    "placeholder": r"999999.*",
    "damaged": r"[0-9]{15}000",
    "scientific": r"[0-9]\.[0-9]{5}E\+17",
}


def _sound(number: str) -> bool:
    return (
        bool(re.fullmatch(r"[0-9]{17}[0-9X]", number))
        and ric.calc_check_digit(number) == number[17]
    )


def test_each_kind_of_error_looks_as_it_should(county: County) -> None:
    people = {
        row["person"]: row
        for row in (
            county.connection()
            .execute(f"from read_parquet('{county.home / 'truth' / 'people.parquet'}')")
            .to_arrow_table()
            .to_pylist()
        )
    }
    seen: Counter[str] = Counter()
    for row in county.truth("enrolments").to_pylist() + county.truth("settlements").to_pylist():
        kind, number, name = row["error_kind"], row["delivered_number"], row["delivered_name"]
        seen[kind] += 1
        if kind in PATTERNS:
            assert re.fullmatch(PATTERNS[kind], number), kind
        person = people.get(row["person"])
        if kind in ("swap", "wrong_digit", "lookalike", "damaged") and kind != "damaged":
            assert not _sound(number), kind
        if kind in ("relative", "wrong_person"):
            assert _sound(number)
            assert person is not None
            assert (number == person["number"], name == person["name"]) == (False, True)
        if kind == "empty":
            assert number is None
        if kind.startswith("name_") and person is not None:
            assert name != person["name"], kind
    assert {kind.name for kind in KINDS} - set(seen) == set()


def test_errors_come_at_their_rates(county: County) -> None:
    kinds = Counter(county.truth("enrolments")["error_kind"].to_pylist())
    total = sum(kinds.values())
    rates = asdict(ErrorRates())
    for name in (
        "fullwidth",
        "separators",
        "lookalike",
        "swap",
        "wrong_digit",
        "name_space",
        "unregistered",
    ):
        assert kinds[name] / total == pytest.approx(rates[name], rel=0.5), name
    assert 0.9 < kinds["none"] / total < 0.99


@pytest.mark.parametrize(
    "records", ["enrolments", "settlements", "dwellings", "members", "cases", "households"]
)
def test_the_truth_of_a_day_has_a_row_a_record_and_one_outcome(
    county: County, records: str
) -> None:
    truth = county.truth(records, DAY).to_pylist()
    planted = sum(
        1 for row in county.rows(records, DAY).to_pylist() if _is_planted(county, records, row)
    )
    assert len(truth) + planted == county.rows(records, DAY).num_rows
    assert {row["expects"] for row in truth} <= set(OUTCOMES)
    assert sum(row["expects"] == "linked" for row in truth) / len(truth) > 0.93
    assert all(row["expects_household_id"] for row in truth if row["expects"] == "linked")


def _is_planted(county: County, records: str, row: dict[str, object]) -> bool:
    key = str(row[county.contract(records).record_key.physical_name])
    return bool(re.fullmatch(r"(H000000[1-4]|M000000[1-4]-[0-9]{2}|[A-Z]{2}9[0-9]{7})", key))


def test_corrected_records_carry_the_sound_number_later(county: County) -> None:
    truth = {
        row["record_key"]: row
        for row in county.truth("enrolments").to_pylist()
        if row["error_kind"] == "fullwidth"
    }
    fixed = {
        key for key, row in truth.items() if row["fixed_at"] is not None and row["fixed_at"] < DAY
    }
    rows = {
        row["psn_insu_id"]: row
        for row in county.rows("enrolments", DAY).to_pylist()
        if row["psn_insu_id"] in truth
    }
    for key, row in rows.items():
        fixed_at = truth[key]["fixed_at"]
        if fixed_at is not None and row["updt_time"] >= fixed_at:
            assert row["certno"].isascii()
        else:
            assert not row["certno"].isascii()
    assert fixed & set(rows)
