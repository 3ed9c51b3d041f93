"""Workbooks through calamine: xlsx, xls, xlsb, ods, et.

Belongs here: what is particular to spreadsheets. Not here: cells without a value (`xlsx`, `biff`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import python_calamine

from resources.reader import biff, ods, xlsb, xlsx
from resources.reader.table import ROWS_AT_ONCE, Chunk, Damage, Sheet, Wanted, plain, plain_column
from resources.reader.unreadable import Unreadable

AGAIN = "have the department send it anew"
UNASKED = "VelvetSweatshop"
"""The password of a workbook of which only the structure is protected: nobody is asked for it."""


class Workbook:
    """An opened workbook; its visible sheets only."""

    encoding = None

    def __init__(self, path: Path, form: str, wanted: Wanted) -> None:
        work = Path(wanted.work)
        self.format = form
        self._path = xlsb.with_columns(path, work) if form == "xlsb" else path
        self._book = _opened(self._path, form, work)
        self._places, names = _visible(self._book)
        self._sheets = [self._book.get_sheet_by_name(name) for name in names]
        self._merged = ods.merged(path) if form == "ods" else {}
        self.sheets = [self._sheet(sheet, wanted.top) for sheet in self._sheets]
        self.is_1904 = self._is_1904()

    def chunks(self, sheet: int, after: int, width: int) -> Iterator[Chunk]:
        opened = self._sheets[sheet]
        if opened.start is None:
            return
        # calamine counts the rows from the sheet's first, the columns from the first filled one
        source, line = islice(opened.iter_rows(), after, None), after + 1
        while rows := list(islice(source, ROWS_AT_ONCE)):
            columns = [plain_column(column) for column in islice(zip(*rows, strict=False), width)]
            yield Chunk(line, len(rows), columns)
            line += len(rows)

    def damage(self, sheet: int) -> Damage:
        opened = self._sheets[sheet]
        first_column = opened.start[1] if opened.start else 0
        match self.format:
            case "xlsx":
                found = xlsx.damage(self._path, opened.name)
            case "xls":
                found = biff.damage(self._path, self._places[sheet])
            case _:
                return Damage(is_known=False)
        return Damage(
            _moved(found.errors, first_column), _moved(found.formulas, first_column), found.is_known
        )

    def illegal(self) -> list[tuple[int, int]]:
        return []

    def _sheet(self, sheet: Any, count: int) -> Sheet:
        if sheet.start is None:
            return Sheet(sheet.name, [], [])
        rows = [[plain(cell) for cell in row] for row in islice(sheet.iter_rows(), count)]
        left = sheet.start[1]
        merged = [
            (top + 1, max(first - left, 0), bottom + 1, last - left)
            for (top, first), (bottom, last) in self._merged_cells(sheet)
        ]
        ends = list(range(1, len(rows) + 1))
        return Sheet(sheet.name, rows, ends, sorted(merged), sheet.end[0] + 1, left)

    def _merged_cells(self, sheet: Any) -> Any:
        match self.format:
            case "xlsb":
                return xlsb.merged(self._path, sheet.name)
            case "ods":
                return self._merged.get(sheet.name, ())
        return sheet.merged_cell_ranges or ()

    def _is_1904(self) -> bool:
        match self.format:
            case "xlsx":
                return xlsx.is_1904(self._path)
            case "xls":
                return biff.is_1904(self._path)
            case "xlsb":
                return xlsb.is_1904(self._path)
        return False


def _moved(cells: Any, left: int) -> list[tuple[int, int]]:
    return [(line, column - left) for line, column in cells]


def _opened(path: Path, form: str, work: Path) -> Any:
    try:
        try:
            return _by_calamine(path, form, work)
        except python_calamine.CalamineError:
            if form != "ods":
                raise
            return _by_calamine(ods.without_breaks(path, work), form, work)
    except (python_calamine.CalamineError, OSError, ValueError):
        raise Unreadable("damaged_file", "the workbook is damaged", AGAIN) from None


def _by_calamine(path: Path, form: str, work: Path) -> Any:
    # calamine believes the name: a link of the right one
    link = work / f"opened.{form}"
    link.unlink(missing_ok=True)
    link.symlink_to(path.absolute())
    try:
        return python_calamine.CalamineWorkbook.from_path(str(link))
    finally:
        link.unlink()


def decrypted(path: Path, password: str | None, target: Path) -> None:
    """Writes an encrypted workbook's plain one to `target`."""
    words = [word for word in (password, UNASKED) if word is not None]
    if any(_is_opened_by(word, path, target) for word in words):
        return
    if password is None:
        raise Unreadable(
            "encrypted_file",
            "the workbook is encrypted",
            "have the department send it without a password, or name the setting of its password in"
            " the contract",
        )
    said = "the workbook is encrypted with another password"
    raise Unreadable("encrypted_file", said, "ask the department for it, and set it anew")


def _is_opened_by(word: str, path: Path, target: Path) -> bool:
    # only here: it brings a library of ciphers with it
    import msoffcrypto
    import msoffcrypto.exceptions

    try:
        with path.open("rb") as locked, target.open("wb") as opened:
            office = msoffcrypto.OfficeFile(locked)
            office.load_key(password=word)
            office.decrypt(opened)
    except msoffcrypto.exceptions.InvalidKeyError:
        return False
    except Exception:
        raise Unreadable("encrypted_file", "the workbook cannot be decrypted", AGAIN) from None
    return True


def _visible(book: Any) -> tuple[list[int], list[str]]:
    """Which of all sheets, from 0, can be seen, and their names."""
    kinds, shown = python_calamine.SheetTypeEnum, python_calamine.SheetVisibleEnum
    there = [
        (place, sheet.name)
        for place, sheet in enumerate(book.sheets_metadata)
        if sheet.visible == shown.Visible and sheet.typ == kinds.WorkSheet
    ]
    return [place for place, _ in there], [name for _, name in there]
