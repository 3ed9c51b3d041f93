"""Drop folders: which file is read, what is left for next time, and what makes a file unusable."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from expectations.contract import Contract, contract_for
from resources.departments import DayRead, Departments
from resources.lake import Lake
from resources.settings import Settings
from tests.extraction import matrix
from tests.extraction.conftest import NOW, QUICK, D, accept, as_form

ROWS = [
    ["00123", "61092119700101001X", "王，小明", "否", "2026-11-01"],
    ["00124", "610921197001010028", '李"四"', "", "2026-11-02"],
    ["00125", "610921197001010036", "欧阳\n某", "是", "2026-11-03"],
]

WHERE = ("_file", "_part", "_sheet", "_line", "_marks", "_numbers")


@pytest.fixture
def certificates() -> Contract:
    return contract_for("certificates")


@pytest.fixture
def dwellings() -> Contract:
    return contract_for("dwellings")


@pytest.fixture
def drop(settings: Settings) -> Path:
    assert settings.drop_dir is not None
    for department in ("disability_federation", "housing", "civil_affairs"):
        (settings.drop_dir / department).mkdir()
    return settings.drop_dir


def table(contract: Contract, count: int = 3) -> list[list[str]]:
    """Header and rows that fill every column of the contract."""
    header = [field.physical_name for field in contract.fields]
    rows = [[(ROWS[n % 3] * 10)[place] for place in range(len(header))] for n in range(count)]
    for n, row in enumerate(rows):
        row[0] = f"{n:05d}"
    return [header, *rows]


def csv_bytes(rows: list[list[str]], encoding: str = "gb18030") -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(encoding)


def xlsx_bytes(
    rows: list[list[Any]], titles: int = 2, merge: str | None = None, sheet: str = "明细"
) -> bytes:
    book = openpyxl.Workbook()
    active = book.active
    active.title = sheet
    for title in range(titles):
        active.append([f"某县农村住房安全等级明细表 {title}"])
    if titles:
        active.merge_cells("A1:E1")
    for row in rows:
        active.append(row)
    if merge:
        active.merge_cells(merge)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def put(folder: Path, name: str, content: bytes, checksum: str | None = "right") -> Path:
    path = folder / name
    path.write_bytes(content)
    digest = hashlib.sha256(content if checksum == "right" else b"other").hexdigest()
    if checksum is not None:
        (folder / f"{name}.sha256").write_text(f"{digest}  {name}\n")
    return path


def delivered(lake: Lake, read: DayRead) -> list[dict[str, Any]]:
    assert read.failure is None, str(read.failure)
    (batch,) = read.batches
    found = pq.read_table(
        lake.table("raw", read.table) / batch.batch_id / "delivered.parquet"
    ).to_pylist()
    return [{name: cell for name, cell in row.items() if name not in WHERE} for row in found]


def expected(rows: list[list[str]]) -> list[dict[str, Any]]:
    header, *body = rows
    return [
        {"_row": n, **{k: v or None for k, v in zip(header, row, strict=True)}}
        for n, row in enumerate(body, 1)
    ]


def test_a_gb18030_file(
    drop: Path, departments: Departments, lake: Lake, certificates: Contract
) -> None:
    rows = table(certificates)
    content = csv_bytes(rows)
    put(drop / "disability_federation", "certificates_20261101.csv", content)
    put(drop / "disability_federation", "certificates_20261111.csv", b"later than the day")
    read = departments.read_day(certificates, D, NOW)
    assert delivered(lake, read) == expected(rows)
    batch = read.batches[0]
    assert (batch.batch_id, batch.form, batch.format, batch.encoding) == (
        "certificates-20261101-01",
        "file",
        "csv",
        "gb18030",
    )
    assert (batch.delivery, batch.extract_date, batch.row_count) == ("full", "2026-11-01", 3)
    assert batch.until == "2026-11-01T23:59:59.999999+08:00"
    assert batch.columns == rows[0]
    folder = lake.table("raw", certificates.table) / batch.batch_id
    assert (folder / "certificates_20261101.csv").read_bytes() == content
    assert hashlib.sha256(content).hexdigest() == batch.sha256
    assert {p.stat().st_mode & 0o777 for p in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_utf8_file(
    encoding: str, drop: Path, departments: Departments, lake: Lake, certificates: Contract
) -> None:
    contract = as_form(certificates, "file", format="csv", encoding="utf-8")
    put(
        drop / "disability_federation",
        "certificates_20261101.csv",
        csv_bytes(table(contract), encoding),
    )
    assert delivered(lake, departments.read_day(contract, D, NOW)) == expected(table(contract))


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_record_type_without_stated_layout(
    encoding: str, drop: Path, settings: Settings, lake: Lake, contract: Contract
) -> None:
    """`YIHU_FORM=file` for a record type whose contract says nothing of files: encoding and header
    row are found.
    """
    departments = Departments(dataclasses.replace(settings, form="file"), lake, QUICK)
    put(
        drop / "civil_affairs",
        "deaths_20261101.csv",
        csv_bytes([["死亡登记"], [], *table(contract)], encoding),
    )
    read = departments.read_day(contract, D, NOW)
    assert delivered(lake, read) == expected(table(contract))
    assert read.batches[0].delivery == "full"


def test_an_xlsx_file(
    drop: Path, departments: Departments, lake: Lake, dwellings: Contract
) -> None:
    rows = table(dwellings)
    put(drop / "housing", "dwellings_20261001.xlsx", xlsx_bytes([*rows, [None] * len(rows[0])]))
    assert delivered(lake, departments.read_day(dwellings, D, NOW)) == expected(rows)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_zip(
    kind: str,
    drop: Path,
    departments: Departments,
    lake: Lake,
    certificates: Contract,
    dwellings: Contract,
) -> None:
    contract = certificates if kind == "csv" else dwellings
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            f"inner.{kind}",
            csv_bytes(table(contract)) if kind == "csv" else xlsx_bytes(table(contract)),
        )
        archive.writestr("readme.txt", "hello")
    put(drop / contract.department, f"{contract.records}_20261101.zip", content.getvalue())
    read = departments.read_day(contract, D, NOW)
    assert delivered(lake, read) == expected(table(contract))
    assert read.batches[0].format == kind


def test_cells_keep_their_digits(
    drop: Path, departments: Departments, lake: Lake, dwellings: Contract
) -> None:
    header, *rows = table(dwellings, 4)
    places = {f.name: header.index(f.physical_name) for f in dwellings.fields}
    cells: list[list[Any]] = [list(row) for row in rows]
    cells[0][places["owner_id_number"]] = 610921197001010028
    cells[1][places["owner_id_number"]] = "000012345678901234"
    cells[2][places["occupied"]], cells[2][places["structure"]] = True, 12
    cells[3][places["appraised_on"]], cells[3][places["structure"]] = (
        datetime(2026, 3, 1),
        0.1 + 0.2,
    )
    put(drop / "housing", "dwellings_20261001.xlsx", xlsx_bytes([header, *cells]))
    read = departments.read_day(dwellings, D, NOW)
    found = delivered(lake, read)
    assert found[0]["产权人证件号码"] == "6.1092119700101e+17"
    assert found[1]["产权人证件号码"] == "000012345678901234"
    assert (found[2]["是否居住"], found[2]["房屋结构"]) == ("true", "12")
    assert (found[3]["鉴定日期"], found[3]["房屋结构"]) == ("2026-03-01", "0.3")
    assert read.batches[0].notes == [
        "1 number cells in 产权人证件号码, where digits may be lost: have the department keep it as"
        " text"
    ]


def test_a_file_is_read_once(
    drop: Path, departments: Departments, lake: Lake, certificates: Contract
) -> None:
    put(drop / "disability_federation", "certificates_20261101.csv", csv_bytes(table(certificates)))
    first = departments.read_day(certificates, D, NOW)
    accept(lake, certificates, D, first.batches[0])
    second = departments.read_day(certificates, D + timedelta(days=1), NOW)
    assert (second.status, second.batches) == ("nothing_new", ())
    assert (lake.read_note("raw", certificates.table, D + timedelta(days=1)) or {})["batches"] == []


def test_a_corrected_file_of_the_same_date(
    drop: Path, departments: Departments, lake: Lake, certificates: Contract
) -> None:
    folder = drop / "disability_federation"
    put(folder, "certificates_20261101.csv", csv_bytes(table(certificates)))
    accept(lake, certificates, D, departments.read_day(certificates, D, NOW).batches[0])
    put(folder, "certificates_20261101.csv", csv_bytes(table(certificates, 5)))
    read = departments.read_day(certificates, D + timedelta(days=1), NOW)
    assert (read.status, read.batches[0].batch_id, read.row_count) == (
        "read",
        "certificates-20261101-02",
        5,
    )


def test_a_rejected_file_is_offered_until_another_comes(
    drop: Path, departments: Departments, lake: Lake, certificates: Contract
) -> None:
    put(drop / "disability_federation", "certificates_20261101.csv", csv_bytes(table(certificates)))
    first = departments.read_day(certificates, D, NOW)
    lake.write_note(
        "ledger",
        certificates.table,
        D,
        {"batch_id": None, "rejected": {"batch_id": first.batches[0].batch_id}},
    )
    second = departments.read_day(certificates, D + timedelta(days=1), NOW)
    assert (second.status, second.batches) == ("reused", first.batches)


def test_days_out_of_order(
    drop: Path, departments: Departments, lake: Lake, certificates: Contract
) -> None:
    """Each day stands on the newest file of its own time, whenever it is run."""
    folder = drop / "disability_federation"
    put(folder, "certificates_20261001.csv", csv_bytes(table(certificates, 2)))
    put(folder, "certificates_20261101.csv", csv_bytes(table(certificates, 3)))
    assert departments.read_day(certificates, D, NOW).row_count == 3
    assert departments.read_day(certificates, date(2026, 10, 20), NOW).row_count == 2


def test_a_closed_day_stands_without_the_drop_folder(
    drop: Path, settings: Settings, lake: Lake, certificates: Contract
) -> None:
    put(drop / "disability_federation", "certificates_20261101.csv", csv_bytes(table(certificates)))
    first = Departments(settings, lake, QUICK).read_day(certificates, D, NOW)
    accept(lake, certificates, D, first.batches[0])
    Departments(settings, lake, QUICK).read_day(certificates, D + timedelta(days=1), NOW)
    off = Departments(dataclasses.replace(settings, drop_dir=None), lake, QUICK)
    assert off.read_day(certificates, D, NOW).batches == first.batches
    assert off.read_day(certificates, D + timedelta(days=1), NOW).status == "nothing_new"


@pytest.mark.parametrize(
    ("fault", "checksum"), [("file growing", None), ("wrong checksum", "wrong")]
)
def test_a_file_that_is_not_whole(
    fault: str,
    checksum: str | None,
    drop: Path,
    departments: Departments,
    lake: Lake,
    certificates: Contract,
) -> None:
    folder = drop / "disability_federation"
    put(folder, "certificates_20261101.csv", csv_bytes(table(certificates)), checksum)
    never = departments.read_day(certificates, D - timedelta(days=1), NOW)
    assert never.failure is not None
    assert (never.failure.kind, never.failure.reason) == ("transient", "incomplete_file")
    # an older one serves
    put(folder, "certificates_20261001.csv", csv_bytes(table(certificates, 2)))
    read = departments.read_day(certificates, D, NOW)
    assert (read.row_count, read.batches[0].source) == (2, "certificates_20261001.csv")
    assert read.notes[0].startswith("certificates_20261101.csv is not whole")
    accept(lake, certificates, D, read.batches[0])
    waiting = departments.read_day(certificates, D + timedelta(days=1), NOW)
    assert (waiting.status, waiting.failure, len(waiting.notes)) == ("nothing_new", None, 1)
    # whole now: the same day looks again
    put(folder, "certificates_20261101.csv", csv_bytes(table(certificates)))
    assert departments.read_day(certificates, D + timedelta(days=1), NOW).row_count == 3
    matrix.record("file", fault, "left for next time")


def _zip_of_two() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a.csv", "1")
        archive.writestr("b.csv", "2")
    return content.getvalue()


def _unusable() -> list[tuple[str, str, str, bytes, str, str]]:
    """Fault, record type, file ending, content, reason, words of the message."""
    cert, dwell = contract_for("certificates"), contract_for("dwellings")
    rows, cells = table(cert), table(dwell)
    ragged = [rows[0], *([*row, "one more"] for row in rows[1:3]), rows[3]]
    noise = bytes(byte if byte < 128 else 255 for byte in csv_bytes(rows))
    other = [[f"列{n}" for n in range(len(cells[0]))], *cells[1:]]
    twice = [[cells[0][0], *cells[0][:-1]], *cells[1:]]
    return [
        (
            "wrong encoding (utf-8)",
            "certificates",
            "csv",
            csv_bytes(rows, "utf-8"),
            "wrong_encoding",
            "not in gb18030",
        ),
        (
            "wrong encoding (utf-16)",
            "certificates",
            "csv",
            csv_bytes(rows, "utf-16"),
            "wrong_encoding",
            "not in gb18030",
        ),
        ("damaged bytes", "certificates", "csv", noise, "wrong_encoding", "something else"),
        (
            "ragged rows",
            "certificates",
            "csv",
            csv_bytes(ragged),
            "ragged_rows",
            "2 rows have more cells",
        ),
        (
            "quote never closed",
            "certificates",
            "csv",
            csv_bytes(rows) + b'x,"y' + b"z" * 200_000,
            "damaged_file",
            "damaged",
        ),
        ("empty file", "certificates", "csv", b"", "changed_header", "is a header"),
        (
            "changed header (CSV)",
            "certificates",
            "csv",
            csv_bytes([["a", "b"], ["1", "2"]]),
            "changed_header",
            "is a header",
        ),
        (
            "missing sheet",
            "dwellings",
            "xlsx",
            xlsx_bytes([], titles=0),
            "missing_sheet",
            "no sheet",
        ),
        (
            "merged cells",
            "dwellings",
            "xlsx",
            xlsx_bytes(cells, merge="A5:A6"),
            "merged_cells",
            "first A5:A6",
        ),
        (
            "header on another row",
            "dwellings",
            "xlsx",
            xlsx_bytes(cells, titles=3),
            "changed_header",
            "it stands on row 4",
        ),
        (
            "changed header (XLSX)",
            "dwellings",
            "xlsx",
            xlsx_bytes(other),
            "changed_header",
            "row 3 is no header",
        ),
        ("column named twice", "dwellings", "xlsx", xlsx_bytes(twice), "changed_header", "twice"),
        (
            "damaged workbook",
            "dwellings",
            "xlsx",
            xlsx_bytes(cells)[:-900],
            "damaged_file",
            "damaged",
        ),
        ("no workbook at all", "dwellings", "xlsx", b"<html>", "damaged_file", "damaged"),
        ("damaged zip", "dwellings", "zip", b"PK\x03\x04 and nothing", "zip", "damaged"),
        ("zip of two tables", "dwellings", "zip", _zip_of_two(), "zip", "2 tables"),
    ]


UNUSABLE = _unusable()


@pytest.mark.parametrize(
    ("fault", "records", "ending", "content", "reason", "words"),
    UNUSABLE,
    ids=[u[0] for u in UNUSABLE],
)
def test_an_unusable_file(
    fault: str,
    records: str,
    ending: str,
    content: bytes,
    reason: str,
    words: str,
    drop: Path,
    departments: Departments,
    lake: Lake,
) -> None:
    contract = contract_for(records)
    put(drop / contract.department, f"{records}_20261101.{ending}", content)
    read = departments.read_day(contract, D, NOW)
    assert read.failure is not None
    assert (read.status, read.failure.kind, read.failure.reason) == ("failed", "permanent", reason)
    assert words in str(read.failure)
    assert "\n" not in str(read.failure)
    left = [p for p in lake.table("raw", contract.table).iterdir() if p.is_dir()]
    assert left == []
    matrix.record("file", fault, "carried forward (permanent)")


def test_a_header_without_rows(
    drop: Path, departments: Departments, lake: Lake, certificates: Contract, dwellings: Contract
) -> None:
    """A batch of nothing: whether that can be is for the contract's rules."""
    put(
        drop / "disability_federation",
        "certificates_20261101.csv",
        csv_bytes(table(certificates, 0)),
    )
    put(drop / "housing", "dwellings_20261101.xlsx", xlsx_bytes(table(dwellings, 0)))
    for contract in (certificates, dwellings):
        read = departments.read_day(contract, D, NOW)
        assert (delivered(lake, read), read.batches[0].columns) == (
            [],
            [f.physical_name for f in contract.fields],
        )


def test_new_and_missing_columns_are_for_the_contract(
    drop: Path, departments: Departments, lake: Lake, certificates: Contract
) -> None:
    header, *rows = table(certificates)
    changed = [[*header[:-2], "新列", header[-1]], *rows]
    put(drop / "disability_federation", "certificates_20261101.csv", csv_bytes(changed))
    read = departments.read_day(certificates, D, NOW)
    assert read.batches[0].columns == changed[0]
    matrix.record(
        "file",
        "new or missing column",
        "rejected (by the contract's drift, if the column is required)",
    )


def test_no_file_at_all(drop: Path, departments: Departments, certificates: Contract) -> None:
    failure = departments.read_day(certificates, D, NOW).failure
    assert failure is not None
    assert (failure.kind, failure.reason) == ("permanent", "no_file")
    matrix.record("file", "no file", "carried forward (permanent)")


@pytest.mark.slow
def test_a_large_workbook(
    drop: Path, departments: Departments, lake: Lake, dwellings: Contract
) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("明细")
    sheet.append(["标题"])
    sheet.append(["说明"])
    for row in table(dwellings, 20_000):
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    put(drop / "housing", "dwellings_20261001.xlsx", content.getvalue())
    read = departments.read_day(dwellings, D, NOW)
    print(f"\n20,000 rows of XLSX: {read.seconds:.1f} s")
    assert read.row_count == 20_000
    assert [row["_row"] for row in delivered(lake, read)] == list(range(1, 20_001))
