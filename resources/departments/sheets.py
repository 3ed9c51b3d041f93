"""Which sheets of a workbook hold a record type.

Belongs here: sheets by header and by name, several of one record type, sheets that nobody reads.
Not here: their rows (`records`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from expectations.contract import Contract, load_contracts
from resources.departments.errors import Fault
from resources.departments.header import NEXT_STEP, Header, find_header, lacking
from resources.departments.names import shown as shown_name
from resources.departments.opened import OpenedFile
from resources.reader.table import Sheet

_DIGITS = "0-9０-９一二三四五六七八九十〇零"
_PERIOD = re.compile(
    rf"(?:(?:19|20)[0-9]{{2}}\s*(?:[-._/年]\s*[0-9]{{1,2}}|[01][0-9](?![0-9])|年)?"
    rf"|[{_DIGITS}]{{1,3}}\s*月|第?[一二三四1-4]\s*季度|[上下]半年)+(?:\s*月)?份?"
)
_SHORT_PERIOD = re.compile(
    r"(?:[12][0-9]\s*年\s*(?:[0-9]{1,2}\s*月)?份?|[12][0-9](?:0[1-9]|1[0-2])"
    r"|(?:0?[1-9]|1[0-2])\.(?:0?[1-9]|[12][0-9]|3[01])|[上本当下][个]?月|[去今本上]年度?"
    r"|(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*)",
    re.IGNORECASE,
)
"""What is a period only where it is the whole name: 24年, 2610, 10.31, 上月, Oct."""
LEAST_CELLS = 3
"""A sheet with two rows of as many filled cells holds a table."""


@dataclass(frozen=True)
class Part:
    """A sheet that is read, and its header."""

    place: int
    sheet: Sheet
    header: Header

    @property
    def name(self) -> str | None:
        return self.sheet.name.strip() if self.sheet.name is not None else None


def choose(contract: Contract, opened: OpenedFile, is_alone: bool) -> tuple[list[Part], list[str]]:
    """The sheets that hold the record type, in their order,
    and what is said of others that hold a table.

    Raises `Fault` where none does, where a sheet that the contract names is not there, and where
    several could be meant. Where the delivery `is_alone` in this file, a table that lacks a column
    is left for the contract's drift to judge.
    """
    wanted = named_sheets(contract)
    places = _looked_at(contract, opened, wanted)
    fits, faults = [], []
    for place in places:
        try:
            fits.append(
                Part(place, opened.sheets[place], find_header(contract, opened.sheets[place].top))
            )
        except Fault as fault:
            faults.append(fault)
            if _shown(opened.sheets[place]) in wanted:
                raise
    if not fits:
        raise faults[0]
    whole = [part for part in fits if not lacking(contract, part.header)]
    if not whole and not is_alone:
        raise Fault(
            "none",
            "changed_header",
            f"it lacks {', '.join(lacking(contract, fits[0].header))}",
            NEXT_STEP,
        )
    parts = whole or [max(fits, key=lambda part: (part.header.named, -part.place))]
    if len(parts) > 1 and not wanted:
        _refuse_periods(contract, parts)
    return parts, _unread(contract, opened, fits, parts)


def named_sheets(contract: Contract) -> list[str]:
    """Names or patterns of the sheets that the contract names (`sheets`, or `sheet` for one)."""
    stated = contract.server.get("sheets") or contract.server.get("sheet") or []
    return [
        str(name).strip() for name in (stated if isinstance(stated, list | tuple) else [stated])
    ]


def _looked_at(contract: Contract, opened: OpenedFile, wanted: Sequence[str]) -> list[int]:
    """The places of the sheets in which the table may be.

    Raises `Fault` where one that the contract names is not there.
    """
    sheets = opened.sheets
    if sheets and sheets[0].name is None:
        return [0]
    absent = [name for name in wanted if not any(_is_named(sheet, name) for sheet in sheets)]
    shown = [
        place
        for place, sheet in enumerate(sheets)
        if not wanted or any(_is_named(sheet, name) for name in wanted)
    ]
    if absent or not any(sheets[place].top for place in shown):
        said = (
            f"the workbook has no sheet {', '.join(absent)}"
            if absent
            else "the workbook has no sheet with anything in it"
        )
        raise Fault(
            "none", "missing_sheet", said, "have the department send the workbook with its table"
        )
    return [place for place in shown if sheets[place].top]


def overlap(contract: Contract, parts: Sequence[str], count: int) -> Fault:
    """Keys that stand in more than one sheet."""
    said = f"{count} keys stand in more than one of the sheets {', '.join(map(shown_name, parts))}"
    return Fault("none", "several_sheets", said, _which(parts[-1]))


def _refuse_periods(contract: Contract, parts: Sequence[Part]) -> None:
    """Sheets of several months are not one delivery;
    sheets of one month, a township each, may be.
    """
    periods = {_period(part.name or "") for part in parts}
    if len(periods) > 1:
        names = [shown_name(part.name or "") for part in parts]
        said = (
            f"the sheets {', '.join(names)} all hold the contract's table, and their names say"
            " several periods"
        )
        raise Fault("none", "several_sheets", said, _which(names[-1]))


def _which(name: str) -> str:
    return f'name the sheets to read in the contract\'s servers, e.g. `sheets: ["{name}"]`'


def _period(name: str) -> str | None:
    found = _PERIOD.search(name) or _SHORT_PERIOD.fullmatch(name.strip())
    return found[0] if found else None


def _is_named(sheet: Sheet, name: str) -> bool:
    return _shown(sheet) == name or fnmatchcase(_shown(sheet), name)


def _unread(
    contract: Contract, opened: OpenedFile, fits: Sequence[Part], parts: Sequence[Part]
) -> list[str]:
    """A line for each sheet with a table that neither this contract reads nor another
    of its department.
    """
    taken = {part.place for part in parts}
    lacks = {part.place: lacking(contract, part.header) for part in fits}
    siblings = [
        other
        for other in load_contracts()
        if other.department == contract.department and other.records != contract.records
    ]
    lines = []
    for place, sheet in enumerate(opened.sheets):
        if (
            place in taken
            or not _holds_table(sheet)
            or any(_fits(other, sheet) for other in siblings)
        ):
            continue
        why = (
            f"lacks {', '.join(lacks[place])}, and was not read"
            if lacks.get(place)
            else "holds a table that was not read"
        )
        lines.append(f"sheet {shown_name(_shown(sheet))} {why}")
    return lines


def _fits(contract: Contract, sheet: Sheet) -> bool:
    try:
        return not lacking(contract, find_header(contract, sheet.top))
    except Fault:
        return False


def _holds_table(sheet: Sheet) -> bool:
    filled = [sum(cell not in (None, "") for cell in row) for row in sheet.top]
    return sum(count >= LEAST_CELLS for count in filled) >= 2


def _shown(sheet: Sheet) -> str:
    return (sheet.name or "").strip()
