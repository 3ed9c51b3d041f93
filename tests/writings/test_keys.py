"""Composite keys, snapshots, what names of sheets and files say; keys of an older state in their
one spelling.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.contract import Code, Contract
from expectations.contract_file import _with_derived
from expectations.typed_rows import composite
from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.validation.batches import state, stored
from tests.writings.office import DAY, contract_of, deliver, field, landed
from warehouse.asof import make_valid

NEXT = DAY + timedelta(days=1)


def keyed(*parts: Any, **more: Any) -> Contract:
    """A record type whose key is made of these fields."""
    contract = contract_of(*parts, field("amount", "decimal(16,2)"), **more)
    bare = tuple(
        f
        for f in contract.fields
        if f.name not in ("number", *(["updated_at"] if contract.is_snapshot else []))
    )
    return _with_derived(replace(contract, fields=bare))


PAYMENT = keyed(
    field("id_number", role="id_number", classification="identity", key_position=1, required=True),
    field(
        "kind",
        codes=(Code("living", "", ("生活补贴",)), Code("nursing", "", ("护理补贴",))),
        key_position=2,
        required=True,
    ),
    field("month", role="event_time", written=("YYYY年M月",), key_position=3, required=True),
    delivery="snapshot",
)


def test_a_key_of_three_fields_in_a_snapshot(engine: Engine, lake: Lake) -> None:
    one = {
        "id_number": "61242219880228831x",
        "kind": "生活补贴",
        "month": "2026年10月",
        "amount": "60",
    }
    deliver(
        lake,
        PAYMENT,
        [
            one,
            one | {"kind": "护理补贴", "amount": "80"},
            one | {"id_number": None},
            one | {"month": "2026年13月"},
        ],
    )
    ledger = make_valid(engine, lake, PAYMENT, DAY)
    assert ledger["rejected"] is None
    assert state(
        engine, lake, PAYMENT, DAY, "record_key, amount::varchar, updated_at::varchar"
    ) == [
        ("61242219880228831X|living|202610", "60.00", "2026-11-21 00:00:00"),
        ("61242219880228831X|nursing|202610", "80.00", "2026-11-21 00:00:00"),
    ]
    rules = stored(engine, lake, "quarantine", PAYMENT, DAY, "select rules from t order by _row")
    assert rules == [(["required:id_number"],), (["type:month"],)]
    assert PAYMENT.record_key.is_identity
    assert [f.name for f in PAYMENT.key_fields] == ["id_number", "kind", "month"]
    assert "record_key" not in [f.name for f in PAYMENT.unnamed]


def test_a_row_of_a_snapshot_is_updated_when_it_differs(engine: Engine, lake: Lake) -> None:
    def rows(*amounts: str) -> list[dict[str, Any]]:
        return [
            {
                "id_number": f"61242219880228831{n}",
                "kind": "生活补贴",
                "month": "202610",
                "amount": a,
            }
            for n, a in enumerate(amounts)
        ]

    deliver(lake, PAYMENT, rows("1", "2", "3", "4"))
    make_valid(engine, lake, PAYMENT, DAY)
    deliver(lake, PAYMENT, rows("1", "2.5", "3.00"), day=NEXT)
    ledger = make_valid(engine, lake, PAYMENT, NEXT)
    assert ledger["today"] == {
        "received": 3,
        "accepted": 1,
        "unchanged": 2,
        "superseded": 0,
        "withdrawn": 0,
        "quarantined": 0,
    }
    assert (ledger["withdrawn_keys"], ledger["new_keys"]) == (1, 0)
    found = state(engine, lake, PAYMENT, NEXT, "amount::varchar, updated_at::date::varchar")
    assert found == [("1.00", "2026-11-21"), ("2.50", "2026-11-22"), ("3.00", "2026-11-21")]


@given(
    st.lists(
        st.lists(st.text("a|~", max_size=3), min_size=3, max_size=3),
        min_size=2,
        max_size=2,
        unique_by=tuple,
    )
)
def test_no_two_keys_are_joined_alike(parts: list[list[str]]) -> None:
    import duckdb

    one, other = (
        duckdb.sql(f"select {composite([repr(part) for part in key])}").fetchone() for key in parts
    )
    assert one != other


def test_sheets_files_and_constants_say_what_the_rows_lack(engine: Engine, lake: Lake) -> None:
    towns = (Code("610921101", "", ("石门镇",)), Code("610921102", "", ("马鞍镇",)))
    contract = contract_of(
        field("town", codes=towns, source="sheet"), field("period", source="file"),
        field("scheme", constant="dibao"),
        field("paid", "decimal(16,2)", constant="0"),
    )  # fmt: skip
    beside = [
        {"_sheet": "石门镇", "_part": "2026年10月"},
        {"_sheet": "马鞍镇 ", "_part": "2026年10月"},
        {"_sheet": "新镇", "_part": None},
    ]
    deliver(lake, contract, [{}, {}, {}], beside=beside)
    make_valid(engine, lake, contract, DAY)
    assert state(engine, lake, contract, DAY, "town, period, scheme, paid::varchar") == [
        ("610921101", "2026年10月", "dibao", "0.00"),
        ("610921102", "2026年10月", "dibao", "0.00"),
    ]
    assert stored(engine, lake, "quarantine", contract, DAY, "select rules from t") == [
        (["codes:town"],)
    ]


def test_an_absent_column_is_not_what_an_empty_cell_means(engine: Engine, lake: Lake) -> None:
    contract = contract_of(field("flag", "boolean", blank="false"), field("other"))
    deliver(lake, contract, [{"other": "x"}])
    make_valid(engine, lake, contract, DAY)
    assert state(engine, lake, contract, DAY, "flag") == [(None,)]


def test_a_list_that_is_not_complete_keeps_its_words(engine: Engine, lake: Lake) -> None:
    contract = contract_of(field("cause", codes=(Code("illness", "因病"),), codes_complete=False))
    deliver(lake, contract, [{"cause": "因病"}, {"cause": "因学"}])
    ledger = make_valid(engine, lake, contract, DAY)
    assert state(engine, lake, contract, DAY, "cause") == [("illness",), ("因学",)]
    rule = next(r for r in ledger["rules"] if r["rule"] == "codes:cause")
    assert (rule["severity"], rule["unexpected_count"]) == ("warning", 1)


def unfolded(engine: Engine, lake: Lake, contract: Contract, day: date) -> None:
    """Makes the day's ledger one of a time when keys were kept as they came, the state as it is
    written by hand.
    """
    ledger = lake.read_note("ledger", contract.table, day) or {}
    lake.write_note(
        "ledger",
        contract.table,
        day,
        {k: v for k, v in ledger.items() if k not in ("keys_folded", "keys_checked")},
    )


def rewrite_keys(
    engine: Engine, lake: Lake, contract: Contract, day: date, keys: dict[str, str]
) -> None:
    """The keys of a stored state as they were delivered in former times."""
    key = contract.record_key.name
    arms = " ".join(f"when '{now}' then '{before}'" for now, before in keys.items())
    for file in Path(lake.root / "valid" / contract.table).rglob("*.parquet"):
        table = engine.arrow(
            f'select * replace (case "{key}" {arms} else "{key}" end as "{key}") from'
            f" read_parquet('{file}')"
        ).read_all()
        file.unlink()
        pq.write_table(table, file)
    unfolded(engine, lake, contract, day)


def test_the_upgrade_folds_the_keys_in_force_and_carries_their_ids(
    engine: Engine, lake: Lake
) -> None:
    contract = contract_of(field("amount", "decimal(16,2)"))
    deliver(lake, contract, [{"number": key, "amount": "1"} for key in ("A1", "A2", "A3", "A4")])
    make_valid(engine, lake, contract, DAY)
    rewrite_keys(engine, lake, contract, DAY, {"A1": "A1\t", "A2": "Ａ２", "A4": "13812345678"})
    deliver(
        lake, contract, [{"number": key, "amount": "1"} for key in ("A1 ", "A2", "A3")], day=NEXT
    )
    ledger = make_valid(engine, lake, contract, NEXT)
    assert (ledger["in_force"], ledger["new_keys"], ledger["withdrawn_keys"]) == (3, 0, 1)
    assert ledger["today"]["unchanged"] == 3
    found = state(engine, lake, contract, NEXT, "number, _first_key")
    assert found == [("A1", "A1\t"), ("A2", "Ａ２"), ("A3", None)]
    later = NEXT + timedelta(days=1)
    deliver(
        lake,
        contract,
        [{"number": "A1", "amount": "2"}, {"number": "A2", "amount": "1"}],
        day=later,
    )
    ledger = make_valid(engine, lake, contract, later)
    assert state(engine, lake, contract, later, "number, amount::varchar, _first_key") == [
        ("A1", "2.00", "A1\t"),
        ("A2", "1.00", "Ａ２"),
    ]
    assert stored(engine, lake, "withdrawn", contract, later, "select number from t") == [("A3",)]


def test_keys_in_force_that_fall_together_leave_the_newest(engine: Engine, lake: Lake) -> None:
    contract = contract_of(field("amount", "decimal(16,2)"))
    rows = [
        {"number": "A1", "amount": "1"},
        {"number": "A2", "amount": "2", "updated_at": "2026-11-02 09:00:00"},
    ]
    deliver(lake, contract, rows)
    make_valid(engine, lake, contract, DAY)
    rewrite_keys(engine, lake, contract, DAY, {"A2": "A1 "})
    deliver(
        lake,
        contract,
        [{"number": "A1", "amount": "2", "updated_at": "2026-11-02 09:00:00"}],
        day=NEXT,
    )
    ledger = make_valid(engine, lake, contract, NEXT)
    assert (ledger["in_force"], ledger["withdrawn_keys"], ledger["today"]["unchanged"]) == (1, 1, 1)
    assert state(engine, lake, contract, NEXT, "number, amount::varchar, _first_key") == [
        ("A1", "2.00", "A1 ")
    ]


@pytest.mark.parametrize("columns", [["record_key"], ["number"]])
def test_keys_of_a_reconciliation_are_folded(
    engine: Engine, lake: Lake, columns: list[str]
) -> None:
    contract = contract_of(field("amount", "decimal(16,2)"), form="sql", delivery="incremental")
    deliver(
        lake,
        contract,
        [{"number": key} for key in ("A1", "A2", "A3")],
        form="sql",
        delivery="incremental",
    )
    make_valid(engine, lake, contract, DAY)
    batch = deliver(
        lake,
        contract,
        [{"number": "A1"}],
        form="sql",
        delivery="incremental",
        day=NEXT,
        keys_file="keys.parquet",
    )
    pq.write_table(pa.table({columns[0]: ["A1  ", "Ａ２"]}), batch / "keys.parquet")
    make_valid(engine, lake, contract, NEXT)
    assert state(engine, lake, contract, NEXT, "number") == [("A1",), ("A2",)]


def test_composite_keys_of_a_reconciliation_are_joined(engine: Engine, lake: Lake) -> None:
    contract = keyed(
        field("house", key_position=1, required=True),
        field("day", "date", key_position=2, required=True),
        form="sql",
        delivery="incremental",
    )
    deliver(
        lake,
        contract,
        [{"house": h, "day": "2026-11-01"} for h in ("A", "B")],
        form="sql",
        delivery="incremental",
    )
    make_valid(engine, lake, contract, DAY)
    batch = deliver(
        lake,
        contract,
        [],
        form="sql",
        delivery="incremental",
        day=NEXT,
        keys_file="keys.parquet",
        columns=["house", "day", "updated_at"],
    )
    pq.write_table(pa.table({"house": ["B "], "day": ["2026-11-01"]}), batch / "keys.parquet")
    make_valid(engine, lake, contract, NEXT)
    assert state(engine, lake, contract, NEXT, "record_key") == [("B|2026-11-01",)]


NUMBERED = contract_of(
    field("id_number", role="id_number", classification="identity", required=True),
    field("kind", codes=(Code("living", "", ("生活补贴",)), Code("nursing", "", ("护理补贴",)))),
    field("month", role="event_time", written=("YYYY年M月",)),
    field("amount", "decimal(16,2)"),
)
"""The payments of an office that numbers them."""


def numbered(n: int, **other: Any) -> dict[str, Any]:
    return {
        "number": f"P{n}",
        "id_number": f"61242219880228831{n}",
        "kind": "生活补贴",
        "month": "202610",
        "amount": "1",
    } | other


def test_a_contract_that_has_several_key_fields_by_now_carries_its_records(
    engine: Engine, lake: Lake
) -> None:
    """The office stops numbering: the records in force go by their parts, under the ids that they
    were published by.
    """
    twice = [numbered(0, amount="9"), numbered(0, number="P7", amount="8"), numbered(3, month=None)]
    deliver(lake, NUMBERED, [*twice, *(numbered(n) for n in (1, 2))])
    make_valid(engine, lake, NUMBERED, DAY)
    rows = [{k: v for k, v in numbered(n, amount="2").items() if k != "number"} for n in (0, 1)]
    deliver(lake, PAYMENT, rows, day=NEXT)
    ledger = make_valid(engine, lake, PAYMENT, NEXT)
    # one of two alike, one without a month, one that the delivery lacks
    assert (
        ledger["in_force_before"],
        ledger["withdrawn_keys"],
        ledger["new_keys"],
        ledger["in_force"],
    ) == (5, 3, 0, 2)
    assert (ledger["key"], ledger["today"]["accepted"]) == ("record_key", 2)
    assert state(engine, lake, PAYMENT, NEXT, "record_key, _first_key, amount::varchar") == [
        ("612422198802288310|living|202610", "P0", "2.00"),
        ("612422198802288311|living|202610", "P1", "2.00"),
    ]
    later = NEXT + timedelta(days=1)
    assert make_valid(engine, lake, PAYMENT, later)["in_force"] == 2


@pytest.mark.parametrize("delivery", ["full", "incremental"])
def test_a_contract_whose_key_is_another_field_by_now_adds_up(
    engine: Engine, lake: Lake, delivery: str
) -> None:
    """No number of the new kind was kept: what was in force counts as gone where everything is
    delivered.
    """
    deliver(
        lake, PAYMENT, [{k: v for k, v in numbered(n).items() if k != "number"} for n in range(3)]
    )
    make_valid(engine, lake, PAYMENT, DAY)
    deliver(lake, NUMBERED, [numbered(n) for n in range(2)], day=NEXT, delivery=delivery)
    ledger = make_valid(engine, lake, NUMBERED, NEXT)
    held = {number for (number,) in state(engine, lake, NUMBERED, NEXT, "number")}
    # a key of ID numbers leaves where numbers are published
    assert (ledger["withdrawn_keys"], ledger["new_keys"], held) == (3, 2, {"P0", "P1"})


def test_a_key_of_another_name_is_held_back_and_adds_up(engine: Engine, lake: Lake) -> None:
    """Of a record type that holds withdrawals back, the old state stands under its old keys until
    somebody says more.
    """
    deliver(lake, NUMBERED, [numbered(n) for n in range(9)])
    make_valid(engine, lake, NUMBERED, DAY)
    renamed = tuple(
        replace(f, name="new_number") if f.name == "number" else f for f in NUMBERED.fields
    )
    other = replace(
        NUMBERED, fields=renamed, properties={"maxBadShare": 1, "maxWithdrawnShare": 0.2}
    )
    deliver(lake, other, [numbered(n, number=f"Q{n}") for n in range(9)], day=NEXT)
    ledger = make_valid(engine, lake, other, NEXT)
    assert ledger["rejected"] is not None
    assert "9 of 9 records would go" in str(ledger["rejected"]["reasons"])
    assert [key for (key,) in state(engine, lake, other, NEXT, "new_number")] == [
        f"P{n}" for n in range(9)
    ]


@pytest.mark.parametrize("mark", ["-", "－", "——", "/", "NULL", "null", "N/A", "无"])
@pytest.mark.parametrize("form", ["file", "sql"])
def test_a_mark_of_nothing_is_no_records_number(
    mark: str, form: str, engine: Engine, lake: Lake
) -> None:
    """Two records without a number are not one record of the number `-`."""
    contract = contract_of(form=form)
    batch = deliver(lake, contract, [{"number": mark}, {"number": mark}, {}], form=form)
    rows = engine.rows(
        f"select number from read_parquet('{landed(engine, contract, batch).rows_path}')"
    )
    assert rows == [(None,), (None,), ("N003",)]


def test_a_mark_of_nothing_for_the_persons_number_is_no_part_of_a_key(
    engine: Engine, lake: Lake
) -> None:
    person = field("id_number", role="id_number", classification="identity", key_position=1)
    contract = keyed(person, field("round", key_position=2))
    rows = [{"id_number": "-", "round": "1"}, {"id_number": "610921197001011016", "round": "-"}]
    batch = deliver(lake, contract, rows)
    path = landed(engine, contract, batch).rows_path
    keys = engine.rows(f"select record_key from read_parquet('{path}') order by _row")
    assert keys == [(None,), ("610921197001011016|-",)]
