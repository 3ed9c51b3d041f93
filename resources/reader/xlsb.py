"""What calamine does not tell of an XLSB workbook: merged cells, the date system;
and cells that leave out their column.

Belongs here: records of BIFF12 parts. Not here: values (`workbook`).
"""

from __future__ import annotations

import posixpath
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

BOOK = "xl/workbook.bin"
LOOKED_AT = 1 << 16
"""Bytes at the head of a sheet: a writer that leaves out columns does so from the first row on."""

ROW, SHEET, BOOK_PROPERTIES = 0, 156, 153
FULL = frozenset([*range(1, 12), 62])
"""Records of cells, which begin with their column."""
SHORT = {kind: kind - 11 for kind in range(12, 19)}
"""Records of cells that stand behind the one before and do not say where, by what they are else."""
_MERGES, _MERGE, _END = b"\xb1\x01\x04", b"\xb0\x01\x10", b"\xb2\x01\x00"

Merge = tuple[tuple[int, int], tuple[int, int]]


def is_1904(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        book = archive.read(BOOK)
    return any(kind == BOOK_PROPERTIES and bool(book[at] & 1) for kind, _, at, _ in _records(book))


def merged(path: Path, sheet: str) -> list[Merge]:
    """The merged cells of the sheet, each from its first row and column to its last, from 0."""
    with zipfile.ZipFile(path) as archive:
        part = _parts(archive).get(sheet)
        content = archive.read(part) if part else b""
    at = len(content)
    # they stand behind the rows: looked for from the end, and taken where they add up
    while (at := content.rfind(_MERGES, 0, at)) >= 0:
        (count,) = struct.unpack_from("<I", content, at + 3)
        begin, size = at + 7, len(_MERGE) + 16
        end = begin + count * size
        places = range(begin, min(end, len(content)), size)
        if content[end : end + 3] == _END and all(content.startswith(_MERGE, p) for p in places):
            cells = (struct.unpack_from("<4I", content, place + len(_MERGE)) for place in places)
            return [((top, left), (bottom, right)) for top, bottom, left, right in cells]
    return []


def with_columns(path: Path, work: Path) -> Path:
    """The workbook where every cell says its column, else one in `work` that does."""
    with zipfile.ZipFile(path) as archive:
        short = {part for part in _parts(archive).values() if _is_short(archive, part)}
        if not short:
            return path
        target = work / "with_columns.xlsb"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as copy:
            for name in archive.namelist():
                content = archive.read(name)
                copy.writestr(name, _widened(content) if name in short else content)
    return target


def _is_short(archive: zipfile.ZipFile, part: str) -> bool:
    with archive.open(part) as stream:
        return any(kind in SHORT for kind, *_ in _records(stream.read(LOOKED_AT)))


def _widened(content: bytes) -> bytes:
    found, column = bytearray(), -1
    for kind, start, at, end in _records(content):
        if kind in SHORT:
            column += 1
            cell = struct.pack("<I", column) + content[at:end]
            found += bytes([SHORT[kind]]) + _length(len(cell)) + cell
            continue
        if kind == ROW:
            column = -1
        elif kind in FULL:
            (column,) = struct.unpack_from("<I", content, at)
        found += content[start:end]
    return bytes(found)


def _records(content: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Kind of each record, and where it, its content and the next begin; a cut one is left out."""
    at, size = 0, len(content)
    while at < size:
        start, kind, length = at, content[at], 0
        at += 1
        if kind & 0x80 and at < size:
            kind, at = kind & 0x7F | (content[at] & 0x7F) << 7, at + 1
        for place in range(4):
            if at >= size:
                return
            byte, at = content[at], at + 1
            length |= (byte & 0x7F) << 7 * place
            if not byte & 0x80:
                break
        if at + length > size:
            return
        yield kind, start, at, at + length
        at += length


def _length(length: int) -> bytes:
    found = bytearray()
    while length > 0x7F:
        found.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([*found, length])


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """The archive's member of each sheet, by its name."""
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.bin.rels"))
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    book, found, there = archive.read(BOOK), {}, set(archive.namelist())
    for kind, _, at, _ in _records(book):
        if kind == SHEET:
            link, at = _text(book, at + 8)
            name, _ = _text(book, at)
            part = posixpath.normpath(posixpath.join("/xl", targets.get(link, ""))).lstrip("/")
            if "worksheets" in part and part in there:
                found[name] = part
    return found


def _text(content: bytes, at: int) -> tuple[str, int]:
    (count,) = struct.unpack_from("<I", content, at)
    end = at + 4 + 2 * count
    return content[at + 4 : end].decode("utf-16-le"), end
