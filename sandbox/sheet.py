"""XLSX workbooks as offices make them, quickly: a merged title, a note, a header on row 3, the
rows, a footer.

Belongs here: writing the zip and its XML. Not here: which rows (`drop`), how an office writes them
(`office`).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import duckdb

HEADER_ROW = 3
DATE_CELL = "\x01"
"""Before a serial number: the cell is a true date."""
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_ESCAPED = "replace(replace(replace({0}, '&', '&amp;'), '<', '&lt;'), '>', '&gt;')"
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts><fills'
    ' count="1"><fill/></fills><borders count="1"><border/></borders><cellStyleXfs'
    ' count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/><xf numFmtId="14"'
    ' applyNumberFormat="1"/></cellXfs></styleSheet>'
)


@dataclass(frozen=True)
class Layout:
    """How a sheet is laid out; the faults of files change it."""

    title: str
    note: str
    header: tuple[str, ...]
    merged: tuple[str, ...] = ()
    """Merged ranges beside the title's."""
    footer: tuple[tuple[str, ...], ...] = ()
    """Lines below the rows; one of a single cell is merged over the table's width."""


@dataclass(frozen=True)
class Sheet:
    """One sheet: its name, the SELECT of its cells (all text, by physical names), its layout."""

    name: str
    select: str
    layout: Layout
    dates: frozenset[str] = frozenset()
    """Columns in which a text after `DATE_CELL` is a true date's serial number."""


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
        f'<c r="{column_letters(i)}{number}" t="inlineStr"><is><t'
        f' xml:space="preserve">{escape(text)}</t></is></c>'
        for i, text in enumerate(cells)
    )
    return f'<row r="{number}">{written}</row>'


def _cell(name: str, letters: str, is_date: bool) -> str:
    """SQL: one cell's XML; an empty one is left out."""
    column = f'"{name}"'
    text = (
        f"""'<c r="{letters}' || n || '" t="inlineStr"><is><t xml:space="preserve">' || """
        f"{_ESCAPED.format(column)} || '</t></is></c>'"
    )
    if is_date:
        serial = f"""'<c r="{letters}' || n || '" s="1"><v>' || substr({column}, 2) || '</v></c>'"""
        text = f"case when starts_with({column}, '{DATE_CELL}') then {serial} else {text} end"
    return f"coalesce({text}, '')"


def _rows(connection: duckdb.DuckDBPyConnection, sheet: Sheet) -> Iterator[tuple[bytes, int]]:
    """The rows' XML, a chunk at a time, and how many rows it holds."""
    columns = [row[0] for row in connection.execute(f"describe {sheet.select}").fetchall()]
    cells = " || ".join(
        _cell(name, column_letters(i), name in sheet.dates) for i, name in enumerate(columns)
    )
    numbered = (
        f"select *, (row_number() over () + {HEADER_ROW})::varchar as n from ({sheet.select})"
    )
    reader = connection.execute(
        f"""select '<row r="' || n || '">' || {cells} || '</row>' as x from ({numbered})"""
    ).to_arrow_reader(20_000)
    for batch in reader:
        yield "".join(batch.column(0).to_pylist()).encode(), batch.num_rows


def _parts(sheets: Sequence[Sheet], has_dates: bool) -> Iterator[tuple[str, str]]:
    """The small parts of the package, by name."""
    numbers = range(1, len(sheets) + 1)
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_SHEET}.worksheet+xml"/>'
        for n in numbers
    ) + (
        f'<Override PartName="/xl/styles.xml" ContentType="{_SHEET}.styles+xml"/>'
        if has_dates
        else ""
    )
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    ) + (
        f'<Relationship Id="rIdStyles" Type="{_OFFICE}/styles" Target="styles.xml"/>'
        if has_dates
        else ""
    )
    listed = "".join(
        f'<sheet name="{escape(s.name)}" sheetId="{n}" r:id="rId{n}"/>'
        for n, s in enumerate(sheets, 1)
    )
    yield (
        "[Content_Types].xml",
        (
            f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
            ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default'
            ' Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml"'
            f' ContentType="{_SHEET}.sheet.main+xml"/>{types}</Types>'
        ),
    )
    yield (
        "_rels/.rels",
        (
            f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1"'
            f' Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
    )
    yield (
        "xl/_rels/workbook.xml.rels",
        f'<Relationships xmlns="{_PACKAGE}/relationships">{related}</Relationships>',
    )
    sheet_list = f"<sheets>{listed}</sheets>" if listed else "<sheets/>"
    yield (
        "xl/workbook.xml",
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">{sheet_list}</workbook>',
    )
    if has_dates:
        yield "xl/styles.xml", _STYLES


def write_book(connection: duckdb.DuckDBPyConnection, sheets: Sequence[Sheet], path: Path) -> None:
    """Writes the sheets; the same rows give the same bytes."""
    # a part that is opened by name gets no time of the day
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in _parts(sheets, any(sheet.dates for sheet in sheets)):
            with archive.open(name, "w") as part:
                part.write((_XML + text).encode())
        for number, sheet in enumerate(sheets, 1):
            with archive.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=True) as out:
                for piece in _sheet_xml(connection, sheet):
                    out.write(piece)


def _sheet_xml(connection: duckdb.DuckDBPyConnection, sheet: Sheet) -> Iterator[bytes]:
    layout, last = sheet.layout, column_letters(len(sheet.layout.header) - 1)
    merges = [f"A1:{last}1", *layout.merged]
    yield f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'.encode()
    yield (
        _row(1, [layout.title]) + _row(2, [layout.note]) + _row(HEADER_ROW, layout.header)
    ).encode()
    at = HEADER_ROW
    for chunk, count in _rows(connection, sheet):
        yield chunk
        at += count
    for line in layout.footer:
        at += 1
        yield _row(at, line).encode()
        if len(line) == 1:
            merges.append(f"A{at}:{last}{at}")
    yield f'</sheetData><mergeCells count="{len(merges)}">'.encode()
    yield (
        "".join(f'<mergeCell ref="{ref}"/>' for ref in merges).encode()
        + b"</mergeCells></worksheet>"
    )
