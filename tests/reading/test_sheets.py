"""Several sheets: which are read, which are named, and when the delivery is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from expectations.contract import Contract, read_contract
from tests.reading import books
from tests.reading.conftest import HEADER, HOUSES, ROWS, Column, Reader, contract_of, expected

FIRST, SECOND, THIRD = ([HEADER, row] for row in ROWS)


def book(folder: Path, sheets: dict[str, Any], **how: Any) -> Path:
    path = folder / "台账.xlsx"
    path.write_bytes(books.xlsx(sheets, **how))
    return path


@pytest.mark.parametrize(
    "sheets",
    [
        {"城关镇": FIRST, "涧池镇": SECOND, "汉阴镇": THIRD},
        {
            "城关镇": [["城关镇台账"], *FIRST],
            "涧池镇 ": [["涧池镇台账"], ["单位：户"], *SECOND],
            "汉阴镇": THIRD,
        },
        {"城关镇2026年11月": FIRST, "涧池镇2026年11月": SECOND, "汉阴镇2026年11月": THIRD},
        {"Sheet1": FIRST, "Sheet2": SECOND, "Sheet3": THIRD, "Sheet4": []},
        {"1.城关镇": FIRST, "2.涧池镇": SECOND, "3.10组": THIRD},
    ],
)
def test_a_township_each_is_one_delivery(
    sheets: dict[str, Any], tmp_path: Path, houses: Contract, read: Reader
) -> None:
    found = read(houses, book(tmp_path, sheets))
    names = [name.strip() for name, rows in sheets.items() if rows]
    assert found.cells == expected()
    assert [row["_sheet"] for row in found.rows] == names
    assert found.table.parts == names
    assert found.table.notes == [f"台账.xlsx: read from 3 sheets, {', '.join(names)}"]


@pytest.mark.parametrize(
    "names",
    [
        ("2026年10月", "2026年11月"),
        ("10月", "11月"),
        ("2025", "2026"),
        ("花名册", "202610"),
        ("一季度", "二季度"),
        ("24年", "25年"),
        ("2610", "2611"),
        ("10.31", "11.30"),
        ("上月", "本月"),
        ("Oct", "Nov"),
        ("去年", "今年"),
    ],
)
def test_sheets_of_several_periods_are_refused(
    names: tuple[str, str], tmp_path: Path, houses: Contract, refused: Any
) -> None:
    fault = refused(houses, book(tmp_path, dict(zip(names, (FIRST, SECOND), strict=True))))
    assert fault.reason == "several_sheets"
    assert all(name in fault.said for name in names)
    assert f'sheets: ["{names[1]}"]' in fault.next_step


def test_a_key_in_two_sheets_is_refused(tmp_path: Path, houses: Contract, refused: Any) -> None:
    fault = refused(
        houses, book(tmp_path, {"甲表": [HEADER, *ROWS[:2]], "乙表": [HEADER, *ROWS[1:]]})
    )
    assert (fault.reason, fault.said) == (
        "several_sheets",
        "1 keys stand in more than one of the sheets 甲表, 乙表",
    )
    assert "FW0" not in fault.said + fault.next_step


def test_one_part_of_a_composite_key_in_two_sheets_is_no_harm(
    tmp_path: Path, read: Reader, refused: Any
) -> None:
    columns = [*HOUSES[1:3], HOUSES[3]]
    keyed = [
        type(c)(c.name, c.physical, c.type, c.required, c.role, key)
        for c, key in zip(columns, (1, None, 2), strict=True)
    ]
    contract = contract_of(tmp_path, keyed)
    header = [c.physical for c in keyed]
    one, other = ["610921197001011016", "测甲", "A"], ["610921197001011016", "测甲", "B"]
    assert (
        read(contract, book(tmp_path, {"甲": [header, one], "乙": [header, other]})).table.row_count
        == 2
    )
    assert (
        refused(contract, book(tmp_path, {"甲": [header, one], "乙": [header, one]})).reason
        == "several_sheets"
    )


def test_keys_that_the_sheets_names_tell_apart_are_no_overlap(
    tmp_path: Path, read: Reader, refused: Any
) -> None:
    """A number within the township: that stands in the sheet's name, and is part of the key."""
    town = {"name": "town", "logicalType": "string", "physicalType": "text", "required": True}
    town |= {"primaryKey": True, "primaryKeyPosition": 2}
    town |= {"customProperties": [{"property": "from", "value": "sheet"}]}
    contract = contract_of(tmp_path, [Column("number", "房屋编号", key=1), *HOUSES[1:]])
    assert (
        refused(contract, book(tmp_path, {"甲镇": FIRST, "乙镇": FIRST})).reason == "several_sheets"
    )
    said = yaml.safe_load(contract.path.read_text(encoding="utf-8"))
    said["schema"][0]["properties"].append(town)
    contract.path.write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")
    found = read(read_contract(contract.path), book(tmp_path, {"甲镇": FIRST, "乙镇": FIRST}))
    assert found.cells == expected([ROWS[0]] * 2)


@pytest.mark.parametrize("stated", ["2026年11月", ["2026年11月"], ["*11月"], " 2026年11月"])
@pytest.mark.parametrize("name", ["sheets", "sheet"])
def test_the_contract_chooses(name: str, stated: Any, tmp_path: Path, read: Reader) -> None:
    contract = contract_of(tmp_path, HOUSES, **{name: stated})
    found = read(contract, book(tmp_path, {"2026年10月": FIRST, "2026年11月": SECOND}))
    assert found.cells == expected([ROWS[1]])
    assert found.table.unread == ["台账.xlsx: sheet 2026年10月 holds a table that was not read"]


def test_a_sheet_that_the_contract_names_and_that_is_not_there(
    tmp_path: Path, refused: Any
) -> None:
    contract = contract_of(tmp_path, HOUSES, sheets=["明细"])
    assert refused(contract, book(tmp_path, {"甲": FIRST})).reason == "missing_sheet"


def test_every_sheet_that_the_contract_names_has_to_be_there_with_its_table(
    tmp_path: Path, refused: Any
) -> None:
    """The half of a county is no county."""
    contract = contract_of(tmp_path, HOUSES, sheets=["甲镇", "乙镇"])
    fault = refused(contract, book(tmp_path, {"甲镇": FIRST, "丙镇": SECOND}))
    assert (fault.reason, fault.said) == ("missing_sheet", "the workbook has no sheet 乙镇")
    fault = refused(contract, book(tmp_path, {"甲镇": FIRST, "乙镇": [["空"], ["表"]]}))
    assert fault.reason == "changed_header"


def test_hidden_sheets_are_never_read(tmp_path: Path, houses: Contract, read: Reader) -> None:
    found = read(houses, book(tmp_path, {"上月": [HEADER, *ROWS], "本月": SECOND}, hidden=["上月"]))
    assert (found.cells, found.table.unread) == (expected([ROWS[1]]), [])


def test_another_table_and_one_that_lacks_a_column_are_named(
    tmp_path: Path, houses: Contract, read: Reader
) -> None:
    sheets = {
        "明细": SECOND,
        "旧表": [HEADER[1:], ROWS[0][1:]],
        "汇总": [["乡镇", "户数", "面积"], ["青溪镇", 3, 200], ["石门镇", 2, 100]],
        "说明": [["填表说明"], ["1. 每月报送"]],
    }
    found = read(houses, book(tmp_path, sheets))
    assert found.cells == expected([ROWS[1]])
    assert found.table.unread == [
        "台账.xlsx: sheet 旧表 lacks 房屋编号, and was not read",
        "台账.xlsx: sheet 汇总 holds a table that was not read",
    ]


def test_an_optional_column_that_one_part_lacks_is_said(
    tmp_path: Path, houses: Contract, read: Reader
) -> None:
    """A town that calls it otherwise leaves it empty for that town alone."""
    named_otherwise = [name.replace("鉴定时间", "鉴定日期") for name in HEADER]
    sheets = {"甲镇": FIRST, "乙镇": [named_otherwise, ROWS[1]], "丙镇": [HEADER[:-1]]}
    found = read(houses, book(tmp_path, sheets))
    lacks = ": has no column 鉴定时间, which other parts have: empty in its 1 rows"
    assert found.table.notes[1:] == ["台账.xlsx, sheet 乙镇" + lacks]
    assert found.table.absent_in == {"鉴定时间": 1}
    (tmp_path / "a.csv").write_bytes(books.text([HEADER, ROWS[0]]))
    (tmp_path / "b.csv").write_bytes(books.text([named_otherwise, ROWS[1]]))
    found = read(houses, tmp_path / "a.csv", tmp_path / "b.csv")
    assert found.table.notes == ["b.csv" + lacks]
    assert read(houses, book(tmp_path, {"甲镇": [named_otherwise, ROWS[1]]})).table.notes == []


def test_another_record_type_of_the_department_is_not_called_unread(
    tmp_path: Path, houses: Contract, read: Reader
) -> None:
    """Each contract finds its own sheet."""
    from expectations.contract import contract_for

    dwellings = [field.physical_name for field in contract_for("dwellings").fields]
    sheets = {"房屋": [[], [], dwellings, ["x"] * len(dwellings)], "本表": SECOND}
    assert read(houses, book(tmp_path, sheets)).table.unread == []
