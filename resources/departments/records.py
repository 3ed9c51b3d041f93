"""The rows of one table as Parquet: records in the order of the file, notes apart.

Belongs here: from chunks of cells to rows with their marks. Not here: which table (`sheets`),
several tables (`tabular`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress

import pyarrow as pa
import pyarrow.compute as pc

from expectations.contract import Contract
from resources.departments.cells import Column, Marked, evident, texts
from resources.departments.errors import Fault
from resources.departments.header import NEXT_STEP, Header
from resources.departments.note_lines import LONG, OTHER, SHAPED, Kind, Lines
from resources.reader.table import Cell, Chunk, Damage, Sheet

MERGES_SHOWN = 5
TEXTS = pa.list_(pa.string())
FIRST_COLUMNS = (
    ("_row", pa.int64()),
    ("_file", pa.string()),
    ("_part", pa.string()),
    ("_sheet", pa.string()),
    ("_line", pa.int64()),
    ("_marks", TEXTS),
    ("_numbers", TEXTS),
)
NOTES = pa.schema(
    [("_file", pa.string()), ("_sheet", pa.string()), ("_line", pa.int64()), ("kind", pa.string())]
)

Merge = tuple[int, int, int, int]


@dataclass(frozen=True)
class Origin:
    """Where a table stands."""

    file: str
    part: str
    sheet: str | None


@dataclass
class Table:
    """One table of a delivery, read chunk by chunk."""

    contract: Contract
    place: Origin
    sheet: Sheet
    header: Header
    damage: Damage
    is_1904: bool
    is_spreadsheet: bool
    count: int = 0
    filled: set[str] = field(default_factory=set)
    notes: dict[Kind, list[int]] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    short: int = 0
    extra: int = 0
    """Rows of a text with something behind the header's last column."""
    merged: list[Merge] = field(default_factory=list)
    """Merged cells that reach over records."""

    def __post_init__(self) -> None:
        contract, places = self.contract, self.header.places()
        self.columns = [
            Column(
                f.physical_name,
                places[f.physical_name],
                f.type == "text",
                f.is_identity,
                f.type in ("date", "timestamp"),
            )
            for f in contract.delivered
            if f.physical_name in places
        ]
        keys = tuple(
            places[f.physical_name] for f in contract.key_fields if f.physical_name in places
        )
        identities = {
            places[f.physical_name]
            for f in contract.delivered
            if f.is_identity and f.physical_name in places
        }
        above = self.sheet.top[: self.header.first]
        titles = frozenset(
            tuple(str(cell).strip() for cell in row if cell not in (None, "")) for row in above
        )
        words = tuple(str(word) for word in contract.server.get("notes") or ())
        self.lines = Lines(self.header, keys, tuple({*keys, *identities}), titles - {()}, words)
        self._damaged = self._damaged_cells()
        self._fills = contract.server.get("merged") == "fill"
        self._below = [
            merge
            for merge in self.sheet.merged
            if merge[2] > self.after and self._holds_field(merge)
        ]
        self._across = {
            first
            for first, left, last, right in self._below
            if first == last and any(left <= key <= right for key in keys)
        }
        """Lines with one cell over several columns, the key's among them."""
        self._tops: dict[Merge, Cell] = {}
        for at, row in enumerate(above):
            is_blank = not any(str(cell).strip() for cell in row if cell is not None)
            self.notes.setdefault("blank" if is_blank else "title", []).append(
                self.sheet.ends[at - 1] + 1 if at else 1
            )

    @property
    def after(self) -> int:
        """The last line of the header."""
        return self.sheet.ends[self.header.last]

    @property
    def width(self) -> int:
        """Columns that are read: as far as the header names any."""
        named = [
            place for place, name in enumerate(self.header.names, 1) if name != f"column_{place}"
        ]
        return max(named)

    @property
    def names(self) -> list[str]:
        return list(self.header.names[: self.width])

    def schema(self) -> pa.Schema:
        return pa.schema([*FIRST_COLUMNS, *((name, pa.string()) for name in self.names)])

    def read(self, chunk: Chunk, row_before: int) -> pa.Table:
        """The records of a chunk; `row_before` is the number of the delivery's last
        record so far.
        """
        chunk = self._padded(chunk)
        kinds = self._kinds(chunk)
        lines = chunk.lines or range(chunk.first, chunk.first + chunk.count)
        for place, kind in kinds.items():
            self.notes.setdefault(kind, []).append(lines[place])
        if self._below:
            chunk = self._merges(chunk, lines, kinds)
        keep = [place not in kinds for place in range(chunk.count)]
        if kinds:
            chunk = _kept(chunk, keep)
            lines = list(compress(lines, keep))
        return self._table(chunk, lines, row_before)

    def _padded(self, chunk: Chunk) -> Chunk:
        """A sheet's chunk may be narrower than its header."""
        if len(chunk.columns) >= self.width:
            return chunk
        blank = [[None] * chunk.count] * (self.width - len(chunk.columns))
        return Chunk(
            chunk.first,
            chunk.count,
            [*chunk.columns, *blank],
            chunk.lines,
            chunk.short,
            chunk.extra,
        )

    def _kinds(self, chunk: Chunk) -> dict[int, Kind]:
        """The rows that are no records.

        Where a number of a key or a person stands, nothing more is asked.
        """
        columns = [chunk.columns[place] for place in self.lines.numbers]
        arrays = [pa.array([_shape(cell) for cell in column], pa.string()) for column in columns]
        found = evident(arrays, SHAPED, OTHER)
        places = (
            range(chunk.count)
            if found is None
            else pc.indices_nonzero(pc.invert(found)).to_pylist()
        )
        extra = set(chunk.extra)
        kinds: dict[int, Kind] = {}
        blanks = {("",) * len(chunk.columns), (None,) * len(chunk.columns)}
        rows = list(zip(*chunk.columns, strict=True)) if len(places) * 4 > chunk.count else None
        lines = chunk.lines or range(chunk.first, chunk.first + chunk.count)
        for place in places:
            row = rows[place] if rows else tuple(column[place] for column in chunk.columns)
            kind = (
                "blank"
                if row in blanks
                else self.lines.kind(row) or ("line" if lines[place] in self._across else None)
            )
            if kind is not None and not (
                kind == "blank" and (place in extra or lines[place] in self._damaged)
            ):
                kinds[place] = kind
                if kind == "header" and self.lines.is_moved(row):
                    said = (
                        f"the header stands again on line {lines[place]} with its columns elsewhere"
                    )
                    raise Fault("none", "changed_header", said, NEXT_STEP)
        return kinds

    def _table(self, chunk: Chunk, lines: Sequence[int], row_before: int) -> pa.Table:
        seen = Marked()
        by_place = {column.place: column for column in self.columns}
        arrays = [
            texts(column, by_place.get(place), self.is_1904, seen)
            for place, column in enumerate(chunk.columns[: self.width])
        ]
        self._mark_damage(lines, seen)
        key = self.columns and self.contract.key_fields[0].physical_name
        if not self.is_spreadsheet:
            seen.add(chunk.extra, str(key), "extra_cells")
            self.extra += len(chunk.extra)
        self.short += len(chunk.short)
        for name, lost in seen.lost.items():
            self.lost[name] = self.lost.get(name, 0) + lost
        self.filled |= {
            name
            for name, array in zip(self.names, arrays, strict=True)
            if array.null_count < len(array)
        }
        self.count += chunk.count
        first = [
            pa.array(range(row_before + 1, row_before + 1 + chunk.count), pa.int64()),
            *(
                _same(text, chunk.count)
                for text in (self.place.file, self.place.part, self.place.sheet)
            ),
            pa.array(lines, pa.int64()),
            _lists(seen.marks, chunk.count),
            _lists(_by_row(seen.numbers), chunk.count),
        ]
        return pa.Table.from_arrays([*first, *arrays], schema=self.schema())

    # cells without a value

    def _damaged_cells(self) -> dict[int, list[str]]:
        """By line: the marks of its damaged cells."""
        by_place = {column.place: column.name for column in self.columns}
        found: dict[int, list[str]] = {}
        for mark, cells in (
            ("error_cell", self.damage.errors),
            ("formula_without_value", self.damage.formulas),
        ):
            for line, place in cells:
                if place in by_place and line > self.after:
                    found.setdefault(line, []).append(f"{by_place[place]}:{mark}")
        return found

    def _mark_damage(self, lines: Sequence[int], seen: Marked) -> None:
        if not self._damaged:
            return
        for place, line in enumerate(lines):
            if line in self._damaged:
                seen.marks.setdefault(place, []).extend(self._damaged[line])

    # merged cells

    def _holds_field(self, merge: Merge) -> bool:
        """Whether a cell of the contract's is without its value by this merge."""
        first, left, last, right = merge
        places = {column.place for column in self.columns}
        return any(
            place in places for place in range(left if last > first else left + 1, right + 1)
        )

    def _merges(self, chunk: Chunk, lines: Sequence[int], kinds: dict[int, Kind]) -> Chunk:
        """Finds the merged cells over this chunk's records, and fills them where the contract says.

        Downwards only: one value over two columns is hardly meant for both fields, and nothing is
        known of the second.
        """
        records = [line for place, line in enumerate(lines) if place not in kinds]
        columns: list[Sequence[Cell]] = list(chunk.columns)
        for merge in self._below:
            first, left, last, right = merge
            begin, end = bisect_left(lines, first), bisect_left(lines, last + 1)
            if begin < end and lines[begin] == first and left < len(columns):
                self._tops[merge] = columns[left][begin]
            at = bisect_left(records, first)
            if at >= len(records) or records[at] > last:
                continue
            self.merged.append(merge)
            if self._fills:
                if left < self.width:
                    filled = list(columns[left])
                    filled[begin:end] = [self._tops.get(merge)] * (end - begin)
                    columns[left] = filled
                self._mark_across(lines[begin:end], left, right)
        return Chunk(chunk.first, chunk.count, columns, chunk.lines, chunk.short, chunk.extra)

    def _mark_across(self, lines: Sequence[int], left: int, right: int) -> None:
        """The cells of the contract's to the right of a merged cell's first column."""
        for column in self.columns:
            if left < column.place <= right:
                for line in lines:
                    self._damaged.setdefault(line, []).append(f"{column.name}:merged_across")

    # what only the whole table tells

    def refuse(self) -> None:
        """Raises `Fault` for a table that cannot be used as a whole."""
        self._refuse_ragged()
        self._refuse_merged()

    def _refuse_ragged(self) -> None:
        """Single rows with a cell too many are the row's own fault;
        where most have one, the header is another table's.
        """
        if self.extra * 2 > self.count:
            said = f"{self.extra} rows have more cells than the header's {self.width}"
            step = (
                "have the department quote cells that hold a comma or a line break, and send the"
                " file anew"
            )
            raise Fault("none", "ragged_rows", said, step)

    def _refuse_merged(self) -> None:
        """Cells merged over records, where the contract does not say that they are filled."""
        if not self.merged or self._fills:
            return
        names = sorted(
            {_cells_name(merge, self.sheet.left) for merge in self.merged},
            key=lambda name: (len(name), name),
        )
        shown = ", ".join(names[:MERGES_SHOWN])
        said = f"{len(names)} groups of cells are merged in the table, first {shown}"
        raise Fault(
            "none",
            "merged_cells",
            said,
            "have the department undo the merging, every cell in its own row, or say `merged: fill`"
            " in the contract's servers",
        )


def _shape(cell: Cell) -> str | None:
    """A cell as the text by whose shape it is told whether it is a number of a person
    or a record.
    """
    if isinstance(cell, str):
        return cell
    is_long = isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) >= LONG
    return "999999" if is_long else None


def _kept(chunk: Chunk, keep: list[bool]) -> Chunk:
    moved = {place: at for at, place in enumerate(compress(range(chunk.count), keep))}
    columns = [list(compress(column, keep)) for column in chunk.columns]
    short = [moved[place] for place in chunk.short if place in moved]
    extra = [moved[place] for place in chunk.extra if place in moved]
    return Chunk(chunk.first, len(moved), columns, None, short, extra)


def _by_row(numbers: dict[str, list[int]]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for name, places in numbers.items():
        for place in places:
            found.setdefault(place, []).append(name)
    return found


def _same(text: str | None, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, pa.string()), count)


def _lists(by_place: dict[int, list[str]], count: int) -> pa.Array:
    """A list for each row, empty where nothing was seen."""
    if not by_place:
        return pa.ListArray.from_arrays(
            pa.array([0] * (count + 1), pa.int32()), pa.array([], pa.string())
        )
    return pa.array([by_place.get(place, []) for place in range(count)], TEXTS)


def _cells_name(merge: Merge, before: int) -> str:
    first, left, last, right = merge
    return f"{_letters(before + left)}{first}:{_letters(before + right)}{last}"


def _letters(column: int) -> str:
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(65 + letter) + letters
    return letters


def note_rows(table: Table) -> pa.Table:
    """The notes of a table as rows of `notes.parquet`, in the order of the file."""
    lines = pa.array([line for found in table.notes.values() for line in found], pa.int64())
    kinds = pa.array([kind for kind, found in table.notes.items() for _ in found], pa.string())
    where = [_same(text, len(lines)) for text in (table.place.file, table.place.sheet)]
    return pa.Table.from_arrays([*where, lines, kinds], schema=NOTES).sort_by("_line")
