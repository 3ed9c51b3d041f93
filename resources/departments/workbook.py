"""XLSX workbooks through calamine, and cells as text.

Belongs here: what is particular to spreadsheets. Not here: what the table means (`tabular`).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from typing import Any

import python_calamine

from resources.departments.errors import Fault


class Sheet:
    """One sheet, its rows counted from the first row of the sheet, filled or not."""

    def __init__(self, sheet: Any) -> None:
        self._sheet = sheet
        self.name = str(sheet.name)
        self.is_empty = sheet.start is None

    def rows(self) -> Iterator[list[Any]]:
        # calamine counts the rows from the sheet's first, the columns from the first filled one
        return iter(()) if self.is_empty else iter(self._sheet.iter_rows())

    def top(self, count: int) -> list[list[Any]]:
        return list(islice(self.rows(), count))

    def rows_after(self, at: int, size: int) -> Iterator[list[list[Any]]]:
        """The rows below index `at`, `size` at a time."""
        source = islice(self.rows(), at + 1, None)
        while rows := list(islice(source, size)):
            yield rows

    def merged_from(self, at: int) -> list[str]:
        """The merged ranges that reach row index `at` or below it, as a spreadsheet names them."""
        ranges = self._sheet.merged_cell_ranges or []
        return [f"{_place(start)}:{_place(end)}" for start, end in ranges if end[0] >= at]


def open_sheets(content: bytes) -> list[Sheet]:
    """The visible sheets of a workbook. Raises `Fault`."""
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        visible = [m.name for m in book.sheets_metadata if m.visible == python_calamine.SheetVisibleEnum.Visible]
        return [Sheet(book.get_sheet_by_name(name)) for name in visible]
    except python_calamine.PasswordError:
        raise Fault("none", "damaged_file", "the workbook is encrypted", "have the department send it without a password") from None
    except (python_calamine.CalamineError, OSError, ValueError):
        raise Fault("none", "damaged_file", "the workbook is damaged", "have the department send it anew") from None


def as_text(cell: Any, is_identity: bool = False) -> str | None:
    """A cell as text; an empty one is None.

    Numbers come in full, without an exponent and without binary noise (a spreadsheet keeps 15 digits). In a column that
    identifies somebody a number cell has lost its leading zeros and its last digits already: it is written as the
    number that it is, so that nobody takes it for an ID number.
    """
    match cell:
        case str():
            return cell or None
        case None:
            return None
        case bool():
            return "true" if cell else "false"
        case int() | float():
            return repr(float(cell)) if is_identity else format(Decimal(f"{cell:.15g}"), "f")
        case datetime():
            return cell.date().isoformat() if cell.time() == time(0) else cell.isoformat()
        case date():
            return cell.isoformat()
    return str(cell)


def _place(cell: tuple[int, int]) -> str:
    row, column = cell
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(65 + letter) + letters
    return f"{letters}{row + 1}"
