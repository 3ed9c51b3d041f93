"""What stands round a table is no record; a record with something wrong is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from expectations.contract import Contract
from tests.reading import books
from tests.reading.conftest import HEADER, HOUSES, ROWS, Column, Reader, contract_of, expected

BLANK = [""] * len(HEADER)


def row(*cells: Any) -> list[Any]:
    return [*cells, *[""] * (len(HEADER) - len(cells))]


NOTES = [
    (row("合计", "", "", "92户"), "total"),
    (row("合　计"), "total"),
    (row("小 计：", "", "", "", "", "284.5"), "total"),
    (row("", "总计", "92人"), "total"),
    (row("青溪镇小计", "", "", "", "", "96"), "total"),
    (row("", "", "青溪镇小计", "", "", "96"), "total"),
    (row("本页合计"), "total"),
    (row("填表人：测甲", "", "审核人：测乙", "", "2026年11月3日"), "footer"),
    (row("单位负责人（签字）："), "footer"),
    (row("备注：以上数据截至十月底"), "footer"),
    (row("注：FW表示房屋"), "footer"),
    (row("经手：测甲", "", "日期：2026年11月"), "footer"),
    (row("", "", "", "以下空白"), "footer"),
    (row("一、青溪镇"), "line"),
    (row("***", "***"), "separator"),
    (row("————", "——"), "separator"),
    (BLANK, "blank"),
    (row(" ", "　", "\t"), "blank"),
    (HEADER, "header"),
    (["房屋 编号", "身份\t证号", *HEADER[2:]], "header"),
    (row("制表单位：某县住建局"), "footer"),
    (row("", "", "合计", "", "", "284.5"), "total"),
    (row("审核人", "2026-11-03", "测甲"), "footer"),
    (row("联系电话：", "13800001111"), "footer"),
    (row("第1页", "", "", "共3页"), "footer"),
    (row("单位（盖章）", "", "2026年11月3日"), "footer"),
    (row("统计：测甲", "", "复核：测乙"), "footer"),
    (row("审核", "测甲"), "footer"),
    (row("县级意见：", "", "同意"), "footer"),
    (row("村委会意见", "", "", "镇政府意见"), "footer"),
    (row("报表日期", "", "2026-11-03"), "footer"),
    (row("统计员", "测甲", "复核员", "测乙", "", "", "主管领导签字"), "footer"),
    (row("截至2026年11月30日"), "footer"),
    (row("以上共3户", "", "", "", "", "284.5"), "footer"),
]


@pytest.mark.parametrize(("note", "kind"), NOTES, ids=[str(n) for n in range(len(NOTES))])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_line_that_is_no_record(
    form: str, note: list[Any], kind: str, tmp_path: Path, houses: Contract, read: Reader
) -> None:
    """Below the table and between its rows."""
    rows = [HEADER, ROWS[0], note, *ROWS[1:], note]
    path = tmp_path / f"a.{form}"
    path.write_bytes(books.text(rows) if form == "csv" else books.xlsx(rows))
    found = read(houses, path)
    assert found.cells == expected()
    assert {noted["kind"] for noted in found.noted} == {kind}
    # a spreadsheet ends with its last filled row
    assert [noted["_line"] for noted in found.noted] in ([3, 6], [3] if note == BLANK else [])


RECORDS = [
    row("FW000009", "", "测丁", "A"),
    row("", "610921197003031053", "测丁", "A"),
    row("", "", "测丁", "A", "2026-05-03"),
    row("FW000009"),
    row("7"),
    row("", "13800001111", "测丁", "A"),
    row("2026-11-03", "", "测丁", "A"),
    row("7", "", "测丁"),
    row("", "", "测丁", "", "", "96", "小计村"),
    row("合计", "610921197003031053", "测丁"),
    row("A-12", "", "备注栏"),
    row("统计局东院", "", "测丁", "A", "2026-05-03"),
    row("", "", "审核村", "B", "2026-05-03", "96"),
]


@pytest.mark.parametrize("record", RECORDS, ids=[str(n) for n in range(len(RECORDS))])
def test_a_record_with_something_wrong_is_no_note(
    record: list[Any], tmp_path: Path, houses: Contract, read: Reader
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(books.text([HEADER, *ROWS, record]))
    found = read(houses, path)
    assert found.cells == expected([*ROWS, record])
    assert found.noted == []


def test_words_of_the_contract_begin_a_note(tmp_path: Path, read: Reader) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(books.text([HEADER, *ROWS, row("查询时点", "2026", "全县")]))
    assert read(contract_of(tmp_path, HOUSES), path).table.row_count == 4
    found = read(contract_of(tmp_path, HOUSES, notes=["查询时点"]), path)
    assert (found.cells, found.table.note_lines) == (expected(), {"footer": 1})


GROUPS = ["房屋编号", "户主信息", "", "房屋情况", "", "", "地址"]
NAMES = ["", "身份证号", "户主\n姓名", "鉴定\n等级", "鉴定时间", "建筑面积", ""]


@pytest.mark.parametrize("form", ["xlsx", "xls", "csv", "html"])
def test_a_header_of_two_rows(form: str, tmp_path: Path, houses: Contract, read: Reader) -> None:
    """Group and name, names that reach over both rows, line breaks within names; in the middle
    again, in one row and in two.
    """
    rows = [
        row("某县台账"),
        row("", "单位：户"),
        GROUPS,
        NAMES,
        ROWS[0],
        GROUPS,
        NAMES,
        ROWS[1],
        HEADER,
        ROWS[2],
    ]
    merged = ["A1:G1", "A3:A4", "B3:C3", "D3:F3", "G3:G4"]
    writers: dict[str, Any] = {
        "xlsx": lambda: books.xlsx(rows, merged),
        "xls": lambda: books.xls(rows),
        "csv": lambda: books.text(rows),
        "html": lambda: books.html(rows),
    }
    path = tmp_path / f"a.{form}"
    path.write_bytes(writers[form]())
    found = read(houses, path)
    assert found.cells == expected()
    # a cell of a text may have several lines
    assert [row["_line"] for row in found.rows] == ([7, 12, 14] if form == "csv" else [5, 8, 10])
    assert found.table.note_lines == {"title": 2, "header": 3}
    assert found.table.columns == HEADER


@pytest.mark.parametrize(
    "written", ["户主信息/姓名", "户主信息姓名", "户主信息 姓名", "户主信息·姓名"]
)
def test_a_name_under_two_groups_is_told_apart_by_its_group(
    written: str, tmp_path: Path, read: Reader, refused: Any
) -> None:
    columns = [
        Column("house_id", "房屋编号", role="record_key", key=1),
        Column("name", written, role="name"),
        *HOUSES[3:5],
    ]
    header = [
        ["房屋编号", "户主信息", "", "联系人", "", "鉴定等级", "鉴定时间"],
        ["", "姓名", "年龄", "姓名", "电话", "", ""],
    ]
    path = tmp_path / "a.csv"
    path.write_bytes(
        books.text([*header, ["FW000001", "测甲", "60", "测乙", "1", "A", "2026-05-03"]])
    )
    found = read(contract_of(tmp_path, columns), path)
    assert (found.rows[0][written], found.rows[0]["联系人/姓名"]) == ("测甲", "测乙")
    alone = [columns[0], Column("name", "姓名", role="name"), *columns[2:]]
    assert "姓名" in refused(contract_of(tmp_path, alone), path).said


def test_a_header_that_stands_again_with_its_columns_elsewhere_is_refused(
    tmp_path: Path, houses: Contract, refused: Any
) -> None:
    """Two townships pasted one below the other, each in its own order."""
    swapped = [HEADER[0], HEADER[2], HEADER[1], *HEADER[3:]]
    path = tmp_path / "a.csv"
    path.write_bytes(
        books.text([HEADER, ROWS[0], swapped, [ROWS[1][0], ROWS[1][2], ROWS[1][1], *ROWS[1][3:]]])
    )
    fault = refused(houses, path)
    assert (fault.reason, fault.said.rpartition(": ")[2]) == (
        "changed_header",
        "the header stands again on line 3 with its columns elsewhere",
    )


def test_titles_stand_again_in_the_middle(tmp_path: Path, houses: Contract, read: Reader) -> None:
    titles = [row("某县农村房屋台账"), row("单位：某县", "", "", "", "第十一批")]
    path = tmp_path / "a.xls"
    path.write_bytes(books.html([*titles, HEADER, ROWS[0], BLANK, *titles, HEADER, *ROWS[1:]]))
    found = read(houses, path)
    assert (found.cells, found.table.note_lines) == (
        expected(),
        {"title": 4, "blank": 1, "header": 1},
    )


def test_commas_behind_every_row_and_rows_cut_short(
    tmp_path: Path, houses: Contract, read: Reader
) -> None:
    lines = [
        ",".join(HEADER) + ",",
        *(f"{','.join(f'{chr(34)}{c}{chr(34)}' for c in row)},," for row in ROWS[:2]),
    ]
    lines.append(",".join(ROWS[2][:4]))
    path = tmp_path / "a.csv"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    found = read(houses, path)
    assert found.cells == expected()
    assert found.marks == {}
    assert found.table.notes == ["a.csv: 1 rows have fewer cells than the header"]


def test_a_cell_too_many_is_the_rows_own_fault(
    tmp_path: Path, houses: Contract, read: Reader
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "\n".join(
            [",".join(HEADER), *(",".join(row) for row in ROWS), "FW000009,6109,甲,乙,A,,,青溪"]
        ),
        encoding="utf-8",
    )
    assert read(houses, path).marks == {5: ["房屋编号:extra_cells"]}


def test_something_beside_a_spreadsheets_table_is_no_harm(
    tmp_path: Path, houses: Contract, read: Reader
) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(books.xlsx([[*HEADER], [*ROWS[0], "", "见附件"], *ROWS[1:]]))
    found = read(houses, path)
    assert (found.cells, found.marks) == (expected(), {})


# merged cells


def merged_book(folder: Path, merged: list[str], rows: list[list[Any]] | None = None) -> Path:
    path = folder / "a.xlsx"
    path.write_bytes(
        books.xlsx(rows or [row("某县台账"), HEADER, *ROWS, row("填表人：测甲")], merged)
    )
    return path


def test_merged_titles_and_footers_do_no_harm(
    tmp_path: Path, houses: Contract, read: Reader
) -> None:
    found = read(houses, merged_book(tmp_path, ["A1:G1", "A6:G6"]))
    assert (found.cells, found.table.note_lines) == (expected(), {"title": 1, "footer": 1})


def test_a_line_with_one_cell_over_its_key_is_no_record(
    tmp_path: Path, houses: Contract, read: Reader
) -> None:
    """A township between its villages, with its number of houses behind."""
    rows = [
        HEADER,
        row("青溪镇", "", "", "", "", "1"),
        ROWS[0],
        row("石门镇", "", "", "", "", "2"),
        *ROWS[1:],
    ]
    found = read(houses, merged_book(tmp_path, ["A2:E2", "A4:E4"], rows))
    assert (found.cells, found.table.note_lines) == (expected(), {"line": 2})


def test_merged_records_are_refused_with_the_cells_names(
    tmp_path: Path, houses: Contract, refused: Any
) -> None:
    fault = refused(houses, merged_book(tmp_path, ["A1:G1", "G3:G4", "D4:D5"]))
    assert (fault.reason, fault.said) == (
        "merged_cells",
        "2 groups of cells are merged in the table, first D4:D5, G3:G4",
    )
    assert "merged: fill" in fault.next_step


def test_merged_records_are_filled_where_the_contract_says_so(tmp_path: Path, read: Reader) -> None:
    rows = [
        HEADER,
        [*ROWS[0][:6], "青溪镇"],
        [*ROWS[1][:6], ""],
        row("小计", "", "", "", "", "9"),
        [*ROWS[2][:6], ""],
    ]
    found = read(
        contract_of(tmp_path, HOUSES, merged="fill"), merged_book(tmp_path, ["G2:G5"], rows)
    )
    assert [cells[-1] for cells in found.cells] == ["青溪镇"] * 3
    assert found.table.note_lines == {"total": 1}


ACROSS = [
    (["C3:D3"], {3: ["鉴定等级:merged_across"]}),
    (["B4:D4"], {4: ["户主姓名:merged_across", "鉴定等级:merged_across"]}),
    (["C3:D4"], {3: ["鉴定等级:merged_across"], 4: ["鉴定等级:merged_across"]}),
    (["F3:G5"], {line: ["地址:merged_across"] for line in (3, 4, 5)}),
    (["C3:D3", "F5:G5"], {3: ["鉴定等级:merged_across"], 5: ["地址:merged_across"]}),
]


@pytest.mark.parametrize(
    ("merged", "marks"), ACROSS, ids=[" ".join(merged) for merged, _ in ACROSS]
)
def test_a_value_is_filled_down_and_never_into_another_field(
    merged: list[str], marks: dict[int, list[str]], tmp_path: Path, read: Reader
) -> None:
    """One cell over two columns that are read: nothing is known of the second, and its row says
    so.
    """
    rows = [row("某县台账"), HEADER, *ROWS]
    found = read(contract_of(tmp_path, HOUSES, merged="fill"), merged_book(tmp_path, merged, rows))
    assert found.marks == marks
    told = {
        (line, mark.partition(":")[0])
        for line, found_marks in marks.items()
        for mark in found_marks
    }
    for record in found.rows:
        for name in HEADER:
            assert (record[name] is None) >= ((record["_line"], name) in told), (
                record["_line"],
                name,
            )


@pytest.mark.parametrize("form", ["html", "xls"])
def test_a_value_over_two_columns_of_another_form(form: str, tmp_path: Path, read: Reader) -> None:
    path = tmp_path / "a.xls"
    if form == "xls":
        first = [*ROWS[0][:3], "", *ROWS[0][4:]]
        path.write_bytes(books.xls([HEADER, first, *ROWS[1:]], merged=[(1, 1, 2, 3)]))
    else:
        cell = "<td style='mso-number-format:\"\\@\"'>"
        pair = f"{cell}测甲</td>{cell}A</td>"
        page = books.html([HEADER, *ROWS]).decode("gb18030")
        assert pair in page
        path.write_bytes(page.replace(pair, "<td colspan=2>测甲</td>").encode("gb18030"))
    found = read(contract_of(tmp_path, HOUSES, merged="fill"), path)
    assert (found.cells[0][2:4], found.marks) == (("测甲", None), {2: ["鉴定等级:merged_across"]})


def test_a_cell_that_reaches_from_a_read_column_into_one_that_nobody_reads_is_no_harm(
    tmp_path: Path, read: Reader
) -> None:
    rows = [[*HEADER, "备注"], *([*cells, ""] for cells in ROWS)]
    for merged in ("fill", "refuse"):
        found = read(
            contract_of(tmp_path, HOUSES, merged=merged), merged_book(tmp_path, ["G2:H2"], rows)
        )
        assert (found.marks, [cells[6] for cells in found.cells]) == (
            {},
            ["青溪镇", "石门镇，一组", None],
        )


def test_a_cell_that_reaches_from_a_column_that_nobody_reads_into_a_read_one(
    tmp_path: Path, read: Reader, refused: Any
) -> None:
    rows = [["乡镇", *HEADER], *(["青溪镇", *cells] for cells in ROWS)]
    book = merged_book(tmp_path, ["A3:B3"], rows)
    assert refused(contract_of(tmp_path, HOUSES), book).reason == "merged_cells"
    assert read(contract_of(tmp_path, HOUSES, merged="fill"), book).marks == {
        3: ["房屋编号:merged_across"]
    }


@pytest.mark.parametrize("form", ["xlsb", "ods"])
def test_merged_cells_of_workbooks_that_say_so_otherwise(
    form: str, tmp_path: Path, houses: Contract, read: Reader, refused: Any
) -> None:
    """G2:G3 and C4:D4, by the hand of another writer."""
    path = Path(__file__).parent / "workbooks" / f"merged.{form}"
    fault = refused(houses, path)
    assert (fault.reason, fault.said) == (
        "merged_cells",
        "2 groups of cells are merged in the table, first C4:D4, G2:G3",
    )
    found = read(contract_of(tmp_path, HOUSES, merged="fill"), path)
    assert found.marks == {4: ["鉴定等级:merged_across"]}
    assert [cells[6] for cells in found.cells] == ["青溪镇", "青溪镇", None]


def test_merged_cells_of_an_ods_with_repeated_rows_and_columns(
    tmp_path: Path, houses: Contract, refused: Any
) -> None:
    """Rows and cells that are alike are written once, with how often they stand."""
    rows = [["", "", *cells] for cells in ([], [], HEADER, *ROWS)]
    span = (
        b'<table:table-cell table:number-rows-spanned="2"'
        b' office:value-type="string"><text:p>\xe9\x9d\x92'
    )

    def packed(xml: bytes) -> bytes:
        blank = b"<table:table-cell/><table:table-cell/>"
        short = b'<table:table-cell table:number-columns-repeated="2"/>'
        empty = b"<table:table-row>" + blank + b"</table:table-row>"
        twice = b'<table:table-row table:number-rows-repeated="2">' + short + b"</table:table-row>"
        assert xml.count(empty * 2) == 1
        plain = b'<table:table-cell office:value-type="string"><text:p>\xe9\x9d\x92'
        return xml.replace(empty * 2, twice).replace(blank, short).replace(plain, span)

    path = tmp_path / "a.ods"
    path.write_bytes(books.edited(books.ods(rows), "content.xml", packed))
    assert refused(houses, path).said == "1 groups of cells are merged in the table, first I4:I5"


def test_merged_cells_that_the_contract_does_not_read_do_no_harm(
    tmp_path: Path, houses: Contract, read: Reader
) -> None:
    rows = [
        [*HEADER, "镇"],
        *([*cells, "青溪镇" if n == 0 else ""] for n, cells in enumerate(ROWS)),
    ]
    found = read(houses, merged_book(tmp_path, ["H2:H4"], rows))
    assert [cells[:7] for cells in found.cells] == expected()


def test_spans_of_a_page_are_merged_cells(
    tmp_path: Path, houses: Contract, refused: Any, read: Reader
) -> None:
    page = books.html([HEADER, *ROWS]).decode("gb18030")
    first = page.index("青溪镇")
    start = page.rindex("<td", 0, first)
    spanned = page[:start] + "<td rowspan=2" + page[start + 3 :]
    second = spanned.index("石门镇，一组")
    cut = spanned.rindex("<td", 0, second)
    spanned = spanned[:cut] + spanned[spanned.index("</td>", second) + 5 :]
    path = tmp_path / "a.xls"
    path.write_bytes(spanned.encode("gb18030"))
    assert refused(houses, path).said == "1 groups of cells are merged in the table, first G2:G3"
    found = read(contract_of(tmp_path, HOUSES, merged="fill"), path)
    assert [cells[-1] for cells in found.cells] == ["青溪镇", "青溪镇", None]
