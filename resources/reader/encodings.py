"""In which encoding a text stands, and a stream of it in which illegal bytes are marked
and counted.

Belongs here: bytes to characters. Not here: cells (`delimited`, `html_table`).
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable
from pathlib import Path

from resources.reader.unreadable import Unreadable

PIECE = 1 << 20
LINES_LOOKED_AT = 20_000
"""Lines of which each is asked alone, once a piece is no UTF-8."""
ILLEGAL = "\uffff"
"""Stands for bytes that are no character: no text has it, so that the cell it falls into is known.
"""
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NAMES = {
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-8-sig": "utf-8",
}


def encoding_of(path: Path, stated: str) -> str:
    """The text's encoding: the stated one, else the one that fits.
    Raises `Unreadable` for a text in neither.

    GB18030 reads almost any bytes as something, so that a text in UTF-8 has to be seen first.
    Single illegal bytes do not matter here: the lines that fit have to be more than those that do
    not.
    """
    named = stated.lower().replace("_", "-")
    if named and named not in _NAMES and named != "utf-16":
        raise Unreadable(
            "wrong_encoding",
            f"the contract names the encoding {named!r}",
            "write gb18030 or utf-8 in the contract's servers",
        )
    wanted = _NAMES.get(named, named)
    found = _seen(path)
    if found is None or (wanted and found not in (wanted, "ascii")):
        raise _wrong(wanted, found)
    return wanted or ("utf-8" if found == "ascii" else found)


def _wrong(wanted: str, found: str | None) -> Unreadable:
    seen = found if found in ("utf-8", "utf-16", "gb18030") else "something else"
    said = (
        f"the file is not in {wanted}, as its contract says, but in {seen}"
        if wanted
        else "the file is neither in utf-8 nor in gb18030"
    )
    step = (
        "have the department send it in the agreed encoding, or change `encoding` in the contract"
    )
    return Unreadable("wrong_encoding", said, step)


def _seen(path: Path) -> str | None:
    """utf-8, gb18030, utf-16, ascii, or None: which of them the bytes are."""
    fits = {"utf-8": 0, "gb18030": 0}
    fails = {"utf-8": 0, "gb18030": 0}
    asked, first = 0, b""
    with path.open("rb") as file:
        if file.read(2) in _UTF16:
            return "utf-16"
        file.seek(0)
        while piece := file.read(PIECE):
            piece += file.readline(PIECE)
            if piece.isascii():
                continue
            first = first or next(line for line in piece.splitlines() if not line.isascii())
            if _is(piece, "utf-8"):
                fits["utf-8"] += piece.count(b"\n") + 1
                fails["gb18030"] += 1
                continue
            for line in piece.splitlines():
                if not line.isascii():
                    asked += 1
                    for encoding in fits:
                        (fits if _is(line, encoding) else fails)[encoding] += 1
            if asked > LINES_LOOKED_AT:
                break
    if not any((*fits.values(), *fails.values())):
        return "ascii"
    if not fails["gb18030"] and not _is(first, "utf-8"):
        # words of GB18030 may all be UTF-8 by chance (某, 联), a whole header hardly
        return "gb18030"
    # a line of GB18030 is hardly ever UTF-8, one of UTF-8 often GB18030
    return next(
        (encoding for encoding in ("utf-8", "gb18030") if fits[encoding] > fails[encoding]), None
    )


def _is(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def ends_with_line(path: Path, encoding: str) -> bool:
    """Whether the text's last line has an end."""
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - 4, 0))
        end = file.read()
    return (
        end.rstrip(b"\0").endswith((b"\n", b"\r"))
        if encoding == "utf-16"
        else end.endswith((b"\n", b"\r"))
    )


class _Counted(io.BufferedReader):
    """A file that knows how many bytes were taken from it."""

    taken = 0

    def read1(self, size: int = -1, /) -> bytes:
        piece = super().read1(size)
        self.taken += len(piece)
        return piece


def open_text(path: Path, encoding: str, on_illegal: Callable[[int], None]) -> io.TextIOWrapper:
    """The text as a stream of lines with their ends;
    `on_illegal` is told the offset of bytes that are no character.
    """
    file = _Counted(io.FileIO(path), PIECE)
    if file.peek(3).startswith(codecs.BOM_UTF8) and encoding == "utf-8":
        file.taken += len(file.read(3))

    def mark(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        on_illegal(file.taken - len(error.object) + error.start)
        return ILLEGAL, error.end

    name = f"yihu_{id(file)}"
    codecs.register_error(name, mark)
    return io.TextIOWrapper(file, encoding=encoding, errors=name, newline="")
