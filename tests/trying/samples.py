"""Seven more files as a county's offices send them, with the rows that are right; written before
the code that reads them.

`python -m tests.trying.samples FOLDER` writes them out: a folder each with the file, `truth.csv`
(one line per good row) and `aside.csv` (rows that must not come through, with the field at fault),
as the first six have. Everybody is invented: ID numbers have valid check characters and belong to
nobody. Belongs here: what stands in the files. Not here: their bytes (`sheets`), reading them.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from tests.trying.sheets import (
    Cell,
    Rows,
    write_csv,
    write_html,
    write_ods,
    write_plain,
    write_xlsx,
)

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧"
GIVEN = "秀英桂兰玉梅建国明华志强丽娟海燕春芳永福德顺世贵"
TOWNS = ("石门镇", "青溪镇", "白鹤镇")
VILLAGES = ("茨沟村", "大坪村", "月河村", "枣树村")
ASIDE = ("file", "sheet", "row", "records", "field", "why")


@dataclass
class Sample:
    """One office's file, what is right in it, and what must be set aside."""

    folder: str
    department: str
    records: str
    truth: list[dict[str, str]] = field(default_factory=list)
    aside: list[dict[str, str]] = field(default_factory=list)

    def bad(self, file: str, sheet: str, row: int, at: str, why: str) -> None:
        of = f"{self.department}.{self.records}"
        self.aside.append(dict(zip(ASIDE, (file, sheet, str(row), of, at, why), strict=True)))


class People:
    """Invented people, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._taken: set[str] = set()

    def name(self) -> str:
        given = "".join(self.random.sample(GIVEN, self.random.choice((1, 2, 2))))
        return self.random.choice(SURNAMES) + given

    def number(self, first: int = 1935, last: int = 2005) -> str:
        """A number of 18 characters with a fitting check character."""
        while True:
            born = self.day(date(first, 1, 1), date(last, 12, 31))
            region = self.random.choice(("612422", "612422", "610921"))
            body = f"{region}{born:%Y%m%d}{self.random.randrange(1, 997):03d}"
            total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
            number = body + "10X98765432"[total % 11]
            if number not in self._taken:
                self._taken.add(number)
                return number

    def day(self, first: date, last: date) -> date:
        return first + timedelta(days=self.random.randrange((last - first).days + 1))

    def pick(self, *choices: Cell) -> Cell:
        return self.random.choice(choices)


def spoken(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def dotted(day: date) -> str:
    return f"{day.year}.{day.month}.{day.day}"


def followups(target: Path) -> Sample:
    """Health commission: chronic patients, a sheet per village's doctor, two header rows, √ or
    nothing.
    """
    made = Sample("07-weijian-suifang", "health_commission", "chronic_followups")
    file = "慢性病患者随访管理台账2026年三季度.xlsx"
    people = People(7)
    words = {
        "高血压": "hypertension",
        "2型糖尿病": "diabetes_2",
        "肺结核": "tuberculosis",
        "严重精神障碍": "severe_mental",
    }
    heads: Rows = [
        [
            "序号",
            "管理卡号",
            "患者信息",
            "",
            "",
            "联系电话",
            "随访管理",
            "",
            "",
            "",
            "责任\n医生",
            "备注",
        ],
        [
            "",
            "",
            "姓名",
            "性别",
            "身份证号",
            "",
            "病种",
            "是否\n签约",
            "末次随\n访日期",
            "血压\n（mmHg）",
            "",
            "",
        ],
    ]
    sheets: dict[str, Rows] = {}
    count = 0
    for village, patients in zip(VILLAGES[:3], (40, 36, 30), strict=True):
        title: Rows = [[f"{village}卫生室慢性病患者随访管理台账"]]
        unit: Rows = [["填报单位：石门镇卫生院", "", "", "", "", "", "", "", "2026年9月30日"]]
        rows = title + (unit if village != "大坪村" else []) + [list(row) for row in heads]
        doctor = people.name()
        for place in range(1, patients + 1):
            count += 1
            card, name, number = f"MB2026{count:04d}", people.name(), people.number()
            word = people.random.choice(tuple(words))
            signed, last = (
                people.pick("√", "√", ""),
                people.day(date(2026, 7, 1), date(2026, 9, 28)),
            )
            row: list[Cell] = [place, card, name, people.pick("男", "女"), number, "138********"]
            row += [word, signed, people.pick(last, dotted(last)), "145/92", doctor, ""]
            at, line = (
                {
                    5: "id_number",
                    47: "disease",
                    63: "last_followup_on",
                    99: "followup_id",
                }.get(count),
                len(rows) + 1,
            )
            if at == "id_number":
                row[4] = ""
            elif at == "disease":
                row[6] = "慢阻肺"
            elif at == "last_followup_on":
                row[8] = "2026.9.31"
            elif at == "followup_id":
                row[1] = ""
            elif count in (8, 22):
                row[8], last = "", None  # not yet visited
            elif count == 11:
                row[4] = number[:-1] + number[-1].lower() + " "
            rows.append(row)
            if at:
                made.bad(
                    file,
                    village,
                    line,
                    at,
                    {"disease": "no disease of the list"}.get(at, "missing, or no day"),
                )
            else:
                made.truth.append(
                    {"followup_id": card, "id_number": number, "name": name, "disease": words[word]}
                    | {"signed": "true" if signed else "false", "last_followup_on": str(last or "")}
                )
        rows += [["合计", "", f"{patients}人"], [], ["填表人：", "", "", "", "审核人："]]
        sheets[village] = rows
    merged = {}
    for name in sheets:
        top = 3 if name != "大坪村" else 2
        merged[name] = [
            "A1:L1",
            f"C{top}:E{top}",
            f"G{top}:J{top}",
            f"A{top}:A{top + 1}",
            f"K{top}:K{top + 1}",
        ]
    write_xlsx(target / file, sheets, merged)
    return made


def relief(target: Path) -> Sample:
    """Emergency management: winter and spring relief, GB18030, a comma behind every row, the season
    in the title only.
    """
    made = Sample("08-yingji-dongchun", "emergency_management", "relief")
    file = "冬春救助发放台账_20261120.csv"
    people = People(8)
    rows: Rows = [
        ["云岭县2026年冬春救助台账", *[""] * 10],
        [
            "序号",
            "救助台账号",
            "乡镇",
            "村组",
            "户主姓名",
            "户主身份证号",
            "家庭人口",
            "列入日期",
            "退出日期",
            "救助金额(元)",
            "经办人",
        ],
    ]
    clerk = people.name()
    for place in range(1, 61):
        key, name, number = f"DC2026-{place:04d}", people.name(), people.number(1940, 1990)
        listed, ended = people.day(date(2026, 10, 20), date(2026, 11, 15)), None
        if place % 9 == 0:
            ended = listed + timedelta(days=3)
        row: list[Cell] = [
            place,
            key,
            people.pick(*TOWNS),
            f"{people.pick(*VILLAGES)}2组",
            name,
            f"\t{number}",
        ]
        row += [
            people.random.randrange(1, 7),
            f"{listed.year}/{listed.month}/{listed.day}",
            "/" if ended is None else str(ended),
        ]
        row += [f"{people.random.randrange(200, 1600)}.00", clerk]
        at = {7: "head_id_number", 21: "listed_on", 48: "relief_id"}.get(place)
        if at == "head_id_number":
            row[5] = ""
        elif at == "listed_on":
            row[7] = "2026/11/31"
        elif at == "relief_id":
            row[1] = ""
        rows.append(row)
        if at:
            made.bad(file, "", len(rows), at, "missing, no day, no key")
        else:
            made.truth.append(
                {
                    "relief_id": key,
                    "head_id_number": number,
                    "head_name": name,
                    "season": "2026-winter-spring",
                }
                | {"listed_on": str(listed), "ended_on": str(ended or "")}
            )
        if place == 30:
            rows.append([f"本页小计：{place}户", *[""] * 10])
    rows += [["合计：60户", *[""] * 10], ["", "审核：", *[""] * 9]]
    write_csv(target / file, rows, "gb18030")
    return made


def student_aid(target: Path) -> Sample:
    """Education: an OpenDocument workbook, a sheet per stage, the stage in the sheet's name only;
    no key of its own.
    """
    made = Sample("09-jiaoyu-zizhu", "education", "student_aid")
    file = "家庭经济困难学生资助发放表（2026秋）.ods"
    people = People(9)
    sheets: dict[str, Rows] = {}
    for (title, stage), pupils in zip(
        {"学前教育": "1", "义务教育": "2", "普通高中": "3"}.items(), (20, 30, 20), strict=True
    ):
        rows: Rows = [
            [f"{title}阶段家庭经济困难学生资助发放表"],
            [
                "序号",
                "学校",
                "学生姓名",
                "学生身份证号",
                "年级",
                "监护人姓名",
                "学期",
                "资助金额（元）",
                "发放日期",
            ],
        ]
        for place in range(1, pupils + 1):
            name, number, paid = (
                people.name(),
                people.number(2009, 2021),
                people.day(date(2026, 9, 20), date(2026, 10, 30)),
            )
            amount = people.pick(375, 500, 625.5, "1,000.00")
            row: list[Cell] = [
                place,
                "石门镇中心学校",
                name,
                number,
                f"{place % 3 + 1}年级",
                people.name(),
                "2026年秋季学期",
                amount,
            ]
            row.append(people.pick(paid, spoken(paid)))
            at = {
                ("义务教育", 4): "id_number",
                ("义务教育", 11): "amount",
                ("普通高中", 6): "paid_on",
            }.get((title, place))
            if at == "id_number":
                row[3] = ""
            elif at == "amount":
                row[7] = "待定"
            elif at == "paid_on":
                row[8] = "2026年9月31日"
            elif place % 5 == 0:
                row[8], paid = "未发放", None
            rows.append(row)
            if at:
                made.bad(file, title, len(rows), at, "missing, no amount, no day")
            else:
                value = float(str(amount).replace(",", ""))
                made.truth.append(
                    {"id_number": number, "name": name, "term": "2026-2", "stage": stage}
                    | {"amount": f"{value:.2f}", "paid_on": str(paid or "")}
                )
        rows += [
            ["合计", "", "", "", "", "", "", 0, ""],
            ["制表人：", "", "", "", "", "", "", "", ""],
        ]
        sheets[title] = rows
    write_ods(target / file, sheets)
    return made


def loans(target: Path) -> Sample:
    """Agriculture: microcredit as a bank's web page exports it, an HTML table named .xls, amounts
    in ten thousand yuan.
    """
    made = Sample("10-nongye-xiaodai", "rural_revitalisation", "loans")
    file = "脱贫人口小额信贷明细表202610.xls"
    people = People(10)
    words = {"正常": "in_use", "展期": "extended", "逾期": "overdue", "已结清": "repaid"}
    rows: Rows = [
        [
            *("序号", "借款合同号", "借款人", "借款人\n身份证号", "放款银行", "合同金额\n（万元）"),
            *("贷款余额\n（万元）", "放款日期", "到期日", "贷款状态", "用途", "客户经理"),
        ]
    ]
    manager = people.name()
    for place in range(1, 81):
        key, name, number = (
            f"61092110000{202600 + place}000{place:03d}",
            people.name(),
            people.number(1960, 2000),
        )
        amount, word = (
            people.random.choice(("5", "3.5", "2", "4.25")),
            people.random.choice(tuple(words)),
        )
        balance = "0" if word == "已结清" else people.random.choice((amount, "1.05"))
        issued = people.day(date(2024, 1, 5), date(2026, 9, 20))
        due = issued + timedelta(days=730)
        row: list[Cell] = [
            place,
            key,
            name,
            number,
            "云岭农商行",
            amount,
            balance,
            str(issued),
            str(due),
            word,
            "养殖",
            manager,
        ]
        at = {9: "status", 23: "id_number", 41: "due_on"}.get(place)
        if at == "status":
            row[9] = "呆账"
        elif at == "id_number":
            row[3] = ""
        elif at == "due_on":
            row[8] = "2027-02-30"
        rows.append(row)
        if at:
            made.bad(file, "", len(rows) + 1, at, "unknown word, no number, no day")
        else:
            made.truth.append(
                {
                    "loan_id": key,
                    "id_number": number,
                    "name": name,
                    "amount": f"{float(amount) * 10000:.2f}",
                }
                | {
                    "balance": f"{float(balance) * 10000:.2f}",
                    "issued_on": str(issued),
                    "due_on": str(due),
                    "status": words[word],
                }
            )
    rows.append(["合计", *[""] * 4, "198.5", "120.3", *[""] * 5])
    write_html(target / file, "脱贫人口小额信贷明细表", rows, header=1)
    return made


HOUSEHOLDS = {
    "所属镇村": None,
    "户编号": "household_id",
    "户主姓名": "head_name",
    "户主\n证件号码": "head_id_number",
    "联系电话": None,
    "家庭人口数": None,
    "行政区划代码": "area_code",
    "户类型": "household_type",
    "监测对象\n类别": "monitor_class",
    "风险是否\n已消除": "monitor_cleared",
    "是否易地\n搬迁户": "relocated",
    "耕地面积\n（亩）": "farmland_mu",
    "林地、果园面积\n（亩）": "forest_mu",
    "饮水是否安全": "water_safe",
    "工资性收入（元）": "wage_income",
    "生产经营性收入（元）": "business_income",
    "生产经营性支出（元）": "business_expense",
    "财产性收入（元）": "property_income",
    "转移性收入（元）": "transfer_income",
    "纯收入（元）": None,
    "小额信贷\n情况": "microcredit",
    "帮扶措施（项）": "measures_count",
    "最近一次\n走访日期": "last_visit_on",
    "帮扶责任人": None,
}


def households(target: Path) -> Sample:
    """Rural revitalisation: the base register as its system exports it, units in brackets, words
    for codes.
    """
    made = Sample("11-xiangcun-nonghu", "rural_revitalisation", "households")
    file = "农户家庭收入及监测信息采集表.xlsx"
    people = People(11)
    kinds = {"一般农户": "1", "脱贫户（享受政策）": "2", "脱贫户（不享受政策）": "3"}
    classes = {"无": "0", "脱贫不稳定户": "1", "边缘易致贫户": "2", "突发严重困难户": "3"}
    loan_words = {"未贷款": "0", "已贷未逾期": "1", "逾期": "2"}
    rows: Rows = [
        ["云岭县农户家庭收入及监测信息采集表"],
        ["填报单位：云岭县农业农村局", "", "", "", "", "单位：元、亩"],
        list(HOUSEHOLDS),
    ]
    for place in range(1, 111):
        values: dict[str, str] = {}
        cells: dict[str, Cell] = {}
        values["household_id"] = cells["household_id"] = f"6109211002{place:06d}"
        values["head_name"] = cells["head_name"] = people.name()
        values["head_id_number"] = cells["head_id_number"] = people.number(1940, 1995)
        values["area_code"] = cells["area_code"] = f"610921100{201 + place % 9}"
        for name, words in (
            ("household_type", kinds),
            ("monitor_class", classes),
            ("microcredit", loan_words),
        ):
            word = people.random.choice(tuple(words))
            cells[name], values[name] = word, words[word]
        for name in ("monitor_cleared", "relocated", "water_safe"):
            word = (
                ""
                if name == "monitor_cleared" and values["monitor_class"] == "0"
                else people.random.choice(("是", "否"))
            )
            cells[name], values[name] = word, {"是": "true", "否": "false", "": ""}[word]
        for name in ("farmland_mu", "forest_mu"):
            amount = people.random.randrange(0, 120) / 10
            cells[name], values[name] = amount, f"{amount:.2f}"
        for name in (
            "wage_income",
            "business_income",
            "business_expense",
            "property_income",
            "transfer_income",
        ):
            amount = people.random.randrange(0, 4_000_000) / 100
            cells[name] = people.pick(amount, f"{amount:,.2f}") if name == "wage_income" else amount
            values[name] = f"{amount:.2f}"
        cells["measures_count"] = people.random.randrange(0, 5)
        values["measures_count"] = str(cells["measures_count"])
        visited = people.day(date(2026, 3, 1), date(2026, 10, 28))
        cells["last_visit_on"], values["last_visit_on"] = (
            people.pick(visited, spoken(visited)),
            str(visited),
        )
        extra = {
            "所属镇村": "石门镇",
            "联系电话": "139********",
            "家庭人口数": 4,
            "纯收入（元）": 21000.5,
            "帮扶责任人": people.name(),
        }
        at = {
            13: "household_type",
            27: "head_id_number",
            44: "wage_income",
            58: "last_visit_on",
        }.get(place)
        if at:
            cells[at] = {
                "household_type": "五保户",
                "head_id_number": "",
                "wage_income": "约2万",
                "last_visit_on": "2026年6月31日",
            }[at]
        rows.append([cells[name] if name else extra[head] for head, name in HOUSEHOLDS.items()])
        if at:
            made.bad(file, "采集表", len(rows), at, "unknown word, missing, no number, no day")
        else:
            made.truth.append({name: values[name] for name in HOUSEHOLDS.values() if name})
    rows += [["合计", "", "110户"], ["填表人：          审核人：          单位负责人："]]
    write_xlsx(
        target / file,
        {"采集表": rows, "Sheet2": []},
        {"采集表": ["A1:X1", f"A{len(rows)}:X{len(rows)}"]},
    )
    return made


def losses(target: Path) -> Sample:
    """Emergency management: losses of a flood season; the field itself is in ten thousand yuan; no
    key of its own.
    """
    made = Sample("12-yingji-zaiqing", "emergency_management", "losses")
    file = "自然灾害农户受灾情况统计表.xlsx"
    people = People(12)
    hazards = {
        "洪涝": "flood",
        "干旱": "drought",
        "风雹": "hail",
        "滑坡": "geological",
        "火灾": "fire",
    }
    houses = {"无": "0", "一般损坏": "1", "严重损坏": "2", "倒塌": "3"}
    rows: Rows = [
        ["2026年自然灾害农户受灾情况统计表"],
        [
            "序号",
            "镇村",
            "灾情编号",
            "灾害\n种类",
            "户主",
            "户主身份证号",
            "房屋受损\n程度",
            "直接经济损失\n（万元）",
            "受灾时间",
            "核销时间",
            "核查人",
        ],
    ]
    checker = people.name()
    for place in range(1, 101):
        name, number, event = (
            people.name(),
            people.number(1940, 1990),
            people.random.choice(("ZQ20260704", "ZQ20260812", "ZQ20260903")),
        )
        hazard, house = people.random.choice(tuple(hazards)), people.random.choice(tuple(houses))
        amount = people.random.randrange(5, 900) / 100
        struck = date.fromisoformat(f"{event[2:6]}-{event[6:8]}-{event[8:]}")
        resolved = (
            struck + timedelta(days=people.random.randrange(10, 70)) if place % 3 == 0 else None
        )
        row: list[Cell] = [
            place,
            people.pick(*VILLAGES),
            event,
            hazard,
            name,
            number,
            house,
            amount,
            dotted(struck),
        ]
        row += ["" if resolved is None else resolved, checker]
        at = {6: "hazard", 18: "occurred_on", 31: "head_id_number", 47: "loss_amount"}.get(place)
        if at == "hazard":
            row[3] = "其他情况待核"
        elif at == "occurred_on":
            row[8] = "2026.8"
        elif at == "head_id_number":
            row[5] = ""
        elif at == "loss_amount":
            row[7] = "核定中"
        rows.append(row)
        if at:
            made.bad(file, "Sheet1", len(rows), at, "unknown word, no day, no number")
        else:
            made.truth.append(
                {
                    "event_id": event,
                    "hazard": hazards[hazard],
                    "head_id_number": number,
                    "head_name": name,
                }
                | {
                    "house_damage": houses[house],
                    "loss_amount": f"{amount:.2f}",
                    "occurred_on": str(struck),
                }
                | {"resolved_on": str(resolved or "")}
            )
    rows += [
        ["合计", "", "", "", "100户", "", "", 220.3, "", "", ""],
        ["备注：本表由各镇应急办填报。"],
    ]
    write_xlsx(target / file, {"Sheet1": rows}, {"Sheet1": ["A1:K1", f"A{len(rows)}:K{len(rows)}"]})
    return made


def attendance(target: Path) -> Sample:
    """Education: a record type that nobody has described yet; field names here are the headings."""
    made = Sample("13-jiaoyu-kaoqin", "education", "attendance")
    file = "学生出勤情况统计表2026年10月.xlsx"
    people = People(13)
    heads: list[Cell] = [
        "序号",
        "学校",
        "学生姓名",
        "身份证号",
        "学段",
        "月份",
        "应出勤\n（天）",
        "缺勤\n（天）",
        "餐费（元）",
        "班主任",
        "登记日期",
    ]
    rows: Rows = [
        ["学生出勤情况统计表"],
        ["填报单位：云岭县教育体育局", "", "", "", "", "", "", "", "2026年11月2日"],
        heads,
    ]
    teacher = people.name()
    for place in range(1, 46):
        name, number, stage = people.name(), people.number(2011, 2019), people.pick("小学", "初中")
        absent, fee = people.random.randrange(0, 4), people.random.randrange(80, 130) * 1.5
        listed = people.day(date(2026, 11, 1), date(2026, 11, 3))
        row: list[Cell] = [
            place,
            people.pick("石门小学", "石门中学"),
            name,
            number,
            stage,
            "2026年10月",
            21,
            absent,
        ]
        row += [f"{fee:.2f}", teacher, listed]
        at = {12: "身份证号", 30: "缺勤（天）"}.get(place)
        if at == "身份证号":
            row[3] = ""
        elif at:
            row[7] = "病假未计"
        rows.append(row)
        if at:
            made.bad(file, "出勤", len(rows), at, "missing, no number")
        else:
            made.truth.append(
                {
                    "学校": str(row[1]),
                    "学生姓名": name,
                    "身份证号": number,
                    "学段": str(stage),
                    "月份": "2026年10月",
                    "应出勤（天）": "21",
                }
                | {"缺勤（天）": str(absent), "餐费（元）": f"{fee:.2f}", "登记日期": str(listed)}
            )
    rows += [["合计", "", "45人"], ["填表人：", "", "", "审核人："]]
    write_xlsx(target / file, {"出勤": rows}, {"出勤": ["A1:K1"]})
    return made


MAKERS: tuple[Callable[[Path], Sample], ...] = (
    followups,
    relief,
    student_aid,
    loans,
    households,
    losses,
    attendance,
)


def write_samples(root: Path) -> list[Path]:
    """Writes every sample into a folder of its own under `root`."""
    folders = []
    for make in MAKERS:
        work = root / make.__name__
        work.mkdir(parents=True)
        made = make(work)
        folder = work.rename(root / made.folder)
        write_plain(folder / "truth.csv", list(made.truth[0]), made.truth)
        write_plain(folder / "aside.csv", ASIDE, made.aside)
        folders.append(folder)
    return folders


if __name__ == "__main__":
    for written in write_samples(Path(sys.argv[1])):
        print(written)
