"""What calamine does not tell of an ODS workbook: merged cells, and whether it is under a password.

Belongs here: `content.xml` in a stream, the manifest. Not here: values (`workbook`).
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any
from xml.parsers import expat

PIECE = 1 << 20
PACKED = zipfile.ZIP_DEFLATED
BETWEEN_PARTS = re.compile(rb">\s+(?=</?(?:office|table|style|number|draw):|<text:p\b)")
"""Blanks that are layout of the file; those within a paragraph, as between two spans, are text."""
CONTENT, MANIFEST = "content.xml", "META-INF/manifest.xml"

Merge = tuple[tuple[int, int], tuple[int, int]]


def is_encrypted(archive: zipfile.ZipFile) -> bool:
    return MANIFEST in archive.namelist() and b"encryption-data" in archive.read(MANIFEST)


def merged(path: Path) -> dict[str, list[Merge]]:
    """The merged cells of each sheet by its name: first row and column, last row and column."""
    cells = _Cells()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = cells.begin, cells.end
    with zipfile.ZipFile(path) as archive, archive.open(CONTENT) as stream:
        while piece := stream.read(PIECE):
            parser.Parse(piece, False)
    parser.Parse(b"", True)
    return cells.merged


def without_breaks(path: Path, work: Path) -> Path:
    """The same workbook in `work` without the blanks that some writers put between its tags.

    Calamine does not expect them.
    """
    target = work / "without_breaks.ods"
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(target, "w", compression=PACKED) as copy:
        for name in archive.namelist():
            content = archive.read(name)
            copy.writestr(name, BETWEEN_PARTS.sub(b">", content) if name == CONTENT else content)
    return target


class _Cells:
    """Counts rows and columns of the table that is open, notes the cells that reach over others."""

    def __init__(self) -> None:
        self.merged: dict[str, list[Merge]] = {}
        self._found: list[Merge] = []
        self._row = self._column = 0
        self._repeated = 1

    def begin(self, tag: str, attributes: dict[str, Any]) -> None:
        said = {name.rpartition(" ")[2]: value for name, value in attributes.items()}
        match tag.rpartition(" ")[2]:
            case "table":
                self._row, self._found = 0, self.merged.setdefault(said.get("name", ""), [])
            case "table-row":
                self._column, self._repeated = 0, _number(said.get("number-rows-repeated"))
            case "table-cell" | "covered-table-cell":
                high = _number(said.get("number-rows-spanned"))
                wide = _number(said.get("number-columns-spanned"))
                if high > 1 or wide > 1:
                    last = (self._row + high - 1, self._column + wide - 1)
                    self._found.append(((self._row, self._column), last))
                self._column += _number(said.get("number-columns-repeated"))

    def end(self, tag: str) -> None:
        if tag.endswith(" table-row"):
            self._row += self._repeated


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 1
