"""A sheet of text cells, and the table in it:
its header of one row or two, its records, what stands round them.

Belongs here: finding them without a contract. Not here: what the columns hold (`content`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from expectations.drafting.office_words import office_words

LOOKED_AT = 20
"""Rows at the top among which a header is looked for."""
MIN_COLUMNS = 3
MOSTLY_APART = 0.6
"""So much of a header's names are different ones, where some (a remark, a telephone) stand in it
twice."""
LIKE_A_LIST = (5, 10)
"""Such a table has so many names and so many records at least: notes are none."""

_VALUE = re.compile(r"[+-]?[0-9][0-9,.:/ -]*|[0-9X*]{6,}|[0-9]{4}年.*[月日]")
_BRACKETS = re.compile(r"[(（\[【][^)）\]】]*[)）\]】]")


@dataclass(frozen=True)
class Sheet:
    """One sheet, or the one table of a text file; a blank cell is the empty string."""

    file: str
    name: str | None
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Table:
    """The table of a sheet."""

    sheet: Sheet
    headings: tuple[str, ...]
    """The columns' own names; empty where a column has none."""
    groups: tuple[str, ...]
    """What stands over a name in a header of two rows, else empty."""
    records: tuple[tuple[str, ...], ...]
    odd_lines: tuple[str, ...]
    """The first words of lines at the end that are neither records nor known notes."""
    above: tuple[str, ...] = ()
    """What stands above the header: titles, who fills it in, units."""

    @property
    def physical_names(self) -> tuple[str, ...]:
        """What a contract calls each column: its name,
        with its group where the name alone is not unique.
        """
        counts = Counter(self.headings)
        return tuple(
            heading if counts[heading] == 1 else f"{group}{heading}"
            for group, heading in zip(self.groups, self.headings, strict=True)
        )

    @property
    def is_in_ten_thousands(self) -> bool:
        """Whether a line above the table says amounts are in ten thousand yuan (单位：万元)."""
        return any(line.startswith(("单位", "金额单位")) and "万元" in line for line in self.above)


def tight(text: str) -> str:
    """`text` without any blanks or line breaks, full-width signs folded:
    how names of columns are compared.
    """
    return "".join(unicodedata.normalize("NFKC", text).split())


def bare(heading: str) -> str:
    """A heading without what stands in brackets behind or within it: units and remarks."""
    return _BRACKETS.sub("", tight(heading))


def find_table(sheet: Sheet) -> Table | None:
    """The table of a sheet, None where there is none."""
    rows = sheet.rows
    width = max((len(row) for row in rows), default=0)
    padded = [tuple(row) + ("",) * (width - len(row)) for row in rows]
    best = _best(padded, 1) or _best(padded, MOSTLY_APART)
    if best is None:
        return None
    named, at, height = best
    headings, groups = _joined(padded[at : at + height])
    records, odd = _records(padded[at + height :], [tight(name) for name in headings])
    above = tuple(tight(cell) for row in padded[:at] for cell in row if cell)
    has_alike = named < sum(1 for name in headings if name)
    if has_alike and (named < LIKE_A_LIST[0] or len(records) < LIKE_A_LIST[1]):
        return None
    return Table(sheet, headings, groups, records, odd, above) if records else None


def _best(rows: Sequence[Sequence[str]], apart: float) -> tuple[int, int, int] | None:
    """The header that names most: how many columns, at which row, of how many rows."""
    best: tuple[int, int, int] | None = None
    for at in range(min(LOOKED_AT, len(rows))):
        for height in (1, 2):
            named = _named(rows, at, height, apart)
            # of two headers that name as much, the lower one: a title or a unit line is no group
            if named >= MIN_COLUMNS and (best is None or (named, -height) > (best[0], -best[2])):
                best = (named, at, height)
    return best


def _named(rows: Sequence[Sequence[str]], at: int, height: int, apart: float) -> int:
    """How many columns a header at `at` would name; 0 where these rows are no header, and where
    less than that share of its names stands in it once.
    """
    header, below = rows[at : at + height], rows[at + height : at + height + 6]
    if len(header) < height or any(_VALUE.fullmatch(tight(c)) for row in header for c in row if c):
        return 0
    if any(max(len(tight(c)) for c in row) > 30 for row in header if any(row)):
        return 0
    filled = [sum(1 for cell in row if cell) for row in below]
    if not filled or max(filled) < MIN_COLUMNS or not any(_holds_values(row) for row in below[:3]):
        return 0
    names, groups = _joined(header)
    if height == 2 and not _is_second_row(header):
        return 0
    named = {(group, name) for group, name in zip(groups, names, strict=True) if name}
    return len(named) if len(named) >= sum(1 for name in names if name) * apart else 0


def _is_second_row(header: Sequence[Sequence[str]]) -> bool:
    """Whether the second row stands under groups of the first:
    what it names has a name above or to its left.
    """
    first, second = header
    under = [place for place, cell in enumerate(second) if cell]
    over = [place for place, cell in enumerate(first) if cell]
    if not under or len(over) < 2 or min(under) < min(over):
        return False
    alone = [place for place in over if not second[place]]
    return bool(alone) or len(over) < len(under)


def _holds_values(row: Sequence[str]) -> bool:
    return sum(1 for cell in row if _VALUE.fullmatch(tight(cell))) >= 1


def _joined(header: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and groups of the columns.

    A group reaches to the right as long as the first row is blank.
    """
    if len(header) == 1:
        return tuple(_one_line(cell) for cell in header[0]), ("",) * len(header[0])
    names, groups, group = [], [], ""
    for over, under in zip(*header, strict=True):
        group = _one_line(over) if over else group
        names.append(_one_line(under) if under else _one_line(over))
        groups.append(group if under else "")
        if over and not under:
            group = ""
    return tuple(names), tuple(groups)


def _one_line(cell: str) -> str:
    return "".join(cell.split())


def _records(
    rows: Sequence[Sequence[str]], header: Sequence[str]
) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """The rows that are records, and the beginnings of lines near the end that nobody knows."""
    usual = Counter(
        sum(1 for cell in row if cell.strip()) for row in rows if any(c.strip() for c in row)
    )
    typical = max(usual, key=lambda count: (usual[count], count), default=0)
    named = {name for name in header if name}
    records, odd = [], []
    for place, row in enumerate(rows):
        filled = [cell for cell in row if cell.strip()]
        again = sum(1 for cell in filled if tight(cell) in named)
        if not filled or again >= max(2, len(filled) // 2):
            continue
        if is_note(filled[0]) or len(filled) < max(2, typical * 0.4):
            if place >= len(rows) - 5 and len(filled) > 1 and not is_note(filled[0]):
                odd.append(filled[0])
            continue
        records.append(tuple(cell.strip() for cell in row))
    return tuple(records), tuple(odd)


def is_note(cell: str) -> bool:
    """Whether a line that begins with this cell is no record: a total, a signature, a remark."""
    return tight(cell).startswith(office_words().notes)
