"""Days made anew beside those that later days rest on.

A past day that is made again is laid beside the old one, with the days that are made again after
it: `beside/<line>/…`, as in the lake itself. Who works on such a day sees them in place of the old
ones; everybody else sees the lake as it was. They take the place of the old ones together, by one
rename of a pointer, when every day above has been made too; only then are the old ones given up.

Belongs here: that line of days, from its first to its end. Not here: how one day lies (`states`).
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from resources.lake.states import CHANGES, Places, folders

BESIDE, POINTER, LINE = "beside", "in_force.json", "line.json"
GONE = "null"
"""A note that is given up in the line, whatever the lake has."""


@dataclass
class Line:
    """Days made anew, beside the old ones."""

    root: Path
    first: date
    made: set[date] = field(default_factory=set)
    """Those that were made whole."""

    def save(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        said = {"first": self.first, "made": sorted(self.made)}
        replace_text(self.root / LINE, json.dumps(said, default=str))

    def is_whole(self, days: Sequence[date]) -> bool:
        """Whether every one of these days from the line's first on was made in it."""
        return self.made.issuperset(day for day in days if day >= self.first)

    def has_rows(self) -> bool:
        """Whether a table of it is another one than in the lake."""
        return bool(Places(self.root).tables())


def replace_text(path: Path, text: str) -> None:
    work = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    work.write_text(text, encoding="utf-8")
    work.chmod(0o600)
    os.replace(work, path)


def new_line(lake: Path, first: date) -> Line:
    return Line(lake / BESIDE / f"{first.isoformat()}-{uuid.uuid4().hex[:8]}", first)


def line_of(lake: Path) -> Line | None:
    """The line that lies beside, where there is one."""
    for name in reversed(folders(lake / BESIDE, "")):
        try:
            said = json.loads((lake / BESIDE / name / LINE).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            continue
        made = {date.fromisoformat(day) for day in said["made"]}
        return Line(lake / BESIDE / name, date.fromisoformat(said["first"]), made)
    return None


def line_in_force(lake: Path) -> Line | None:
    """The line that has taken the place of the old days, and is not yet moved there."""
    try:
        said = json.loads((lake / BESIDE / POINTER).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    root = lake / BESIDE / said["line"]
    return Line(root, date.fromisoformat(said["first"])) if root.is_dir() else None


def put_in_force(lake: Path, line: Line) -> None:
    """The one rename: from here on the line's days are the lake's."""
    said = {"line": line.root.name, "first": line.first}
    replace_text(lake / BESIDE / POINTER, json.dumps(said, default=str))


def move_in(lake: Path, line: Line) -> None:
    """Moves the days of the line to where they belong; killed in between, it goes on where it was,
    and what is read is the same before, during and after.
    """
    home, own = Places(lake), Places(line.root)
    for layer, table in own.tables():
        for day in own.days(layer, table):
            state = own.state(layer, table, day)
            if state is not None:
                whole, change = (f(layer, table, day) for f in (home.snapshot, home.change))
                final, other = (whole, change) if state.is_snapshot else (change, whole)
                home.adopt(state.folder, final, other)
    for note in list(_notes(line.root)):
        target = lake / note.relative_to(line.root)
        if note.read_text(encoding="utf-8") == GONE:
            target.unlink(missing_ok=True)
            note.unlink()
        else:
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.replace(note, target)
    drop(line)
    (lake / BESIDE / POINTER).unlink(missing_ok=True)


def drop(line: Line) -> None:
    """Gives up a line."""
    if line.root.is_dir():
        gone = line.root.with_name(f".{line.root.name}.{uuid.uuid4().hex[:8]}.tmp")
        os.rename(line.root, gone)
        shutil.rmtree(gone)


def cut(line: Line, first: date) -> None:
    """Gives up the line's days from `first` on: they are to be made again."""
    line.made = {day for day in line.made if day < first}
    line.save()
    own = Places(line.root)
    for layer, table in own.tables():
        for day in own.days(layer, table):
            if day >= first:
                own.remove(own.change(layer, table, day))
                own.remove(own.snapshot(layer, table, day))
    for note in list(_notes(line.root)):
        if date.fromisoformat(note.name[6:16]) >= first:
            note.unlink()


def _notes(root: Path) -> Iterator[Path]:
    return (path for path in root.glob("*/*/as_of=*.json") if path.parts[-3] != CHANGES)
