"""What a killed run left half done in its home, put right when the next one begins.

Belongs here: finding it by the names that writers give, and by nothing else. Not here: a read under
way (`departments.batches` goes on with it), Dagster's record (`pipelines.automation.runs`), the
servers (`server`).
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

ASIDE = re.compile(r"\.(?P<final>.+)\.[0-9a-f]{8}(?P<old>\.old)?\.tmp")
"""A day of a table that is being written, or (`old`) the day that it takes the place of:
`Lake.aside`.
"""
HALF_WRITTEN = (
    re.compile(r"as_of=[0-9-]{10}\.[0-9a-f]{8}\.tmp"),  # a note: `Lake.write_note`
    re.compile(r"\.[0-9a-f]{12}\.tmp"),  # a release's folder: `warehouse.publication.folder`
    re.compile(
        r"\..+\.(rows\.parquet|landed\.json)\.tmp"
    ),  # a batch that lands: `expectations.landing`
)
BY_HAND = ("gates", "replays")
"""Layers written by commands that may run beside a run:
what lies there is a left-over once it is old.
"""
OLD_SECONDS = 3600.0
CHANGES, BESIDE = "changes", "beside"
"""Where the lake keeps differences, and days made anew: `resources.lake`."""
SPILL = re.compile(r"(?P<process>[0-9]+)-[0-9a-f]{8}")
"""The folder in which an engine spills, named after its process: `resources.engines.duckdb`."""


def sweep(home: Path) -> list[str]:
    """Removes what killed runs left under `home`,
    and brings back a day whose replacement never came; returns the names.

    The caller holds the run lock, so that nobody else writes.
    """
    lakes = [home / "lake", *_folders(home / "lake" / BESIDE)]
    return [*(name for lake in lakes for name in _lake(lake)), *_spills(home / "tmp")]


def _lake(lake: Path) -> Iterator[str]:
    for layer in (*_folders(lake), *_folders(lake / CHANGES)):
        for folder in [layer, *_folders(layer)]:
            with os.scandir(folder) as entries:
                found = [Path(entry.path) for entry in entries if entry.name.endswith(".tmp")]
            for path in sorted(found, key=lambda path: ".old.tmp" not in path.name):
                if _put_right(path, layer.name):
                    yield str(path.relative_to(lake))
    for changed in (lake / CHANGES).glob("*/*/[0-9]*"):
        whole = lake / changed.parent.relative_to(lake / CHANGES) / f"as_of={changed.name}"
        if whole.is_dir():  # killed before the day as it lay went: its changes count
            _remove(whole)
            yield str(whole.relative_to(lake))


def _put_right(path: Path, layer: str) -> bool:
    """Whether the left-over is ours, and then gone."""
    aside = ASIDE.fullmatch(path.name)
    if layer in BY_HAND:
        if time.time() - path.stat().st_mtime < OLD_SECONDS:
            return False
    elif (
        aside is not None
        and aside["old"]
        and not (final := path.with_name(aside["final"])).exists()
    ):
        # killed between two renames: the day as it was is better than none
        os.rename(path, final)
        return True
    elif aside is None and not any(shape.fullmatch(path.name) for shape in HALF_WRITTEN):
        return False
    _remove(path)
    return True


def _spills(folder: Path) -> Iterator[str]:
    """What engines of processes that are gone had spilled:
    rows of any table, identities among them.
    """
    for path in _folders(folder):
        named = SPILL.fullmatch(path.name)
        if named is not None and not Path(f"/proc/{named['process']}").exists():
            _remove(path)
            yield path.name


def _folders(folder: Path) -> list[Path]:
    return (
        sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        if folder.is_dir()
        else []
    )


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
