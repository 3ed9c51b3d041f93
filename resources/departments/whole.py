"""Whether a file in the drop folder is all there.

Belongs here: its checksum, how long it stood still, how each form ends. Not here: which files there
are (`dropped`), what is in them (`tabular`).
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

PIECE = 1 << 20
LARGEST = 16 << 30
"""Bytes of a file beyond which it is not even read through: a sparse one would keep the night busy.
"""
_DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_TAIL = 1 << 16
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_FREE = 0xFFFFFFFF
_SPECIAL = 0xFFFFFFFA
"""Sector numbers from here on are marks."""


@dataclass(frozen=True)
class Verdict:
    """`lack` says what is missing, None for a whole file; `is_unchecked`:
    whole as far as a text without checksum shows it.
    """

    lack: str | None
    is_unchecked: bool = False


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A plain file to read; never one behind a symbolic link, never a pipe that nobody writes."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError("no plain file")
        yield file


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with opened(path) as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def stated_sha256(path: Path) -> str | None:
    """The SHA-256 that lies beside a file, None where there is none (yet),
    empty where what lies there holds none.
    """
    for beside in (path.with_name(f"{path.name}.sha256"), path.with_suffix(".sha256")):
        if not beside.is_file() or beside.is_symlink():
            continue
        # whatever the tool that made it writes around the digest: a name, a star, a mark of its
        # encoding
        with opened(beside) as file:
            found = _DIGEST.search(file.read(_TAIL).replace(b"\0", b"").lower())
        return found[0].decode("ascii") if found else ""
    return None


def judged(
    path: Path, sha256: str, needs_checksum: bool, settle: float, clock: float | None = None
) -> Verdict:
    """Whether the file with that digest is whole. Raises `OSError`."""
    stated = stated_sha256(path)
    if stated is not None:
        return Verdict(None if stated == sha256 else "its .sha256 is of another content")
    if needs_checksum:
        return Verdict("no .sha256 beside it yet")
    age = (time.time() if clock is None else clock) - path.lstat().st_mtime
    if age < settle:
        return Verdict(_unsettled(age, settle))
    with opened(path) as file:
        return ending(file)


def _unsettled(age: float, settle: float) -> str:
    if age < -settle:
        return "no .sha256 beside it, and its time lies in the future"
    return f"no .sha256 beside it, and written less than {settle:.0f} s ago"


def ending(file: BinaryIO) -> Verdict:
    """Whether a file that stands still ends as its form has to end."""
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return Verdict("nothing in it yet")
    file.seek(0)
    head = file.read(4096)
    file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    if head.startswith(b"PK"):
        return Verdict(_zip_lack(file, size, tail))
    if head.startswith(_OLE):
        return Verdict(_sectors_lack(file, size))
    # tags and line ends are single bytes in every encoding that comes; of UTF-16 the zeros are
    # taken out
    plain, last = _plain(head), _plain(tail)
    if plain.lstrip().startswith(b"<"):
        return Verdict(_markup_lack(plain, last), True)
    return Verdict(None if last.endswith((b"\n", b"\r")) else "its last line has no end", True)


def _plain(text: bytes) -> bytes:
    return text.replace(b"\0", b"").removeprefix(b"\xef\xbb\xbf").lstrip(b"\xff\xfe")


def _zip_lack(file: BinaryIO, size: int, tail: bytes) -> str | None:
    """A zip (a workbook too) is whole when its directory at the end fits its length;
    the directory itself is not read here.
    """
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(tail):
        return "its archive has no end"
    length, begin = struct.unpack_from("<II", tail, at + 12)
    position = size - len(tail) + at
    if _FREE in (length, begin):
        return None  # zip64: its own record stands before this one
    if begin + length > position:
        return "its archive is cut"
    file.seek(position - length)
    return None if length == 0 or file.read(4) == b"PK\x01\x02" else "its archive is damaged"


def _sectors_lack(file: BinaryIO, size: int) -> str | None:
    """An `xls` or `et` (and a workbook under a password) is as long as the last sector
    that its own table says is in use.
    """
    file.seek(0)
    head = file.read(512)
    if len(head) < 512:
        return "its head is cut"
    shift = struct.unpack_from("<H", head, 30)[0]
    if shift not in (9, 12):
        return "its head is damaged"
    sector = 1 << shift
    tables, chained, more = (
        struct.unpack_from("<I", head, 44)[0],
        *struct.unpack_from("<II", head, 68),
    )
    places = [n for n in struct.unpack_from("<109I", head, 76) if n < _SPECIAL]
    most = size // sector + 1
    while chained < _SPECIAL and more and len(places) < min(tables, most):
        file.seek((chained + 1) * sector)
        numbers = file.read(sector)
        if len(numbers) < sector:
            return "it is shorter than its sector table says"
        *listed, chained = struct.unpack(f"<{sector // 4}I", numbers)
        places += [n for n in listed if n < _SPECIAL]
        more -= 1
    last = -1
    for number, place in enumerate(places[:tables]):
        file.seek((place + 1) * sector)
        entries = file.read(sector)
        if len(entries) < sector:
            return "it is shorter than its sector table says"
        used = len(entries.rstrip(b"\xff")) + 3 >> 2
        last = max(last, number * (sector // 4) + used - 1 if used else -1)
    return None if size >= (last + 2) * sector else "it is shorter than its sector table says"


def _markup_lack(head: bytes, tail: bytes) -> str | None:
    end = tail.lower().rstrip()
    while end.endswith(b"-->") and (at := end.rfind(b"<!--")) >= 0:
        end = end[:at].rstrip()
    root = re.search(rb"<((?:[a-z]+:)?workbook|html)[\s>]", head.lower())
    names = re.escape(root[1]) if root else b"table|body|div|center|form|font|html"
    closed = re.search(rb"</(?:%b)\s*>$" % names, end[-64:])
    return None if closed else "it does not end with its closing tag"
