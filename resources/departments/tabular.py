"""A delivery of files as `delivered.parquet`:
every cell as text under its physical name, and where it stood.

Belongs here: files, archives and sheets put together to one table, what is said of them. Not here:
names and checksums of files (`files`), one table's rows (`records`), types and rules
(`expectations`).
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from expectations.contract import Contract, Source
from resources.departments.errors import Fault
from resources.departments.header import rows_to_look_at
from resources.departments.names import part_of, shown
from resources.departments.opened import Child, Limits, OpenedFile
from resources.departments.records import Origin, Table, note_rows
from resources.departments.sheets import Part, choose, named_sheets, overlap
from resources.reader.table import Damage
from resources.settings import Settings

Format = Literal["csv", "xlsx", "xls", "xlsb", "ods", "html"]
SPREADSHEETS = ("xlsx", "xls", "xlsb", "ods")
DELIVERED, NOTED = "delivered.parquet", "notes.parquet"


@dataclass
class Tabular:
    """What a delivery turned out to hold."""

    format: Format
    encoding: str | None
    columns: list[str]
    """Physical names as delivered, the contract's as the contract writes them."""
    row_count: int
    notes: list[str]
    """What an operator has to read."""
    unread: list[str] = field(default_factory=list)
    """Sheets and files that hold a table and were not read."""
    note_lines: dict[str, int] = field(default_factory=dict)
    """Lines that are no records, by kind."""
    parts: list[str] = field(default_factory=list)
    """What was read: each file's part, or the sheets' names where one file has several."""
    keys_twice: int = 0
    """Keys that stand in more than one file of the delivery."""
    twice_in: list[str] = field(default_factory=list)
    """The files that have such keys."""
    absent_in: dict[str, int] = field(default_factory=dict)
    """Rows of the sheets and files that lack an optional column which others have, by column."""


def read_delivery(
    contract: Contract,
    files: Sequence[Path],
    target_folder: Path,
    settings: Settings,
    password: str | None = None,
) -> Tabular:
    """Reads the files of one delivery, in the order of their names, in a child process with limits.

    Writes `delivered.parquet` (`_row` 1-based in the order of the files and their rows, `_file`,
    `_part`, `_sheet`, `_line`, `_marks`, `_numbers`, then a text column for each column that was
    delivered) and `notes.parquet` into the folder. Raises `Fault` for a delivery that cannot be
    used.
    """
    work = Path(tempfile.mkdtemp(prefix=".reading-", dir=target_folder))
    try:
        with Child(Limits(settings.reader_memory)) as child:
            delivery = _Delivery(contract, child, work, is_several=len(files) > 1)
            for file in sorted(files, key=lambda path: path.name):
                delivery.read(file, password)
        return delivery.finish(target_folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


class _Delivery:
    """Tables as they are read, each into a Parquet of its own:
    columns may differ from part to part.
    """

    def __init__(self, contract: Contract, child: Child, work: Path, is_several: bool) -> None:
        self._contract = contract
        self._child = child
        self._work = work
        self._is_several = is_several
        self._tables: list[Table] = []
        self._opened: list[OpenedFile] = []
        self._notes: list[str] = []
        self._unread: list[str] = []
        self._keys_of_files: dict[str, list[pa.Array]] = {}
        self._first_fault: Fault | None = None

    def read(self, file: Path, password: str | None) -> None:
        contract = self._contract
        opened_files = self._child.open(
            file,
            top=rows_to_look_at(contract),
            encoding=str(contract.server.get("encoding") or ""),
            delimiter=contract.server.get("delimiter"),
            password=password,
            work=str(self._work),
            members=bool(contract.server.get("parts")),
        )
        for opened in opened_files:
            name = shown(opened.member or file.name)
            is_alone = not (self._is_several or opened.member)
            try:
                parts, unread = choose(contract, opened, is_alone)
            except Fault as fault:
                if is_alone:
                    raise
                # one file of several is no part: it is named
                self._first_fault = self._first_fault or fault
                self._unread.append(f"{name}: {fault.said}, and was not read")
                continue
            self._unread += [f"{name}: {said}" for said in unread]
            self._opened.append(opened)
            self._read_parts(name, opened, parts)

    def _read_parts(self, name: str, opened: OpenedFile, parts: Sequence[Part]) -> None:
        keys: dict[str, pa.Array] = {}
        is_one_of_several = self._is_several or opened.member is not None
        for part in parts:
            table = self._table(name, opened, part)
            if len(parts) > 1 and not named_sheets(self._contract):
                keys[part.name or ""] = self._keys(table, "sheet")
            if is_one_of_several:
                self._keys_of_files.setdefault(name, []).append(self._keys(table, "file"))
        if len(parts) > 1:
            self._notes.append(
                f"{name}: read from {len(parts)} sheets,"
                f" {', '.join(shown(part.name or '') for part in parts)}"
            )
        twice = _in_several(list(keys.values()))
        if len(twice):
            raise overlap(self._contract, list(keys), len(twice))

    def _table(self, name: str, opened: OpenedFile, part: Part) -> Table:
        """Reads one table into the next Parquet."""
        damage = self._child.damage(part.place) if opened.format in SPREADSHEETS else Damage()
        if not damage.is_known:
            self._notes.append(
                f"{name}: whether cells hold errors cannot be seen in a workbook of the form"
                f" {opened.format}"
            )
        place = Origin(name, part_of(self._contract, name), part.name)
        table = Table(
            self._contract,
            place,
            part.sheet,
            part.header,
            damage,
            opened.is_1904,
            opened.format in SPREADSHEETS,
        )
        before = sum(read.count for read in self._tables)
        with pq.ParquetWriter(
            self._path(len(self._tables)), table.schema(), compression="zstd"
        ) as writer:
            for chunk in self._child.rows(part.place, table.after, table.width):
                if isinstance(chunk, list):
                    self._notes += [
                        f"{name}: line {line}, byte {offset}: no character of {opened.encoding}"
                        for line, offset in chunk[:3]
                    ]
                else:
                    writer.write_table(table.read(chunk, before + table.count))
        table.refuse()
        self._notes += [
            f"{count} number cells in {column}, where digits may be lost: have the department keep"
            " it as text"
            for column, count in table.lost.items()
        ]
        if table.short:
            self._notes.append(f"{name}: {table.short} rows have fewer cells than the header")
        self._tables.append(table)
        return table

    def _keys(self, table: Table, apart: Source) -> pa.Array:
        """The keys of the table that was read last.

        None where the names of sheets or files (`apart`) are a part of the key.
        """
        fields = self._contract.key_fields
        delivered = [f.physical_name for f in fields if f.is_delivered]
        names = [name for name in delivered if name in table.header.found]
        if not names or any(f.source == apart for f in fields):
            return pa.array([], pa.string())
        read = pq.read_table(self._path(len(self._tables) - 1), columns=names).combine_chunks()
        texts = [pc.utf8_trim_whitespace(read.column(name)) for name in names]
        keys = texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, "|")
        return pc.unique(pc.drop_null(keys).combine_chunks())

    def finish(self, target_folder: Path) -> Tabular:
        if not self._tables:
            assert self._first_fault is not None
            raise self._first_fault
        self._write(target_folder / DELIVERED)
        notes = pa.concat_tables([note_rows(table) for table in self._tables])
        pq.write_table(notes, target_folder / NOTED, compression="zstd")
        absent_in = self._absent_in()
        filled = {name for table in self._tables for name in table.filled}
        first = self._opened[0]
        sheets = [table.place.sheet for table in self._tables]
        files = self._files()
        twice = _in_several(list(files.values()))
        is_by_sheet = len({table.place.file for table in self._tables}) == 1 and len(sheets) > 1
        return Tabular(
            format=first.format,  # type: ignore[arg-type]
            encoding=first.encoding,
            columns=[
                name for name in self._names() if not name.startswith("column_") or name in filled
            ],
            row_count=sum(table.count for table in self._tables),
            notes=list(dict.fromkeys(self._notes)),
            unread=self._unread,
            note_lines=self._note_lines(),
            parts=[
                (table.place.sheet or "") if is_by_sheet else table.place.part
                for table in self._tables
            ],
            keys_twice=len(twice),
            twice_in=[
                name for name, keys in files.items() if pc.any(pc.is_in(keys, twice)).as_py()
            ],
            absent_in=absent_in,
        )

    def _absent_in(self) -> dict[str, int]:
        """Rows without an optional column that other parts have, by column; each part is noted."""
        rows: Counter[str] = Counter()
        found = {name for table in self._tables for name in table.header.found}
        for table in self._tables:
            lacks = [
                f.physical_name
                for f in self._contract.delivered
                if f.physical_name in found - table.header.found
            ]
            rows.update(dict.fromkeys(lacks, table.count))
            if lacks and table.count:
                sheet = f", sheet {shown(table.place.sheet.strip())}" if table.place.sheet else ""
                self._notes.append(
                    f"{table.place.file}{sheet}: has no column {', '.join(lacks)}, which other"
                    f" parts have: empty in its {table.count} rows"
                )
        return {name: count for name, count in rows.items() if count}

    def _files(self) -> dict[str, pa.Array]:
        """The keys of each file of several."""
        found = self._keys_of_files.items()
        return {name: pc.unique(pa.concat_arrays(keys)) for name, keys in found}

    def _note_lines(self) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for table in self._tables:
            counts.update({kind: len(lines) for kind, lines in table.notes.items()})
        return dict(sorted(counts.items()))

    def _names(self) -> list[str]:
        """The columns of all tables, in the order of the first that has them."""
        return list(dict.fromkeys(name for table in self._tables for name in table.names))

    def _write(self, target: Path) -> None:
        """One Parquet of the tables' Parquets."""
        paths = [self._path(number) for number in range(len(self._tables))]
        if len(paths) == 1:
            paths[0].rename(target)
            return
        schema = pa.schema(
            [*self._tables[0].schema()][:7] + [(name, pa.string()) for name in self._names()]
        )
        with pq.ParquetWriter(target, schema, compression="zstd") as writer:
            for path in paths:
                for batch in _batches(path):
                    writer.write_table(_widened(batch, schema))

    def _path(self, number: int) -> Path:
        return self._work / f"table-{number}.parquet"


def _batches(path: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group)


def _widened(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        table.column(name) if name in table.column_names else pa.nulls(table.num_rows, pa.string())
        for name in schema.names
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _in_several(keys: Sequence[pa.Array]) -> pa.Array:
    """The keys that stand in more than one of them."""
    if len(keys) < 2:
        return pa.array([], pa.string())
    every = pc.value_counts(pa.concat_arrays(keys))
    return every.field("values").filter(pc.greater(every.field("counts"), 1))
