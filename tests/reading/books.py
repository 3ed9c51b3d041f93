"""The same table in every form that an office may send.

Belongs here: writers. Not here: what is right (the tests).
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import xlwt

Rows = Sequence[Sequence[Any]]


def xlsx(sheets: dict[str, Rows] | Rows, merged: dict[str, Sequence[str]] | Sequence[str] = (), hidden: Sequence[str] = ()) -> bytes:
    named = sheets if isinstance(sheets, dict) else {"Sheet1": sheets}
    merges = merged if isinstance(merged, dict) else {next(iter(named)): merged}
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in named.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        for cells in merges.get(name, ()):
            sheet.merge_cells(cells)
        if name in hidden:
            sheet.sheet_state = "hidden"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def edited(content: bytes, member: str, edit: Callable[[bytes], bytes]) -> bytes:
    """A zipped workbook with one of its members changed."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, edit(old.read(name)) if name == member else old.read(name))
    return target.getvalue()


def xls(
    rows: Rows, *, is_1904: bool = False, errors: Sequence[tuple[int, int]] = (), merged: Sequence[tuple[int, int, int, int]] = ()
) -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    book.dates_1904 = is_1904
    sheet = book.add_sheet("台账")
    days = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    for line, row in enumerate(rows):
        for place, cell in enumerate(row):
            if (line, place) in errors:
                sheet.row(line).set_cell_error(place, 0x2A)  # #N/A
            elif isinstance(cell, date | datetime):
                sheet.write(line, place, cell, days)
            elif cell not in ("", None):
                sheet.write(line, place, cell)
    for first, last, left, right in merged:
        sheet.merge(first, last, left, right)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


_NAMES = " ".join(f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{prefix}:1.0"' for prefix in ("office", "table", "text"))


ODS = "application/vnd.oasis.opendocument.spreadsheet"


def ods(rows: Rows, sheet: str = "台账") -> bytes:
    lines = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_NAMES} office:version="1.2"><office:body>'
        f'<office:spreadsheet><table:table table:name="{sheet}">{lines}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest '
        f'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/" '
        f'manifest:media-type="{ODS}"/></manifest:manifest>'
    )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("mimetype", ODS)
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content)
    return target.getvalue()


def _ods_cell(cell: Any) -> str:
    if cell in ("", None):
        return "<table:table-cell/>"
    if isinstance(cell, int | float):
        return f'<table:table-cell office:value-type="float" office:value="{cell}"><text:p>{cell}</text:p></table:table-cell>'
    if isinstance(cell, date):
        return f'<table:table-cell office:value-type="date" office:date-value="{cell}"><text:p>{cell}</text:p></table:table-cell>'
    return f'<table:table-cell office:value-type="string"><text:p>{escape(str(cell))}</text:p></table:table-cell>'


def html(rows: Rows, encoding: str = "gb18030", charset: str = "gb2312") -> bytes:
    lines = "".join(f"<tr>{''.join(map(_html_cell, row))}</tr>\n" for row in rows)
    head = f'<html><head><meta http-equiv="Content-Type" content="text/html; charset={charset}"><style>td{{}}</style></head>'
    return f'{head}<body><table border="1">\n{lines}</table></body></html>'.encode(encoding)


def _html_cell(cell: Any) -> str:
    text = escape(str(cell)).replace("\n", "<br>") if cell not in ("", None) else "&nbsp;"
    return f"<td style='mso-number-format:\"\\@\"'>{text}</td>"


def text(rows: Rows, encoding: str = "gb18030", delimiter: str = ",") -> bytes:
    target = io.StringIO()
    csv.writer(target, delimiter=delimiter).writerows(rows)
    return target.getvalue().encode(encoding)


def archive(members: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return target.getvalue()


def without_values(content: bytes, member: str = "xl/worksheets/sheet1.xml") -> bytes:
    """A workbook whose formulas were never computed, as a program writes them."""
    return edited(content, member, lambda xml: re.sub(rb"(</f>)<v ?/>|(</f>)<v></v>", rb"\1\2", xml))
