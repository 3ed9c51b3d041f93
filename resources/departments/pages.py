"""The pages of one window on disk, as they come.

Belongs here: `page-00001.json` and so on (beside one that was no clean JSON `page-00001.came`),
their count, and taking up where a killed read stopped. Not here: asking for them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from resources.departments.answers import Page, read_page
from resources.departments.errors import Fault
from resources.departments.jsons import WAIT_FOR_IT

WINDOW = "window.json"
EMPTY_IN_A_ROW = 1_000
"""Pages without rows that may follow each other before the cursor is taken to lead nowhere."""


@dataclass
class Pages:
    """What has been read of a window so far.

    `add` raises `Fault` for a page that cannot be the next one.
    """

    folder: Path
    files: list[str] = field(default_factory=list)
    rows: int = 0
    total: int | None = None
    cursor: str | None = None
    is_done: bool = False
    columns: dict[str, None] = field(default_factory=dict)
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    size: int = 0
    """Bytes of the pages."""
    _marks: set[bytes] = field(default_factory=set)
    _cursors: set[str] = field(default_factory=set)
    _empty: int = 0

    @classmethod
    def take_up(cls, folder: Path, window: dict[str, str]) -> Pages:
        """The pages that an earlier read of the same window left in `folder`;
        of any other window, a fresh start.
        """
        kept = folder / WINDOW
        if kept.exists() and kept.read_bytes() == msgspec.json.encode(window):
            try:
                return cls._kept(folder)
            except Fault:
                pass  # what lies there does not fit together: the window is begun anew
        return cls.anew(folder, window)

    @classmethod
    def anew(cls, folder: Path, window: dict[str, str]) -> Pages:
        shutil.rmtree(folder)
        folder.mkdir(mode=0o700)
        _write(folder / WINDOW, msgspec.json.encode(window))
        return cls(folder)

    @classmethod
    def _kept(cls, folder: Path) -> Pages:
        pages = cls(folder)
        number = 1
        while (path := folder / _name(number)).exists():
            pages._account(read_page(path.read_bytes()))
            number += 1
        return pages

    def add(self, page: Page) -> None:
        """Keeps the page that was asked for with `cursor`, once it is seen to be the next one."""
        self._check(page)
        name = _name(len(self.files) + 1)
        if page.came is not None:
            _write((self.folder / name).with_suffix(".came"), page.came)
        _write(self.folder / name, page.body)
        self._account(page)

    def finish(self) -> None:
        """Removes what only a read under way needs."""
        (self.folder / WINDOW).unlink(missing_ok=True)

    def _check(self, page: Page) -> None:
        # a cursor that stays the same while new rows come is a scroll's; one that comes back
        # without any leads nowhere
        leads_back = page.cursor is not None and (
            page.cursor == self.cursor or page.cursor in self._cursors
        )
        if page.mark in self._marks if page.mark is not None else leads_back:
            raise Fault(
                "again",
                "repeated_page",
                f"page {len(self.files) + 1} repeats an earlier one",
                WAIT_FOR_IT,
            )
        if self.total is not None and page.total != self.total:
            raise Fault(
                "window",
                "wrong_total",
                f"the total changed from {self.total} to {page.total} rows between pages",
                WAIT_FOR_IT,
            )
        if page.mark is None and page.cursor is not None and self._empty >= EMPTY_IN_A_ROW:
            raise Fault(
                "window",
                "endless",
                f"{EMPTY_IN_A_ROW} pages without a row came one after the other",
                WAIT_FOR_IT,
            )
        rows = self.rows + page.rows
        if rows > page.total or (page.cursor is None and rows != page.total):
            raise Fault(
                "window",
                "wrong_total",
                f"{rows} rows came where {page.total} were announced",
                WAIT_FOR_IT,
            )

    def _account(self, page: Page) -> None:
        self._check(page)
        self.files.append(_name(len(self.files) + 1))
        self.rows += page.rows
        self.total = page.total
        self._empty = 0 if page.mark is not None else self._empty + 1
        if page.mark is not None:
            self._marks.add(page.mark)
        if self.cursor is not None:
            self._cursors.add(self.cursor)
        self.cursor = page.cursor
        self.is_done = page.cursor is None
        self.columns.update(dict.fromkeys(page.columns))
        self.digest.update(page.body)
        self.size += len(page.body)


def _name(number: int) -> str:
    return f"page-{number:05d}.json"


def _write(path: Path, content: bytes) -> None:
    """The file is there whole or not at all, whenever the process is killed."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(content)
    os.replace(part, path)
