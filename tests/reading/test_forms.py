"""A file is what its bytes are, whatever its name says."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.contract import Contract
from tests.reading import books
from tests.reading.conftest import HEADER, HOUSES, ROWS, Reader, contract_of, expected

TABLE = [HEADER, *ROWS]
FORMS = {
    "xlsx": books.xlsx(TABLE),
    "xls": books.xls(TABLE),
    "ods": books.ods(TABLE),
    "html": books.html(TABLE),
    "html, utf-8 under gb2312": books.html(TABLE, "utf-8"),
    "html, utf-8 with a mark": books.html(TABLE, "utf-8-sig", "utf-8"),
    "csv, gb18030": books.text(TABLE),
    "csv, utf-8": books.text(TABLE, "utf-8"),
    "csv, utf-8 with a mark": books.text(TABLE, "utf-8-sig"),
    "csv, utf-16": books.text(TABLE, "utf-16"),
    "csv, utf-16 with tabs": books.text(TABLE, "utf-16", "\t"),
    "csv with tabs and commas in its cells": books.text([HEADER, *ROWS], "utf-8", "\t"),
    "csv with tabs behind its cells": books.text([HEADER, *([f"{cell}\t" for cell in row] for row in ROWS)]),
    "csv with semicolons": books.text(TABLE, "utf-8", ";"),
    "csv, old Mac": books.text(TABLE).replace(b"\r\n", b"\r"),
    "zip of an xls": books.archive({"台账/台账.xls": books.xls(TABLE), "台账/说明.txt": b"x"}),
    "zip of an html": books.archive({"a.xls": books.html(TABLE), "__MACOSX/._a.xls": b"\0"}),
}


@pytest.mark.parametrize("suffix", [".xls", ".xlsx", ".et", ".csv"])
@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_read_whatever_its_name(form: str, suffix: str, tmp_path: Path, houses: Contract, read: Reader) -> None:
    path = tmp_path / f"台账{suffix}"
    path.write_bytes(FORMS[form])
    found = read(houses, path)
    assert [tuple((cell and cell.strip()) or None for cell in cells) for cells in found.cells] == expected([*ROWS])
    assert found.table.columns == HEADER
    assert (found.table.unread, found.table.note_lines, found.marks) == ([], {}, {})
    assert [row["_line"] for row in found.rows] == [2, 3, 4]
    assert {row["_file"] for row in found.rows} == {f"台账{suffix}"}


def test_characters_of_four_bytes(tmp_path: Path, houses: Contract, read: Reader) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(books.text([HEADER, [*ROWS[0][:2], "𬱖㐀", *ROWS[0][3:]]]))
    assert read(houses, path).cells[0][2] == "𬱖㐀"


def test_a_workbook_with_a_password(tmp_path: Path, houses: Contract, read: Reader, refused: Reader) -> None:
    from msoffcrypto.format.ooxml import OOXMLFile

    plain, path = tmp_path / "plain.xlsx", tmp_path / "a.xlsx"
    plain.write_bytes(books.xlsx(TABLE))
    with plain.open("rb") as source, path.open("wb") as target:
        OOXMLFile(source).encrypt("秘密2026", target)
    assert read(houses, path, password="秘密2026").cells == expected()
    assert refused(houses, path, password="other").reason == "encrypted_file"
    fault = refused(houses, path)
    assert fault.reason == "encrypted_file"
    assert "秘密" not in fault.said + fault.next_step


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"%PDF-1.7 ...", "a PDF"),
        (b"Rar!\x1a\x07\x01\x00", "RAR"),
        (b"<html><body><p>login</p></body></html>", "without a table"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>', "XML spreadsheet"),
    ],
)
def test_what_is_no_table_is_called_by_its_name(content: bytes, words: str, tmp_path: Path, houses: Contract, refused: Reader) -> None:
    path = tmp_path / "a.xls"
    path.write_bytes(content)
    assert words in refused(houses, path).said


def test_an_archive_of_several_tables_is_read_where_the_contract_has_parts(
    tmp_path: Path, houses: Contract, read: Reader, refused: Reader
) -> None:
    members = {"石门镇.csv": books.text([HEADER, ROWS[1]]), "青溪镇.xlsx": books.xlsx([HEADER, ROWS[0]]), "读我.txt": b"x"}
    path = tmp_path / "台账.zip"
    path.write_bytes(books.archive(members))
    assert refused(houses, path).said == "the archive holds 2 tables instead of one"
    found = read(contract_of(tmp_path, HOUSES, parts=2), path)
    assert found.cells == expected([ROWS[1], ROWS[0]])
    assert found.table.parts == ["石门镇", "青溪镇"]


def test_files_of_one_delivery(tmp_path: Path, read: Reader) -> None:
    """A township each: other orders of columns, other columns beside, one file that is no part."""
    contract = contract_of(tmp_path, HOUSES, files="*房屋台账{YYYY}年{M}月")
    turned = [[*reversed(HEADER), "备注"], [*reversed(ROWS[0]), "x"]]
    files = {"石门镇": books.text([HEADER, ROWS[1]]), "青溪镇": books.xls(turned), "白鹤镇": books.html([HEADER[1:], ROWS[2][1:]])}
    paths = []
    for town, content in files.items():
        paths.append(tmp_path / f"{town}房屋台账2026年10月.xls")
        paths[-1].write_bytes(content)
    found = read(contract, *paths)
    assert [row["_part"] for row in found.rows] == ["石门镇", "青溪镇"]
    assert [row["房屋编号"] for row in found.rows] == ["FW000002", "FW000001"]
    assert (found.rows[0]["备注"], found.rows[1]["备注"], found.rows[1]["地址"]) == (None, "x", "青溪镇")
    assert found.table.columns == [*HEADER, "备注"]
    (line,) = found.table.unread
    assert line.startswith("白鹤镇房屋台账2026年10月.xls")
    assert "房屋编号" in line
