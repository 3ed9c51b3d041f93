"""Six files as six offices made them: the rows, the lines, and what is set aside."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.reading.conftest import Column, Reader, contract_of

OFFICES = Path(__file__).parents[1] / "trying" / "workbooks"
ID, NAME = "id_number", "name"


@dataclass(frozen=True)
class Office:
    """A record type as the office delivers it; `notes`: how many lines are no records."""

    folder: str
    records: str
    columns: Sequence[Column]
    notes: dict[str, int]
    truth: str = "truth.csv"
    department: str = "housing"
    server: dict[str, Any] = field(default_factory=dict)


CERTIFICATES = Office(
    "01-canlian-huamingce",
    "certificates",
    (
        Column("certificate_no", "残疾人证号", role="record_key", key=1),
        Column("name", "姓名", role=NAME),
        Column("category", "残疾类别"),
        Column("level", "残疾情况/残疾等级"),
        Column("issued_on", "证件信息 发证日期（换证）", "date"),
        Column("expires_on", "有效期至", "date", required=False),
        Column("status", "证件状态"),
    ),
    {"title": 2, "blank": 1, "total": 1, "footer": 1},
    department="disability_federation",
)
ENROLMENTS = Office(
    "02-yibao-daikou",
    "enrolments",
    (
        Column("enrolment_id", "平台流水号", role="record_key", key=1),
        Column("id_number", "证件号码", role=ID),
        Column("name", "客户名称", role=NAME),
        Column("year", "参保年度", "integer"),
        Column("insurance_type", "险种"),
        Column("status", "参保状态"),
        Column("paid_on", "扣款日期", "date", required=False),
    ),
    {"title": 2, "total": 1, "footer": 1},
    department="health_insurance",
    server={"encoding": "gb18030"},
)
SUBSIDIES = Office(
    "03-minzheng-liangxiang",
    "disability_subsidies",
    (
        Column("id_number", "身份证号码", role=ID, key=1),
        Column("name", "姓名", role=NAME),
        Column("subsidy", "补贴类型", key=2),
        Column("month", "所属月份", key=3),
        Column("amount", "实发金额（元）", "decimal(18,2)"),
    ),
    {"title": 8, "header": 3, "blank": 3, "total": 5, "footer": 1},
    department="civil_affairs",
)
ASSISTANCE = Office(
    "04-shehui-jiuzhu-fenzhen",
    "assistance",
    (
        Column("assistance_id", "救助证编号", role="record_key", key=1),
        Column("scheme", "救助类型"),
        Column("applicant_id_number", "身份证号", role=ID),
        Column("applicant_name", "申请人姓名", role=NAME),
        Column("class", "档次", required=False),
        Column("insured_persons", "保障人口(人)", "integer"),
        Column("monthly_amount", "月保障金额（元）", "decimal(18,2)", required=False),
        Column("started_on", "享受起始年月", "date"),
        Column("ended_on", "停发时间", "date", required=False),
    ),
    {"title": 8, "blank": 10, "total": 5, "footer": 5},
    department="civil_affairs",
)
DWELLINGS = Office(
    "05-zhujian-fangwu",
    "dwellings",
    (
        Column("dwelling_id", "房屋编号", role="record_key", key=1),
        Column("owner_id_number", "产权人身份证号", role=ID),
        Column("owner_name", "产权人·姓名", role=NAME),
        Column("structure", "结构", required=False),
        Column("grade", "鉴定等级"),
        Column("appraised_on", "鉴定时间", "date"),
        Column("occupied", "是否住人", "boolean"),
    ),
    {"title": 2, "header": 2, "total": 1, "footer": 1},
    "truth-dwellings.csv",
)
RETROFITS = Office(
    "05-zhujian-fangwu",
    "retrofits",
    (
        Column("project_id", "项目编号", role="record_key", key=1),
        Column("dwelling_id", "房屋编号"),
        Column("owner_id_number", "身份证号码", role=ID),
        Column("owner_name", "户主姓名", role=NAME),
        Column("approved_on", "批准时间", "date"),
        Column("started_on", "开工时间", "date", required=False),
        Column("finished_on", "竣工时间", "date", required=False),
        Column("subsidy_amount", "补助资金（万元）", "decimal(18,2)"),
    ),
    {"title": 1, "total": 1},
    "truth-retrofits.csv",
)
EMPLOYMENT = Office(
    "06-renshe-wugong-sanzhen",
    "employment",
    (
        Column("id_number", "身份证号码", role=ID, key=1),
        Column("name", "姓名", role=NAME),
        Column("place", "务工地点"),
        Column("kind", "就业形式"),
        Column("monthly_wage", "月均工资（元）", "decimal(18,2)", required=False),
        Column("started_on", "外出务工时间", "date", key=2),
        Column("ended_on", "返乡时间", "date", required=False),
    ),
    {"title": 6, "header": 1, "blank": 10, "total": 3, "footer": 3},
    department="human_resources",
    server={"files": "*农村劳动力就业实名制台账{YYYY}年{M}月", "parts": 3},
)
EVERY = (CERTIFICATES, ENROLMENTS, SUBSIDIES, ASSISTANCE, DWELLINGS, RETROFITS, EMPLOYMENT)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def number(text: str | None) -> str:
    return (text or "").strip('="\t 　').upper()


@pytest.mark.parametrize("office", EVERY, ids=[office.records for office in EVERY])
def test_an_office_file_has_its_rows(office: Office, tmp_path: Path, read: Reader) -> None:
    folder = OFFICES / office.folder
    files = [
        path for path in folder.iterdir() if not path.name.startswith(("truth", "aside", "README"))
    ]
    contract = contract_of(
        tmp_path, office.columns, office.department, office.records, **office.server
    )
    found = read(contract, *files)
    truth = table(folder / office.truth)
    named = f"{office.department}.{office.records}"
    aside = {
        (row["file"], row["sheet"] or None, int(row["row"]))
        for row in table(folder / "aside.csv")
        if row["records"] == named
    }

    bad = [row for row in found.rows if (row["_file"], row["_sheet"], row["_line"]) in aside]
    good = [row for row in found.rows if row not in bad]
    assert len(bad) == len(aside)
    assert len(good) == len(truth)
    for column in office.columns:
        if column.role in (ID, "record_key"):
            assert [number(row[column.physical]) for row in good] == [
                row[column.name] for row in truth
            ], column.name
        if column.role == NAME:
            assert ["".join((row[column.physical] or "").split()) for row in good] == [
                "".join(r[column.name].split()) for r in truth
            ]
    assert found.table.note_lines == office.notes


def test_digits_that_a_spreadsheet_lost_are_marked_where_they_were_lost(
    tmp_path: Path, read: Reader
) -> None:
    for office, file, line in (
        (CERTIFICATES, "持证残疾人花名册2026年11月.xlsx", 82),
        (DWELLINGS, "农村房屋安全及危改台账.xls", 77),
    ):
        contract = contract_of(tmp_path, office.columns, office.department, office.records)
        found = read(contract, OFFICES / office.folder / file)
        assert found.marks == {line: [f"{office.columns[0].physical}:digits_lost"]}


def test_what_nobody_reads_is_named_and_the_hidden_sheet_is_not(
    tmp_path: Path, read: Reader
) -> None:
    contract = contract_of(tmp_path, CERTIFICATES.columns, "disability_federation", "certificates")
    assert (
        read(
            contract, OFFICES / CERTIFICATES.folder / "持证残疾人花名册2026年11月.xlsx"
        ).table.unread
        == []
    )
    contract = contract_of(tmp_path, ASSISTANCE.columns, "civil_affairs", "assistance")
    found = read(contract, next((OFFICES / ASSISTANCE.folder).glob("*.xlsx"))).table
    assert [line.partition(": ")[2] for line in found.unread] == [
        "sheet 汇总 holds a table that was not read"
    ]
    assert found.parts == ["石门镇", "青溪镇", "白鹤镇", "马鞍镇", "松树岭镇"]
    assert found.notes == [
        "社会救助在册对象台账（2026年11月）.xlsx: read from 5 sheets, 石门镇, 青溪镇, 白鹤镇,"
        " 马鞍镇, 松树岭镇"
    ]
