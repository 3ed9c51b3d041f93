"""What calamine does not tell of an XLSX workbook:
error cells, formulas that were never computed, the date system.

Belongs here: a scan of the workbook's XML in a stream. Not here: values (`workbook`).
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from resources.reader.table import Damage

PIECE = 1 << 20
WORKBOOK = "xl/workbook.xml"


def is_1904(path: Path) -> bool:
    """Whether the workbook's days are counted from 1904."""
    properties = _book(path).find("{*}workbookPr")
    return properties is not None and properties.get("date1904", "0") in ("1", "true")


def damage(path: Path, sheet: str) -> Damage:
    """The error cells (`#N/A`) of the sheet of that name, and its formulas without a cached value.

    A formula of type `str` without a value is the empty text (`=""`), and no damage. Where the
    writer left out the cells' places, or the sheet's own place, nothing is known.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open(_member(archive, sheet)) as stream:
            return _scan(stream)
    except (KeyError, ValueError, StopIteration, ElementTree.ParseError):
        return Damage(is_known=False)


def _book(path: Path) -> ElementTree.Element:
    with zipfile.ZipFile(path) as archive:
        return ElementTree.fromstring(archive.read(WORKBOOK))


def _member(archive: zipfile.ZipFile, sheet: str) -> str:
    """The archive's member that holds the sheet."""
    book = ElementTree.fromstring(archive.read(WORKBOOK))
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for entry in book.iterfind("{*}sheets/{*}sheet"):
        if entry.get("name") == sheet:
            link = next(value for name, value in entry.attrib.items() if name.endswith("}id"))
            return posixpath.normpath(posixpath.join("/xl", targets[link])).lstrip("/")
    raise KeyError("sheet")


def _scan(stream: IO[bytes]) -> Damage:
    errors: list[tuple[int, int]] = []
    formulas: list[tuple[int, int]] = []
    patterns: _Patterns | None = None
    rest = b""
    while piece := stream.read(PIECE):
        text = rest + piece
        patterns = patterns or _Patterns(text)
        cut = text.rfind(patterns.begin)
        text, rest = (text[:cut], text[cut:]) if cut > 0 else (b"", text)
        patterns.find(text, errors, formulas)
    if patterns is not None:
        patterns.find(rest, errors, formulas)
    return Damage(errors, formulas)


class _Patterns:
    """Cells of one sheet: a writer may give every tag a prefix (`<x:c …>`)."""

    def __init__(self, head: bytes) -> None:
        found = re.search(rb"<(\w+:)?worksheet\b", head)
        prefix = (found and found[1]) or b""
        self.begin = b"<" + prefix + b"c "
        self._formula = b"<" + prefix + b"f"
        p = re.escape(prefix)
        self._error_cell = re.compile(rb"<%bc\b([^>]*?\st=[\"']e[\"'][^>]*)>" % p)
        self._formula_cell = re.compile(
            rb"<%bc\b([^>]*[^/>])>\s*<%bf\b(?:[^>]*/>|[^>]*>[^<]*</%bf>)\s*"
            rb"(?:<%bv[^>/]*>([^<]*)</%bv>)?" % (p, p, p, p, p)
        )

    def find(
        self, text: bytes, errors: list[tuple[int, int]], formulas: list[tuple[int, int]]
    ) -> None:
        if b't="e"' in text or b"t='e'" in text:
            errors += [_place(match[1]) for match in self._error_cell.finditer(text)]
        if self._formula in text:
            for match in self._formula_cell.finditer(text):
                is_text = re.search(rb"\st=[\"']str[\"']", match[1]) is not None
                if not match[2] and not is_text:
                    formulas.append(_place(match[1]))


def _place(attributes: bytes) -> tuple[int, int]:
    """Line and column (from 0) of a cell; raises `ValueError` where the writer left
    its place out.
    """
    found = re.search(rb"\br=[\"']([A-Z]+)([0-9]+)[\"']", attributes)
    if found is None:
        raise ValueError("a cell without its place")
    column = 0
    for letter in found[1]:
        column = column * 26 + letter - 64
    return int(found[2]), column - 1
