"""Files of every kind at once: each is read, left for next time, or named; none is passed over."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from expectations.contract import contract_for
from pipelines.automation.sensors import drop_folder_requests
from resources.departments import DayRead, Departments
from resources.departments.left import left_lying
from resources.departments.names import shown
from resources.lake import Lake
from resources.settings import SHANGHAI, Settings
from tests.extraction.conftest import NOW, QUICK, D
from tests.extraction.test_files import csv_bytes, put, table, xlsx_bytes
from tests.extraction.test_folder import lay

CERTIFICATES, DWELLINGS, RETROFITS, CASES = (
    contract_for(n) for n in ("certificates", "dwellings", "retrofits", "cases")
)
EARLY, LATE = (
    datetime(2026, 11, 10, 9, tzinfo=SHANGHAI),
    datetime(2026, 11, 10, 17, tzinfo=SHANGHAI),
)


def _html(rows: list[list[str]]) -> bytes:
    cells = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<html><body><table>{cells}</table></body></html>".encode()


def _zipped(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def _drop_certificates(folder: Path) -> None:
    content = csv_bytes(table(CERTIFICATES))
    lay(folder, "certificates_20261110.csv", content, LATE)  # read
    for suffix in ("txt", "xls", "ods"):  # earlier ones of the same day
        lay(folder, f"certificates_20261110.{suffix}", content, EARLY)
    lay(folder, "certificates_20261110.html", _html(table(CERTIFICATES)), EARLY)
    lay(folder, "certificates_20261110.zip", _zipped("a.csv", content), EARLY)
    put(
        folder, "certificates_20261110.xlsx", xlsx_bytes(table(CERTIFICATES), titles=0), None
    )  # just written
    put(folder, "certificates_20261110.et", content, "wrong")
    for name in ("certificates_20261001.csv", "certificates_20261101.xlsx"):  # older
        lay(folder, name, content)
    lay(folder, "certificates_20261231.csv", content)
    lay(folder, "certificates_20261131.csv", content)


def _drop_strangers(folder: Path) -> None:
    names = (
        "certificates_2026-11-10.csv", "certificates_20261110(1).csv",
        "副本certificates_20261110.csv", "残疾人证2026年11月.xlsx",
        "新建文本文档.txt", "~$certificates_20261110.xlsx", ".~lock.certificates_20261110.xlsx#",
        "Thumbs.db", ".DS_Store",
        "照片.jpg", "说明.docx", "打包.rar", "certificates_20261110.csv.tmp",
        "certificates_20261110.pdf", "certificates_20261110",
        "张三612429197001011234.xlsx", "a\nb.csv", "\u202egnp.csv", "dwellings_20261101.xlsx",
        "certificates_20261109.csv.sha256",
        os.fsdecode("残疾人花名册.xls".encode("gb18030")),
    )  # fmt: skip
    for name in names:
        lay(folder, name, b"x\n")
    (folder / "certificates_20261108.csv").symlink_to("/etc/hostname")
    (folder / "11月").mkdir()
    os.mkfifo(folder / "certificates_20261107.csv")


def _drop_housing(folder: Path) -> None:
    lay(folder, "dwellings_20261101.xlsx", xlsx_bytes(table(DWELLINGS)))  # read
    lay(folder, "dwellings_20261110.csv", csv_bytes(table(DWELLINGS))[:-4])  # cut
    lay(folder, "retrofits_20261101.xlsx", b"PK\x03\x04 and nothing")  # never whole
    lay(folder, "retrofit_20261101.xlsx", xlsx_bytes(table(RETROFITS)))


def _drop_monitoring(folder: Path) -> None:
    lay(
        folder, "cases_20261101.xlsx", b"PK\x03\x04" + bytes(400) + b"PK\x05\x06" + bytes(18)
    )  # ends as a zip does, and is none
    lay(folder, "field_results_20261101.xlsx", b"x\n")  # of a draft: nothing is read for it


@pytest.fixture
def dropped(settings: Settings) -> Path:
    assert settings.drop_dir is not None
    drops: list[tuple[str, Callable[[Path], None]]] = [
        ("disability_federation", _drop_certificates),
        ("disability_federation", _drop_strangers),
        ("housing", _drop_housing),
        ("monitoring", _drop_monitoring),
    ]
    for department, drop in drops:
        (settings.drop_dir / department).mkdir(exist_ok=True)
        drop(settings.drop_dir / department)
    (settings.drop_dir / "残联11月.xlsx").write_bytes(b"PK")
    return settings.drop_dir


def _said(read: DayRead) -> str:
    return "\n".join(
        [
            *read.notes,
            *read.unread,
            *(batch.source for batch in read.batches),
            str(read.failure or ""),
        ]
    )


def test_none_is_passed_over(dropped: Path, settings: Settings, lake: Lake) -> None:
    departments = Departments(settings, lake, QUICK)
    reads = {
        c.records: departments.read_day(c, D, NOW)
        for c in (CERTIFICATES, DWELLINGS, RETROFITS, CASES)
    }
    said = "\n".join(_said(read) for read in reads.values())
    there = [path for path in dropped.rglob("*") if path.parent != dropped or path.is_file()]
    beside = [
        path for path in there if path.name.endswith(".sha256") and path.with_suffix("").exists()
    ]
    files = [path for path in there if path not in beside]
    assert len(files) >= 40
    assert [path.name for path in files if shown(path.name) not in said] == []
    assert "612429197001011234" not in said
    # and as what
    assert {
        name: (read.status, read.failure.reason if read.failure else None)
        for name, read in reads.items()
    } == {
        "certificates": ("read", None),
        "dwellings": ("read", None),
        "retrofits": ("failed", "incomplete_file"),
        "cases": ("failed", "zip"),
    }
    assert reads["certificates"].batches[0].source == "certificates_20261110.csv"
    assert [note.split(" ")[0] for note in reads["certificates"].notes] == [
        "certificates_20261110.et",
        "certificates_20261110.xlsx",
    ]
    assert [note.split(" ")[0] for note in reads["dwellings"].notes] == ["dwellings_20261110.csv"]
    assert (
        sum(
            "written before certificates_20261110.csv" in line
            for line in reads["certificates"].unread
        )
        == 5
    )


def test_whoever_asks_now_hears_the_same(dropped: Path, settings: Settings, lake: Lake) -> None:
    departments = Departments(settings, lake, QUICK)
    run = {
        line
        for c in (CERTIFICATES, DWELLINGS, RETROFITS, CASES)
        for line in departments.read_day(c, D, NOW).unread
    }
    live = {item.line for item in left_lying(settings)}
    # a run says besides what it did not read for the sake of what it read
    assert {line for line in live if "dated" not in line} <= run
    assert {line for line in run if line.startswith("left lying")} == live


def test_the_sensor_sees_what_a_run_would_read(dropped: Path, settings: Settings) -> None:
    requests, notes, _ = drop_folder_requests(settings, None, NOW)
    asked = " ".join(request.tags["yihu/cause"] for request in requests)
    for name in ("certificates_20261110.csv", "dwellings_20261101.xlsx", "cases_20261101.xlsx"):
        assert name in asked
    assert "strangers" not in asked
    assert sorted(note.split(" ")[0] for note in notes) == [
        "disability_federation/certificates_20261110.et",
        "disability_federation/certificates_20261110.xlsx",
        "housing/dwellings_20261110.csv",
        "housing/retrofits_20261101.xlsx",
    ]
