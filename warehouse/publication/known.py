"""A release taken from the last one: where the lake knows what differs between their days, the rows
that stand come out of the last release's file with the hashes that they have.

Belongs here: whether that is so, table by table. Not here: writing the rows (`content`), what
differs (the lake).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from expectations.engine import SqlEngine
from warehouse.graph.inputs import MADE_OF, GraphLake, can_make_again
from warehouse.graph.registry import layer_and_folder
from warehouse.publication.again import manifest_of
from warehouse.publication.content import Known, columns_of
from warehouse.publication.errors import PublicationError
from warehouse.publication.folder import read_release_folder
from warehouse.schema import VIEWS
from warehouse.schema.shape import Shape

SUNDAY = 6
"""The day on which every row is read and hashed anew."""


def known_tables(
    engine: SqlEngine, lake: GraphLake, release_dir: Path, base: date, as_of: date, shape: Shape
) -> dict[str, Known]:
    """By view, what differs from the last release's file: of tables that the release of `base` was
    made of as they lie in the lake now, in the same columns.

    None of them on Sundays.
    """
    note = lake.read_note(*MADE_OF, base)
    if note is None or as_of.weekday() == SUNDAY:
        return {}
    release_id = int(note["release_id"])
    path = release_dir / f"as_of={base.isoformat()}" / f"release={release_id}"
    try:
        manifest = manifest_of(path)
    except PublicationError:
        return {}
    folder = read_release_folder(path, release_id, str(manifest["checksum"]))
    if folder is None or not can_make_again(lake, base, release_id):
        return {}
    found: dict[str, Known] = {}
    for view in VIEWS:
        if view.name not in shape.columns or view.name not in folder.tables:
            continue
        differs = lake.difference(*layer_and_folder(view.name), base, as_of)
        if differs is None or tuple(differs.key) != tuple(view.key):
            continue
        if folder.tables[view.name]["columns"] != columns_of(shape.of(view)):
            continue
        if (file := folder.file(view.name)) is not None:
            came = f"came_{view.name}"
            engine.view(came, f"select * from {differs.came} as came")
            found[view.name] = Known(file, came, differs.keys)
    return found
