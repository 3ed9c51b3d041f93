"""Disclosure control: the ledger as it may be made public, without a count under five, and without one that can be worked out.

Belongs here: what is hidden. Not here: the ledger itself (`area_ledger`), which is for officials.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from warehouse.schema.declared import AREA_LEDGER

THRESHOLD = 5
LAMPS = ("red", "yellow", "green")
COUNTS = tuple(column.name for column in AREA_LEDGER.columns if column.type == "integer")
"""Whatever the ledger counts: a count that is added to its declaration is hidden like the others."""
CODE_LENGTHS = (6, 9, 12)
"""A county, its towns, their villages: the counts of the parts add up to the whole's."""

Row = dict[str, Any]


def public_ledger(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The rows of `area_ledger` with null where a count is hidden.

    Hidden are counts under five, and as many more as it takes that none of them follows by subtraction: in a row from
    households and the other lamps, in a column from the whole and its other parts. The smallest shown one is hidden with it.
    """
    hidden_in = [dict(row) for row in rows]
    for row in hidden_in:
        for name in COUNTS:
            if row[name] is not None and row[name] < THRESHOLD:
                row[name] = None
    while any([_hide_in_rows(hidden_in), _hide_in_columns(hidden_in)]):
        pass
    return hidden_in


def _hide_in_rows(rows: list[Row]) -> bool:
    """One hidden lamp beside the number of households follows by subtraction: the smallest other lamp is hidden too."""
    changed = False
    for row in rows:
        if row["households"] is not None and [row[name] is None for name in LAMPS].count(True) == 1:
            _hide_smallest([(row, name) for name in LAMPS])
            changed = True
    return changed


def _hide_in_columns(rows: list[Row]) -> bool:
    """One hidden part of a whole that is shown follows by subtraction: the smallest other part is hidden too."""
    changed = False
    for whole in rows:
        length = len(whole["area_code"])
        if length == CODE_LENGTHS[-1]:
            continue
        part_length = CODE_LENGTHS[CODE_LENGTHS.index(length) + 1]
        parts = [row for row in rows if len(row["area_code"]) == part_length and row["area_code"].startswith(whole["area_code"])]
        for name in COUNTS:
            if whole[name] is not None and [part[name] is None for part in parts].count(True) == 1:
                if not _hide_smallest([(part, name) for part in parts]):
                    whole[name] = None
                changed = True
    return changed


def _hide_smallest(cells: list[tuple[Row, str]]) -> bool:
    """Hides the smallest cell that is shown; false where none is."""
    shown = [(row[name], row["area_code"], name, row) for row, name in cells if row[name] is not None]
    if not shown:
        return False
    _, _, name, row = min(shown, key=lambda cell: cell[:3])
    row[name] = None
    return True


def public_bulletin(rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """The rows of `bulletin`; where the numerator, or what it lacks to the denominator, is under five, only the rank is left."""
    made = []
    for row in rows:
        shown = dict(row)
        numerator, denominator = row["numerator"], row["denominator"]
        if numerator is not None and (numerator < THRESHOLD or denominator - numerator < THRESHOLD):
            shown.update(numerator=None, denominator=None, rate=None)
        made.append(shown)
    return made
