"""Cells as text, column by column, and what is wrong with them.

Belongs here: numbers in full, lost digits, control characters, illegal bytes. Not here: which rows
are records (`note_lines`), types (`expectations`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from resources.reader.encodings import ILLEGAL
from resources.reader.table import Cell

DIGITS_KEPT = 1e15
"""A spreadsheet keeps 15 digits of a number."""
FROM_1904 = 1462
"""Days between the two date systems of spreadsheets."""
SERIALS_OF_1904 = range(16_802, 71_589)
"""1950 to 2100."""

_CONTROL = bytes([*range(9), 11, 12, *range(14, 32), 127])
_CONTROL_TEXT = "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]"
_SCIENTIFIC = r"^\s*[0-9]([.][0-9]+)?[eE][+][0-9]{2}\s*$"
_NUMBER = (int, float)


@dataclass(frozen=True)
class Column:
    """One of the contract's columns: how its cells are read."""

    name: str
    place: int
    is_text: bool
    is_identity: bool
    is_day: bool


@dataclass
class Marked:
    """What was seen of the rows of one chunk:
    by place of the row, which columns have which mark, which held numbers.
    """

    marks: dict[int, list[str]] = field(default_factory=dict)
    numbers: dict[str, list[int]] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    """Number cells of identity columns whose last digits are lost, by column."""

    def add(self, places: Iterable[int], name: str, mark: str) -> None:
        for place in places:
            marks = self.marks.setdefault(place, [])
            if (said := f"{name}:{mark}") not in marks:
                marks.append(said)


def texts(cells: Sequence[Cell], column: Column | None, is_1904: bool, seen: Marked) -> pa.Array:
    """A column as text, empty cells null; what is wrong with the cells of the contract's
    columns goes into `seen`.
    """
    if set(map(type, cells)) <= {str}:
        array = pa.array([cell or None for cell in cells], pa.string())
    else:
        if column is not None:
            cells = _numbers(cells, column, is_1904, seen)
        array = pa.array([as_text(cell) for cell in cells], pa.string())
    return array if column is None else _checked(array, column, seen)


def _numbers(cells: Sequence[Cell], column: Column, is_1904: bool, seen: Marked) -> Sequence[Cell]:
    places = [
        place
        for place, cell in enumerate(cells)
        if isinstance(cell, _NUMBER) and not isinstance(cell, bool)
    ]
    if not places:
        return cells
    seen.numbers[column.name] = places
    changed = list(cells)
    lost = []
    for place in places:
        number = cells[place]
        assert isinstance(number, _NUMBER)
        if column.is_text and abs(number) >= DIGITS_KEPT:
            lost.append(place)
            if column.is_identity:
                # as the number that it is, so that nobody takes it for an ID number
                changed[place] = repr(float(number))
        elif is_1904 and column.is_day and int(number) in SERIALS_OF_1904:
            changed[place] = number + FROM_1904
    seen.add(lost, column.name, "digits_lost")
    if lost and column.is_identity:
        seen.lost[column.name] = len(lost)
    return changed


def _checked(array: pa.Array, column: Column, seen: Marked) -> pa.Array:
    """Texts are looked through as one block of bytes first: what is wrong with them is rare."""
    block = array.buffers()[2]
    if block is None:
        return array
    content = block.to_pybytes()
    if len(content.translate(None, _CONTROL)) != len(content):
        seen.add(_matching(array, _CONTROL_TEXT), column.name, "control_character")
    if column.is_text and (b"E+" in content or b"e+" in content):
        seen.add(_matching(array, _SCIENTIFIC), column.name, "digits_lost")
    if ILLEGAL.encode() in content:
        seen.add(_matching(array, ILLEGAL), column.name, "illegal_byte")
        array = pc.replace_substring(array, ILLEGAL, "\ufffd")
    return array


def _matching(array: pa.Array, pattern: str) -> list[int]:
    found: list[int] = pc.indices_nonzero(
        pc.fill_null(pc.match_substring_regex(array, pattern), False)
    ).to_pylist()
    return found


def evident(arrays: Sequence[pa.Array], pattern: str, other: str) -> pa.Array | None:
    """Which rows have a cell of that shape, and not of the other, in one of the columns."""
    found = None
    for array in arrays:
        shaped, not_meant = (pc.match_substring_regex(array, shape) for shape in (pattern, other))
        has = pc.fill_null(pc.and_not(shaped, not_meant), False)
        found = has if found is None else pc.or_(found, has)
    return found


def as_text(cell: Cell) -> str | None:
    """A cell as text; an empty one is None.

    Numbers come in full, without an exponent and without binary noise.
    """
    match cell:
        case str():
            return cell or None
        case None:
            return None
        case bool():
            return "true" if cell else "false"
        case int():
            return str(cell)
    return format(Decimal(f"{cell:.15g}"), "f")
