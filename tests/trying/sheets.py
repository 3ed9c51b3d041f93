"""Files as offices make them, from rows of cells: workbooks, OpenDocument sheets, HTML named .xls,
GB18030 CSV.

Belongs here: writing the bytes. Not here: which rows (`samples`).
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.styles import Alignment

Cell = str | int | float | date | None
Rows = list[list[Cell]]


def write_xlsx(path: Path, sheets: dict[str, Rows], merged: dict[str, Sequence[str]]) -> None:
    """A workbook; line breaks within cells wrap, dates are date cells, numbers number cells."""
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for line, row in enumerate(rows, 1):
            for place, cell in enumerate(row, 1):
                if cell is None or cell == "":
                    continue
                written = sheet.cell(line, place, cell)
                if isinstance(cell, str):
                    written.number_format = "@"
                    written.alignment = Alignment(wrap_text="\n" in cell)
                elif isinstance(cell, date):
                    written.number_format = "yyyy/m/d"
        for cells in merged.get(title, ()):
            sheet.merge_cells(cells)
    book.save(path)


_NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (("office", "office"), ("table", "table"), ("text", "text"))
)


def write_ods(path: Path, sheets: dict[str, Rows]) -> None:
    """An OpenDocument spreadsheet: texts, floats and dates with their value types."""
    tables = "".join(
        f'<table:table table:name="{escape(title)}">'
        + "".join(
            f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows
        )
        + "</table:table>"
        for title, rows in sheets.items()
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_NAMESPACES}'
        ' office:version="1.2">'
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
        "</manifest:manifest>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", kind, zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", manifest, zipfile.ZIP_DEFLATED)
        archive.writestr("content.xml", content, zipfile.ZIP_DEFLATED)


def _ods_cell(cell: Cell) -> str:
    if cell is None or cell == "":
        return "<table:table-cell/>"
    if isinstance(cell, date):
        value = f'office:value-type="date" office:date-value="{cell.isoformat()}"'
        shown = f"{cell.year}-{cell.month}-{cell.day}"
    elif isinstance(cell, str):
        value, shown = 'office:value-type="string"', escape(cell)
    else:
        value, shown = f'office:value-type="float" office:value="{cell}"', str(cell)
    return f"<table:table-cell {value}><text:p>{shown}</text:p></table:table-cell>"


def write_html(path: Path, title: str, rows: Rows, header: int) -> None:
    """An HTML table in UTF-8 that a web system exports under the name .xls; the title spans all
    columns.
    """
    width = len(rows[0])
    lines = [f'<tr><td colspan="{width}" align="center"><b>{escape(title)}</b></td></tr>']
    for place, row in enumerate(rows):
        tag = "th" if place < header else "td"
        cells = "".join(f"<{tag}>{_html_cell(cell)}</{tag}>" for cell in row)
        lines.append(f"<tr>{cells}</tr>")
    head = '<html><head><meta charset="utf-8"></head><body>'
    text = (
        f'{head}<table border="1" cellspacing="0">\r\n'
        + "\r\n".join(lines)
        + "\r\n</table></body></html>"
    )
    path.write_text(text, encoding="utf-8", newline="")


def _html_cell(cell: Cell) -> str:
    if cell is None or cell == "":
        return "&nbsp;"
    return escape(str(cell)).replace("\n", "<br/>")


def write_csv(path: Path, rows: Rows, encoding: str) -> None:
    """CSV as a bank or ledger program writes it: a comma behind every row, CRLF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow(["" if cell is None else cell for cell in row] + [""])
    path.write_bytes(out.getvalue().encode(encoding))


def write_plain(path: Path, header: Sequence[str], rows: Sequence[dict[str, str]]) -> None:
    """`truth.csv`, `aside.csv`."""
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, header)
        writer.writeheader()
        writer.writerows(rows)
