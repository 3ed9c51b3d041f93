"""What every form of file gives: tables of cells, read in chunks.

Belongs here: the shapes that the child sends. Not here: how a form is read, what the cells mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Protocol

Cell = str | int | float | bool | None

ROWS_AT_ONCE = 20_000
PLAIN = {str, int, float, bool, type(None)}


@dataclass(frozen=True)
class Chunk:
    """Rows one after another, column by column; `first` is the line of the first row, `lines` all
    of them where they are not one after another."""

    first: int
    count: int
    columns: Sequence[Sequence[Cell]]
    lines: Sequence[int] | None = None
    short: Sequence[int] = ()
    """Places of rows (from 0) with fewer cells than the header."""
    extra: Sequence[int] = ()
    """Places of rows with something behind the header's last column."""


@dataclass(frozen=True)
class Damage:
    """Cells of a sheet that have no value though they should, as (line, column),
    the column from 0.
    """

    errors: Sequence[tuple[int, int]] = ()
    formulas: Sequence[tuple[int, int]] = ()
    is_known: bool = True
    """False where nobody looked."""


@dataclass(frozen=True)
class Sheet:
    """One table of a file, without its rows."""

    name: str | None
    top: Sequence[Sequence[Cell]]
    """The first rows, the first line first, whatever stands in them."""
    ends: Sequence[int]
    """The last line of each of them: a text's row may have several."""
    merged: Sequence[tuple[int, int, int, int]] = ()
    """First line, first column, last line, last column; columns from 0."""
    row_count: int | None = None
    left: int = 0
    """Columns of the spreadsheet before the first that is counted here."""


class Opened(Protocol):
    """An opened file."""

    sheets: list[Sheet]

    @property
    def format(self) -> str: ...

    @property
    def encoding(self) -> str | None: ...

    @property
    def is_1904(self) -> bool: ...

    def chunks(self, sheet: int, after: int, width: int) -> Iterator[Chunk]:
        """The rows below line `after`, cut to `width` columns."""
        ...

    def damage(self, sheet: int) -> Damage: ...

    def illegal(self) -> list[tuple[int, int]]:
        """Line and offset of bytes that are none of the encoding, the first of them;
        known when all was read.
        """
        ...


@dataclass(frozen=True)
class Wanted:
    """What a file is opened with."""

    path: str
    top: int
    encoding: str = ""
    delimiter: str | None = None
    password: str | None = None
    work: str = "."
    unpacked: int = 4 << 30
    """Bytes that an archive or a workbook may unpack to."""
    members: bool = False
    """Whether an archive may hold several tables."""


def plain(cell: Any) -> Cell:
    """A cell as one of the types that the pipe carries: days and times as ISO text."""
    match cell:
        case str() | int() | float() | None:
            return cell
        case datetime():
            return cell.date().isoformat() if cell.time() == time(0) else cell.isoformat()
        case date():
            return cell.isoformat()
    return str(cell)


def plain_column(column: Sequence[Any]) -> Sequence[Cell]:
    return column if set(map(type, column)) <= PLAIN else [plain(cell) for cell in column]
