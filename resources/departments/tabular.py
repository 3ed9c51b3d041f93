"""CSV and XLSX files as `delivered.parquet`: every cell as text under its physical name, `_row` in front.

Belongs here: encodings, sheets, header rows, damage that makes a whole file unreadable. Not here: types and rules (`expectations`).
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from expectations.contract import Contract
from resources.departments.errors import Fault
from resources.departments.workbook import Sheet, as_text, open_sheets

ROWS_AT_ONCE = 50_000
LOOKED_AT = 20
"""Rows at the top of a table among which a header is looked for."""
LARGEST_MEMBER = 4 << 30


@dataclass(frozen=True)
class Tabular:
    """What a file turned out to hold."""

    format: Literal["csv", "xlsx"]
    encoding: str | None
    columns: list[str]
    row_count: int
    notes: list[str]


def to_parquet(contract: Contract, file: Path, target: Path) -> Tabular:
    """Writes the rows of a `.csv`, `.xlsx`, or a `.zip` that holds one of them. Raises `Fault` for a file that cannot be used."""
    if file.suffix.lower() == ".zip":
        name, content = _only_member(file)
    else:
        name, content = file.name, file.read_bytes()
    if name.lower().endswith(".xlsx"):
        return _from_workbook(contract, content, target)
    return _from_csv(contract, content, target)


def _only_member(file: Path) -> tuple[str, bytes]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = [m for m in archive.infolist() if m.filename.lower().endswith((".csv", ".xlsx")) and "__MACOSX" not in m.filename]
            if len(members) != 1:
                raise _unusable(
                    "zip", f"the archive holds {len(members)} tables instead of one", "have the department pack one CSV or XLSX"
                )
            if members[0].file_size > LARGEST_MEMBER:
                raise _unusable("zip", "the archive's table is larger than 4 GiB", "have the department split it")
            return members[0].filename, archive.read(members[0])
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError, ValueError):
        raise _unusable("zip", "the archive is damaged or encrypted", "have the department pack it again, without a password") from None


# CSV


def _from_csv(contract: Contract, content: bytes, target: Path) -> Tabular:
    text, encoding = _decoded(content, contract.server.get("encoding"))
    delimiter = str(contract.server.get("delimiter", ","))
    try:
        names, begins = _csv_header(contract, text, delimiter)
        table = _csv_rows(text[begins:], names, delimiter)
    except (csv.Error, pa.ArrowInvalid):
        # their texts quote the line
        raise _unusable("damaged_file", "the CSV is damaged (quotes?)", "have the department write it anew") from None
    columns, count = _write(names, [table.columns], target)
    return Tabular("csv", encoding, columns, count, [])


def _csv_header(contract: Contract, text: str, delimiter: str) -> tuple[list[str], int]:
    """The columns' names, and where the rows begin."""
    source = io.StringIO(text, newline="")
    top, ends = [], []
    for row in csv.reader(source, delimiter=delimiter):
        top.append(row)
        ends.append(source.tell())
        if len(top) >= max(LOOKED_AT, _header_row(contract) or 0):
            break
    at = _find_header(contract, top)
    return _names(top[at]), ends[at]


def _csv_rows(text: str, names: list[str], delimiter: str) -> pa.Table:
    if not text.strip():
        return pa.table({name: pa.array([], pa.string()) for name in names})
    ragged: list[int] = []

    def note(row: pacsv.InvalidRow) -> str:
        ragged.append(row.actual_columns)
        return "skip"

    table = pacsv.read_csv(
        pa.BufferReader(text.encode("utf-8")),
        read_options=pacsv.ReadOptions(column_names=names, use_threads=False),
        parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note),
        convert_options=pacsv.ConvertOptions(
            column_types={name: pa.string() for name in names}, strings_can_be_null=True, null_values=[""], quoted_strings_can_be_null=True
        ),
    )
    if ragged:
        said = f"{len(ragged)} rows have more or fewer cells than the header's {len(names)}"
        raise _unusable("ragged_rows", said, "have the department quote cells that hold a comma or a line break, and send the file anew")
    return table


def _decoded(content: bytes, stated: object) -> tuple[str, str]:
    """Text and encoding. GB18030 reads almost any bytes as something, so that a text in UTF-8 has to be seen first."""
    as_utf8 = _try(content, "utf-8-sig")
    is_plain = content.isascii()
    match str(stated or "").lower().replace("_", "-"):
        case "":
            found = (as_utf8, "utf-8") if as_utf8 is not None else (_try(content, "gb18030"), "gb18030")
        case "gb18030" | "gbk" | "gb2312":
            other = as_utf8 is not None and not is_plain
            found = (None if other else _try(content, "gb18030"), "gb18030")
        case "utf-8" | "utf8" | "utf-8-sig":
            found = (as_utf8, "utf-8")
        case named:
            raise _unusable(
                "wrong_encoding", f"the contract names the encoding {named!r}", "write gb18030 or utf-8 in the contract's servers"
            )
    text, name = found
    if text is None or "\0" in text:
        seen = "utf-8" if as_utf8 is not None and not is_plain and "\0" not in as_utf8 else "something else"
        said = (
            f"the file is not in {name}, as its contract says, but in {seen}" if stated else "the file is neither in utf-8 nor in gb18030"
        )
        raise _unusable("wrong_encoding", said, "have the department send it in the agreed encoding, or change `encoding` in the contract")
    return text, name


def _try(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding).removeprefix("\ufeff")  # GB18030 has a mark of its own
    except UnicodeDecodeError:
        return None


# XLSX


def _from_workbook(contract: Contract, content: bytes, target: Path) -> Tabular:
    sheet, at = _sheet(contract, open_sheets(content))
    names = _names([cell if isinstance(cell, str) else str(cell) for cell in sheet.top(at + 1)[at]])
    merged = sheet.merged_from(at)
    if merged:
        said = f"{len(merged)} groups of cells are merged in the table, first {merged[0]}"
        raise _unusable("merged_cells", said, "have the department undo the merging, every cell in its own row, and send the file anew")
    identities = {field.physical_name for field in contract.fields if field.is_identity}
    numbers: dict[str, int] = {}

    def chunks() -> Iterator[list[pa.Array]]:
        for rows in sheet.rows_after(at, ROWS_AT_ONCE):
            columns = zip(*rows, strict=False)
            yield [_texts(name, column, name in identities, numbers) for name, column in zip(names, columns, strict=False)]

    columns, count = _write(names, chunks(), target)
    notes = [f"{n} number cells in {name}, where digits may be lost: have the department keep it as text" for name, n in numbers.items()]
    return Tabular("xlsx", None, columns, count, notes)


def _sheet(contract: Contract, sheets: list[Sheet]) -> tuple[Sheet, int]:
    """The sheet that holds the table, and the index of its header row."""
    wanted = contract.server.get("sheet")
    fit = [s for s in sheets if wanted is None or s.name == wanted]
    if not fit or all(sheet.is_empty for sheet in fit):
        said = f"the workbook has no sheet {wanted!r}" if wanted else "the workbook has no sheet with anything in it"
        raise _unusable("missing_sheet", said, "have the department send the workbook with its table")
    first: Fault | None = None
    for sheet in fit:
        try:
            top = [[str(cell) for cell in row] for row in sheet.top(max(LOOKED_AT, _header_row(contract) or 0))]
            return sheet, _find_header(contract, top)
        except Fault as fault:
            first = first or fault
    assert first is not None
    raise first


def _texts(name: str, column: Sequence[object], is_identity: bool, numbers: dict[str, int]) -> pa.Array:
    if set(map(type, column)) == {str}:
        return pa.array([cell or None for cell in column], pa.string())
    if is_identity:
        count = sum(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in column)
        if count:
            numbers[name] = numbers.get(name, 0) + count
    return pa.array([as_text(cell, is_identity) for cell in column], pa.string())


# both


def _header_row(contract: Contract) -> int | None:
    stated = contract.server.get("headerRow")
    return int(stated) if stated is not None else None


def _find_header(contract: Contract, top: Sequence[Sequence[str]]) -> int:
    """The index of the header: the row that the contract states, else the first that holds most of its columns."""
    physical = {field.physical_name for field in contract.fields}
    scores = [len(physical & {cell.strip() for cell in row}) for row in top]
    enough = max(1, len(physical) // 3)
    best = scores.index(max(scores)) if scores and max(scores) >= enough else None
    stated = _header_row(contract)
    next_step = "have the department keep the agreed layout, or change `headerRow` or the columns in the contract"
    if stated is None:
        if best is None:
            raise _unusable("changed_header", f"none of the first {len(top)} rows is a header with the contract's columns", next_step)
        return best
    at = stated - 1
    if at >= len(scores) or scores[at] < enough:
        where = f"; it stands on row {best + 1}" if best is not None else ""
        raise _unusable("changed_header", f"row {stated} is no header with the contract's columns{where}", next_step)
    return at


def _names(header: Sequence[str]) -> list[str]:
    """The columns' names; a blank one is called after its place."""
    names = [cell.strip() or f"column_{place}" for place, cell in enumerate(header, 1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _unusable(
            "changed_header", f"the header names {', '.join(twice)} twice", "have the department give every column its own name"
        )
    return names


def _write(names: list[str], chunks: Iterable[Sequence[pa.Array | pa.ChunkedArray]], target: Path) -> tuple[list[str], int]:
    """Writes the chunks; rows without anything in them are no rows, and blank columns without a name are no columns."""
    schema = pa.schema([("_row", pa.int64()), *((name, pa.string()) for name in names)])
    count = 0
    filled: set[str] = set()
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for arrays in chunks:
            table = pa.Table.from_arrays(list(arrays), names=names)
            table = table.filter(_anything(table))
            filled |= {name for name in names if table.column(name).null_count < table.num_rows}
            numbers = pa.array(range(count + 1, count + 1 + table.num_rows), pa.int64())
            count += table.num_rows
            writer.write_table(table.add_column(0, "_row", numbers))
    columns = [name for place, name in enumerate(names, 1) if name != f"column_{place}" or name in filled]
    return columns, count


def _anything(table: pa.Table) -> pa.ChunkedArray:
    """Which rows have a cell that is not null."""
    found = pc.is_valid(table.column(0))
    for column in table.columns[1:]:
        found = pc.or_(found, pc.is_valid(column))
    return found


def _unusable(reason: str, said: str, next_step: str) -> Fault:
    return Fault("none", reason, said, next_step)
