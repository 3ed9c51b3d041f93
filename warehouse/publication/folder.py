"""The release as a Parquet folder with a manifest, for whoever reads without a database.

Belongs here: the folder's life: aside, in place, found again. Not here: what its files hold
(`content`), the versioned rows (`rows`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from warehouse.publication.content import Content, columns_of, file_of
from warehouse.publication.errors import PublicationError
from warehouse.schema import VIEW, View

MANIFEST = "manifest.json"


def folder_of(release_dir: Path, as_of: date, release_id: int | None, checksum: str) -> Path:
    """Where a release lies; a day that was recomputed and not published is named
    by its checksum.
    """
    name = f"release={release_id}" if release_id is not None else f"unpublished-{checksum[:12]}"
    return release_dir / f"as_of={as_of.isoformat()}" / name


@contextmanager
def aside(release_dir: Path) -> Iterator[Path]:
    """A folder for a release's files, removed unless it was moved into place before the block ends.

    Raises:
        PublicationError: where it cannot be made.
    """
    work = release_dir / f".{uuid.uuid4().hex[:12]}.tmp"
    try:
        try:
            work.mkdir(parents=True, mode=0o700)
            release_dir.chmod(0o700)
        except OSError as error:
            raise PublicationError(
                f"the release folder could not be written under {release_dir}: {error.strerror}",
                "make room, or let this user write there, and run again; the last release stands.",
            ) from None
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


@dataclass(frozen=True)
class ReleaseFolder:
    """The folder of a release that was written, as its manifest says."""

    path: Path
    tables: dict[str, Any]

    def file(self, view: str) -> Path | None:
        """The table's file, where the release has it and its bytes are what the manifest says."""
        if view not in self.tables:
            return None
        path = file_of(self.path, VIEW[view])
        return path if path.is_file() and digest_of(path) == self.tables[view]["sha256"] else None


def read_release_folder(folder: Path, release_id: int, checksum: str) -> ReleaseFolder | None:
    """The folder, where it is that of this very content;
    None where it was lost, or was made by an older version.
    """
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return None
    try:
        note = json.loads(manifest.read_text(encoding="utf-8"))
    except ValueError:
        return None
    tables = note.get("tables", {})
    if (note.get("release_id"), note.get("checksum")) != (release_id, checksum) or not set(
        tables
    ) <= set(VIEW):
        return None
    return (
        ReleaseFolder(folder, tables)
        if all("digest" in table for table in tables.values())
        else None
    )


def complete(
    work: Path, content: Content, note: dict[str, Any], before: ReleaseFolder | None
) -> None:
    """Adds the manifest; a file that is the last release's, byte for byte, becomes a link to it.

    Raises:
        PublicationError: where the disk does not take it.
    """
    try:
        tables = {view.name: _described(work, view, content) for view in content.views}
        for name, table in tables.items():
            if before is not None and before.tables.get(name, {}).get("sha256") == table["sha256"]:
                _share(before.path / table["file"], work / table["file"])
        text = json.dumps(
            {**note, "checksum": content.checksum, "tables": tables}, ensure_ascii=False, indent=1
        )
        (work / MANIFEST).write_text(text + "\n", encoding="utf-8")
        for file in work.iterdir():
            file.chmod(0o600)
    except OSError as error:
        raise PublicationError(
            f"the release folder could not be written under {work.parent}: {error.strerror}",
            "make room, or let this user write there, and run again; the last release stands.",
        ) from None


def _described(work: Path, view: View, content: Content) -> dict[str, Any]:
    path = file_of(work, view)
    return {
        "file": path.name,
        "rows": content.tables[view.name].rows,
        "sha256": digest_of(path),
        "digest": content.tables[view.name].digest,
        "columns": columns_of(content.shape.of(view)),
    }


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _share(there: Path, here: Path) -> None:
    """Saves the room of a second copy, where the file system can."""
    link = here.with_suffix(".link")
    try:
        os.link(there, link)
        os.replace(link, here)
    except OSError:
        link.unlink(missing_ok=True)


def move_into_place(work: Path, final: Path, **known: Any) -> None:
    """Renames the folder; `known` (the release's number) is added to its manifest first."""
    manifest = work / MANIFEST
    note = {**known, **json.loads(manifest.read_text(encoding="utf-8"))}
    manifest.write_text(json.dumps(note, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    final.parent.mkdir(exist_ok=True, mode=0o700)
    if final.exists():
        shutil.rmtree(final)
    os.rename(work, final)


def days_of(release_dir: Path) -> list[tuple[date, Path]]:
    """The days that have a folder, ascending."""
    folders = release_dir.glob("as_of=*") if release_dir.is_dir() else []
    return sorted((date.fromisoformat(folder.name[6:]), folder) for folder in folders)


def releases_of(folder: Path) -> list[tuple[int | None, Path]]:
    """The releases in a day's folder; None for what was recomputed and not published."""
    found = sorted(folder.iterdir())
    return [
        (
            int(path.name.removeprefix("release=")) if path.name.startswith("release=") else None,
            path,
        )
        for path in found
    ]
