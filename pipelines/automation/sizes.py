"""How large each part of the home is, from day to day: which one grows, and when the disk is full.

Belongs here: measuring, and the few numbers that are kept (`YIHU_HOME/sizes.json`). Not here: what
is given up (`retention`).
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from resources.settings import today

PARTS: Mapping[str, tuple[str, ...]] = {
    "raw batches": ("lake/raw",),
    "release folders": ("lake/release",),
    "the lake's days": ("lake",),
    "the warehouse": ("postgres",),
    "Dagster's storage": ("dagster",),
}
"""Each part with its folders under the home; a folder counts for the first part that has it."""
KEPT_DAYS = 90
LOOKED_BACK = 14
"""Days over which growth is measured."""


def bytes_of(folder: Path, files: str = "*") -> int:
    """What the files below a folder take; a file with several names counts in parts."""
    total = 0
    for path in folder.rglob(files):
        try:
            said = path.lstat()
        except FileNotFoundError:
            continue
        if path.is_file() and not path.is_symlink():
            total += said.st_size // max(1, said.st_nlink)
    return total


def measured(home: Path) -> dict[str, int]:
    """The bytes of each part."""
    taken: dict[str, int] = {}
    for part, folders in PARTS.items():
        taken[part] = sum(bytes_of(home / folder) for folder in folders if (home / folder).is_dir())
    taken["the lake's days"] -= taken["raw batches"] + taken["release folders"]
    return taken


def note_sizes(home: Path) -> None:
    """Keeps the day's sizes, for what is said about growth."""
    path, now = home / "sizes.json", today()
    kept = {
        day: sizes
        for day, sizes in _noted(path).items()
        if date.fromisoformat(day) > now - timedelta(days=KEPT_DAYS)
    }
    text = json.dumps({**kept, now.isoformat(): measured(home)}, ensure_ascii=False, indent=1)
    work = path.with_name(f".sizes.{uuid.uuid4().hex[:8]}.tmp")
    work.write_text(text, encoding="utf-8")
    work.chmod(0o600)
    os.replace(work, path)


def _noted(path: Path) -> dict[str, dict[str, int]]:
    try:
        found: dict[str, dict[str, int]] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found


@dataclass(frozen=True)
class Growth:
    """What grows, in bytes a day, and how long the disk lasts."""

    sizes: Mapping[str, int]
    a_day: Mapping[str, float]
    days_left: int | None
    """None where nothing grows, or nobody knows yet."""

    @property
    def most(self) -> str | None:
        """The part that grows most."""
        if not self.a_day:
            return None
        part = max(self.a_day, key=lambda name: self.a_day[name])
        return part if self.a_day[part] > 0 else None


def growth(home: Path) -> Growth:
    """How the parts have grown since the oldest note of the last two weeks."""
    now, sizes = today(), measured(home)
    since = now - timedelta(days=LOOKED_BACK)
    noted = {date.fromisoformat(day): old for day, old in _noted(home / "sizes.json").items()}
    first = min((day for day in noted if since <= day < now), default=None)
    if first is None:
        return Growth(sizes, {}, None)
    days = (now - first).days
    a_day = {part: (size - noted[first].get(part, 0)) / days for part, size in sizes.items()}
    total = sum(a_day.values())
    free = shutil.disk_usage(home).free
    return Growth(sizes, a_day, int(free / total) if total > 0 else None)
