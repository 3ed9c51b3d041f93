"""A sample opened for drafting: every visible sheet of its files as text cells, no contract asked.

Belongs here: cells of the reading child as `drafting` wants them. Not here: what they mean
(`expectations.drafting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from expectations.drafting.draft import Sample
from expectations.drafting.grid import LOOKED_AT, Sheet
from resources.departments.cells import as_text
from resources.departments.opened import Child, Limits
from resources.settings import Settings

LINES_AT_MOST = 20_000
"""Lines of a sheet that a draft looks at."""


def open_sample(paths: Sequence[Path], settings: Settings, work: Path) -> Sample:
    """The sheets of the files, in the order of the files.

    Raises `Fault` for a file that cannot be read.
    """
    sheets: list[Sheet] = []
    encodings: set[str | None] = set()
    with Child(Limits(settings.reader_memory)) as child:
        for path in paths:
            opened_files = child.open(
                path,
                top=LOOKED_AT,
                encoding="",
                delimiter=None,
                password=None,
                work=str(work),
                members=True,
            )
            for opened in opened_files:
                encodings.add(opened.encoding if opened.format == "csv" else None)
                for place, sheet in enumerate(opened.sheets):
                    rows = _rows(child, place, sheet.top)
                    sheets.append(Sheet(opened.member or path.name, sheet.name, rows))
    encoding = encodings.pop() if len(encodings) == 1 else None
    return Sample(tuple(sheets), encoding)


def _rows(child: Child, place: int, top: Sequence[Sequence[Any]]) -> tuple[tuple[str, ...], ...]:
    """The sheet's rows; of a header row and what stands above it the cells as they were
    looked at.
    """
    width = max((len(row) for row in top), default=0)
    rows: list[tuple[str, ...]] = []
    for chunk in child.rows(place, 0, width) if width else ():
        if isinstance(chunk, list):
            break
        if len(rows) < LINES_AT_MOST:
            rows += [tuple(map(_text, row)) for row in zip(*chunk.columns, strict=True)]
    return tuple(rows[:LINES_AT_MOST])


def _text(cell: Any) -> str:
    return (as_text(cell) or "").strip()
