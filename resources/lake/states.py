"""How a table's day lies on disk: a snapshot, or what changed since a base.

    <layer>/<table>/as_of=<day>/county=<6 digits>/part-0.parquet, state.json     a snapshot
    changes/<layer>/<table>/<day>/came-<county>.parquet, keys-<part>.parquet, state.json

A snapshot of the first layout has no `state.json`: what it would say is found when it is asked for.
Changes lie where no glob over days meets them: read with the snapshots they would count twice.

Belongs here: finding, reading and replacing the folder of one day. Not here: what is put into it
(`writing`), the rows of a day (`reading`).
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

STATE = "state.json"
CHANGES = "changes"
NO_LAYERS = (CHANGES, "beside", "raw", "release")
"""Folders of the lake that hold no tables."""
Columns = tuple[tuple[str, str], ...]
"""Name and type of each column, as the engine calls it."""


@dataclass(frozen=True)
class Base:
    """What a difference is taken from: the day, and the digest of its rows."""

    day: date
    digest: str


@dataclass(frozen=True)
class State:
    """What lies on disk for one day of a table."""

    day: date
    folder: Path
    version: str
    """Another text for another writing."""
    counties: tuple[str, ...] = ()
    """The counties that have a file of rows here."""
    digest: str | None = None
    """Of the day's rows (`warehouse.row_hash`); None where nobody asked yet."""
    rows: int | None = None
    columns: Columns = ()
    """Of a snapshot; empty where nobody asked yet."""
    base: Base | None = None
    """Of a difference."""
    key: tuple[str, ...] = ()
    """Of a difference: the columns by which rows take the place of others."""
    touched: int = 0
    """The keys that differ from the base."""
    weight: int = 0
    """The keys that differ, over all differences since the snapshot."""
    key_parts: tuple[str, ...] = ()
    """The files of keys."""
    order_by: str = ""
    """What orders the rows totally."""

    @property
    def is_snapshot(self) -> bool:
        return self.base is None

    @property
    def is_empty_difference(self) -> bool:
        return self.base is not None and not self.touched

    def as_json(self) -> str:
        said = {k: v for k, v in asdict(self).items() if k not in ("day", "folder")}
        return json.dumps(said, ensure_ascii=False, default=str)


class Places:
    """The folders of the days below one root; days under `over` take the place of those, and are
    where days are written.
    """

    def __init__(self, root: Path, over: Path | None = None) -> None:
        self.root = root
        self.over = over
        self._roots = (root,) if over is None else (over, root)

    def snapshot(self, layer: str, table: str, day: date) -> Path:
        """Where the day is written as a snapshot."""
        return _snapshot(self._roots[0], layer, table, day)

    def change(self, layer: str, table: str, day: date) -> Path:
        """Where the day is written as a difference."""
        return _change(self._roots[0], layer, table, day)

    def days(self, layer: str, table: str) -> list[date]:
        """The days that a table has, ascending."""
        found = set[str]()
        for root in self._roots:
            found.update(name[6:] for name in folders(root / layer / table, "as_of="))
            found.update(folders(root / CHANGES / layer / table, ""))
        return sorted(date.fromisoformat(name) for name in found)

    def tables(self) -> list[tuple[str, str]]:
        """Layer and name of every table that has a day."""
        found = set[tuple[str, str]]()
        for top in (top for root in self._roots for top in (root, root / CHANGES)):
            for layer in folders(top, ""):
                if layer in NO_LAYERS:
                    continue
                found |= {(layer, table) for table in folders(top / layer, "")}
        return sorted(one for one in found if self.days(*one))

    def state(self, layer: str, table: str, day: date) -> State | None:
        """What lies there for the day; where a killed writer left both, the changes count."""
        for root in self._roots:
            for place in (_change, _snapshot):
                if (found := _read(place(root, layer, table, day), day)) is not None:
                    return found
        return None

    def described(self, state: State) -> None:
        """Keeps what was found out about a snapshot with it."""
        if state.folder.is_symlink():
            return  # lent by another lake
        work = state.folder.parent / f".{state.folder.name}.{uuid.uuid4().hex[:8]}.tmp"
        work.write_text(state.as_json(), encoding="utf-8")
        work.chmod(0o600)
        os.replace(work, state.folder / STATE)

    def seal(self, work: Path, state: State) -> State:
        """Writes what a day's folder says of itself into it."""
        (work / STATE).write_text(state.as_json(), encoding="utf-8")
        return state

    @contextmanager
    def replacing(self, final: Path, other: Path) -> Iterator[Path]:
        """A folder to write into, renamed to `final` when the block ends well, removed when it does
        not; `other`, where the day lay in the other way, goes. A block that takes the folder away
        leaves the day as it lies there.
        """
        final.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        work = final.parent / f".{final.name}.{uuid.uuid4().hex[:8]}.tmp"
        work.mkdir(mode=0o700)
        try:
            yield work
            for file in work.rglob("*"):
                file.chmod(0o700 if file.is_dir() else 0o600)
            if work.exists():
                self.adopt(work, final, other)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def adopt(self, folder: Path, final: Path, other: Path) -> None:
        """Puts a day's folder in its place, whatever lay there; `other` goes."""
        final.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if final.exists():
            old = final.parent / f".{final.name}.{uuid.uuid4().hex[:8]}.old.tmp"
            os.rename(final, old)
            os.rename(folder, final)
            shutil.rmtree(old)
        else:
            os.rename(folder, final)
        self.remove(other)

    def remove(self, folder: Path) -> None:
        """Gives up the folder of a day, where there is one: at once, then its files."""
        if folder.is_symlink():
            folder.unlink()
        elif folder.exists():
            gone = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.tmp"
            os.rename(folder, gone)
            shutil.rmtree(gone)


def _snapshot(root: Path, layer: str, table: str, day: date) -> Path:
    return root / layer / table / f"as_of={day.isoformat()}"


def _change(root: Path, layer: str, table: str, day: date) -> Path:
    return root / CHANGES / layer / table / day.isoformat()


def folders(folder: Path, prefix: str) -> list[str]:
    """The names of the folders in a folder that begin so, in order; none where it is not there."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name
                for entry in entries
                if entry.name.startswith(prefix)
                and not entry.name.startswith(".")
                and entry.is_dir()
            )
    except (FileNotFoundError, NotADirectoryError):
        return []


def _read(folder: Path, day: date) -> State | None:
    try:
        said = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return _of_first_layout(folder, day)
    return _state(folder, day, said)


def _state(folder: Path, day: date, said: Mapping[str, Any]) -> State:
    base = said["base"] and Base(date.fromisoformat(said["base"]["day"]), said["base"]["digest"])
    lists: dict[str, Any] = {name: tuple(said[name]) for name in ("counties", "key", "key_parts")}
    columns = tuple((str(column), str(kind)) for column, kind in said["columns"])
    plain = ("version", "digest", "rows", "touched", "weight", "order_by")
    more: dict[str, Any] = {name: said[name] for name in plain}
    return State(day=day, folder=folder, base=base or None, columns=columns, **lists, **more)


def _of_first_layout(folder: Path, day: date) -> State | None:
    try:
        found = folder.stat()
    except FileNotFoundError:
        return None
    counties = tuple(name[7:] for name in folders(folder, "county="))
    return State(day, folder, f"{found.st_ino}-{found.st_mtime_ns}", counties)


def unwritten(day: date) -> State:
    """A state to be filled in, of a version of its own."""
    return State(day, Path(), uuid.uuid4().hex)


def of_content(state: State, digest: str) -> State:
    """The state with its digest as its version: the same where it is written again."""
    return replace(state, digest=digest, version=digest)
