"""Cells that are damaged, keys that fall together, times to come: what sets a row aside, what is
told, and that both say so.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.contract import Code, Contract
from expectations.idnumber import SEPARATORS, names_somebody, somebodys
from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.validation.batches import state, stored
from tests.writings.office import DAY, contract_of, deliver, field
from warehouse.asof import make_valid

OWNER = field("owner", role="id_number", classification="identity")
NAME = field("name", role="name", classification="identity")
AMOUNT, GRADE = (
    field("amount", "decimal(16,2)", unit="yuan"),
    field("grade", codes=(Code("A", ""), Code("B", ""))),
)
HOUSE = contract_of(OWNER, NAME, AMOUNT, GRADE, field("dwelling_id"))


def quarantine(
    engine: Engine, lake: Lake, contract: Contract = HOUSE, day: date = DAY
) -> list[tuple[Any, ...]]:
    return stored(
        engine, lake, "quarantine", contract, day, "select _row, rules from t order by _row"
    )


def warned(ledger: dict[str, Any]) -> dict[str, int]:
    return {
        r["rule"]: r["unexpected_count"]
        for r in ledger["rules"]
        if r["severity"] == "warning" and not r["passed"]
    }


@pytest.mark.parametrize(
    ("marks", "row", "rules"),
    [
        (["number:digits_lost"], {"number": "61092110020001000000"}, ["damaged:number"]),
        (["amount:error_cell"], {"amount": None}, ["error_cell:amount"]),
        (["amount:formula_without_value"], {"amount": None}, ["formula_without_value:amount"]),
        (["name:illegal_byte"], {"name": "张\ufffd"}, ["illegal_byte:name"]),
        (["remark:illegal_byte"], {}, ["illegal_byte:remark"]),
        (["number:extra_cells"], {}, ["extra_cells:number"]),
        ([], {"number": "6.12422E+17"}, ["damaged:number"]),
        ([], {"number": "A\x001"}, ["control_character:number"]),
        ([], {"grade": "A\x07"}, ["control_character:grade"]),
        ([], {"owner": "61242219880228831\x00X"}, ["control_character:owner"]),
    ],
)
def test_a_damaged_cell_sets_its_row_aside_and_says_so(
    engine: Engine, lake: Lake, marks: list[str], row: dict[str, Any], rules: list[str]
) -> None:
    good = {"owner": "612422198802288310", "name": "张三", "amount": "1", "grade": "A"}
    deliver(lake, HOUSE, [good, good | row], beside=[{}, {"_marks": marks}])
    ledger = make_valid(engine, lake, HOUSE, DAY)
    assert ledger["rejected"] is None
    assert (ledger["in_force"], quarantine(engine, lake)) == (1, [(2, rules)])


def test_rows_whose_keys_lost_their_digits_are_each_set_aside(engine: Engine, lake: Lake) -> None:
    """Six dwellings on one number: they are six rows, and no dwelling of that number."""
    rows = [{"number": "61092110020001000000", "amount": str(n)} for n in range(6)]
    deliver(
        lake,
        HOUSE,
        [*rows, {"amount": "7"}],
        beside=[*({"_marks": ["number:digits_lost"]} for _ in rows), {}],
    )
    ledger = make_valid(engine, lake, HOUSE, DAY)
    assert ledger["in_force"] == 1
    assert len(quarantine(engine, lake)) == 6
    assert stored(engine, lake, "quarantine", HOUSE, DAY, "select distinct record_key from t") == [
        (None,)
    ]


def test_an_id_number_that_lost_its_digits_is_told_and_is_nobodys(
    engine: Engine, lake: Lake
) -> None:
    rows = [
        {"owner": "612422198802288000", "dwelling_id": "61092110020001000000"},
        {"owner": "6.12422E+17"},
    ]
    deliver(
        lake, HOUSE, rows, beside=[{"_marks": ["owner:digits_lost", "dwelling_id:digits_lost"]}, {}]
    )
    ledger = make_valid(engine, lake, HOUSE, DAY)
    assert state(engine, lake, HOUSE, DAY, "owner, dwelling_id") == [
        ("612422198802288000?", "61092110020001000000?"),
        ("6.12422E+17", None),
    ]
    assert warned(ledger) | {"id_structure:owner": 2} == {
        "damaged:owner": 2,
        "damaged:dwelling_id": 1,
        "id_structure:owner": 2,
    }


@pytest.mark.parametrize("form", ["file", "sql"])
def test_no_nul_gets_past_landing(engine: Engine, lake: Lake, form: str) -> None:
    deliver(
        lake,
        HOUSE,
        [{"name": "张\x00三\x1f", "grade": "A"}, {"number": "K\x001", "name": "\x00"}],
        form=form,
    )
    ledger = make_valid(engine, lake, HOUSE, DAY)
    assert state(engine, lake, HOUSE, DAY, "name") == [("张三",)]
    assert warned(ledger)["control_character:name"] == 2
    kept = stored(engine, lake, "quarantine", HOUSE, DAY, "select raw, record_key from t")
    assert "\x00" not in repr(kept)
    assert "u0000" not in repr(kept)


def test_keys_that_fall_together_are_both_set_aside(engine: Engine, lake: Lake) -> None:
    rows = [
        {"number": "A1"},
        {"number": "Ａ１"},
        {"number": "B1 "},
        {"number": "B2"},
        {"number": "B2"},
    ]
    deliver(lake, HOUSE, rows)
    ledger = make_valid(engine, lake, HOUSE, DAY)
    assert {row for row, rules in quarantine(engine, lake) if rules == ["folded_key:number"]} == {
        2
    }  # the newest bad row of a key stays open
    bad = next(r for r in ledger["rules"] if r["rule"] == "folded_key:number")
    assert bad["unexpected_count"] == 2
    assert state(engine, lake, HOUSE, DAY, "number") == [("B1",), ("B2",)]


def test_an_update_time_to_come_is_a_bad_row(engine: Engine, lake: Lake) -> None:
    """The clerk typed 2062; the correction of the next day is in force."""
    late, in_time = "2026-11-23 00:00:01", "2026-11-23 00:00:00"
    deliver(
        lake,
        HOUSE,
        [{"updated_at": "2062-11-01 09:00:00"}, {"updated_at": late}, {"updated_at": in_time}],
    )
    make_valid(engine, lake, HOUSE, DAY)
    assert quarantine(engine, lake) == [(1, ["future:updated_at"]), (2, ["future:updated_at"])]
    tomorrow = DAY + timedelta(days=1)
    deliver(lake, HOUSE, [{"grade": "B"}, {"grade": "A"}, {"updated_at": in_time}], day=tomorrow)
    make_valid(engine, lake, HOUSE, tomorrow)
    assert state(engine, lake, HOUSE, tomorrow, "number, grade") == [
        ("N001", "B"),
        ("N002", "A"),
        ("N003", None),
    ]
    assert quarantine(engine, lake, day=tomorrow) == []


def test_a_day_before_its_month_asks_for_its_form(engine: Engine, lake: Lake) -> None:
    """2026/3/4 would be read as 4 March; the column has 13 and 21 in the middle and nothing above
    12 behind.
    """
    contract = contract_of(field("day", "date"))
    deliver(
        lake,
        contract,
        [{"day": "2026/3/4"}, {"day": "2026/13/4"}, {"day": "2026/21/11"}, {"day": "2026/5/6"}],
    )
    ledger = make_valid(engine, lake, contract, DAY)
    assert "is the day before the month?" in ledger["rejected"]["reasons"][0]
    assert "written: [YYYY/D/M]" in ledger["rejected"]["reasons"][0]
    told, other = contract_of(field("day", "date", written=("YYYY/D/M",))), Lake(lake.root / "told")
    deliver(
        other,
        told,
        [{"day": "2026/3/4"}, {"day": "2026/13/4"}, {"day": "2026/21/11"}, {"day": "2026/5/6"}],
    )
    make_valid(engine, other, told, DAY)
    assert state(engine, other, told, DAY, "day::varchar") == [
        ("2026-04-03",),
        ("2026-04-13",),
        ("2026-11-21",),
        ("2026-06-05",),
    ]


@pytest.mark.parametrize("days", [["2026/3/14", "2026/13/4"], ["2026/3/4", "2026/5/6"]])
def test_a_typing_error_is_no_question(engine: Engine, lake: Lake, days: list[str]) -> None:
    contract = contract_of(field("day", "date"))
    deliver(lake, contract, [{"day": day} for day in days])
    assert make_valid(engine, lake, contract, DAY)["rejected"] is None


def test_dates_that_end_with_the_year_ask_for_their_form(engine: Engine, lake: Lake) -> None:
    contract = contract_of(field("day", "date"))
    deliver(lake, contract, [{"day": "3/4/2026"}, {"day": "2026-03-04"}, {"day": "2026-03-05"}])
    ledger = make_valid(engine, lake, contract, DAY)
    assert any("[DD/MM/YYYY] or [MM/DD/YYYY]" in drift for drift in ledger["drift"])
    assert quarantine(engine, lake, contract) == [(1, ["type:day"])]


SOMEBODYS = ["612422198905305805", "D612422198905305805", "61242219890530580x",
    "６１２４２２１９８９０５３０５８０５", "612422-19890530-5805",
             "13812345678", "tel138 1234 5678", "612422890530580", "救助2026001",
             "000000000000000000", "A-1381234-5678-B", "612422 19890530 5805",
             "612422A19890530B5805", "110105x1949-1231zz002X", "2026001徐某某"]  # fmt: skip
NOBODYS = [
    "612422A19890530B5804",
    "610921A20261331B0001",
    "X6124B22",
    "61092110020001000001",
    "WG2026-001",
    "20260911091500100013",
    "H0000001",
    "2026110100001",
    "A" * 18,
    "1234567890",
    "123456789012",
]


def test_record_numbers_that_look_like_somebodys(engine: Engine) -> None:
    keys = [*SOMEBODYS, *NOBODYS]
    rows = ", ".join(f"({n}, '{key}')" for n, key in enumerate(keys))
    found = engine.rows(f"select {somebodys('key')} from (values {rows}) as t(n, key) order by n")
    assert (
        [bool(value) for (value,) in found]
        == [names_somebody(key) for key in keys]
        == [True] * len(SOMEBODYS) + [False] * len(NOBODYS)
    )


SPELT = st.text(
    st.sampled_from("0123456789" * 6 + "XxABz" + SEPARATORS + "０１９ＡｘＺ徐𠀀"), max_size=30
)


@given(st.lists(SPELT, min_size=1, max_size=300))
@settings(max_examples=20, deadline=None)
def test_every_spelling_is_judged_alike_by_engine_and_python(keys: list[str]) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table t as select unnest(?::varchar[]) as key", [keys])
        found = connection.execute(f"select {somebodys('key')} from t").fetchall()
    assert [bool(value) for (value,) in found] == [names_somebody(key) for key in keys]


def test_a_record_number_that_looks_like_somebodys_sets_its_row_aside(
    engine: Engine, lake: Lake
) -> None:
    deliver(lake, HOUSE, [{"number": key} for key in [*SOMEBODYS, *NOBODYS]])
    ledger = make_valid(engine, lake, HOUSE, DAY)
    assert ledger["in_force"] == len(NOBODYS)
    assert [rules for _, rules in quarantine(engine, lake)] == [["identity:number"]] * len(
        SOMEBODYS
    )
    assert "61242219890530" not in repr(ledger)


def test_a_pseudonym_is_published_of_any_number(engine: Engine, lake: Lake) -> None:
    contract = contract_of(OWNER, published="pseudonym")
    deliver(lake, contract, [{"number": key} for key in SOMEBODYS[8:11]])
    assert make_valid(engine, lake, contract, DAY)["in_force"] == 3
    assert [f.name for f in contract.unnamed] == ["updated_at"]
