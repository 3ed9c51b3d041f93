"""The header of a table: which rows it is, and which column holds which field.

Belongs here: names of one row and of two, as people break and space them. Not here: rows below it
(`note_lines`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from expectations.contract import Contract
from resources.departments.errors import Fault
from resources.reader.table import Cell

LOOKED_AT = 40
"""Rows at the top of a table among which a header is looked for."""
NEXT_STEP = (
    "have the department keep the agreed layout, or change `headerRow` or the columns in the"
    " contract"
)

_BLANKS = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]+")
_BETWEEN = re.compile(r"[/／\\|>·.:_\-—→]+")


@dataclass(frozen=True)
class Header:
    """Where a table's header stands and what it names."""

    first: int
    """Index of its first row among the top rows."""
    last: int
    names: tuple[str, ...]
    """A column's name: the contract's where it is one of its columns, else its own,
    `column_N` where it has none.
    """
    found: frozenset[str]
    """The contract's physical names that have a column."""
    texts: frozenset[str]
    """What stands in its cells, squeezed: by this it is known where it stands again."""
    where: dict[str, frozenset[int]]
    """In which columns each of these texts stands."""
    twice: tuple[str, ...] = ()
    """Physical names that more than one column could be."""

    @property
    def named(self) -> int:
        return len(self.found) + len(self.twice)

    def places(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names) if name in self.found}


@lru_cache(maxsize=4096)
def squeezed(text: str) -> str:
    """A text without blanks and line breaks, half-width: how names are compared."""
    return _BLANKS.sub("", unicodedata.normalize("NFKC", text)).casefold()


def stated_row(contract: Contract) -> int | None:
    stated = contract.server.get("headerRow")
    return int(stated) if stated is not None else None


def rows_to_look_at(contract: Contract) -> int:
    return max(LOOKED_AT, stated_row(contract) or 0) + 2


def lacking(contract: Contract, header: Header) -> list[str]:
    """The columns without which a row cannot be good."""
    return [
        f.physical_name
        for f in contract.delivered
        if contract.must_have(f) and f.physical_name not in header.found
    ]


def find_header(contract: Contract, top: Sequence[Sequence[Cell]]) -> Header:
    """The header: the row that the contract states, else the first that names most of its columns.

    Raises `Fault` where there is none.
    """
    physical = [field.physical_name for field in contract.delivered]
    shown = top[: rows_to_look_at(contract) - 2]
    fit = [
        header
        for header in _candidates(top, len(shown), physical)
        if header.named >= max(1, len(physical) // 3)
    ]
    best = max(fit, key=_rank) if fit else None
    stated = stated_row(contract)
    if stated is not None:
        there = [header for header in fit if header.first <= stated - 1 <= header.last]
        if not there:
            where = f"; it stands on row {best.first + 1}" if best is not None else ""
            raise Fault(
                "none",
                "changed_header",
                f"row {stated} is no header with the contract's columns{where}",
                NEXT_STEP,
            )
        best = max(there, key=_rank)
    if best is None:
        said = f"none of the first {len(shown)} rows is a header with the contract's columns"
        raise Fault("none", "changed_header", said, NEXT_STEP)
    if best.twice:
        raise Fault(
            "none",
            "changed_header",
            f"the header names {', '.join(best.twice)} twice",
            "have the department give every column its own name",
        )
    return best


def _candidates(top: Sequence[Sequence[Cell]], shown: int, physical: Sequence[str]) -> list[Header]:
    """Every row as a header, and every two that together name more columns
    than each of them alone.
    """
    single = [_read(top, at, 1, physical) for at in range(min(shown + 1, len(top)))]
    double = [_read(top, at, 2, physical) for at in range(min(shown, len(top) - 1))]
    better = [h for h in double if h.named > max(single[h.first].named, single[h.last].named)]
    return [*single[:shown], *better]


def _rank(header: Header) -> tuple[int, int, int]:
    """Of headers that name as many columns the first:
    it may stand again below, joined into one row.
    """
    return header.named, -header.first, header.first - header.last


def _read(top: Sequence[Sequence[Cell]], at: int, rows: int, physical: Sequence[str]) -> Header:
    """The header that would begin at row `at`."""
    upper = [_text(cell) for cell in top[at]]
    lower = [_text(cell) for cell in top[at + 1]] if rows == 2 else []
    labels = _joined(upper, lower) if rows == 2 else [("", name) for name in upper]
    found, twice = _matched(labels, physical)
    names = _own_names(labels)
    for name, place in found.items():
        names[place] = name
    texts = {squeezed(text) for row in (upper, lower) for text in row if text}
    texts |= {squeezed(group + name) for group, name in labels} | {
        squeezed(name) for name in physical
    }
    where = _where([upper, lower, names, [group + name for group, name in labels]])
    return Header(
        at,
        at + rows - 1,
        tuple(_apart(names, found)),
        frozenset(found),
        frozenset(texts - {""}),
        where,
        tuple(twice),
    )


def _where(rows: Sequence[Sequence[str]]) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for row in rows:
        for place, text in enumerate(row):
            found.setdefault(squeezed(text), set()).add(place)
    return {text: frozenset(places) for text, places in found.items()}


def _joined(upper: list[str], lower: list[str]) -> list[tuple[str, str]]:
    """Group and name of each column: a group reaches to the right as far as nothing
    stands in the upper row.
    """
    width = max(len(upper), len(lower))
    upper, lower = upper + [""] * (width - len(upper)), lower + [""] * (width - len(lower))
    labels, group = [], ""
    for above, below in zip(upper, lower, strict=True):
        if above:
            group = above if below else ""
        labels.append((group, below) if below else ("", above))
    return labels


def _matched(
    labels: list[tuple[str, str]], physical: Sequence[str]
) -> tuple[dict[str, int], list[str]]:
    """The column of each physical name, and the names that more than one column could be.

    A name that is written exactly so comes before one that is only spaced otherwise, group and name
    before the name.
    """
    exact = [name for _, name in labels]
    alone = [squeezed(name) for _, name in labels]
    both = [_BETWEEN.sub("", squeezed(group + name)) if group else None for group, name in labels]
    found: dict[str, int] = {}
    twice = []
    for name in physical:
        short = squeezed(name)
        ways = (
            [
                place
                for place, (label, (group, _)) in enumerate(zip(exact, labels, strict=True))
                if label == name and not group
            ],
            [place for place, label in enumerate(both) if label == _BETWEEN.sub("", short)],
            [place for place, label in enumerate(alone) if label == short],
        )
        places = next((way for way in ways if way), [])
        if len(places) == 1:
            found[name] = places[0]
        elif places:
            twice.append(name)
    return found, twice


def _own_names(labels: list[tuple[str, str]]) -> list[str]:
    return [
        (f"{group}/{name}" if group else name) or f"column_{place}"
        for place, (group, name) in enumerate(labels, 1)
    ]


def _apart(names: list[str], found: dict[str, int]) -> list[str]:
    """Columns that the contract does not read may have one name; here each gets its own."""
    taken = set(found)
    apart = []
    for place, name in enumerate(names):
        number, own = 2, name
        while found.get(name) != place and own in taken:
            own, number = f"{name} ({number})", number + 1
        taken.add(own)
        apart.append(own)
    return apart


def _text(cell: Cell) -> str:
    return (
        "" if cell is None else re.sub(r"[\r\n\t]+", "", str(cell).removeprefix("\ufeff")).strip()
    )
