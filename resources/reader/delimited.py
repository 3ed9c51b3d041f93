"""CSV and its like, in a stream.

Belongs here: delimiters, quotes, rows of another length than the header. Not here: encodings
(`encodings`).
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from resources.reader.encodings import ILLEGAL, encoding_of, ends_with_line, open_text
from resources.reader.table import ROWS_AT_ONCE, Chunk, Damage, Sheet, Wanted
from resources.reader.unreadable import Unreadable

OTHERS = ("\t", ";", "|")
"""Delimiters that are tried where the contract names none and a comma parts nothing."""
THE_END = "\ufffe\uffff"
"""Read behind the last line: where it is no row of its own, a quote was never closed."""
SHOWN = 20


class Delimited:
    """An opened CSV."""

    format = "csv"
    is_1904 = False

    def __init__(self, wanted: Wanted) -> None:
        self._path = Path(wanted.path)
        self.encoding = encoding_of(self._path, wanted.encoding)
        self._illegal: list[tuple[int, int]] = []
        self._delimiter = wanted.delimiter or self._seen(wanted.top)
        rows, ends = self._top(self._delimiter, wanted.top)
        self.sheets = [Sheet(None, rows, ends)]

    def chunks(self, sheet: int, after: int, width: int) -> Iterator[Chunk]:
        offsets: list[int] = []
        with open_text(self._path, self.encoding, offsets.append) as text:
            reader = csv.reader(chain(text, [THE_END]), delimiter=self._delimiter)
            while reader.line_num < after:
                next(reader)
            while True:
                lines, rows = _some(reader)
                is_end = bool(rows) and rows[-1] == [THE_END]
                if is_end:
                    del lines[-1], rows[-1]
                    self._refuse_cut(rows, width)
                if rows:
                    yield self._chunk(lines, rows, width, offsets)
                if is_end:
                    return
                if len(rows) < ROWS_AT_ONCE:
                    raise _damaged()

    def _refuse_cut(self, rows: list[list[str]], width: int) -> None:
        """Raises `Unreadable` where the text ends in the midst of a row:
        what came behind it is lost.
        """
        is_short = bool(rows) and 0 < len(rows[-1]) < width
        if is_short and not ends_with_line(self._path, self.encoding):
            said = "the CSV is cut short: its last line has no end and fewer cells than the header"
            raise Unreadable("damaged_file", said, "have the department send the whole file anew")

    def damage(self, sheet: int) -> Damage:
        return Damage()

    def illegal(self) -> list[tuple[int, int]]:
        return self._illegal

    def _chunk(
        self, lines: list[int], rows: list[list[str]], width: int, offsets: list[int]
    ) -> Chunk:
        if offsets:
            self._place_illegal(lines, rows, offsets)
        short, extra = [], []
        if set(map(len, rows)) != {width}:
            for place, row in enumerate(rows):
                if any(cell.strip() for cell in row[width:]):
                    extra.append(place)
                if len(row) < width:
                    short.append(place)
                    row += [""] * (width - len(row))
        columns = list(islice(zip(*rows, strict=False), width))
        return Chunk(lines[0], len(rows), columns, lines, short, extra)

    def _place_illegal(self, lines: list[int], rows: list[list[str]], offsets: list[int]) -> None:
        """Which line each offset is in: they come in the order of the marks in the rows."""
        for line, row in zip(lines, rows, strict=True):
            for _ in range(sum(cell.count(ILLEGAL) for cell in row)):
                if offsets and len(self._illegal) < SHOWN:
                    self._illegal.append((line, offsets.pop(0)))

    def _seen(self, top: int) -> str:
        """The delimiter that parts most lines into one number of cells; of equals the comma."""
        return max((",", *OTHERS), key=lambda delimiter: _evenness(self._top(delimiter, top)[0]))

    def _top(self, delimiter: str, count: int) -> tuple[list[list[str]], list[int]]:
        rows: list[list[str]] = []
        ends: list[int] = []
        try:
            with open_text(self._path, self.encoding, lambda offset: None) as text:
                reader = csv.reader(text, delimiter=delimiter)
                for row in islice(reader, count):
                    rows.append([cell.removeprefix("\ufeff") for cell in row] if not rows else row)
                    ends.append(reader.line_num)
        except csv.Error:
            raise _damaged() from None
        return rows, ends


def _evenness(rows: list[list[str]]) -> tuple[int, int]:
    """How many rows have as many cells as most have, and how many that is:
    a thousands separator parts some rows only.
    """
    widths = Counter(len(row) for row in rows if len(row) > 1)
    return max(((count, width) for width, count in widths.items()), default=(0, 0))


def _some(reader: csv._reader) -> tuple[list[int], list[list[str]]]:  # type: ignore[name-defined]
    """Some rows, and the line on which each begins."""
    lines, rows = [], []
    last = reader.line_num
    try:
        for row in islice(reader, ROWS_AT_ONCE):
            lines.append(last + 1)
            rows.append(row)
            last = reader.line_num
    except csv.Error:
        raise _damaged() from None
    return lines, rows


def _damaged() -> Unreadable:
    # the library's texts quote the line
    return Unreadable(
        "damaged_file", "the CSV is damaged (quotes?)", "have the department write it anew"
    )
