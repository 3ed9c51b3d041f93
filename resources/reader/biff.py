"""What calamine does not tell of an XLS (or ET) workbook: error cells and the date system.

Belongs here: records of a BIFF8 stream. Not here: values (`workbook`). A number of a formula of
this form is always there, computed or not; a text may not be.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import olefile

from resources.reader.table import Damage

BOUNDSHEET, BOOLERR, FORMULA, DATEMODE, EOF, FILEPASS = 0x85, 0x205, 0x06, 0x22, 0x0A, 0x2F
STRING, BETWEEN = 0x207, (0x4BC, 0x221, 0x236)
"""The text of a formula, and what may stand between the two (shared formulas, arrays, tables)."""
IS_TEXT, IS_ERROR = 0, 2
_RECORD = struct.Struct("<HH")
_ERROR = re.compile(rb"\x05\x02\x08\x00.{7}\x01|\x06\x00.{8}[\x00\x02].{5}\xff\xff", re.DOTALL)
"""What an error cell looks like: where nothing does, the records need not be walked."""


def is_encrypted(path: Path) -> bool:
    """Whether it is an encrypted workbook, of this form or (as `EncryptedPackage`) of XLSX."""
    with olefile.OleFileIO(str(path)) as ole:
        if ole.exists("EncryptedPackage"):
            return True
    return any(kind == FILEPASS for kind, _, _ in _records(_stream(path), 0))


def is_document(path: Path) -> bool:
    """Whether it is no workbook at all but a text (DOC, WPS)."""
    with olefile.OleFileIO(str(path)) as ole:
        return bool(ole.exists("WordDocument"))


def is_1904(path: Path) -> bool:
    stream = _stream(path)
    return any(
        kind == DATEMODE and stream[at : at + 2] == b"\x01\x00"
        for kind, at, _ in _records(stream, 0)
    )


def damage(path: Path, place: int) -> Damage:
    """The damaged cells of a sheet, by its place among all of the workbook, hidden ones too."""
    stream = _stream(path)
    if _ERROR.search(stream) is None:
        return Damage()
    starts = _sheets(stream)
    if place >= len(starts):
        return Damage(is_known=False)
    errors, formulas = [], []
    waits: tuple[int, int] | None = None
    for kind, at, length in _records(stream, starts[place]):
        if waits is not None and kind not in BETWEEN:
            # a formula says that its value is a text, and the text follows
            if kind != STRING:
                formulas.append(waits)
            waits = None
        if kind not in (BOOLERR, FORMULA) or length < 8:
            continue
        row, column = struct.unpack_from("<HH", stream, at)
        if kind == BOOLERR and stream[at + 7] == 1:
            errors.append((row + 1, column))
        elif kind == FORMULA and stream[at + 12 : at + 14] == b"\xff\xff":
            if stream[at + 6] == IS_ERROR:
                errors.append((row + 1, column))
            elif stream[at + 6] == IS_TEXT:
                waits = (row + 1, column)
    return Damage(errors, formulas)


def _stream(path: Path) -> bytes:
    with olefile.OleFileIO(str(path)) as ole:
        name = "Workbook" if ole.exists("Workbook") else "Book"
        with ole.openstream(name) as stream:
            found: bytes = stream.read()
            return found


def _records(stream: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Kind, place and length of the records of the part that begins at `at`, up to its end."""
    size = len(stream) - 4
    while at <= size:
        kind, length = _RECORD.unpack_from(stream, at)
        yield kind, at + 4, length
        if kind == EOF:
            return
        at += 4 + length


def _sheets(stream: bytes) -> list[int]:
    """Where each sheet begins, in the order of the workbook."""
    places = [at for kind, at, _ in _records(stream, 0) if kind == BOUNDSHEET]
    return [struct.unpack_from("<I", stream, at)[0] for at in places]
