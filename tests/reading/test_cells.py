"""Cells that have lost something are told, and numbers, days and texts come through whole."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from expectations.contract import Contract
from tests.reading import books
from tests.reading.conftest import HEADER, HOUSES, ROWS, Column, Reader, contract_of, expected

AREA, DAY = HEADER.index("建筑面积"), HEADER.index("鉴定时间")
SHEET = "xl/worksheets/sheet1.xml"


def with_cell(place: int, *cells: Any) -> list[list[Any]]:
    """The rows, with other cells in one column."""
    return [[*row[:place], cell, *row[place + 1 :]] for row, cell in zip(ROWS, cells, strict=True)]


def put(folder: Path, content: bytes, name: str = "a.xlsx") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


# cells without a value


def test_formulas_without_a_value_and_errors(
    tmp_path: Path, houses: Contract, read: Reader
) -> None:
    """A program wrote the formulas, nobody computed them; the third has its value."""
    rows = with_cell(AREA, "=12*8", "#N/A", "=1+1")
    content = books.edited(
        books.xlsx([["台账"], HEADER, *rows]),
        SHEET,
        lambda xml: xml.replace(b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>").replace(
            b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>"
        ),
    )
    found = read(houses, put(tmp_path, content))
    assert found.marks == {3: ["建筑面积:formula_without_value"], 4: ["建筑面积:error_cell"]}
    assert [cells[AREA] for cells in found.cells] == [None, None, "2"]


def test_an_empty_text_of_a_formula_is_empty(
    tmp_path: Path, houses: Contract, read: Reader
) -> None:
    rows = with_cell(AREA, '=""', '=IF(1,"","x")', "3")

    def computed(xml: bytes) -> bytes:
        for formula in (b'""', b'IF(1,"","x")'):
            for end in (b"<v></v>", b"<v />"):
                xml = xml.replace(
                    b"><f>" + formula + b"</f>" + end, b' t="str"><f>' + formula + b"</f><v></v>"
                )
        return xml

    found = read(houses, put(tmp_path, books.edited(books.xlsx([HEADER, *rows]), SHEET, computed)))
    assert (found.marks, [cells[AREA] for cells in found.cells]) == ({}, [None, None, "3"])


def prefixed(xml: bytes) -> bytes:
    """The sheet as .NET's library writes it: every tag with a prefix."""
    import re

    xml = re.sub(rb"<(/?)([a-zA-Z])", rb"<\1x:\2", xml).replace(b"<x:?xml", b"<?xml")
    return xml.replace(b"xmlns=", b"xmlns:x=")


def shared(xml: bytes) -> bytes:
    return xml.replace(b"<f>12*8</f>", b'<f t="shared" ref="F2:F3" si="0">12*8</f>').replace(
        b"<f>1+1</f>", b'<f t="shared" si="0"/>'
    )


def single_quotes(xml: bytes) -> bytes:
    return xml.replace(b't="e"', b"t='e'")


@pytest.mark.parametrize("edit", [prefixed, shared, single_quotes])
def test_as_other_programs_write_them(
    edit: Any, tmp_path: Path, houses: Contract, read: Reader
) -> None:
    content = books.edited(
        books.xlsx([HEADER, *with_cell(AREA, "=12*8", "=1+1", "#DIV/0!")]), SHEET, edit
    )
    assert read(houses, put(tmp_path, content)).marks == {
        2: ["建筑面积:formula_without_value"],
        3: ["建筑面积:formula_without_value"],
        4: ["建筑面积:error_cell"],
    }


def test_errors_of_an_xls(tmp_path: Path, houses: Contract, read: Reader) -> None:
    found = read(houses, put(tmp_path, books.xls([HEADER, *ROWS], errors=[(2, AREA), (3, 0)])))
    assert found.marks == {3: ["建筑面积:error_cell"], 4: ["房屋编号:error_cell"]}


def test_damaged_cells_outside_the_contracts_columns_do_no_harm(
    tmp_path: Path, houses: Contract, read: Reader
) -> None:
    rows = [[*HEADER, "年龄"], *([*row, "=2026-1970"] for row in ROWS)]
    assert read(houses, put(tmp_path, books.xlsx(rows))).marks == {}


def test_a_row_whose_only_cells_are_damaged_is_no_blank(
    tmp_path: Path, houses: Contract, read: Reader
) -> None:
    found = read(houses, put(tmp_path, books.xlsx([HEADER, ["#REF!", "#REF!"], *ROWS])))
    assert found.marks == {2: ["房屋编号:error_cell", "身份证号:error_cell"]}


def test_a_table_that_does_not_begin_in_the_first_column(
    tmp_path: Path, houses: Contract, read: Reader, refused: Any
) -> None:
    rows = [["", "", *row] for row in ([], HEADER, *with_cell(AREA, "96", "#N/A", "3"))]
    assert read(houses, put(tmp_path, books.xlsx(rows))).marks == {4: ["建筑面积:error_cell"]}
    assert "I3:I4" in refused(houses, put(tmp_path, books.xlsx(rows, ["I3:I4"]))).said


def test_where_nobody_can_look_it_is_said(tmp_path: Path, houses: Contract, read: Reader) -> None:
    found = read(houses, put(tmp_path, books.ods([HEADER, *ROWS]), "a.ods"))
    assert found.table.notes == [
        "a.ods: whether cells hold errors cannot be seen in a workbook of the form ods"
    ]


# digits


def test_number_cells_of_more_than_fifteen_digits(
    tmp_path: Path, houses: Contract, read: Reader
) -> None:
    rows = [
        [61092110020001000001, *ROWS[0][1:]],
        [123456789012345, 610921197001011016, *ROWS[1][2:]],
        [120, "610921630428606", *ROWS[2][2:]],
    ]
    found = read(houses, put(tmp_path, books.xlsx([HEADER, *rows])))
    assert found.marks == {2: ["房屋编号:digits_lost"], 3: ["身份证号:digits_lost"]}
    assert [cells[0] for cells in found.cells] == ["61092110020001000000", "123456789012345", "120"]
    assert found.cells[1][1] == "6.109211970010111e+17", "nobody takes it for an ID number"
    assert found.table.notes == [
        "1 number cells in 身份证号, where digits may be lost: have the department keep it as text"
    ]


def test_an_id_number_of_fifteen_digits_in_a_number_cell_is_whole(
    tmp_path: Path, houses: Contract, read: Reader
) -> None:
    found = read(
        houses, put(tmp_path, books.xlsx([HEADER, ["FW000001", 610921630428606, *ROWS[0][2:]]]))
    )
    assert (found.cells[0][1], found.marks) == ("610921630428606", {})


@pytest.mark.parametrize("written", ["6.12422E+17", "6.12422e+17", "6E+17", " 6.1E+19 "])
def test_a_number_that_was_written_in_scientific_notation(
    written: str, tmp_path: Path, houses: Contract, read: Reader
) -> None:
    rows = [HEADER, [ROWS[0][0], written, *ROWS[0][2:]], [written, *ROWS[1][1:]], ROWS[2]]
    found = read(houses, put(tmp_path, books.text(rows), "a.csv"))
    assert found.marks == {2: ["身份证号:digits_lost"], 3: ["房屋编号:digits_lost"]}


def test_large_numbers_in_columns_of_numbers_are_numbers(
    tmp_path: Path, houses: Contract, read: Reader
) -> None:
    found = read(
        houses, put(tmp_path, books.xlsx([HEADER, *with_cell(AREA, 1e16, 0.1 + 0.2, 1234567.5)]))
    )
    assert ([cells[AREA] for cells in found.cells], found.marks) == (
        ["10000000000000000", "0.3", "1234567.5"],
        {},
    )
    assert [row["_numbers"] for row in found.rows] == [["建筑面积"]] * 3


# days


@pytest.mark.parametrize("form", ["xlsx", "xls", "ods"])
def test_date_cells_are_days(form: str, tmp_path: Path, houses: Contract, read: Reader) -> None:
    rows = [HEADER, *with_cell(DAY, date(2026, 11, 1), "2026.5.4", "")]
    content = {"xlsx": books.xlsx, "xls": books.xls, "ods": books.ods}[form](rows)
    found = read(houses, put(tmp_path, content, f"a.{form}"))
    assert [cells[DAY] for cells in found.cells] == ["2026-11-01", "2026.5.4", None]
    assert [row["_numbers"] for row in found.rows] == [[], [], []]


def test_a_moment_keeps_its_time_and_midnight_is_the_day(tmp_path: Path, read: Reader) -> None:
    columns = [*HOUSES[:4], Column("updated_at", "更新时间", "timestamp", role="updated_at")]
    rows = [
        [*row[:4], moment]
        for row, moment in zip(
            ROWS, (datetime(2026, 11, 1), datetime(2026, 11, 1, 8, 30, 15), ""), strict=True
        )
    ]
    path = put(tmp_path, books.xlsx([[c.physical for c in columns], *rows]))
    assert [
        cells[-1] for cells in read(contract_of(tmp_path, columns, delivery="full"), path).cells
    ] == [
        "2026-11-01",
        "2026-11-01T08:30:15",
        None,
    ]


@pytest.mark.parametrize("form", ["xlsx", "xls"])
def test_serials_are_numbers_and_said_to_be(
    form: str, tmp_path: Path, houses: Contract, read: Reader
) -> None:
    rows = [HEADER, *with_cell(DAY, 45592, 2021, "45592")]
    found = read(
        houses, put(tmp_path, books.xlsx(rows) if form == "xlsx" else books.xls(rows), f"a.{form}")
    )
    assert [cells[DAY] for cells in found.cells] == ["45592", "2021", "45592"]
    assert [row["_numbers"] for row in found.rows] == [["鉴定时间"], ["鉴定时间"], []]


@pytest.mark.parametrize("form", ["xlsx", "xls"])
def test_days_counted_from_1904(form: str, tmp_path: Path, houses: Contract, read: Reader) -> None:
    """2024-10-27 is 45592 from 1900 and 44130 from 1904: in a General cell, and as a day. A year
    stays a year.
    """
    rows = [HEADER, *with_cell(DAY, 44130, 2021, date(2024, 10, 27))]
    if form == "xls":
        content = books.xls(rows, is_1904=True)
    else:
        book = openpyxl.Workbook()
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
        for row in rows:
            book.active.append(row)
        path = tmp_path / "made.xlsx"
        book.save(path)
        content = path.read_bytes()
        with zipfile.ZipFile(path) as archive:
            assert b"date1904" in archive.read("xl/workbook.xml")
    found = read(houses, put(tmp_path, content, f"a.{form}"))
    assert [cells[DAY] for cells in found.cells] == ["45592", "2021", "2024-10-27"]


def test_days_counted_from_1904_in_a_binary_workbook(
    tmp_path: Path, houses: Contract, read: Reader
) -> None:
    """The workbook's own record says so, and nothing else of it differs."""
    content = (Path(__file__).parent / "workbooks" / "days.xlsb").read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        at = archive.read("xl/workbook.bin").index(b"\x99\x01") + 3

    def from_1904(book: bytes) -> bytes:
        return book[:at] + bytes([book[at] | 1]) + book[at + 1 :]

    for edit, day in ((lambda book: book, "44130"), (from_1904, "45592")):
        path = put(tmp_path, books.edited(content, "xl/workbook.bin", edit), "a.xlsb")
        assert [cells[DAY] for cells in read(houses, path).cells] == [day, "2021", None]


# texts


def test_one_illegal_byte_is_its_rows_fault(tmp_path: Path, houses: Contract, read: Reader) -> None:
    content = books.text([HEADER, *ROWS])
    place = content.index("测甲".encode("gb18030"))
    found = read(houses, put(tmp_path, content[:place] + b"\xff" + content[place:], "a.csv"))
    assert found.marks == {2: ["户主姓名:illegal_byte"]}
    assert found.cells[0][2] == "\ufffd测甲"
    assert found.table.notes == [f"a.csv: line 2, byte {place}: no character of gb18030"]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
@pytest.mark.parametrize("declared", [True, False])
def test_illegal_bytes_far_down_and_at_the_end(
    encoding: str, declared: bool, tmp_path: Path, read: Reader
) -> None:
    rows = [[f"FW{n:06d}", *ROWS[0][1:]] for n in range(30_000)]
    content = books.text([HEADER, *rows], encoding)
    place = content.index(b"FW025000")
    content = content[: place + 3] + b"\x80" + content[place + 3 :] + b"FW9,\xe6,,,,,\r\n"
    contract = contract_of(tmp_path, HOUSES, **({"encoding": encoding} if declared else {}))
    found = read(contract, put(tmp_path, content, "a.csv"))
    assert found.marks == {25_002: ["房屋编号:illegal_byte"], 30_002: ["身份证号:illegal_byte"]}
    assert (
        found.table.notes[0] == f"a.csv: line 25002, byte {place + 3}: no character of {encoding}"
    )


def test_a_text_in_another_encoding_than_the_contracts_is_refused(
    tmp_path: Path, refused: Any
) -> None:
    for stated, written in (("gb18030", "utf-8"), ("utf-8", "gb18030"), ("gb18030", "utf-16")):
        fault = refused(
            contract_of(tmp_path, HOUSES, encoding=stated),
            put(tmp_path, books.text([HEADER, *ROWS], written), "a.csv"),
        )
        assert (fault.reason, fault.said) == (
            "wrong_encoding",
            f"the file is not in {stated}, as its contract says, but in {written}",
        )


@pytest.mark.parametrize("word", ["某", "联", "某某"])
@pytest.mark.parametrize("stated", ["gb18030", None])
def test_words_of_gb18030_that_are_utf8_by_chance(
    word: str, stated: str | None, tmp_path: Path, read: Reader
) -> None:
    """Only the header tells: every row is UTF-8, too."""
    rows = [
        [f"FW{n:06d}", "610921197001011016", word, "A", "2026-05-03", "96", ""] for n in range(50)
    ]
    contract = contract_of(tmp_path, HOUSES, **({"encoding": stated} if stated else {}))
    found = read(contract, put(tmp_path, books.text([HEADER, *rows]), "a.csv"))
    assert (found.table.encoding, found.cells, found.marks) == ("gb18030", expected(rows), {})


@pytest.mark.parametrize("character", ["\0", "\x07", "\x1f", "\x7f"])
def test_control_characters_are_marked(
    character: str, tmp_path: Path, houses: Contract, read: Reader
) -> None:
    rows = [
        [*ROWS[0][:2], f"测{character}甲", *ROWS[0][3:]],
        [f"FW{character}2", *ROWS[1][1:]],
        ROWS[2],
    ]
    found = read(houses, put(tmp_path, books.text([HEADER, *rows]), "a.csv"))
    assert found.marks == {2: ["户主姓名:control_character"], 3: ["房屋编号:control_character"]}


def test_line_breaks_in_cells_are_text(tmp_path: Path, houses: Contract, read: Reader) -> None:
    rows = [[*ROWS[0][:6], "青溪镇\r\n一组"], *ROWS[1:]]
    found = read(houses, put(tmp_path, books.text([HEADER, *rows]), "a.csv"))
    assert (found.cells[0][6], found.marks) == ("青溪镇\r\n一组", {})
    assert [row["_line"] for row in found.rows] == [2, 4, 5]


def test_a_quote_that_is_never_closed_is_no_last_cell(
    tmp_path: Path, houses: Contract, refused: Any
) -> None:
    content = books.text([HEADER, *ROWS]) + b'"FW000009,6109\r\nFW000010,6109\r\n'
    assert refused(houses, put(tmp_path, content, "a.csv")).reason == "damaged_file"


@pytest.mark.parametrize("cut", [1, 8, 40])
def test_a_text_that_is_cut_in_a_row_is_refused(
    cut: int, tmp_path: Path, houses: Contract, refused: Any, read: Reader
) -> None:
    """The rows behind it would count as withdrawn."""
    content = books.text([HEADER, *ROWS * 3, ROWS[0]]).rstrip(b"\r\n")
    assert read(houses, put(tmp_path, content, "a.csv")).table.row_count == 10, (
        "the last line may have no end"
    )
    cells = content.rindex(b",")
    fault = refused(houses, put(tmp_path, content[: cells - cut + 1], "a.csv"))
    assert (fault.reason, fault.said.partition(":")[0]) == ("damaged_file", "the CSV is cut short")


def test_what_was_read_says_where_it_stood(tmp_path: Path, houses: Contract, read: Reader) -> None:
    found = read(houses, put(tmp_path, books.text([["台账"], HEADER, *ROWS]), "台账.csv"))
    first = {
        name: found.rows[0][name]
        for name in ("_row", "_file", "_part", "_sheet", "_line", "_marks", "_numbers")
    }
    assert first == {
        "_row": 1,
        "_file": "台账.csv",
        "_part": "台账",
        "_sheet": None,
        "_line": 3,
        "_marks": [],
        "_numbers": [],
    }
    assert found.cells == expected()


@pytest.mark.parametrize("layout", [b"", b"\n    "], ids=["in one line", "indented"])
def test_blanks_between_the_spans_of_an_ods_are_text(
    layout: bytes, tmp_path: Path, houses: Contract, read: Reader
) -> None:
    """Whatever blanks the writer puts between rows and cells."""
    spans = "<text:span>青溪镇</text:span> <text:span>一组</text:span>".encode()

    def written(xml: bytes) -> bytes:
        spanned = xml.replace("青溪镇".encode(), spans, 1)
        assert spanned != xml
        return spanned.replace(b"><table:", b">" + layout + b"<table:")

    path = tmp_path / "a.ods"
    path.write_bytes(books.edited(books.ods([HEADER, *ROWS]), "content.xml", written))
    assert [cells[6] for cells in read(houses, path).cells] == [
        "青溪镇 一组",
        *(cells[6] for cells in expected()[1:]),
    ]
