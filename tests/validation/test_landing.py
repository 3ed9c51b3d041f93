"""From delivered text to typed rows: nothing rounded, nothing guessed, every difference of columns
said.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from expectations.contract import Contract, Field, contract_for
from expectations.landing import Landed, LandingError, land
from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.validation.batches import Row, write_batch
from tests.validation.rows import good_row
from warehouse.asof import make_valid

DAY = date(2026, 11, 2)
HOUSEHOLDS = contract_for("households")
AID = contract_for("temporary_aid")


def landed(
    engine: Engine,
    lake: Lake,
    contract: Contract,
    rows: list[Row],
    form: str = "api",
    **manifest: Any,
) -> Landed:
    batch = lake.table("raw", contract.table) / write_batch(
        lake, contract, DAY, rows, form=form, page=2, **manifest
    )
    return land(engine, contract, batch, json.loads((batch / "manifest.json").read_text()))


def value(engine: Engine, lake: Lake, field: str, text: Any, form: str) -> Any:
    """What `text` in `field` of households lands as: its value as text, or `misfit`."""
    rows = landed(
        engine, lake, HOUSEHOLDS, [good_row(HOUSEHOLDS, 1) | {field: text}], form
    ).rows_path
    got, misfit = engine.rows(f"select {field}::varchar, _misfit from '{rows}'")[0]
    return "misfit" if misfit == [field] else got


@pytest.mark.parametrize(
    ("field", "form", "text", "expected"),
    [
        ("wage_income", "api", 1200.5, "1200.50"),
        ("wage_income", "api", "1200.500", "1200.50"),
        ("wage_income", "api", -7, "-7.00"),
        ("wage_income", "api", 12.345, "misfit"),
        ("wage_income", "api", "1,200.00", "misfit"),
        ("wage_income", "api", "1e5", "misfit"),
        ("wage_income", "api", "９", "misfit"),
        ("wage_income", "api", "123456789012345.00", "misfit"),
        ("wage_income", "api", 12345678901234.56, "12345678901234.56"),
        ("wage_income", "api", " ", None),
        ("measures_count", "api", 3, "3"),
        ("measures_count", "file", "3.0", "3"),
        ("measures_count", "file", "3.5", "misfit"),
        ("relocated", "api", True, "true"),
        ("relocated", "api", "是", "misfit"),
        ("relocated", "file", "是", "true"),
        ("relocated", "sql", "False", "false"),
        ("relocated", "sql", "0", "false"),
        ("relocated", "file", "maybe", "misfit"),
        ("last_visit_on", "api", "2026-02-28", "2026-02-28"),
        ("last_visit_on", "api", "2026-02-29", "misfit"),
        ("last_visit_on", "api", "2026/02/28", "misfit"),
        ("last_visit_on", "api", "2026-02-28 00:00:00", "misfit"),
        ("last_visit_on", "file", "2026-02-28 00:00:00", "2026-02-28"),
        ("last_visit_on", "sql", "2026-02-28 10:00:00", "2026-02-28"),
        ("updated_at", "api", "2026-02-28T10:00:00.123456+08:00", "2026-02-28 10:00:00.123456"),
        ("updated_at", "api", "2026-02-28T02:00:00Z", "2026-02-28 10:00:00"),
        ("updated_at", "sql", "2026-02-28 10:00:00", "2026-02-28 10:00:00"),
        ("updated_at", "sql", "2026-02-27 21:00:00-05:00", "2026-02-28 10:00:00"),
        ("updated_at", "api", "28.02.2026", "misfit"),
        ("household_type", "api", "\u3000\u200b ", None),
        ("household_type", "api", " 2", " 2"),
        ("head_id_number", "file", "012345678901234567", "012345678901234567"),
    ],
)
def test_a_text_becomes_a_value_or_a_misfit(
    engine: Engine, lake: Lake, field: str, form: str, text: Any, expected: Any
) -> None:
    assert value(engine, lake, field, text, form) == expected


@pytest.mark.parametrize("form", ["api", "file"])
def test_rows_keep_their_place(engine: Engine, lake: Lake, form: str) -> None:
    rows = landed(engine, lake, AID, [good_row(AID, n) for n in range(5)], form).rows_path
    assert engine.rows(f"select _row, _op, aid_id from '{rows}' order by _row") == [
        (n + 1, "U", f"temporary_aid-{n}") for n in range(5)
    ]
    assert rows.stat().st_mode & 0o777 == 0o600


def test_a_batch_is_landed_once_under_a_contract(engine: Engine, lake: Lake) -> None:
    first = landed(engine, lake, AID, [good_row(AID, 1)])
    before = first.rows_path.stat().st_mtime_ns
    batch = first.rows_path.parent
    manifest = json.loads((batch / "manifest.json").read_text())
    assert land(engine, AID, batch, manifest) == first
    assert first.rows_path.stat().st_mtime_ns == before


def test_bytes_that_are_gone_are_said(engine: Engine, lake: Lake) -> None:
    batch = landed(engine, lake, AID, [good_row(AID, 1)]).rows_path.parent
    (batch / "rows.parquet").unlink()
    (batch / "page-00001.json").unlink()
    with pytest.raises(LandingError, match=r"lacks page-00001\.json; read the day again"):
        land(engine, AID, batch, json.loads((batch / "manifest.json").read_text()))


def test_bytes_that_cannot_be_parsed_are_said_without_their_text(
    engine: Engine, lake: Lake
) -> None:
    batch = landed(engine, lake, AID, [good_row(AID, 1)]).rows_path.parent
    (batch / "rows.parquet").unlink()
    (batch / "page-00001.json").write_text(
        '{"code": 0, "data": {"rows": [{"id_number": "610921198001010010"'
    )
    with pytest.raises(LandingError) as caught:
        land(engine, AID, batch, json.loads((batch / "manifest.json").read_text()))
    assert "6109" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_new_column_is_recorded_and_let_through(engine: Engine, lake: Lake) -> None:
    columns = ["_op", *(f.physical_name for f in AID.fields), "bank"]
    write_batch(lake, AID, DAY, [good_row(AID, 1)], columns=columns)
    ledger = make_valid(engine, lake, AID, DAY)
    assert ledger["drift"] == [
        "civil_affairs__temporary_aid: new column 'bank', recorded and let through; add it to the"
        " contract to use it"
    ]
    assert ledger["in_force"] == 1


def without(contract: Contract, *missing: str, **renamed: str) -> list[str]:
    return [renamed.get(f.name, f.physical_name) for f in contract.fields if f.name not in missing]


def test_a_missing_optional_column_is_filled_with_null(engine: Engine, lake: Lake) -> None:
    write_batch(
        lake,
        HOUSEHOLDS,
        DAY,
        [good_row(HOUSEHOLDS, 1) | {"forest_mu": None}],
        form="sql",
        columns=without(HOUSEHOLDS, "forest_mu"),
    )
    ledger = make_valid(engine, lake, HOUSEHOLDS, DAY)
    assert ledger["in_force"] == 1
    assert (
        "column '林地果园面积' (forest_mu) is missing: optional, filled with null"
        in ledger["drift"][0]
    )


def test_a_missing_required_column_rejects_the_extract_with_a_line_each(
    engine: Engine, lake: Lake
) -> None:
    def below(contract: Contract, field: Field) -> list[str]:
        return ["R04", "S07"] if field.name == "amount" else []

    write_batch(
        lake, AID, DAY, [good_row(AID, 1)], columns=without(AID, "paid_on", amount="amount_yuan")
    )
    ledger = make_valid(engine, lake, AID, DAY, downstream=below)
    assert ledger["today"] is None
    assert ledger["rejected"]["reasons"] == [
        (
            "civil_affairs__temporary_aid: column 'amount' (amount) is missing: required, so the"
            " extract is rejected; it may be called 'amount_yuan' now; downstream: R04, S07"
        ),
        (
            "civil_affairs__temporary_aid: column 'paid_on' (paid_on) is missing: required, so the"
            " extract is rejected"
        ),
    ]
    assert (
        next(rule for rule in ledger["rules"] if rule["rule"] == "batch:columns")[
            "unexpected_count"
        ]
        == 2
    )


def test_a_changed_type_rejects_the_extract(engine: Engine, lake: Lake) -> None:
    rows = [good_row(AID, n) | {"paid_on": f"2026/10/{n + 10}"} for n in range(6)] + [
        good_row(AID, n) for n in range(6, 11)
    ]
    write_batch(lake, AID, DAY, rows)
    ledger = make_valid(engine, lake, AID, DAY)
    assert (
        "'paid_on' (paid_on) has changed its type: 6 of 11 values are no date"
        in ledger["rejected"]["reasons"][0]
    )


def test_half_of_the_values_is_no_changed_type(engine: Engine, lake: Lake) -> None:
    rows = [good_row(AID, n) | {"paid_on": "soon"} for n in range(5)] + [
        good_row(AID, n) for n in range(5, 10)
    ]
    assert landed(engine, lake, AID, rows).drifts == ()


def test_pages_larger_than_the_reader_expects(engine: Engine, lake: Lake) -> None:
    rows = [good_row(AID, n) | {"name": "某" * 200_000} for n in range(40)]
    batch = lake.table("raw", AID.table) / write_batch(lake, AID, DAY, rows)
    assert (batch / "page-00001.json").stat().st_size > 20_000_000
    assert (
        land(engine, AID, Path(batch), json.loads((batch / "manifest.json").read_text())).row_count
        == 40
    )
