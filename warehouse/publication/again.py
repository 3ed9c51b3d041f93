"""A release's folder given up to its manifest, and made again from the tables of its day:
the same bytes.

Belongs here: taking the files away, and putting them back. Not here: which folders are kept
(`keeping`), where the tables of a day come from (whoever calls).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from expectations.engine import SqlEngine
from warehouse.publication.content import drop, prepare
from warehouse.publication.errors import PublicationError
from warehouse.publication.folder import MANIFEST, aside, digest_of
from warehouse.schema.shape import Shape


class OtherContent(PublicationError):
    """The day's tables do not give the release that its manifest tells of."""


def manifest_of(folder: Path) -> dict[str, Any]:
    """What the manifest says. Raises `PublicationError`."""
    try:
        note: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise PublicationError(
            f"{folder} has no readable {MANIFEST}:", "name a day of yihu.release"
        ) from None
    return note


def files_of(folder: Path) -> dict[str, Path]:
    """The files that the manifest tells of, by table."""
    return {name: folder / table["file"] for name, table in manifest_of(folder)["tables"].items()}


def is_whole(folder: Path) -> bool:
    """Whether every file is there."""
    return all(file.is_file() for file in files_of(folder).values())


def give_up_files(folder: Path) -> int:
    """Takes the files away and leaves the manifest; returns the bytes that nobody else has."""
    freed = 0
    for file in files_of(folder).values():
        if file.is_file():
            said = file.stat()
            freed += said.st_size if said.st_nlink == 1 else 0
            file.unlink()
    return freed


def make_again(
    engine: SqlEngine, tables: Mapping[str, str], shape: Shape, folder: Path
) -> list[Path]:
    """Makes the files that a release's folder lacks, from the engine's tables of its day;
    returns them.

    Raises:
        OtherContent: the tables give other rows; nothing is written.
    """
    note = manifest_of(folder)
    lacking = [file for file in files_of(folder).values() if not file.is_file()]
    if not lacking:
        return []
    try:
        with aside(folder.parent.parent) as work:
            content = prepare(engine, tables, work, shape)
            if content.checksum != note["checksum"]:
                raise OtherContent(
                    f"the lake's tables of {note['as_of']} are not those of release"
                    f" {note['release_id']}: the day was made anew since",
                    "read the release in the warehouse: select yihu_as_of(…)",
                )
            for name, table in note["tables"].items():
                if digest_of(work / table["file"]) != table["sha256"]:
                    raise OtherContent(
                        f"{name} of release {note['release_id']} has the same rows and other bytes:"
                        " it was written by another version of the engine",
                        "take the rows: make export-day",
                    )
            for file in lacking:
                (work / file.name).chmod(0o600)
                os.replace(work / file.name, file)
    finally:
        drop(engine)
    return lacking
