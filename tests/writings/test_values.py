"""The table of the design: what each writing is read as, and what could mean two things is a
misfit.
"""

from __future__ import annotations

from typing import Any

import pytest

from expectations.contract import Code
from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.writings.office import field, read

DATE, TIME, FLAG = field("day", "date"), field("at", "timestamp"), field("flag", "boolean")
YUAN, COUNT = field("amount", "decimal(16,2)", unit="yuan"), field("count", "integer")
MU = field("land", "decimal(10,2)", unit="mu")
LEVEL = field(
    "level",
    codes=tuple(
        Code(str(n), meaning) for n, meaning in enumerate(("一级", "二级", "三级", "四级"), start=1)
    ),
)
RELATION = field("relation", codes=(Code("01", "head"), Code("02", "spouse"), Code("10", "other")))
TEXT, NUMBER = field("note"), field("id_number", role="id_number", classification="identity")

READ: list[tuple[Any, dict[str, Any]]] = [
    (DATE, {
        "2026/11/1": "2026-11-01", "2026.9.23": "2026-09-23", "2026-9-3": "2026-09-03",
        "20210503": "2021-05-03",
        "2021年5月3日": "2021-05-03", "2021 年 5 月 3 日": "2021-05-03",
        "2021年5月3号": "2021-05-03", "2021/05/03 00:00:00": "2021-05-03",
        "２０２１．５．３": "2021-05-03", "2021-05-03": "2021-05-03", " 2021-5-3\t": "2021-05-03",
        "'2021.5.3": "2021-05-03",
        "2021-2-30": "misfit", "2021.4.31": "misfit", "26.9.23": "misfit", "2026.9": "misfit",
        "2021": "misfit", "202105": "misfit",
        "45592": "misfit", "99991231": "misfit", "1900/1/0": "misfit", "长期": "misfit",
        "5/3/2021": "misfit", "2021/5/3 10:30": "2021-05-03",
        "2021/5/3 24:00:00": "misfit", "2021年5月3日 24:00": "misfit",
        "2021-05-03 24:00:00": "misfit", "2021/5/3 23:59": "2021-05-03",
        "18991231": "misfit", "21010101": "misfit", "9999-12-31": "misfit", "0026-09-23": "misfit",
        "1899-12-31": "misfit", "2101-01-01": "misfit", "1900-01-01": "1900-01-01",
        "2100-12-31": "2100-12-31", "-": None, "－": None, "—": None, "――": None,
        "/": None, "NULL": None, "N/A": None,
        "无": None, "": None, " \u3000": None, "2021-5/3": "misfit", "2021年5月": "misfit",
    }),
    (TIME, {
        "2026/11/21 10:00:00": "2026-11-21 10:00:00", "2026-11-01": "2026-11-01 00:00:00",
        "2026.9.3 8:05": "2026-09-03 08:05:00",
        "20261121100000": "2026-11-21 10:00:00", "2021年5月3日10时30分": "2021-05-03 10:30:00",
        "2021年5月3日 10时30分5秒": "2021-05-03 10:30:05",
        "2026-11-21T10:00:00+08:00": "2026-11-21 10:00:00",
        "2026-11-21T02:00:00Z": "2026-11-21 10:00:00", "20261121": "2026-11-21 00:00:00",
        "2026/11/21 25:00": "misfit", "2026/11/01 24:00:00": "misfit",
        "2026-11-01 24:00:00": "misfit", "2026-11-01T24:00:00+08:00": "misfit",
        "2026年11月1日24时00分": "misfit", "20261101240000": "misfit",
        "2026-10-31T24:00:00Z": "misfit", "2026.11.1 0:00": "2026-11-01 00:00:00",
        "2026/11/01 23:59:59": "2026-11-01 23:59:59", "2026/11/1 12:60": "misfit",
        "yesterday": "misfit", "1795226400": "misfit", "9999-12-31 00:00:00": "misfit",
        "9999-12-31T00:00:00+08:00": "misfit",
    }),
    (FLAG, {
        "是": "true", "否": "false", "√": "true", "×": "false", "有": "true", "无": "false",
        "Y": "true", "N": "false", "1": "true",
        "0": "false", "ｙ": "true", "TRUE": "true", "-": None, "/": None, "": None,
        "大概": "misfit",
    }),
    (YUAN, {
        "1,200.00": "1200.00", "￥3,500": "3500.00", "3500元": "3500.00", "¥ 12": "12.00",
        "1，200": "1200.00", "-5": "-5.00",
        "12,34": "misfit", "1,2000": "misfit", "3.5万元": "misfit", "-": "misfit", "无": "misfit",
        "/": "misfit", "1e3": "misfit",
        "12.345": "misfit", "１２": "12.00", "1 200": "misfit", "": None,
    }),
    (field("share", "decimal(10,2)"), {"1,200元": "1200.00", "￥5": "5.00", "5万元": "misfit"}),
    (MU, {"1,200.5": "1200.50", "3500元": "misfit", "￥5": "misfit"}),
    (COUNT, {"4.0": "4", "1,200": "1200", "４": "4", "4.5": "misfit", "-": "misfit",
        "4人": "misfit"}),
    (LEVEL, {
        "1": "1", "一级": "1", " 二级 ": "2", "４": "4", "4.0": "4", "3\t": "3", "-": None,
        "无": None, "NULL": None, "5": "5", "五级": "五级",
        "1.5": "1.5",
    }),
    (RELATION, {"01": "01", "1": "01", "1.0": "01", "10": "10", "2": "02", "head": "01", "0": "0"}),
    (TEXT, {
        "无": "无", "-": "-", "  张 三 ": "张 三", "一组\n二组": "一组 二组", "a\t\tb": "a b",
        "'0012": "0012", '="0012"': "0012",
        "１２": "１２", "\u200b某\ufeff": "某", "4.0": "4.0", "“好”": "“好”", '"x"': '"x"',
        "长期": "长期", "=": "=",
    }),
    (NUMBER, {
        "６１２４２２１９８８０２２８８３１ｘ": "61242219880228831X",
        "61242219880228831x": "61242219880228831X",
        '="612422198802288310"': "612422198802288310", "'612422198802288310": "612422198802288310",
        " 612422480101001 ": "612422480101001",
        "-": "-", "6.12422E+17": ["damaged:id_number"],
    }),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "table"), READ, ids=[kind.name for kind, _ in READ])
def test_a_file_is_read_as_the_table_says(
    engine: Engine, lake: Lake, kind: Any, table: dict[str, Any]
) -> None:
    assert dict(zip(table, read(engine, lake, kind, list(table)), strict=True)) == table


NUMBER_CELLS = [
    (DATE, {
        "45592": "2024-10-27", "18264": "1950-01-01", "73050": "2099-12-31", "18263": "misfit",
        "73051": "misfit", "2021": "misfit",
        "202105": "misfit", "2026.1": "misfit", "20210503": "2021-05-03", "45592.5": "2024-10-27",
    }),
    (TIME, {"45592.5": "2024-10-27 12:00:00", "45592": "2024-10-27 00:00:00"}),
    (field("month", role="event_time", written=("YYYY.M",)),
        {"2026.1": "misfit", "202610": "202610"}),
    (field("day", "date", written=("YYYY.M",)), {"2026.1": "misfit", "45592": "2024-10-27"}),
    (YUAN, {"1234.5600000000001": "1234.56", "0.30000000000000004": "0.30", "12.345": "misfit"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "table"),
    NUMBER_CELLS,
    ids=[f"{kind.name}-{n}" for n, (kind, _) in enumerate(NUMBER_CELLS)],
)
def test_a_number_cell_is_read_as_the_table_says(
    engine: Engine, lake: Lake, kind: Any, table: dict[str, Any]
) -> None:
    assert (
        dict(zip(table, read(engine, lake, kind, list(table), is_number=True), strict=True))
        == table
    )


SQL = [
    (TIME, {
        "1795226400": "2026-11-21 10:00:00", "1795226400123": "2026-11-21 10:00:00.123",
        "2026-11-21T00:00:00+08:00": "2026-11-21 00:00:00",
        "2026/11/21 10:00:00": "2026-11-21 10:00:00", "99": "misfit", "45592": "misfit",
        "2026-11-01 24:00:00": "misfit",
    }),
    (DATE, {
        "2026-11-21T00:00:00+08:00": "2026-11-21", "2026-11-21 10:00:00": "2026-11-21",
        "1795190400": "2026-11-21", "1795226400": "2026-11-21",
        "20261121": "2026-11-21", "2026/11/01 24:00:00": "misfit",
        "9999-12-31": ["far_day:day"], "9999-12-31 00:00:00": ["far_day:day"],
        "1899-12-30": ["far_day:day"], "2101-01-01": ["far_day:day"], "2100-12-31": "2100-12-31",
    }),
    (field("until", "date", blanks=("99991231",)), {
        "9999-12-31": None, "9999-12-31 00:00:00": None, "9999-12-31T00:00:00": None,
        "2999-12-31": ["far_day:until"], None: None,
    }),
    (LEVEL, {"二级  ": "2", "2": "2"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "table"), SQL, ids=[kind.name for kind, _ in SQL])
def test_a_database_is_read_as_the_table_says(
    engine: Engine, lake: Lake, kind: Any, table: dict[str, Any]
) -> None:
    assert dict(zip(table, read(engine, lake, kind, list(table), form="sql"), strict=True)) == table


TOLD = [
    (field("until", "date", blanks=("长期", "99991231")),
        {"长期": None, "99991231": None, "-": None, "2026.1.2": "2026-01-02", "永久": "misfit"}),
    (field("until", "date", blanks=("9999.12.31", "1900/1/0", "1901年1月1日")), {
        "9999-12-31": None, "9999/12/31": None, "99991231": None, "1900-01-00": None,
        "00:00:00": None, "1900/1/0": None, "1901-01-01": None, "19010101": None,
        "1901/1/2": "1901-01-02", "9999-01-01": "misfit",
    }),
    (field("day", "date", written=("YYYY/D/M",), blanks=("1900/2/1",)),
        {"1900/2/1": None, "1900-02-01": "1900-02-01"}),
    (field("day", "date", written=("DD/MM/YYYY",)), {
        "03/04/2021": "2021-04-03", "3/4/2021": "2021-04-03", "31/12/2021": "2021-12-31",
        "12/31/2021": "misfit", "2021-04-03": "2021-04-03",
    }),
    (field("day", "date", written=("YYYY/D/M",)),
        {"2021/3/4": "2021-04-03", "2021/13/4": "2021-04-13", "2021/4/13": "misfit",
            "2021-4-3": "2021-04-03"}),
    (field("day", "date", written=("YYYY年M月",)),
        {"2019年7月": "2019-07-01", "2016年17月": "misfit", "2019年7月3日": "2019-07-03"}),
    (field("day", "date", written=("excel",)), {"45592": "2024-10-27", "99999": "misfit"}),
    (field("day", "date", written=("YY.M.D",)),
        {"26.9.23": "2026-09-23", "2026.9.23": "2026-09-23"}),
    (field("at", "timestamp", written=("DD-MM-YYYY HH:mm",)), {
        "03-04-2021 9:05": "2021-04-03 09:05:00", "03-04-2021 24:00": "misfit",
        "03-04-2021 23:59": "2021-04-03 23:59:00",
    }),
    (field("month", role="event_time", written=("YYYY年M月",)),
        {"2026年10月": "202610", "2026年13月": "misfit", "202609": "202609", "202613": "misfit",
            "2026-10-01": "202610", "2026-10-02": "misfit", "2026-13-01": "misfit",
            "2026/10/1": "202610", "2026.10.01": "202610", "20261001": "202610",
            "2026年10月1日": "202610", "2026/10/11": "misfit", "2026年10月2日": "misfit"}),
    (field("amount", "decimal(16,2)", unit="yuan", written=("万元",)), {
        "3.5": "35000.00", "3.5万元": "35000.00", "3.5万": "35000.00", "1,000": "10000000.00",
        "3500元": "misfit", "0.1234567": "misfit", "0": "0.00",
    }),
    (field("amount", "decimal(16,2)", unit="10k yuan"),
        {"12.5": "12.50", "12.5万元": "12.50", "1,200.5万": "1200.50", "12.5元": "misfit"}),
    (field("amount", "decimal(16,2)", unit="10k yuan", written=("元",)),
        {"35000": "3.50", "35000元": "3.50", "3512": "misfit"}),
    (field("land", "decimal(10,2)", unit="mu", written=("亩",)),
        {"12.5亩": "12.50", "12.5": "12.50", "3公顷": "misfit"}),
    (field("amount", "decimal(16,2)", unit="yuan", zero=("-", "无"), blanks=("未定",)),
        {"-": "0.00", "无": "0.00", "未定": None, "/": "misfit"}),
    (field("flag", "boolean", blank="false"),
        {None: "false", "": "false", "√": "true", "-": "false"}),
    (field("scheme",
        codes=(Code("dibao", "", ("农村低保", "城市低保")), Code("tekun", "特困供养"))), {
        "农村低保": "dibao", "城市低保": "dibao", "特困供养": "tekun", "待定": "待定",
    }),
    (field("flag", "boolean", codes=(Code("true", "", ("住人",)), Code("false", "", ("空置",)))),
        {"住人": "true", "空置": "false", "?": "misfit"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "table"), TOLD, ids=[f"{kind.name}-{n}" for n, (kind, _) in enumerate(TOLD)]
)
def test_a_contract_says_how_it_is_written(
    engine: Engine, lake: Lake, kind: Any, table: dict[str, Any]
) -> None:
    assert dict(zip(table, read(engine, lake, kind, list(table)), strict=True)) == table


def test_the_platform_stays_strict(engine: Engine, lake: Lake) -> None:
    from tests.validation.test_landing import value

    for name, text in (
        ("last_visit_on", "2026/02/28"), ("relocated", "√"), ("wage_income", "1,200"),
        ("updated_at", "2026-02-28"),
        ("updated_at", "2026-02-28T24:00:00+08:00"), ("updated_at", "2026-02-28T24:00:00"),
    ):  # fmt: skip
        assert (
            value(engine, Lake(lake.root / name / text.replace("/", "")), name, text, "api")
            == "misfit"
        )
