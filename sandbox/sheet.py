"""XLSX sheets as offices make them, quickly: a merged title, a note, a header on row 3, every cell text.

Belongs here: writing the zip and its XML. Not here: which rows (`drop`).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import duckdb

HEADER_ROW = 3
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" ContentType="application/'
    'vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SHEET}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_OFFICE}/worksheet" '
    'Target="worksheets/sheet1.xml"/></Relationships>',
}
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_ESCAPED = "replace(replace(replace({0}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')"


@dataclass(frozen=True)
class Layout:
    """How the sheet is laid out; the faults of files change it."""

    title: str
    note: str
    header: tuple[str, ...]
    merged: tuple[str, ...] = ()
    """Merged ranges beside the title's."""


def column_letters(index: int) -> str:
    """A for 0, B for 1, … AA for 26."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _row(number: int, cells: Iterable[str]) -> str:
    written = "".join(
        f'<c r="{column_letters(i)}{number}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'
        for i, text in enumerate(cells)
    )
    return f'<row r="{number}">{written}</row>'


def _rows(connection: duckdb.DuckDBPyConnection, select: str, columns: list[str]) -> Iterator[bytes]:
    """The rows' XML, a chunk at a time; an empty cell is left out."""
    cells = " || ".join(
        f"""coalesce('<c r="{column_letters(i)}' || n || '" t="inlineStr"><is><t xml:space="preserve">' || """
        f"""{_ESCAPED.format('"' + name + '"')} || '</t></is></c>', '')"""
        for i, name in enumerate(columns)
    )
    numbered = f"select *, (row_number() over () + {HEADER_ROW})::varchar as n from ({select})"
    reader = connection.execute(f"""select '<row r="' || n || '">' || {cells} || '</row>' as x from ({numbered})""").to_arrow_reader(20_000)
    for batch in reader:
        yield "".join(batch.column(0).to_pylist()).encode()


def write_sheet(connection: duckdb.DuckDBPyConnection, select: str, layout: Layout, path: Path, sheet: str = "Sheet1") -> None:
    """Writes the rows of `select`, whose columns are all text, under the layout's header.

    `sheet` is the sheet's name; an empty one leaves the workbook without any.
    """
    columns = [row[0] for row in connection.execute(f"describe {select}").fetchall()]
    last = column_letters(len(columns) - 1)
    listed = f'<sheets><sheet name="{sheet}" sheetId="1" r:id="rId1"/></sheets>' if sheet else "<sheets/>"
    book = f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">{listed}</workbook>'
    # a part that is opened by name gets no time of the day: the same rows give the same bytes
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in {**{k: _XML + v for k, v in _PARTS.items()}, "xl/workbook.xml": book}.items():
            with archive.open(name, "w") as part:
                part.write(text.encode())
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as out:
            out.write(f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            out.write((_row(1, [layout.title]) + _row(2, [layout.note]) + _row(HEADER_ROW, layout.header)).encode())
            for chunk in _rows(connection, select, columns):
                out.write(chunk)
            merges = [f"A1:{last}1", *layout.merged]
            out.write(f'</sheetData><mergeCells count="{len(merges)}">'.encode())
            out.write("".join(f'<mergeCell ref="{ref}"/>' for ref in merges).encode() + b"</mergeCells></worksheet>")
