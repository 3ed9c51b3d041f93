"""The files of thirteen offices: where they lie, what they hold, which contract reads them.

Belongs here: the list, and reading truth and trials alike. Not here: making the files (`samples`).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
WORKBOOKS = HERE / "workbooks"
"""Six as they were handed over."""
CONTRACTS = HERE / "contracts"
"""One a case, as the office's engineer left the draft: by these alone the files are read."""


@dataclass(frozen=True)
class Case:
    """One record type in one office's file or files."""

    folder: str
    pattern: str
    department: str
    records: str
    identities: tuple[str, ...]
    """Columns that say who somebody is, as a person sees it."""

    @property
    def contract(self) -> Path:
        return CONTRACTS / f"{self.records}.odcs.yaml"

    def files(self, samples: Path) -> str:
        """What `FILE` names."""
        return str(self._root(samples) / self.folder / self.pattern)

    def truth(self, samples: Path) -> list[dict[str, str]]:
        folder = self._root(samples) / self.folder
        several = folder / f"truth-{self.records}.csv"
        return read_csv(several if several.exists() else folder / "truth.csv")

    def aside(self, samples: Path) -> list[tuple[str, ...]]:
        """File, sheet, row and field of each row that is set aside."""
        rows = read_csv(self._root(samples) / self.folder / "aside.csv")
        own = [row for row in rows if row["records"] == f"{self.department}.{self.records}"]
        return [place(row) for row in own]

    def _root(self, samples: Path) -> Path:
        return WORKBOOKS if int(self.folder[:2]) <= 6 else samples


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def place(row: dict[str, str]) -> tuple[str, ...]:
    return tuple(row[column] for column in ("file", "sheet", "row", "field"))


def compared(
    rows: Sequence[dict[str, str]], columns: Sequence[str], names: dict[str, str]
) -> list[dict[str, str]]:
    """The rows in the columns that truth has; names of people without any blanks. `names`: fields
    by heading.
    """
    return [
        {
            column: _folded(column, row.get(names.get(column, column), "no such column"))
            for column in columns
        }
        for row in rows
    ]


def _folded(column: str, value: str) -> str:
    return "".join(value.split()) if column.endswith(("name", "姓名")) else value


CASES = (
    Case(
        "01-canlian-huamingce", "*.xlsx", "disability_federation", "certificates",
        ("姓名", "残疾人证号", "监护人姓名"),
    ),
    Case("02-yibao-daikou", "城乡*.csv", "health_insurance", "enrolments",
        ("证件号码", "客户名称", "扣款账号")),
    Case("03-minzheng-liangxiang", "*.xls", "civil_affairs", "disability_subsidies",
        ("姓名", "身份证号码", "残疾人证号")),
    Case("04-shehui-jiuzhu-fenzhen", "*.xlsx", "civil_affairs", "assistance",
        ("申请人姓名", "身份证号")),
    Case("05-zhujian-fangwu", "*.xls", "housing", "dwellings", ("姓名", "身份证号")),
    Case("05-zhujian-fangwu", "*.xls", "housing", "retrofits", ("户主姓名", "身份证号码")),
    Case("06-renshe-wugong-sanzhen", "*10月.csv", "human_resources", "employment",
        ("姓名", "身份证号码", "联系人")),
    Case(
        "07-weijian-suifang", "*.xlsx", "health_commission", "chronic_followups",
        ("姓名", "身份证号", "联系电话", "责任医生"),
    ),
    Case("08-yingji-dongchun", "冬春*.csv", "emergency_management", "relief",
        ("户主姓名", "户主身份证号", "经办人")),
    Case("09-jiaoyu-zizhu", "*.ods", "education", "student_aid",
        ("学生姓名", "学生身份证号", "监护人姓名")),
    Case("10-nongye-xiaodai", "*.xls", "rural_revitalisation", "loans",
        ("借款人", "借款人身份证号", "客户经理")),
    Case(
        "11-xiangcun-nonghu", "*.xlsx", "rural_revitalisation", "households",
        ("户主姓名", "户主证件号码", "联系电话", "帮扶责任人"),
    ),
    Case("12-yingji-zaiqing", "*.xlsx", "emergency_management", "losses",
        ("户主", "户主身份证号", "核查人")),
    Case("13-jiaoyu-kaoqin", "*.xlsx", "education", "attendance",
        ("学生姓名", "身份证号", "班主任")),
)  # fmt: skip
