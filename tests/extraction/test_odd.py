"""What another county's departments may do and be right: odd framing, odd files, odd tables. Each
is read like the plain one.
"""

from __future__ import annotations

import codecs
import dataclasses
import gzip
import hashlib
import io
import json
import time
import zipfile
from datetime import date, datetime
from email.utils import formatdate
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa

from expectations.contract import Contract, contract_for
from resources.departments import Departments
from resources.lake import Lake
from resources.settings import Settings
from tests.extraction.conftest import NOW, QUICK, D
from tests.extraction.gateway import Asked, Gateway, Reply, error
from tests.extraction.test_api import PATH, ROWS, held, rows
from tests.extraction.test_files import csv_bytes, delivered, expected, put, table, xlsx_bytes
from tests.extraction.test_sql import parts

ALL = sorted(row["death_id"] for row in rows())


# API


def zipped(proper: Reply) -> Reply:
    return dataclasses.replace(
        proper, body=gzip.compress(proper.body), headers={"Content-Encoding": "gzip"}
    )


def escaped(proper: Reply) -> Reply:
    """Keys in another order, Chinese written out, room between tokens, fields that nobody knows."""
    answer = json.loads(proper.body)
    data = {
        "rows": answer["data"]["rows"],
        "page": {"no": [1]},
        "cursor": answer["data"]["cursor"],
        "total": answer["data"]["total"],
    }
    return Reply(
        200,
        json.dumps({"trace": None, "data": data, "message": "好", "code": 0}, indent=2).encode(),
    )


def to_the_end(proper: Reply) -> Reply:
    return dataclasses.replace(proper, manner="until closed")


def in_chunks(proper: Reply) -> Reply:
    return dataclasses.replace(proper, manner="chunked")


@pytest.mark.parametrize("manner", [zipped, escaped, to_the_end, in_chunks])
def test_an_answer_in_another_manner(
    manner: Any, gateway: Gateway, departments: Departments, contract: Contract, lake: Lake
) -> None:
    gateway.rows[PATH] = rows()
    gateway.fault = lambda asked, proper: manner(proper)
    read = departments.read_day(contract, D, NOW)
    assert (read.failure, sorted(held(lake, read)), read.requests) == (None, ALL, 5)


def test_a_chunked_answer_cut_short_is_no_answer(
    gateway: Gateway, departments: Departments, contract: Contract, lake: Lake
) -> None:
    gateway.rows[PATH] = rows()
    gateway.fault = lambda asked, proper: (
        dataclasses.replace(proper, manner="chunked cut")
        if asked.number == 3
        else in_chunks(proper)
    )
    read = departments.read_day(contract, D, NOW)
    assert (read.failure, sorted(held(lake, read)), read.requests) == (None, ALL, 6)


def scroll(is_constant: bool) -> Any:
    """Three rows a page, whatever was asked for, every other page empty; one cursor for all pages,
    or one for each.
    """
    place = {"next": 0, "asked": 0}

    def answer(asked: Asked, proper: Reply) -> Reply:
        cursor = asked.parameters.get("cursor", "0")
        start = place["next"] if is_constant else int(cursor.split("-")[0])
        place["asked"] += 1
        is_pause = place["asked"] % 2 == 0 and not is_constant
        shown = [] if is_pause else rows()[start : start + 3]
        place["next"] = start + len(shown)
        after = (
            ("scroll" if is_constant else f"{place['next']}-{place['asked']}")
            if place["next"] < ROWS
            else None
        )
        return Reply(
            200,
            json.dumps(
                {"code": 0, "message": "", "data": {"total": ROWS, "cursor": after, "rows": shown}}
            ).encode(),
        )

    return answer


@pytest.mark.parametrize("is_constant", [True, False])
def test_small_pages_empty_ones_and_one_cursor_for_all(
    is_constant: bool, gateway: Gateway, departments: Departments, contract: Contract, lake: Lake
) -> None:
    gateway.fault = scroll(is_constant)
    read = departments.read_day(contract, D, NOW)
    assert (read.failure, sorted(held(lake, read))) == (None, ALL)


def test_retry_after_as_a_date(
    gateway: Gateway, departments: Departments, contract: Contract, lake: Lake
) -> None:
    gateway.rows[PATH] = rows()
    began = time.time()

    def busy(asked: Asked, proper: Reply) -> Reply | None:
        return (
            error(429, 42900, **{"Retry-After": formatdate(began + 2, usegmt=True)})
            if asked.number == 2
            else None
        )

    gateway.fault = busy
    read = departments.read_day(contract, D, NOW)
    assert (read.failure, sorted(held(lake, read))) == (None, ALL)
    assert time.time() >= int(began) + 2


# files


@pytest.fixture
def folder(settings: Settings) -> Path:
    assert settings.drop_dir is not None
    (settings.drop_dir / "disability_federation").mkdir()
    (settings.drop_dir / "housing").mkdir()
    return settings.drop_dir


CERTIFICATES, DWELLINGS = contract_for("certificates"), contract_for("dwellings")


@pytest.mark.parametrize(
    "checksum",
    [
        "{digest}",
        "{upper}  *{name}\r\n",
        "\ufeff{digest}  {name}\n",
        (
            "SHA256 hash of {name}:\r\n{digest}\r\nCertUtil: -hashfile command completed"
            " successfully.\r\n"
        ),
        "SHA256 ({name}) = {digest}\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_checksum_as_any_tool_writes_it(
    checksum: str, encoding: str, folder: Path, departments: Departments, lake: Lake
) -> None:
    content = csv_bytes(table(CERTIFICATES))
    path = put(folder / "disability_federation", "certificates_20261101.csv", content, None)
    digest = hashlib.sha256(content).hexdigest()
    text = checksum.format(digest=digest, upper=digest.upper(), name=path.name)
    path.with_name(f"{path.name}.sha256").write_bytes(text.encode(encoding))
    assert delivered(lake, departments.read_day(CERTIFICATES, D, NOW)) == expected(
        table(CERTIFICATES)
    )


def csv_forms() -> dict[str, bytes]:
    cells = table(CERTIFICATES)
    cells[1][1] = "\U00020bb7野\u3400"  # 𠮷 and 㐀: four bytes each
    plain = csv_bytes(cells)
    return {
        "four bytes": plain,
        "with a mark": codecs.BOM_UTF8.decode().encode("gb18030") + plain,
        "LF": plain.replace(b"\r\n", b"\n"),
        "blank lines": plain.replace(b"\r\n0000", b"\r\n\r\n,,,,,,,\r\n0000") + b"\r\n\r\n",
        "no end of line": plain.rstrip(b"\r\n"),
        "all quoted": (
            "\r\n".join(
                ",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in cells
            ).encode("gb18030")
        ),
    }


@pytest.mark.parametrize("content", csv_forms().values(), ids=list(csv_forms()))
def test_an_odd_csv(content: bytes, folder: Path, departments: Departments, lake: Lake) -> None:
    cells = table(CERTIFICATES)
    cells[1][1] = "\U00020bb7野\u3400"
    put(folder / "disability_federation", "certificates_20261101.csv", content)
    assert delivered(lake, departments.read_day(CERTIFICATES, D, NOW)) == expected(cells)


def test_an_archive_with_folders_and_names_in_chinese(
    folder: Path, departments: Departments, lake: Lake
) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("残联/", "")
        archive.writestr("残联/证件 2026.CSV", csv_bytes(table(CERTIFICATES)))
        archive.writestr("__MACOSX/残联/._证件 2026.CSV", b"\0")
        archive.writestr("说明.txt", b"")
    put(folder / "disability_federation", "certificates_20261101.ZIP", content.getvalue())
    assert delivered(lake, departments.read_day(CERTIFICATES, D, NOW)) == expected(
        table(CERTIFICATES)
    )


def test_an_odd_workbook(folder: Path, departments: Departments, lake: Lake) -> None:
    """Two title rows, empty rows before and after the table, a column without a name, true dates
    and numbers, a second sheet.
    """
    cells: list[list[Any]] = [list(row) for row in table(DWELLINGS, 4)]
    places = {f.name: cells[0].index(f.physical_name) for f in DWELLINGS.fields}
    cells[1][places["appraised_on"]] = date(2026, 3, 1)
    cells[2][places["updated_at"]] = datetime(2026, 3, 1, 8, 30, 15)
    cells[3][places["dwelling_id"]] = 120
    book = openpyxl.load_workbook(
        io.BytesIO(xlsx_bytes([*cells[:2], [None] * 8, *cells[2:], *[[None] * 8] * 50]))
    )
    book.create_sheet("说明").append(["see the other sheet"])
    content = io.BytesIO()
    book.save(content)
    put(folder / "housing", "dwellings_20261001.xlsx", content.getvalue())
    found = delivered(lake, departments.read_day(DWELLINGS, D, NOW))
    assert len(found) == 4
    assert (found[0]["鉴定日期"], found[1]["更新时间"], found[2]["房屋编号"]) == (
        "2026-03-01",
        "2026-03-01T08:30:15",
        "120",
    )


# tables


def odd_table(url: sa.URL | str, create: str, insert: list[str]) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in (create, *insert):
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_a_table_with_types_and_an_order_of_its_own(settings: Settings, lake: Lake) -> None:
    """SQLite: integers for booleans, numbers for money, text for times, columns in another order, a
    view in a table's place.
    """
    contract = contract_for("reports")
    names = {f.name: f.physical_name for f in contract.fields}
    shuffled = ", ".join(f'"{name}"' for name in sorted(names.values()))
    kept = ", ".join(
        f'"{f.physical_name}" {"TIMESTAMP" if f.type == "timestamp" else "VARCHAR(40)"}'
        for f in contract.fields
    )
    values = ", ".join(
        "'2026-11-0' || n || 'T08:00:00.25'" if f.type == "timestamp" else f"'{f.name}' || n"
        for f in contract.fields
    )
    odd_table(
        str(settings.front_db_url),
        f"create table kept ({kept})",
        [
            f"insert into kept select {values} from (select 1 as n union all select 2)",
            f"create view {contract.table} as select {shuffled} from kept",
        ],
    )
    read = Departments(dataclasses.replace(settings, form="sql"), lake, QUICK).read_day(
        contract, D, NOW
    )
    found = parts(lake, read)
    assert [row[names["report_id"]] for row in found] == ["report_id1", "report_id2"]
    assert found[0][names["reported_at"]] == "2026-11-01T08:00:00.25+08:00"
