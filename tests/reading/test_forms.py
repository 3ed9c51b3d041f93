"""A file is what its bytes are, whatever its name says."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from msoffcrypto.format.ooxml import OOXMLFile

from expectations.contract import Contract
from tests.reading import books
from tests.reading.conftest import HEADER, HOUSES, ROWS, Column, Reader, contract_of, expected

TABLE = [HEADER, *ROWS]
WRITTEN = Path(__file__).parent / "workbooks"
"""The same table by another writer (`make.js`): its XLSB leaves out the columns of cells, its ODS
has blanks between tags."""
FORMS = {
    "xlsx": books.xlsx(TABLE),
    "xls": books.xls(TABLE),
    "ods": books.ods(TABLE),
    "xls, another writer": (WRITTEN / "plain.xls").read_bytes(),
    "xlsb": (WRITTEN / "plain.xlsb").read_bytes(),
    "ods, another writer": (WRITTEN / "plain.ods").read_bytes(),
    "html": books.html(TABLE),
    "html, utf-8 under gb2312": books.html(TABLE, "utf-8"),
    "html, utf-8 with a mark": books.html(TABLE, "utf-8-sig", "utf-8"),
    "csv, gb18030": books.text(TABLE),
    "csv, utf-8": books.text(TABLE, "utf-8"),
    "csv, utf-8 with a mark": books.text(TABLE, "utf-8-sig"),
    "csv, utf-16": books.text(TABLE, "utf-16"),
    "csv, utf-16 with tabs": books.text(TABLE, "utf-16", "\t"),
    "csv with tabs and commas in its cells": books.text([HEADER, *ROWS], "utf-8", "\t"),
    "csv with tabs behind its cells": books.text(
        [HEADER, *([f"{cell}\t" for cell in row] for row in ROWS)]
    ),
    "csv with semicolons": books.text(TABLE, "utf-8", ";"),
    "csv, old Mac": books.text(TABLE).replace(b"\r\n", b"\r"),
    "zip of an xls": books.archive({"台账/台账.xls": books.xls(TABLE), "台账/说明.txt": b"x"}),
    "zip of an html": books.archive({"a.xls": books.html(TABLE), "__MACOSX/._a.xls": b"\0"}),
}


@pytest.mark.parametrize("suffix", [".xls", ".xlsx", ".et", ".csv"])
@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_read_whatever_its_name(
    form: str, suffix: str, tmp_path: Path, houses: Contract, read: Reader
) -> None:
    path = tmp_path / f"台账{suffix}"
    path.write_bytes(FORMS[form])
    found = read(houses, path)
    assert [
        tuple((cell and cell.strip()) or None for cell in cells) for cells in found.cells
    ] == expected([*ROWS])
    assert found.table.columns == HEADER
    assert (found.table.unread, found.table.note_lines, found.marks) == ([], {}, {})
    assert [row["_line"] for row in found.rows] == [2, 3, 4]
    assert {row["_file"] for row in found.rows} == {f"台账{suffix}"}


def test_characters_of_four_bytes(tmp_path: Path, houses: Contract, read: Reader) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(books.text([HEADER, [*ROWS[0][:2], "𬱖㐀", *ROWS[0][3:]]]))
    assert read(houses, path).cells[0][2] == "𬱖㐀"


PASSWORD = "秘密2026"
UNASKED = "VelvetSweatshop"


def locked(content: bytes, password: str) -> bytes:
    """A zipped workbook under a password."""
    target = io.BytesIO()
    OOXMLFile(io.BytesIO(content)).encrypt(password, target)
    return target.getvalue()


LOCKED = {
    "xlsx": lambda password: locked(books.xlsx(TABLE), password),
    "xlsb": lambda password: locked((WRITTEN / "plain.xlsb").read_bytes(), password),
    "xls": lambda password: books.locked_xls(books.xls(TABLE), password),
    "et": lambda password: books.locked_xls((WRITTEN / "plain.xls").read_bytes(), password),
}


@pytest.mark.parametrize("form", LOCKED)
def test_a_workbook_with_a_password(
    form: str, tmp_path: Path, houses: Contract, read: Reader, refused: Reader
) -> None:
    path = tmp_path / f"a.{form}"
    path.write_bytes(LOCKED[form](PASSWORD))
    assert read(houses, path, password=PASSWORD).cells == expected()
    fault = refused(houses, path, password="other")
    assert (fault.reason, fault.said) == (
        "encrypted_file",
        "the workbook is encrypted with another password",
    )
    fault = refused(houses, path)
    assert (fault.reason, fault.said) == ("encrypted_file", "the workbook is encrypted")
    assert PASSWORD not in fault.said + fault.next_step


@pytest.mark.parametrize("password", [None, PASSWORD])
@pytest.mark.parametrize("form", LOCKED)
def test_a_workbook_of_which_only_the_structure_is_protected(
    form: str, password: str | None, tmp_path: Path, houses: Contract, read: Reader
) -> None:
    """Spreadsheet programs encrypt it, and open it without asking."""
    path = tmp_path / f"a.{form}"
    path.write_bytes(LOCKED[form](UNASKED))
    assert read(houses, path, password=password).cells == expected()


def test_an_ods_under_a_password_is_called_by_its_name(
    tmp_path: Path, houses: Contract, refused: Reader
) -> None:
    said = (
        b"<manifest:file-entry"
        b' manifest:full-path="content.xml"><manifest:encryption-data/></manifest:file-entry>'
    )
    end = b"</manifest:manifest>"
    path = tmp_path / "a.ods"
    content = books.edited(
        books.ods(TABLE), "META-INF/manifest.xml", lambda xml: xml.replace(end, said + end)
    )
    path.write_bytes(books.edited(content, "content.xml", lambda xml: b"\x9f\x00 no XML"))
    fault = refused(houses, path, password=PASSWORD)
    assert (fault.reason, fault.said) == ("encrypted_file", "the workbook is encrypted")
    assert "without a password, or as an XLSX" in fault.next_step


def test_errors_in_a_workbook_of_1995_are_found(tmp_path: Path, read: Reader) -> None:
    """Its sheets' names are written otherwise than later ones: sheets are told by their place."""
    key, area = (
        Column("house", "house", role="record_key", key=1),
        Column("area", "area", "decimal(8,2)"),
    )
    columns = [key, Column("grade", "grade"), area]
    found = read(contract_of(tmp_path, columns), WRITTEN / "of-1995.xls")
    assert found.cells == [("FW000001", "A", "96"), ("FW000002", "B", None)]
    assert found.marks == {3: ["area:error_cell"]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7 ...", "a PDF"),
        (b"Rar!\x1a\x07\x01\x00", "RAR"),
        (b"<html><body><p>login</p></body></html>", "without a table"),
        (
            (
                b'<?xml version="1.0"?><Workbook'
                b' xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'
            ),
            "XML spreadsheet",
        ),
        (
            (
                b'<?xml version="1.0"?><office:document'
                b' xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"/>'
            ),
            "FODS",
        ),
        (b"{\\rtf1\\ansi", "RTF"),
        (b"ID;PWXL;N;E\r\n", "SYLK"),
        (books.archive({"word/document.xml": b"<x/>"}), "a document of a word processor"),
    ],
    ids=lambda value: (
        value if isinstance(value, str) else ""
    ),  # what is in an archive says when it was made
)
def test_what_is_no_table_is_called_by_its_name(
    content: bytes, words: str, tmp_path: Path, houses: Contract, refused: Reader
) -> None:
    path = tmp_path / "a.xls"
    path.write_bytes(content)
    assert words in refused(houses, path).said


def test_an_archive_of_several_tables_is_read_where_the_contract_has_parts(
    tmp_path: Path, houses: Contract, read: Reader, refused: Reader
) -> None:
    members = {
        "石门镇.csv": books.text([HEADER, ROWS[1]]),
        "青溪镇.xlsx": books.xlsx([HEADER, ROWS[0]]),
        "读我.txt": b"x",
    }
    path = tmp_path / "台账.zip"
    path.write_bytes(books.archive(members))
    assert refused(houses, path).said == "the archive holds 2 tables instead of one"
    found = read(contract_of(tmp_path, HOUSES, parts=2), path)
    assert found.cells == expected([ROWS[1], ROWS[0]])
    assert found.table.parts == ["石门镇", "青溪镇"]


@pytest.mark.parametrize(
    ("members", "parts"),
    [
        (("台账/石门镇/台账.csv", "台账/青溪镇/台账.csv"), ["石门镇", "青溪镇"]),
        (("石门镇/甲.csv", "青溪镇/乙.csv"), ["甲", "乙"]),
        (("南/石门镇/甲.csv", "北/石门镇/甲.csv"), ["北-石门镇-甲", "南-石门镇-甲"]),
    ],
)
def test_members_of_one_name_are_told_apart_by_their_folders(
    members: tuple[str, str], parts: list[str], tmp_path: Path, read: Reader
) -> None:
    contract = contract_of(tmp_path, HOUSES, files="房屋{YYYY}年{M}月*", parts=2)
    tables = [books.text([HEADER, ROWS[0]]), books.text([HEADER, ROWS[0]])]
    path = tmp_path / "房屋2026年10月.zip"
    path.write_bytes(books.archive(dict(zip(members, tables, strict=True))))
    found = read(contract, path)
    assert sorted(found.table.parts) == sorted(parts)
    assert (found.table.keys_twice, len(found.table.twice_in)) == (1, 2)


def test_files_of_one_delivery(tmp_path: Path, read: Reader) -> None:
    """A township each: other orders of columns, other columns beside, one file that is no part."""
    contract = contract_of(tmp_path, HOUSES, files="*房屋台账{YYYY}年{M}月")
    turned = [[*reversed(HEADER), "备注"], [*reversed(ROWS[0]), "x"]]
    files = {
        "石门镇": books.text([HEADER, ROWS[1]]),
        "青溪镇": books.xls(turned),
        "白鹤镇": books.html([HEADER[1:], ROWS[2][1:]]),
    }
    paths = []
    for town, content in files.items():
        paths.append(tmp_path / f"{town}房屋台账2026年10月.xls")
        paths[-1].write_bytes(content)
    found = read(contract, *paths)
    assert [row["_part"] for row in found.rows] == ["石门镇", "青溪镇"]
    assert [row["房屋编号"] for row in found.rows] == ["FW000002", "FW000001"]
    assert (found.rows[0]["备注"], found.rows[1]["备注"], found.rows[1]["地址"]) == (
        None,
        "x",
        "青溪镇",
    )
    assert found.table.columns == [*HEADER, "备注"]
    (line,) = found.table.unread
    assert line.startswith("白鹤镇房屋台账2026年10月.xls")
    assert "房屋编号" in line


TOWNS = ("石门镇", "青溪镇", "白鹤镇")


def in_parts(folder: Path, parts: list[list[list[Any]]]) -> list[Path]:
    """A township's file each, in three forms."""
    written = []
    for town, rows, write in zip(TOWNS, parts, (books.text, books.xls, books.html), strict=True):
        written.append(folder / f"{town}房屋台账2026年10月.xls")
        written[-1].write_bytes(write([HEADER, *rows]))
    return written


@pytest.mark.parametrize(
    ("parts", "count", "twice"),
    [
        ([ROWS[:1], ROWS[1:2], ROWS[2:]], 0, []),
        ([ROWS[:2], ROWS[1:2], ROWS[2:]], 1, ["石门镇", "青溪镇"]),
        ([ROWS[:1], ROWS, ROWS[1:]], 3, ["石门镇", "青溪镇", "白鹤镇"]),
        ([ROWS[:1], ROWS[1:], [[f" {ROWS[2][0]}\t", *ROWS[2][1:]]]], 1, ["青溪镇", "白鹤镇"]),
        ([ROWS[:1], [ROWS[1], ROWS[1]], ROWS[2:]], 0, []),
    ],
)
def test_keys_in_two_parts_are_counted(
    parts: list[list[list[Any]]], count: int, twice: list[str], tmp_path: Path, read: Reader
) -> None:
    """Of a delivery in parts, a key that stands in several; twice in one part is another matter."""
    contract = contract_of(tmp_path, HOUSES, files="{part}房屋台账{YYYY}年{M}月", parts=3)
    found = read(contract, *in_parts(tmp_path, parts))
    assert found.table.keys_twice == count
    assert sorted(found.table.twice_in) == sorted(f"{town}房屋台账2026年10月.xls" for town in twice)


def test_keys_in_two_members_of_an_archive_are_counted(tmp_path: Path, read: Reader) -> None:
    path = tmp_path / "台账.zip"
    path.write_bytes(
        books.archive(
            {"a.csv": books.text([HEADER, *ROWS]), "b.csv": books.text([HEADER, ROWS[0]])}
        )
    )
    found = read(contract_of(tmp_path, HOUSES, parts=2), path)
    assert (found.table.keys_twice, found.table.twice_in) == (1, ["a.csv", "b.csv"])
