"""A file cannot kill the run: each that is too much is one clear failure, in bounded memory and
time.
"""

from __future__ import annotations

import dataclasses
import io
import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from expectations.contract import Contract
from resources.departments import opened
from resources.departments.opened import Limits
from resources.departments.tabular import read_delivery
from resources.settings import Settings, SettingsError, load_settings
from tests.reading import books
from tests.reading.conftest import HEADER, ROWS, Reader

SHEET = "xl/worksheets/sheet1.xml"
TABLE = [HEADER, *ROWS]


def far_cell(row: int, column: int) -> bytes:
    book = openpyxl.Workbook()
    for cells in TABLE:
        book.active.append(cells)
    book.active.cell(row, column, "x")
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def entities(xml: bytes) -> bytes:
    names = "abcdefghij"
    nested = "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in pairwise(names))
    start = xml.index(b"<worksheet")
    cell = b'<sheetData><row r="99"><c r="A99" t="inlineStr"><is><t>&j;</t></is></c></row>'
    return f'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">{nested}]>'.encode() + xml[start:].replace(
        b"<sheetData>", cell
    )


def blanks() -> bytes:
    """An archive of 6 GB of blanks, by its own word."""
    content = bytearray(books.archive({"a.csv": b" " * 1000, "b.csv": b" " * 1000}))
    at = -1
    while (at := content.find(b"PK\x01\x02", at + 1)) >= 0:
        content[at + 24 : at + 28] = (3 << 30).to_bytes(4, "little")
    return bytes(content)


def blank_sheet() -> bytes:
    """A sheet with 400 MB of blanks between its rows."""
    return books.edited(
        books.xlsx(TABLE),
        SHEET,
        lambda xml: xml.replace(b"<sheetData>", b"<sheetData>" + b" " * (400 << 20)),
    )


def broken_stream() -> bytes:
    content = bytearray(books.xlsx([HEADER, *([f"FW{n:06d}", *ROWS[0][1:]] for n in range(3000))]))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        member = archive.getinfo(SHEET)
    middle = member.header_offset + 60 + member.compress_size // 2
    content[middle : middle + 40] = bytes(40)
    return bytes(content)


HOSTILE = {
    "a cell at XFD1048576": (lambda: far_cell(1_048_576, 16_384), "too_large"),
    "a cell at XFD9000": (lambda: far_cell(9_000, 16_384), "too_large"),
    "an entity bomb": (lambda: books.edited(books.xlsx(TABLE), SHEET, entities), "damaged_file"),
    "an entity bomb in the workbook": (
        lambda: books.edited(books.xlsx(TABLE), "xl/workbook.xml", entities_of_book),
        "damaged_file",
    ),
    "a damaged stream": (broken_stream, "damaged_file"),
    "a sheet of blanks": (blank_sheet, "too_large"),
    "a page of spans": (lambda: b"<table>" + b"<tr><td colspan=16384>a" * 20_000, "too_large"),
    "a quote never closed": (lambda: books.text(TABLE) + b'"' + b"x," * 500_000, "damaged_file"),
    "one line without an end": (lambda: books.text(TABLE) + b"x" * (300 << 20), "too_large"),
    "nothing but zeros": (lambda: bytes(30 << 20), "damaged_file"),
}


def entities_of_book(xml: bytes) -> bytes:
    return b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY j "&a;&a;">]>' + xml.replace(
        b"Sheet1", b"&j;"
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_is_too_much(
    name: str, tmp_path: Path, settings: Settings, houses: Contract
) -> None:
    make, reason = HOSTILE[name]
    path = tmp_path / "a.xlsx"
    path.write_bytes(make())
    began = time.monotonic()
    limited = dataclasses.replace(settings, reader_memory=300 * 10**6)
    with pytest.raises(opened.Fault) as caught:
        read_delivery(houses, [path], tmp_path, limited)
    assert (caught.value.remedy, caught.value.reason) == ("none", reason)
    assert caught.value.next_step
    assert time.monotonic() - began < 60
    assert [left.name for left in tmp_path.iterdir() if left.name.startswith(".")] == []


def test_an_archive_of_blanks(tmp_path: Path, houses: Contract, refused: Any) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(blanks())
    fault = refused(houses, path)
    assert (fault.reason, fault.said) == ("too_large", "the archive unpacks to more than 4 GiB")


def test_an_archive_that_lies_about_its_size_stops_at_the_limit(
    tmp_path: Path, houses: Contract
) -> None:
    """The limit holds for what is written, too."""
    content = bytearray(books.archive({"a.csv": b" " * (64 << 20)}))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.index(mark) + place
        content[at : at + 4] = (1000).to_bytes(4, "little")
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    limits = Limits(10**9, unpacked=8 << 20)
    with opened.Child(limits) as child, pytest.raises(opened.Fault) as caught:
        list(child.open(path, top=20, work=str(tmp_path)))
    assert caught.value.reason in ("zip", "damaged_file", "too_large")


@pytest.mark.slow
def test_a_file_that_takes_too_long(
    tmp_path: Path, houses: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(books.text([HEADER, *ROWS * 400_000], "utf-8"))

    def everything() -> None:
        with opened.Child(Limits(10**9, seconds=1)) as child:
            for table in child.open(path, top=20, work=str(tmp_path)):
                list(child.rows(0, table.sheets[0].ends[0], len(HEADER)))

    with pytest.raises(opened.Fault) as caught:
        everything()
    assert (caught.value.reason, caught.value.said) == (
        "too_slow",
        "the file was not read within 1 seconds",
    )


def test_the_child_starts_in_a_moment_and_with_nothing_of_ours(tmp_path: Path) -> None:
    """No contract, no engine, no secret of the environment; of ours the exceptions alone."""
    exceptions = ["expectations", "expectations.errors"]
    script = (
        'import sys, runpy, io; sys.stdin = io.StringIO(\'{"memory": 300000000, "seconds": 9,'
        ' "unpacked": 9}\\n\');'
        f"runpy.run_path({opened.child.__file__!r}, run_name='__main__');"
        "print([m for m in sys.modules if m.split('.')[0] in ('expectations', 'warehouse',"
        f" 'duckdb', 'pyarrow', 'dagster', 'numpy') and m not in {exceptions}])"
    )
    spent = []
    for run in (script, "import duckdb, pyarrow, numpy; print([])"):
        began = resource.getrusage(resource.RUSAGE_CHILDREN)
        said = subprocess.run(
            [sys.executable, "-I", "-c", run], capture_output=True, text=True, check=True
        )
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(ended.ru_utime - began.ru_utime)
        assert said.stdout.strip() == "[]"
    assert spent[0] < spent[1], "less than what the run's own libraries take to be there"


def lines(count: int) -> Iterator[str]:
    yield ",".join(HEADER) + "\r\n"
    for n in range(count):
        yield f"FW{n:08d},610921197001011016,测甲,A,2026-05-03,96,青溪镇\r\n"


def peak() -> int:
    """The most memory that this process or a child of it has held, in bytes."""
    return (
        max(
            resource.getrusage(who).ru_maxrss
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        * 1024
    )


@pytest.mark.slow
def test_a_text_is_read_in_memory_that_does_not_grow_with_it(
    tmp_path: Path, settings: Settings, houses: Contract
) -> None:
    """The second is five times as large as the first, and neither process holds more."""
    taken = []
    for count in (100_000, 500_000):
        path = tmp_path / "a.csv"
        with path.open("w", encoding="gb18030", newline="") as file:
            file.writelines(lines(count))
        table = read_delivery(houses, [path], tmp_path, settings)
        assert (table.row_count, table.note_lines) == (count, {})
        assert pq.ParquetFile(tmp_path / "delivered.parquet").metadata.num_rows == count
        taken.append(peak())
    assert taken[1] - taken[0] < 60 << 20


def test_a_workbook_within_its_limits_is_read_and_its_blank_end_is_no_record(
    tmp_path: Path, houses: Contract, read: Reader
) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(books.edited(far_cell(200_000, 1), SHEET, lambda xml: xml))
    found = read(houses, path)
    assert (found.table.row_count, found.table.note_lines) == (3, {"blank": 199_995, "line": 1})


def test_the_setting(tmp_path: Path) -> None:
    home = {"YIHU_HOME": str(tmp_path)}
    assert load_settings(home).reader_memory == 2 * 10**9
    assert load_settings({**home, "YIHU_READER_MEMORY": "512 MiB"}).reader_memory == 512 << 20
    for wrong in ("2", "much", "10MB", "-1GB"):
        with pytest.raises(SettingsError) as caught:
            load_settings({**home, "YIHU_READER_MEMORY": wrong})
        assert "YIHU_READER_MEMORY" in str(caught.value)


def test_one_failure_of_one_source(settings: Settings, houses: Contract, tmp_path: Path) -> None:
    """Through the drop folder: the failure is permanent, says what to do, and leaves nothing in the
    lake.
    """
    from datetime import datetime

    from resources.departments import Departments
    from resources.lake import Lake
    from resources.settings import SHANGHAI

    drop = tmp_path / "drop"
    (drop / "housing").mkdir(parents=True)
    path = drop / "housing" / "houses_20261101.xlsx"
    path.write_bytes(far_cell(1_048_576, 16_384))
    import hashlib

    path.with_name(f"{path.name}.sha256").write_text(hashlib.sha256(path.read_bytes()).hexdigest())
    limited = dataclasses.replace(settings, drop_dir=drop, reader_memory=300 * 10**6)
    lake = Lake(limited.lake)
    read = Departments(limited, lake).read_day(
        houses, date(2026, 11, 10), datetime(2026, 11, 20, tzinfo=SHANGHAI)
    )
    assert read.failure is not None
    assert (read.status, read.failure.kind, read.failure.reason) == (
        "failed",
        "permanent",
        "too_large",
    )
    assert "YIHU_READER_MEMORY" in str(read.failure)
    assert [p for p in lake.table("raw", houses.table).iterdir() if p.is_dir()] == []
