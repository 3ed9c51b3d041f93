"""The release as a Parquet folder with a manifest, for whoever reads without a database.

Belongs here: writing it aside and moving it into place. Not here: the versioned rows (`publish`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from warehouse.model import SqlEngine
from warehouse.publication.content import Content
from warehouse.publication.errors import PublicationError
from warehouse.schema import VIEWS, View

MANIFEST = "manifest.json"


def folder_of(release_dir: Path, as_of: date, release_id: int | None, checksum: str) -> Path:
    """Where a release lies; a day that was recomputed and not published is named by its checksum."""
    name = f"release={release_id}" if release_id is not None else f"unpublished-{checksum[:12]}"
    return release_dir / f"as_of={as_of.isoformat()}" / name


@contextmanager
def written_aside(engine: SqlEngine, content: Content, release_dir: Path, note: dict[str, Any]) -> Iterator[Path]:
    """The release's files in a folder aside, removed unless it was moved into place before the block ends.

    Raises:
        PublicationError: where the disk does not take it.
    """
    aside = release_dir / f".{uuid.uuid4().hex[:12]}.tmp"
    try:
        try:
            aside.mkdir(parents=True, mode=0o700)
            release_dir.chmod(0o700)
            tables = {view.name: _write(engine, view, aside) for view in VIEWS}
            text = json.dumps({**note, "checksum": content.checksum, "tables": tables}, ensure_ascii=False, indent=1)
            (aside / MANIFEST).write_text(text + "\n", encoding="utf-8")
            for file in aside.iterdir():
                file.chmod(0o600)
        except Exception as error:
            # The engine's message may quote a row: its class and the system's reason are enough.
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise PublicationError(
                f"the release folder could not be written under {release_dir}: {reason}; the last release stands."
            ) from None
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _write(engine: SqlEngine, view: View, folder: Path) -> dict[str, Any]:
    """One table in the order of its key; equal content gives equal bytes."""
    path = folder / f"{view.name}.parquet"
    columns = ", ".join(f'"{column.name}"' for column in view.stored)
    key = ", ".join(f'"{name}"' for name in view.key)
    rows = engine.copy(f"select {columns} from {Content.rows(view)} order by {key}", path)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"file": path.name, "rows": rows, "sha256": digest, "columns": {column.name: column.type for column in view.stored}}


def move_into_place(aside: Path, final: Path, **known: Any) -> None:
    """Renames the folder; `known` (the release's number) is added to its manifest first."""
    manifest = aside / MANIFEST
    note = {**known, **json.loads(manifest.read_text(encoding="utf-8"))}
    manifest.write_text(json.dumps(note, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    final.parent.mkdir(exist_ok=True, mode=0o700)
    if final.exists():
        shutil.rmtree(final)
    os.rename(aside, final)


def days_of(release_dir: Path) -> list[tuple[date, Path]]:
    """The days that have a folder, ascending."""
    folders = release_dir.glob("as_of=*") if release_dir.is_dir() else []
    return sorted((date.fromisoformat(folder.name[6:]), folder) for folder in folders)


def releases_of(folder: Path) -> list[tuple[int | None, Path]]:
    """The releases in a day's folder; None for what was recomputed and not published."""
    found = sorted(folder.iterdir())
    return [(int(path.name.removeprefix("release=")) if path.name.startswith("release=") else None, path) for path in found]
