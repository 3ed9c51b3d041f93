"""What offices sent and what came of it before: each input with its right outcome, and others of
its kind.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from expectations.contract import Code, Contract, contract_for
from pipelines.development.compared import contradictions
from resources.departments.tabular import read_delivery
from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.settings import load_settings
from tests.validation.batches import state, stored
from tests.validation.rows import WEIGHTS
from warehouse.asof import make_valid

DAY = date(2026, 11, 21)
CERTIFICATES, DWELLINGS = contract_for("certificates"), contract_for("dwellings")


def number(n: int) -> str:
    """The n-th sound ID number of somebody born in 1970."""
    first = f"610921197001{n % 28 + 1:02d}{n:03d}"
    return first + "10X98765432"[sum(int(d) * w for d, w in zip(first, WEIGHTS, strict=True)) % 11]


def certificate(n: int, **cells: str) -> dict[str, str]:
    row = {
        "certificate_no": number(n) + "44", "name": "测甲", "category": "4", "level": "4",
        "issued_on": "2021-05-03",
        "expires_on": "2031-05-03", "status": "1", "updated_at": "2026-11-01 09:00:00",
    }  # fmt: skip
    return row | cells


def dwelling(n: int, **cells: Any) -> dict[str, Any]:
    row = {
        "dwelling_id": f"6109211002000{n:07d}", "owner_id_number": number(n), "owner_name": "测乙",
        "structure": "砖木", "grade": "A",
        "appraised_on": "2020-01-01", "occupied": "是", "updated_at": "2026-11-01 09:00:00",
    }  # fmt: skip
    return row | cells


def take(
    engine: Engine, lake: Lake, contract: Contract, file: Path, day: date = DAY
) -> dict[str, Any]:
    """Reads a file as a run does, and makes the day of it; the ledger."""
    batch = lake.table("raw", contract.table) / f"{contract.records}-{day:%Y%m%d}-01"
    batch.mkdir(parents=True)
    read = read_delivery(contract, [file], batch, load_settings())
    note = {
        "batch_id": batch.name, "form": "file", "delivery": "full", "since": None, "until": None,
        "extract_date": day.isoformat(),
        "row_count": read.row_count, "total": None, "sha256": file.name,
        "files": ["delivered.parquet"], "columns": read.columns,
    }  # fmt: skip
    (batch / "manifest.json").write_text(json.dumps(note, ensure_ascii=False))
    lake.write_note("raw", contract.table, day, {"batches": [batch.name], "failure": None})
    return make_valid(engine, lake, contract, day)


def csv_of(
    folder: Path, contract: Contract, rows: Sequence[dict[str, str]], day: date = DAY
) -> Path:
    file = folder / f"{contract.records}_{day:%Y%m%d}.csv"
    lines = [",".join(f.physical_name for f in contract.delivered)]
    lines += [",".join(row.get(f.name) or "" for f in contract.delivered) for row in rows]
    file.write_bytes(
        ("\r\n".join(lines) + "\r\n").encode(str(contract.server.get("encoding", "utf-8")))
    )
    return file


def xlsx_of(folder: Path, contract: Contract, rows: Sequence[dict[str, Any]]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["农村住房"])
    sheet.append(["填报单位"])
    sheet.append([f.physical_name for f in contract.delivered])
    for row in rows:
        sheet.append([row.get(f.name) for f in contract.delivered])
    file = folder / f"{contract.records}_20261121.xlsx"
    book.save(file)
    return file


def with_fields(contract: Contract, **changes: dict[str, Any]) -> Contract:
    fields = tuple(dataclasses.replace(f, **changes.get(f.name, {})) for f in contract.fields)
    return dataclasses.replace(contract, fields=fields)


def in_force(
    engine: Engine, lake: Lake, contract: Contract, columns: str, day: date = DAY
) -> list[tuple[Any, ...]]:
    return state(engine, lake, contract, day, columns)


@pytest.mark.parametrize("padding", ["{} ", "{}\t", " {}\u3000", "'{}", '="{}"', "\u200b{}\ufeff"])
def test_padded_codes_and_keys(engine: Engine, lake: Lake, tmp_path: Path, padding: str) -> None:
    """CHAR columns and bank exports: a blank or a TAB behind every value; the keys stay the
    keys.
    """
    utf8 = dataclasses.replace(CERTIFICATES, server=CERTIFICATES.server | {"encoding": "utf-8"})
    take(engine, lake, utf8, csv_of(tmp_path, utf8, [certificate(n) for n in range(5)]))
    padded = [{k: padding.format(v) for k, v in certificate(n).items()} for n in range(5)]
    ledger = take(
        engine,
        lake,
        utf8,
        csv_of(tmp_path, utf8, padded, DAY + timedelta(days=1)),
        DAY + timedelta(days=1),
    )
    assert ledger["today"]["unchanged"] == 5
    assert (ledger["withdrawn_keys"], ledger["new_keys"]) == (0, 0)


def test_dates_as_offices_write_them(engine: Engine, lake: Lake, tmp_path: Path) -> None:
    ways = ["2021/5/3", "2021.5.3", "20210503", "2021年5月3日", "2021-5-3", "2021-05-03 00:00"]
    rows = [certificate(n, issued_on=way, expires_on="长期") for n, way in enumerate(ways)]
    rows += [
        certificate(90, expires_on="-"),
        certificate(91, expires_on="无"),
        certificate(92, expires_on="2031.5.3"),
    ]
    told = with_fields(CERTIFICATES, expires_on={"blanks": ("长期",)})
    ledger = take(engine, lake, told, csv_of(tmp_path, told, rows))
    assert ledger["rejected"] is None
    found = in_force(engine, lake, told, "issued_on::varchar, expires_on::varchar")
    assert {day for day, _ in found} == {"2021-05-03"}
    assert sorted(str(day) for _, day in found) == ["2031-05-03", *["None"] * 8]


def test_a_word_that_no_contract_names_is_a_misfit(
    engine: Engine, lake: Lake, tmp_path: Path
) -> None:
    rows = [certificate(n) for n in range(30)] + [certificate(90, expires_on="永久")]
    take(engine, lake, CERTIFICATES, csv_of(tmp_path, CERTIFICATES, rows))
    assert stored(engine, lake, "quarantine", CERTIFICATES, DAY, "select rules from t") == [
        (["type:expires_on"],)
    ]


WORDS = {
    "category": {
        "codes": tuple(
            Code(str(n), "", (w,))
            for n, w in enumerate(("视力", "听力", "言语", "肢体", "智力", "精神", "多重"), 1)
        )
    },
    "level": {"codes": tuple(Code(str(n), "", (f"{w}级", w)) for n, w in enumerate("一二三四", 1))},
    "status": {
        "codes": (Code("1", "", ("正常",)), Code("2", "", ("过期",)), Code("3", "", ("注销",)))
    },
}


def test_codes_in_words(engine: Engine, lake: Lake, tmp_path: Path) -> None:
    told = with_fields(CERTIFICATES, **WORDS)
    rows = [
        certificate(n, category="肢体", level=level, status="正常")
        for n, level in enumerate(["二级", "二", "2", "2.0"] * 6)
    ]
    ledger = take(
        engine,
        lake,
        told,
        csv_of(
            tmp_path, told, [*rows, certificate(99, category="肢体", level="五级", status="正常")]
        ),
    )
    assert ledger["rejected"] is None
    assert set(in_force(engine, lake, told, "category, level, status")) == {("4", "2", "1")}
    assert stored(engine, lake, "quarantine", told, DAY, "select rules from t") == [
        (["codes:level"],)
    ]


@pytest.mark.slow
@pytest.mark.xdist_group("compared")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"level": {"codes": tuple(Code(w, "") for w in ("一级", "二级", "三级", "四级"))}}, "R11"),
        ({"status": {"codes": (Code("正常", ""), Code("注销", ""))}}, "R12"),
        ({"level": {"codes": (Code("2", ""), Code("3", ""))}}, "compared with '1', "),
        ({"level": {"codes_complete": False}}, "its list is not complete"),
        ({"level": {"codes": ()}}, "codes are none"),
    ],
)  # fmt: skip
def test_a_contract_that_would_empty_an_indicator_is_refused_with_its_name(
    change: dict[str, Any], said: str
) -> None:
    found = contradictions([with_fields(CERTIFICATES, **change)])
    assert len(found) == 1
    assert said in str(found[0])
    assert contradictions([with_fields(CERTIFICATES, **WORDS)]) == []


def test_an_update_time_to_come(engine: Engine, lake: Lake, tmp_path: Path) -> None:
    """2062 for 2026: the correction of the next day is in force."""
    rows = [certificate(n) for n in range(30)]
    take(
        engine,
        lake,
        CERTIFICATES,
        csv_of(tmp_path, CERTIFICATES, [*rows, certificate(90, updated_at="2062-11-01 09:00:00")]),
    )
    assert stored(engine, lake, "quarantine", CERTIFICATES, DAY, "select rules from t") == [
        (["future:updated_at"],)
    ]
    later = DAY + timedelta(days=1)
    right = certificate(90, updated_at="2026-11-21 09:00:00", status="3")
    take(engine, lake, CERTIFICATES, csv_of(tmp_path, CERTIFICATES, [*rows, right], later), later)
    assert ("3",) in in_force(engine, lake, CERTIFICATES, "status", later)
    assert stored(engine, lake, "quarantine", CERTIFICATES, later, "select rules from t") == []


@pytest.mark.parametrize("cell", [61092110020001000001, 6.109211002e19, "6.10921E+19"])
def test_a_long_number_in_a_key(engine: Engine, lake: Lake, tmp_path: Path, cell: Any) -> None:
    """A spreadsheet keeps fifteen digits of twenty: no dwelling has what is left of its number."""
    rows = [dwelling(n) for n in range(30)] + [dwelling(40, dwelling_id=cell)]
    ledger = take(engine, lake, DWELLINGS, xlsx_of(tmp_path, DWELLINGS, rows))
    assert (ledger["rejected"], ledger["in_force"]) == (None, 30)
    assert stored(engine, lake, "quarantine", DWELLINGS, DAY, "select rules from t") == [
        (["damaged:dwelling_id"],)
    ]


def test_long_numbers_in_every_key_reject_the_extract(
    engine: Engine, lake: Lake, tmp_path: Path
) -> None:
    rows = [dwelling(n, dwelling_id=61092110020001000000 + n) for n in range(6)]
    ledger = take(engine, lake, DWELLINGS, xlsx_of(tmp_path, DWELLINGS, rows))
    assert ledger["in_force"] == 0
    assert "6 of 6 rows are bad" in ledger["rejected"]["reasons"][0]


@pytest.mark.parametrize(
    "cell", [datetime(2026, 11, 1), date(2026, 11, 1), "2026-11-01", "2026.11.1", 46327]
)
def test_an_update_time_at_midnight(engine: Engine, lake: Lake, tmp_path: Path, cell: Any) -> None:
    ledger = take(
        engine,
        lake,
        DWELLINGS,
        xlsx_of(tmp_path, DWELLINGS, [dwelling(n, updated_at=cell) for n in range(3)]),
    )
    assert ledger["rejected"] is None
    assert (
        in_force(engine, lake, DWELLINGS, "updated_at::varchar") == [("2026-11-01 00:00:00",)] * 3
    )


def test_aid_before_its_turn_loses_no_row(engine: Engine, lake: Lake, tmp_path: Path) -> None:
    """绿色通道: the family was helped first; its case goes on, and is told."""
    cases = contract_for("cases")
    case = {
        "case_id": "C1",
        "household_id": "H1",
        "monitor_class": "3",
        "risk_types": "illness",
        "updated_at": "2026-11-20 09:00:00",
    }
    begun = case | {
        "stage": "2",
        "discovered_on": "2026-11-02",
        "verified_on": "2026-11-10",
        "assisted_on": "2026-11-01",
        "green_channel": "是",
    }
    ledger = take(engine, lake, cases, xlsx_of(tmp_path, cases, [begun]))
    assert in_force(engine, lake, cases, "stage, assisted_on::varchar, green_channel") == [
        (2, "2026-11-01", True)
    ]
    assert {
        r["rule"] for r in ledger["rules"] if not r["passed"] and r["severity"] == "warning"
    } >= {"order:assisted_on"}
    later = DAY + timedelta(days=1)
    gone_on = begun | {
        "stage": "3",
        "compared_on": "2026-11-20",
        "updated_at": "2026-11-21 09:00:00",
    }
    take(engine, lake, cases, xlsx_of(tmp_path, cases, [gone_on]), later)
    assert in_force(engine, lake, cases, "stage", later) == [(3,)]
