"""HTML tables that call themselves workbooks, as the offices' web systems export them.

Belongs here: `tr`, `td`, `br`, spans. Not here: encodings (`encodings`): the page's own `charset`
often lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from resources.reader.encodings import encoding_of, open_text
from resources.reader.table import ROWS_AT_ONCE, Chunk, Damage, Sheet, Wanted
from resources.reader.unreadable import Unreadable

WIDEST = 16_384
PIECE = 1 << 18
NO_TEXT = {"script", "style", "title"}


class HtmlTable:
    """An opened page: the rows of all its tables, one after another."""

    format = "html"
    is_1904 = False

    def __init__(self, wanted: Wanted) -> None:
        path = Path(wanted.path)
        # what the contract says of the department's CSV need not hold for its pages
        self.encoding = encoding_of(path, "")
        rows = _Rows()
        offsets: list[int] = []
        self._illegal: list[tuple[int, int]] = []
        with open_text(path, self.encoding, offsets.append) as text:
            while piece := text.read(PIECE):
                rows.feed(piece)
                self._illegal += [(len(rows.rows), offset) for offset in offsets]
                offsets.clear()
        rows.close()
        rows.end_row()
        if not rows.rows:
            said = "the file is an HTML page without a table (damaged, or saved without its parts)"
            raise Unreadable(
                "damaged_file", said, "have the department send it anew, as a workbook"
            )
        self._rows = rows.rows
        top = rows.rows[: wanted.top]
        self.sheets = [Sheet(None, top, list(range(1, len(top) + 1)), rows.merged, len(rows.rows))]

    def chunks(self, sheet: int, after: int, width: int) -> Iterator[Chunk]:
        for start in range(after, len(self._rows), ROWS_AT_ONCE):
            rows = self._rows[start : start + ROWS_AT_ONCE]
            extra = [place for place, row in enumerate(rows) if any(row[width:])]
            padded = [row[:width] + [""] * (width - len(row)) for row in rows]
            yield Chunk(start + 1, len(rows), list(zip(*padded, strict=True)), extra=extra)

    def damage(self, sheet: int) -> Damage:
        return Damage()

    def illegal(self) -> list[tuple[int, int]]:
        return self._illegal


class _Rows(HTMLParser):
    """Gathers the cells' texts; an unclosed cell or row ends where the next one begins."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: list[list[str]] = []
        self.merged: list[tuple[int, int, int, int]] = []
        self._row: list[str] | None = None
        self._cell: list[str] | None = None
        self._silent: str | None = None
        self._below: dict[int, int] = {}
        """Columns that a cell above reaches down into, and for how many rows more."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        match tag:
            case "tr":
                self.end_row()
                self._row = []
            case "td" | "th" if self._row is not None:
                self._end_cell()
                self._begin_cell(dict(attrs))
            case "br" if self._cell is not None:
                self._cell.append("\n")
            case _ if tag in NO_TEXT:
                self._silent = tag

    def handle_endtag(self, tag: str) -> None:
        match tag:
            case "td" | "th":
                self._end_cell()
            case "tr" | "table":
                self.end_row()
            case _ if tag == self._silent:
                self._silent = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None and self._silent is None:
            self._cell.append(" ".join(data.split("\n")) if "\n" in data else data)

    def end_row(self) -> None:
        if self._row is None:
            return
        self._end_cell()
        self._pass_occupied()
        self.rows.append(self._row)
        self._row = None

    def _begin_cell(self, attributes: dict[str, str | None]) -> None:
        assert self._row is not None
        self._pass_occupied()
        wide, high = _span(attributes.get("colspan")), _span(attributes.get("rowspan"))
        line, left = len(self.rows) + 1, len(self._row)
        if wide > 1 or high > 1:
            self.merged.append((line, left, line + high - 1, left + wide - 1))
        for column in range(left, left + wide if high > 1 else left):
            self._below[column] = high
        self._wide, self._cell = wide, []

    def _pass_occupied(self) -> None:
        """Blanks in the places of this row that a cell above reaches into."""
        assert self._row is not None
        while self._below.get(len(self._row), 0) > 0:
            self._below[len(self._row)] -= 1
            self._row.append("")

    def _end_cell(self) -> None:
        if self._cell is None or self._row is None:
            return
        left = len(self._row)
        self._row += ["".join(self._cell).replace("\xa0", " ").strip(), *[""] * (self._wide - 1)]
        for column in range(left, len(self._row)):
            if column in self._below:
                self._below[column] -= 1
        self._cell = None


def _span(text: str | None) -> int:
    return (
        min(int(text), WIDEST)
        if text and text.isascii() and text.isdigit() and int(text) > 0
        else 1
    )
