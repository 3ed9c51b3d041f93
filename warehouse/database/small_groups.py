"""Groups of households that share facts, and which to hide, so that no difference tells small ones.

Belongs here: the choice, on counts alone. Not here: where the counts come from and where the
choice is kept (`extract`).

Fewer than five are hidden. But other publications count the same households by some of the facts
(a margin): less the groups that are shown, such a count tells the sum of those that are hidden.
So groups that no margin tells apart (a cell: the same in every fact by which anything is counted)
are hidden two at least and five households at least, or all of them; and cells are hidden
together until no sum of a margin comes to fewer than five, and the margins together tell no small
cell. Which ones go beside a small one has nothing to do with how many households they have:
whoever knows how it is chosen learns nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from expectations.errors import UsageError
from warehouse.schema.leaving import THRESHOLD

Group = tuple[str, ...]
"""The facts that its households share, in the order of the columns, as JSON texts."""
Margin = tuple[str, ...]
"""Columns by which something else that is published counts."""
MOST_CELLS = 2000
"""So many cells with something hidden are looked at together."""


class TooManyCells(UsageError):
    """More is hidden than can be looked at together."""


@dataclass(frozen=True)
class Cell:
    """Groups that no margin tells apart."""

    hidden: set[Group]
    shown: set[Group]


@dataclass(frozen=True)
class Groups:
    """Every group of an extract, with its households."""

    columns: tuple[str, ...]
    counts: Mapping[Group, int]

    def small(self) -> set[Group]:
        return {group for group, households in self.counts.items() if households < THRESHOLD}

    def in_towns(self, towns: Iterable[str]) -> set[Group]:
        """The groups of these towns."""
        named = {json.dumps(town) for town in towns}
        at = self.columns.index("town_code") if named else 0
        return {group for group in self.counts if group[at] in named}

    def hidden_beside(self, hidden: AbstractSet[Group], margins: Sequence[Margin]) -> set[Group]:
        """The groups to hide beside those that are, so that no margin tells of fewer than five.

        Raises:
            TooManyCells: where it cannot be looked at.
        """
        gone = set(hidden)
        while more := self.lacking(gone, margins):
            gone |= more
        return gone - hidden

    def lacking(self, hidden: AbstractSet[Group], margins: Sequence[Margin]) -> set[Group]:
        """Some of the groups that have to go too; none where margins tell nothing small."""
        cells = self._cells(hidden, margins)
        split = {self._first(cell.shown) for cell in cells.values() if self._is_split(cell)}
        if split:
            return split
        lines = [line for margin in margins for line in self._lines(margin, margins, cells)]
        beside = [line for line in lines if 0 < self._sum(line, cells) < THRESHOLD]
        if more := self._next(beside, cells):
            return more
        told = self._told(lines, cells)
        beside = [[other for line in lines if at in line for other in line] for at in told]
        return self._next(beside, cells) or self._next([list(cells)] if told else [], cells)

    def _cells(self, hidden: AbstractSet[Group], margins: Sequence[Margin]) -> dict[Group, Cell]:
        of = self._places({column for margin in margins for column in margin})
        cells: dict[Group, Cell] = {}
        for group in self.counts:
            cell = cells.setdefault(tuple(group[place] for place in of), Cell(set(), set()))
            (cell.hidden if group in hidden else cell.shown).add(group)
        return cells

    def _places(self, columns: Collection[str]) -> list[int]:
        return [place for place, column in enumerate(self.columns) if column in columns]

    def _is_split(self, cell: Cell) -> bool:
        """What is hidden of it would be told by the count of the cell."""
        is_few = len(cell.hidden) < 2 or self._households(cell.hidden) < THRESHOLD
        return bool(cell.hidden and cell.shown) and is_few

    def _lines(
        self, margin: Margin, margins: Sequence[Margin], cells: Mapping[Group, Cell]
    ) -> list[list[Group]]:
        """The cells that a margin counts together, where it is told: small counts are hidden."""
        all_columns = [self.columns[p] for p in self._places({c for m in margins for c in m})]
        places = [place for place, column in enumerate(all_columns) if column in margin]
        lines: dict[Group, list[Group]] = {}
        for at in cells:
            lines.setdefault(tuple(at[place] for place in places), []).append(at)
        return [line for line in lines.values() if self._total(line, cells) >= THRESHOLD]

    def _told(self, lines: Sequence[Sequence[Group]], cells: Mapping[Group, Cell]) -> list[Group]:
        """The small cells that the lines together leave one possibility for.

        What is hidden of the cells solves a system of equations, one for each line. A cell is told
        where its unit vector is a combination of them: where the projection on their space leaves
        it as it is.
        """
        unknown = [at for at, cell in cells.items() if cell.hidden]
        sizes_of = [self._households(cells[at].hidden) for at in unknown]
        small = [place for place, size in enumerate(sizes_of) if size < THRESHOLD]
        if not small:
            return []
        if len(unknown) > MOST_CELLS:
            raise TooManyCells(
                "with the other extracts these columns tell too many groups apart:",
                "name fewer",
            )
        place = {at: i for i, at in enumerate(unknown)}
        equations = np.zeros((len(lines), len(unknown)))
        for i, line in enumerate(lines):
            equations[i, [place[at] for at in line if at in place]] = 1.0
        _, sizes, directions = np.linalg.svd(equations, full_matrices=False)
        spanned = directions[sizes > 1e-9]
        kept = (spanned**2).sum(axis=0)
        return [unknown[i] for i in small if kept[i] > 1 - 1e-6]

    def _next(self, among: Iterable[Iterable[Group]], cells: Mapping[Group, Cell]) -> set[Group]:
        """All that is still shown of the first cell of each of these, where one shows anything."""
        more: set[Group] = set()
        for line in among:
            if shown := [cells[at].shown for at in line if cells[at].shown]:
                first = self._first([self._first(groups) for groups in shown])
                more.update(next(groups for groups in shown if first in groups))
        return more

    def _first(self, groups: Iterable[Group]) -> Group:
        return min(groups, key=self._drawn.__getitem__)

    @cached_property
    def _drawn(self) -> dict[Group, str]:
        return {group: hashlib.sha256(repr(group).encode()).hexdigest() for group in self.counts}

    def _households(self, groups: Iterable[Group]) -> int:
        return sum(self.counts[group] for group in groups)

    def _sum(self, line: Iterable[Group], cells: Mapping[Group, Cell]) -> int:
        return sum(self._households(cells[at].hidden) for at in line)

    def _total(self, line: Iterable[Group], cells: Mapping[Group, Cell]) -> int:
        return self._sum(line, cells) + sum(self._households(cells[at].shown) for at in line)
