"""What lies in a drop folder: names, days, parts, what is whole, and what is left lying and
said.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
import struct
import tempfile
import time
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import pyarrow.parquet as pq
import pytest
import yaml
from msoffcrypto.format.ooxml import OOXMLFile

from expectations.contract import Contract, ContractError, contract_for, read_contract
from expectations.file_names import PatternError
from resources.departments import DayRead, Departments
from resources.departments.dropped import deliveries, look, strangers
from resources.departments.left import left_lying
from resources.departments.names import named, part_of, patterns_of, shown
from resources.departments.whole import ending, judged
from resources.lake import Lake
from resources.settings import SHANGHAI, Settings
from tests.extraction.conftest import NOW, QUICK, D, accept
from tests.extraction.test_files import csv_bytes, delivered, put, table, xlsx_bytes

LONG_AGO = 3600.0


@pytest.fixture
def certificates() -> Contract:
    return contract_for("certificates")


@pytest.fixture
def folder(settings: Settings) -> Path:
    assert settings.drop_dir is not None
    (settings.drop_dir / "disability_federation").mkdir()
    return settings.drop_dir / "disability_federation"


def with_server(contract: Contract, **server: object) -> Contract:
    return dataclasses.replace(contract, server={**contract.server, **server})


def lay(
    folder: Path, name: str, content: bytes, at: datetime | None = None, checksum: bool = False
) -> Path:
    """A file as last written at a moment, an hour ago by default."""
    path = put(folder, name, content, "right" if checksum else None)
    when = at.timestamp() if at else time.time() - LONG_AGO
    os.utime(path, (when, when))
    return path


def some(contract: Contract, count: int = 3) -> bytes:
    return csv_bytes(table(contract, count))


def source(read: DayRead) -> str:
    assert read.failure is None, str(read.failure)
    return read.batches[0].source


# names


@pytest.mark.parametrize(
    ("pattern", "name", "day", "part"),
    [
        (
            "残疾人证{YYYY}年{M}月*",
            "残疾人证2026年11月.xlsx",
            date(2026, 11, 1),
            "残疾人证2026年11月",
        ),
        ("残疾人证{YYYY}年{M}月*", "残疾人证2026年9月（更正）.xls", date(2026, 9, 1), "(更正)"),
        (
            "残疾人证{YYYY}年{M}月*",
            "残疾人证２０２６年０９月.et",
            date(2026, 9, 1),
            "残疾人证2026年09月",
        ),
        ("持证-{YYYY}{MM}{DD}", "持证-20261121.csv", date(2026, 11, 21), "持证-20261121"),
        ("持证-{YYYYMMDD}.csv", "持证-20261121.CSV", date(2026, 11, 21), "持证-20261121"),
        ("{part}台账{YYYY}.{M}.{D}", "石门镇台账2026.9.3.xlsx", date(2026, 9, 3), "石门镇"),
        ("*台账{YYYY}年{M}月", "青溪镇台账2026年10月.csv", date(2026, 10, 1), "青溪镇"),
        ("*", "随便什么.xlsx", None, "随便什么"),
        ("名册{YYYY}", "名册2026.ods", date(2026, 1, 1), "名册2026"),
    ],
)
def test_a_pattern_reads_a_name(
    pattern: str, name: str, day: date | None, part: str, certificates: Contract
) -> None:
    contract = with_server(certificates, files=["no such*", pattern])
    found = named(contract, name)
    assert found is not None
    assert (found.day, found.part, part_of(contract, name)) == (day, part, part)


@pytest.mark.parametrize(
    "name",
    [
        "残疾人证2026年11月.pdf",
        "残疾人证2026年11月.xlsx.part",
        "残疾证2026年11月.xlsx",
        "残疾人证26年11月.xlsx",
        "残疾人证2026年111月.xlsx",
    ],
)
def test_a_name_that_does_not_fit(name: str, certificates: Contract) -> None:
    assert named(with_server(certificates, files="残疾人证{YYYY}年{M}月*"), name) is None


@pytest.mark.parametrize(
    "name", ["~$台账2026年11月.xlsx", "._台账2026年11月.xlsx", ".~lock.台账2026年11月.xlsx#"]
)
def test_what_a_program_lays_beside_a_file_is_none(name: str, certificates: Contract) -> None:
    assert named(
        with_server(certificates, files="*台账{YYYY}年{M}月*"),
        name.removeprefix("~$").removeprefix("._"),
    ) or name.endswith("#")
    assert named(with_server(certificates, files="*台账{YYYY}年{M}月*"), name) is None


@pytest.mark.parametrize("pattern", ["{MM}月", "{YYYY}{DD}", "{town}", "{YYYY}{YYYY}", "{hh}"])
def test_a_pattern_that_says_nothing_is_refused_by_its_words(
    pattern: str, certificates: Contract
) -> None:
    with pytest.raises(PatternError, match=r"files: '"):
        patterns_of(with_server(certificates, files=pattern))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ("{town}", "{town}"),
        ("{MM}月", "without its year"),
        ("{part}台账{YYYY}年{M}月", "parts does not say"),
    ],
)
def test_a_contract_with_such_a_pattern_is_refused(
    files: str, words: str, tmp_path: Path, certificates: Contract
) -> None:
    text = yaml.safe_load(certificates.path.read_text(encoding="utf-8"))
    text["servers"][0]["customProperties"].append({"property": "files", "value": files})
    path = tmp_path / "certificates.odcs.yaml"
    path.write_text(yaml.safe_dump(text, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ContractError) as refused:
        read_contract(path)
    assert words in str(refused.value)


def test_a_bad_pattern_fails_its_source_with_what_to_mend(
    folder: Path, departments: Departments, certificates: Contract
) -> None:
    failure = departments.read_day(with_server(certificates, files="{town}"), D, NOW).failure
    assert failure is not None
    assert (failure.kind, failure.reason) == ("permanent", "contract")
    assert "{town}" in str(failure)


def test_names_as_they_are_shown() -> None:
    assert shown("张某612429197001011234.xlsx") == "张某***.xlsx"
    assert shown("张某６１２４２９１９７００１０１１２３Ｘ.xlsx").startswith("张某***")
    assert shown("台账20261121093000.xlsx") == "台账20261121093000.xlsx"
    assert shown("a\nb\x1b[31m\u202ec.csv") == "a\\u000ab\\u001b[31m\\u202ec.csv"
    assert shown(os.fsdecode("残疾人证.csv".encode("gb18030"))) == "残疾人证.csv"
    assert len(shown("长" * 300)) <= 80


# days


def test_each_readable_form_of_the_default_name(folder: Path, certificates: Contract) -> None:
    for suffix in ("csv", "txt", "xlsx", "xls", "xlsb", "ods", "et", "html", "zip", "XLSX"):
        lay(folder, f"certificates_20261101.{suffix}", b"x\n")
    for name in (
        "certificates_20261101.pdf",
        "certificates_20261101.rar",
        "certificates_20261101",
        "certificates_20261301.csv",
    ):
        lay(folder, name, b"x\n")
    found = look(folder, [certificates])
    assert len(found.of(certificates)) == 10
    assert {item.name: item.why for item in found.left} == {
        "certificates_20261101.pdf": "no contract takes this name",
        "certificates_20261101.rar": "no contract takes this name",
        "certificates_20261101": "no contract takes this name",
        "certificates_20261301.csv": "its name has no day that exists",
    }


def test_without_a_day_it_is_the_day_on_which_it_was_written(
    folder: Path, departments: Departments, certificates: Contract
) -> None:
    contract = with_server(certificates, files="持证花名册*")
    # 23:30 UTC of the 4th is the 5th in Asia/Shanghai
    lay(
        folder,
        "持证花名册.csv",
        some(contract),
        datetime.fromisoformat("2026-11-04T23:30:00+00:00"),
    )
    read = departments.read_day(contract, D, NOW)
    assert (source(read), read.batches[0].extract_date) == ("持证花名册.csv", "2026-11-05")
    before = departments.read_day(contract, date(2026, 11, 4), NOW)
    assert before.failure is not None
    assert before.failure.reason == "no_file"


def test_a_month_is_its_first_day(
    folder: Path, departments: Departments, certificates: Contract
) -> None:
    contract = with_server(certificates, files=["残疾人证{YYYY}年{M}月*", "补报{YYYY}{MM}{DD}"])
    lay(folder, "残疾人证2026年10月.csv", some(contract, 2))
    lay(folder, "残疾人证2026年11月.csv", some(contract, 3))
    read = departments.read_day(contract, D, NOW)
    assert (source(read), read.batches[0].extract_date) == ("残疾人证2026年11月.csv", "2026-11-01")
    lay(folder, "补报20261109.csv", some(contract, 4))
    assert departments.read_day(contract, D, NOW).row_count == 3
    assert (
        departments.read_day(contract, D + timedelta(days=1), NOW).batches[0].extract_date
        == "2026-11-09"
    )


# two of one day


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("certificates_20261101.csv", "certificates_20261101.txt"),
        ("certificates_20261101.txt", "certificates_20261101.csv"),
        ("certificates_20261101.xlsx", "certificates_20261101.csv"),
        ("certificates_20261101.csv", "CERTIFICATES_20261101.CSV"),
    ],
)
def test_of_two_of_one_day_the_later_written_wins_and_the_other_is_said(
    earlier: str, later: str, folder: Path, departments: Departments, certificates: Contract
) -> None:
    lay(
        folder,
        earlier,
        some(certificates, 2),
        datetime(2026, 11, 1, 9, tzinfo=SHANGHAI),
        checksum=True,
    )
    lay(
        folder,
        later,
        some(certificates, 3),
        datetime(2026, 11, 1, 10, tzinfo=SHANGHAI),
        checksum=True,
    )
    read = departments.read_day(certificates, D, NOW)
    assert (source(read), read.row_count) == (later, 3)
    assert read.unread == (f"{earlier} was written before {later} of the same day: not read",)


def test_one_that_was_read_before_its_correction_came_is_not_said(
    folder: Path, departments: Departments, lake: Lake, certificates: Contract
) -> None:
    lay(
        folder,
        "certificates_20261101.csv",
        some(certificates, 2),
        datetime(2026, 11, 1, 9, tzinfo=SHANGHAI),
    )
    first = departments.read_day(certificates, D, NOW)
    accept(lake, certificates, D, first.batches[0])
    lay(
        folder,
        "certificates_20261101.txt",
        some(certificates, 3),
        datetime(2026, 11, 1, 10, tzinfo=SHANGHAI),
    )
    second = departments.read_day(certificates, D + timedelta(days=1), NOW)
    assert (source(second), second.unread) == ("certificates_20261101.txt", ())


def test_older_ones_that_no_day_read_are_counted(
    folder: Path, departments: Departments, certificates: Contract
) -> None:
    for day in ("20260901", "20261001", "20261101"):
        lay(folder, f"certificates_{day}.csv", some(certificates))
    read = departments.read_day(certificates, D, NOW)
    assert read.unread == (
        (
            "2 older files never read, since a newer one lies there: certificates_20260901.csv,"
            " certificates_20261001.csv"
        ),
    )


# left lying


def test_what_no_contract_takes_is_named(
    folder: Path, settings: Settings, lake: Lake, certificates: Contract
) -> None:
    content = some(certificates)
    for name in (
        "certificates_2026-11-21.csv",
        "certificates_20261121(1).csv",
        "残疾人证2026年11月.xlsx",
    ):
        lay(folder, name, content, checksum=True)
    lay(folder, "certificates_20261101.xls", content, checksum=True)
    read = Departments(settings, lake, QUICK).read_day(certificates, D, NOW)
    assert source(read) == "certificates_20261101.xls"
    (line,) = read.unread
    assert line.startswith("left lying: 3 files: ")
    assert all(
        name in line
        for name in (
            "certificates_2026-11-21.csv",
            "certificates_20261121(1).csv",
            "残疾人证2026年11月.xlsx",
        )
    )
    # the same without a run, and while an older state stands
    assert [(item.department, item.line) for item in left_lying(settings)] == [
        ("disability_federation", line)
    ]
    accept(lake, certificates, D, read.batches[0])
    again = Departments(settings, lake, QUICK).read_day(certificates, D + timedelta(days=1), NOW)
    assert (again.status, again.unread) == ("nothing_new", (line,))
    pointer = lake.read_note("raw", certificates.table, D + timedelta(days=1))
    assert pointer is not None
    assert pointer["unread"] == [line]


def test_a_folder_with_nothing_that_is_taken_fails_and_names_it(
    folder: Path, departments: Departments, certificates: Contract
) -> None:
    lay(folder, "张三612429197001011234.xlsx", b"PK")
    read = departments.read_day(certificates, D, NOW)
    assert read.failure is not None
    assert read.unread == ("left lying: 1 file: 张三***.xlsx (no contract takes this name)",)


def test_links_folders_and_pipes_are_not_followed_and_are_said(
    folder: Path, departments: Departments, certificates: Contract, tmp_path: Path
) -> None:
    outside = tmp_path / "certificates_20261105.csv"
    outside.write_bytes(some(certificates, 9))
    (folder / "certificates_20261105.csv").symlink_to(outside)
    (folder / "certificates_20261106.csv").symlink_to(tmp_path / "nowhere")
    (folder / "certificates_20261107.csv").mkdir()
    os.mkfifo(folder / "certificates_20261108.csv")
    (folder / "certificates_20261109.csv.sha256").write_text("0" * 64)
    lay(folder, "certificates_20261101.csv", some(certificates))
    read = departments.read_day(certificates, D, NOW)
    assert (source(read), read.row_count) == ("certificates_20261101.csv", 3)
    (line,) = read.unread
    assert (
        line
        == "left lying: 5 files: certificates_20261105.csv, certificates_20261106.csv (a symbolic"
        " link, which is not followed); certificates_20261107.csv (a folder, which is not looked"
        " into); certificates_20261108.csv (no plain file); certificates_20261109.csv.sha256 (a"
        " checksum without its file)"
    )


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="no such file system here")
@pytest.mark.parametrize("year", [10_000, 14_645])
def test_a_time_that_no_calendar_has_is_said(
    settings: Settings, lake: Lake, certificates: Contract, year: int
) -> None:
    """Some file systems keep times that are no days; whoever may write one sets what they like."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as drop:
        folder = Path(drop) / "disability_federation"
        folder.mkdir()
        lay(folder, "certificates_20261101.csv", some(certificates))
        strange = lay(folder, "certificates_20261102.csv", some(certificates, 9))
        os.utime(strange, ((year - 1970) * 31_557_600,) * 2)
        assert strange.stat().st_mtime > 2.5e11, "the control: it is kept"
        elsewhere = dataclasses.replace(settings, drop_dir=Path(drop))
        read = Departments(elsewhere, lake, QUICK).read_day(certificates, D, NOW)
    assert (source(read), read.row_count) == ("certificates_20261101.csv", 3)
    assert read.unread == (
        "left lying: 1 file: certificates_20261102.csv (its time of writing is no day that exists)",
    )


def test_a_linked_checksum_and_a_linked_folder_count_for_nothing(
    folder: Path,
    settings: Settings,
    departments: Departments,
    certificates: Contract,
    tmp_path: Path,
) -> None:
    path = lay(folder, "certificates_20261101.csv", some(certificates))
    outside = tmp_path / "sum"
    outside.write_text("0" * 64)
    path.with_name(f"{path.name}.sha256").symlink_to(outside)
    assert departments.read_day(certificates, D, NOW).row_count == 3
    elsewhere = tmp_path / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    read = departments.read_day(certificates, D + timedelta(days=1), NOW)
    assert read.failure is not None
    assert "symbolic link" in read.unread[0]


def test_what_lies_beside_the_departments_folders_is_named(
    settings: Settings, folder: Path
) -> None:
    assert settings.drop_dir is not None
    (settings.drop_dir / "残联.xlsx").write_bytes(b"PK")
    (settings.drop_dir / "canlian").mkdir()
    (settings.drop_dir / "canlian" / "a.csv").write_bytes(b"x")
    (item,) = left_lying(settings)
    assert item.department is None
    assert (
        item.line
        == "left lying: 2 files: canlian/ (1 in the folder of no department that delivers files);"
        " 残联.xlsx (in no department's folder)"
    )


def test_what_lies_beside_the_folders_may_be_any_departments_and_is_said_by_each(
    departments: Departments, settings: Settings, folder: Path
) -> None:
    """By one record type of each: nobody knows whose folder it should have been."""
    assert settings.drop_dir is not None
    (settings.drop_dir / "canlian").mkdir()
    (settings.drop_dir / "canlian" / "a.csv").write_bytes(b"x")
    wanted = ("certificates", "dwellings", "retrofits", "cases")
    said = {
        records: departments.read_day(contract_for(records), D, NOW).unread for records in wanted
    }
    line = "left lying: 1 file: canlian/ (1 in the folder of no department that delivers files)"
    assert said == {
        "certificates": (line,),
        "dwellings": (line,),
        "retrofits": (),
        "cases": (line,),
    }


def test_two_contracts_that_take_a_name_alike(folder: Path, certificates: Contract) -> None:
    lay(folder, "a2026年1月.csv", b"x\n")
    lay(folder, "b.csv", b"x\n")
    exact = with_server(certificates, files="a{YYYY}年{M}月")
    other = dataclasses.replace(with_server(certificates, files="*"), records="other")
    third = dataclasses.replace(other, records="third")
    found = look(folder, [exact, other])
    assert [f.name for f in found.of(exact)] == ["a2026年1月.csv"]
    assert [f.name for f in found.of(other)] == ["b.csv"]
    assert "other and third take this name alike" in look(folder, [exact, other, third]).left[0].why


# whole


def _zip(content: bytes = b"x" * 5000) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", content)
    return buffer.getvalue()


def _ole(sectors: int = 20) -> bytes:
    """The least of a compound file: a head, one sector table, and the sectors that it says are in
    use.
    """
    head = bytearray(512)
    head[:8] = bytes.fromhex("d0cf11e0a1b11ae1")
    struct.pack_into("<HHHHH", head, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<I", head, 44, 1)
    struct.pack_into("<II", head, 68, 0xFFFFFFFE, 0)
    struct.pack_into("<109I", head, 76, 0, *[0xFFFFFFFF] * 108)
    entries = [0xFFFFFFFD, *range(2, sectors), 0xFFFFFFFE]
    entries += [0xFFFFFFFF] * (128 - len(entries))
    return bytes(head) + struct.pack("<128I", *entries) + b"s" * 512 * (sectors - 1)


WHOLE = {
    "csv": b"a,b\r\n1,2\r\n",
    "csv of a Mac": b"a,b\r1,2\r",
    "csv in utf-16": "a,b\r\n1,2\r\n".encode("utf-16"),
    "xlsx": xlsx_bytes([["a"], ["1"]]),
    "zip": _zip(),
    "html": b"\xef\xbb\xbf<html><body><table><tr><td>1</td></tr></table></body></HTML>\r\n\r\n",
    "html without its head": (
        b"<meta charset=gbk><table border=1><tr><td>1</td></tr></table> <!-- made -->"
    ),
    "xml of a spreadsheet": (
        b"<?xml version='1.0'?><ss:Workbook xmlns:ss='x'><ss:Table/></ss:Workbook>"
    ),
    "xls": _ole(),
}
CUT = {
    "csv": b"a,b\r\n1,2\r\n3,",
    "csv in utf-16": "a,b\r\n1,2".encode("utf-16"),
    "xlsx": WHOLE["xlsx"][:-30],
    "zip": _zip()[:60],
    "html": WHOLE["html"][:-20],
    "html without its head": b"<meta charset=gbk><table border=1><tr><td>1</td></tr><tr>",
    "html whose end is inside": b"<html><table></table></html><table><tr>",
    "xml of a spreadsheet": WHOLE["xml of a spreadsheet"][:-9],
    "xls": _ole()[:-1],
    "xls cut at a sector": _ole()[:-512],
    "xls cut in its head": _ole()[:300],
    "xls cut before its table": _ole()[:700],
    "nothing": b"",
    "a long blank end": b"<html>" + b" " * 70_000,
}


@pytest.mark.parametrize("form", WHOLE)
def test_a_whole_file_without_checksum(form: str) -> None:
    verdict = ending(io.BytesIO(WHOLE[form]))
    assert verdict.lack is None
    assert verdict.is_unchecked == form.startswith(("csv", "html", "xml"))


@pytest.mark.parametrize("form", CUT)
def test_a_cut_file_without_checksum(form: str) -> None:
    started = time.monotonic()
    assert ending(io.BytesIO(CUT[form])).lack is not None
    assert time.monotonic() - started < 0.5


@pytest.mark.parametrize("name", ["xls", "xlsx"])
def test_every_cut_of_a_workbook_is_seen(name: str) -> None:
    content = WHOLE[name]
    for size in range(1, len(content), 97):
        assert ending(io.BytesIO(content[:size])).lack is not None, size


def test_it_has_to_stand_still_first(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(WHOLE["csv"])
    clock = path.stat().st_mtime
    digest = hashlib.sha256(WHOLE["csv"]).hexdigest()
    assert (
        judged(path, digest, False, 120.0, clock + 119).lack
        == "no .sha256 beside it, and written less than 120 s ago"
    )
    assert judged(path, digest, False, 120.0, clock + 121).lack is None
    assert (
        judged(path, digest, False, 120.0, clock - 5000).lack
        == "no .sha256 beside it, and its time lies in the future"
    )
    assert judged(path, digest, True, 120.0, clock + 121).lack == "no .sha256 beside it yet"
    # a checksum needs no waiting, and a wrong one still means what it says
    path.with_name("a.csv.sha256").write_text(digest)
    assert judged(path, digest, False, 120.0, clock) == judged(path, digest, True, 120.0, clock)
    assert judged(path, digest, False, 120.0, clock).lack is None
    path.with_name("a.csv.sha256").write_text("0" * 64)
    assert (
        judged(path, digest, False, 120.0, clock + 121).lack == "its .sha256 is of another content"
    )


@pytest.mark.parametrize(("checksum", "is_unchecked"), [(True, False), (False, True)])
def test_an_unchecked_text_is_marked(
    checksum: bool,
    is_unchecked: bool,
    folder: Path,
    departments: Departments,
    certificates: Contract,
) -> None:
    lay(folder, "certificates_20261101.csv", some(certificates), checksum=checksum)
    assert departments.read_day(certificates, D, NOW).batches[0].unchecked == is_unchecked


def test_a_required_checksum(
    folder: Path, departments: Departments, certificates: Contract
) -> None:
    lay(folder, "certificates_20261101.csv", some(certificates))
    read = departments.read_day(with_server(certificates, checksum="required"), D, NOW)
    assert read.failure is not None
    assert (read.failure.reason, "no .sha256 beside it yet" in str(read.failure)) == (
        "incomplete_file",
        True,
    )


# parts


def parts(contract: Contract, number: object) -> Contract:
    return with_server(contract, files="{part}持证{YYYY}年{M}月", parts=number)


@pytest.mark.parametrize("number", [3, ["石门", "青溪镇", "龙潭镇"]])
def test_an_incomplete_delivery_waits_and_says_what_is_missing(
    number: object, folder: Path, departments: Departments, certificates: Contract
) -> None:
    contract = parts(certificates, number)
    for town in ("石门镇", "青溪镇"):
        lay(folder, f"{town}持证2026年11月.csv", some(contract))
    failure = departments.read_day(contract, D, NOW).failure
    assert failure is not None
    assert (failure.kind, failure.reason) == ("transient", "incomplete_file")
    assert "2 of 3 parts came" in str(failure)
    assert ("龙潭镇 missing" in str(failure)) == isinstance(number, list)


def test_the_missing_part_is_known_by_last_month(
    folder: Path, departments: Departments, certificates: Contract
) -> None:
    contract = parts(certificates, 3)
    for town in ("石门镇", "青溪镇", "龙潭镇"):
        lay(folder, f"{town}持证2026年10月.csv", some(contract))
    for town in ("石门镇", "龙潭镇"):
        lay(folder, f"{town}持证2026年11月.csv", some(contract))
    found = look(folder, [contract]).of(contract)
    newest, older = deliveries(contract, found, D)
    assert newest.missing == "2 of 3 parts came, 青溪镇 missing"
    assert (older.missing, older.day, len(older.files)) == (None, date(2026, 10, 1), 3)


def test_parts_without_a_day_have_the_latest(folder: Path, certificates: Contract) -> None:
    contract = with_server(certificates, files="*持证", parts=2)
    lay(folder, "石门镇持证.csv", b"x\n", datetime(2026, 10, 31, 9, tzinfo=SHANGHAI))
    lay(folder, "青溪镇持证.csv", b"x\n", datetime(2026, 11, 2, 9, tzinfo=SHANGHAI))
    (delivery,) = deliveries(contract, look(folder, [contract]).of(contract), D)
    assert (delivery.day, delivery.missing) == (date(2026, 11, 2), None)
    # a part that nobody has sent for longer than the record type may get old is missing
    lay(folder, "石门镇持证.csv", b"x\n", datetime(2025, 10, 31, 9, tzinfo=SHANGHAI))
    (delivery,) = deliveries(contract, look(folder, [contract]).of(contract), D)
    assert delivery.missing == "1 of 2 parts came, 石门镇 missing"


def test_a_part_that_came_twice_and_a_stranger(folder: Path, certificates: Contract) -> None:
    contract = parts(certificates, ["石门镇", "青溪镇"])
    lay(folder, "石门镇持证2026年11月.csv", b"x\n", datetime(2026, 11, 1, 9, tzinfo=SHANGHAI))
    lay(folder, "石门镇持证2026年11月.xlsx", b"x\n", datetime(2026, 11, 1, 10, tzinfo=SHANGHAI))
    lay(folder, "青溪镇持证2026年11月.csv", b"x\n")
    lay(folder, "外县持证2026年11月.csv", b"x\n")
    found = look(folder, [contract]).of(contract)
    (delivery,) = deliveries(contract, found, D)
    assert [f.name for f in delivery.files] == [
        "石门镇持证2026年11月.xlsx",
        "青溪镇持证2026年11月.csv",
    ]
    assert [f.name for f in delivery.replaced] == ["石门镇持证2026年11月.csv"]
    assert [item.name for item in strangers(contract, found)] == ["外县持证2026年11月.csv"]


@pytest.mark.parametrize("number", [3, ["石门", "青溪", "龙潭"]])
def test_parts_make_one_delivery(
    number: object,
    folder: Path,
    settings: Settings,
    departments: Departments,
    lake: Lake,
    certificates: Contract,
) -> None:
    contract = parts(certificates, number)
    header, *body = table(contract, 9)
    for at, town in enumerate(("石门镇", "青溪镇", "龙潭镇")):
        lay(folder, f"{town}持证2026年11月.csv", csv_bytes([header, *body[3 * at : 3 * at + 3]]))
    read = departments.read_day(contract, D, NOW)
    rows = delivered(lake, read)
    assert len(rows) == 9
    batch = read.batches[0]
    assert (batch.source, batch.unchecked) == ("石门镇持证2026年11月.csv and 2 more", True)
    assert sorted(batch.files) == sorted(
        f"{town}持证2026年11月.csv" for town in ("石门镇", "青溪镇", "龙潭镇")
    )
    file = pq.read_table(lake.table("raw", contract.table) / batch.batch_id / "delivered.parquet")
    assert set(file.column("_part").to_pylist()) == {"石门镇", "青溪镇", "龙潭镇"}
    # read once; a part that is corrected makes a new delivery of all
    accept(lake, contract, D, batch)
    assert departments.read_day(contract, D + timedelta(days=1), NOW).status == "nothing_new"
    lay(folder, "青溪镇持证2026年11月.csv", csv_bytes([header, *body[3:5]]))
    assert departments.read_day(contract, D + timedelta(days=2), NOW).row_count == 8


@pytest.mark.parametrize(("sheets", "reason"), [(3, None), (2, "incomplete_parts")])
def test_sheets_are_parts_too(
    sheets: int,
    reason: str | None,
    folder: Path,
    departments: Departments,
    lake: Lake,
    certificates: Contract,
) -> None:
    contract = with_server(
        certificates, files="持证花名册{YYYY}年{M}月*", parts=["石门镇", "青溪镇", "龙潭镇"]
    )
    header, *body = table(contract, 9)
    book = openpyxl.Workbook()
    book.remove(book.active)
    for at, town in enumerate(("石门镇", "青溪镇", "龙潭镇")[:sheets]):
        sheet = book.create_sheet(town)
        for row in [header, *body[3 * at : 3 * at + 3]]:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    lay(folder, "持证花名册2026年11月（定稿）.xlsx", content.getvalue())
    read = departments.read_day(contract, D, NOW)
    assert (read.failure.reason if read.failure else None) == reason
    assert read.row_count == (0 if reason else 9)
    if read.failure:
        assert "龙潭镇 missing" in str(read.failure)


def test_a_protected_workbook_by_the_setting_that_the_contract_names(
    folder: Path, settings: Settings, lake: Lake, certificates: Contract
) -> None:
    plain = folder.parent / "plain.xlsx"
    plain.write_bytes(xlsx_bytes(table(certificates), titles=0))
    with plain.open("rb") as opened, (folder / "certificates_20261101.xlsx").open("wb") as target:
        OOXMLFile(opened).encrypt("秘密2026", target)
    os.utime(folder / "certificates_20261101.xlsx", (time.time() - LONG_AGO,) * 2)
    contract = with_server(certificates, password="YIHU_FILE_PASSWORD_DISABILITY_FEDERATION")
    without = Departments(settings, lake, QUICK).read_day(contract, D, NOW)
    assert without.failure is not None
    assert without.failure.reason == "encrypted_file"
    ours = dataclasses.replace(
        settings, file_passwords={"YIHU_FILE_PASSWORD_DISABILITY_FEDERATION": "秘密2026"}
    )
    assert "秘密" not in repr(ours)
    read = Departments(ours, lake, QUICK).read_day(contract, D, NOW)
    assert read.row_count == 3
    for file in (lake.table("raw", contract.table) / read.batches[0].batch_id).iterdir():
        assert "秘密2026".encode() not in file.read_bytes()


# increments


def test_no_increment_is_passed_over(
    folder: Path, departments: Departments, lake: Lake, certificates: Contract
) -> None:
    contract = with_server(certificates, delivery="incremental")
    for day, count in ((1, 1), (2, 2), (4, 4)):
        lay(folder, f"certificates_2026110{day}.csv", some(contract, count))
    growing = put(folder, "certificates_20261103.csv", some(contract, 3), "wrong")
    read = departments.read_day(contract, D, NOW)
    assert [b.row_count for b in read.batches] == [1, 2]
    assert read.notes[0].startswith("certificates_20261103.csv is not whole")
    accept(lake, contract, D, read.batches[-1])
    put(folder, growing.name, some(contract, 3))
    later = departments.read_day(contract, D + timedelta(days=1), NOW)
    assert [b.row_count for b in later.batches] == [3, 4]


def test_a_part_that_lacks_a_column_is_named_with_it(
    folder: Path, departments: Departments, certificates: Contract
) -> None:
    contract = parts(certificates, 2)
    header, *body = table(contract, 4)
    lay(folder, "石门镇持证2026年11月.csv", csv_bytes([header, *body]))
    lay(
        folder,
        "青溪镇持证2026年11月.csv",
        csv_bytes([[cell if cell != "残疾类别" else "类型" for cell in header], *body]),
    )
    failure = departments.read_day(contract, D, NOW).failure
    assert failure is not None
    assert (
        "1 of 2 parts came, there: 石门镇; not read: 青溪镇持证2026年11月.csv: it lacks 残疾类别"
        in str(failure)
    )


def test_a_file_dated_before_a_state_of_another_form_is_said(
    folder: Path, departments: Departments, lake: Lake, certificates: Contract
) -> None:
    """A month's list is dated its first: upon a state that the platform gave yesterday nothing is
    newer, and that is said.
    """
    contract = with_server(certificates, files="持证{YYYY}年{M}月*")
    lake.write_note(
        "ledger",
        contract.table,
        D,
        {"batch_id": "certificates-20261110-01", "extract_date": "2026-11-10"},
    )
    lay(folder, "持证2026年11月.csv", some(contract))
    read = departments.read_day(contract, D + timedelta(days=1), NOW)
    assert (read.row_count, read.failure) == (0, None)
    assert [line for line in read.unread if "never read" in line] == [
        "1 file never read, dated before the state in force, of 2026-11-10: 持证2026年11月.csv"
    ]
