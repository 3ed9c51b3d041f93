"""The files of a release's folder, made again from its day in the lake.

Belongs here: finding a day's folder, and the day's tables for it. Not here: the files themselves
(`warehouse.publication.again`), which folders are kept (`warehouse.publication.keeping`).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from pathlib import Path

from expectations.contract import load_contracts
from expectations.errors import YihuError
from resources.engines.duckdb import Engine
from resources.lake import Lake
from warehouse.graph.inputs import LakeInputs, can_make_again
from warehouse.graph.registry import layer_and_folder, maker, published_tables
from warehouse.graph.runner import Runner
from warehouse.graph.under import made_moment
from warehouse.publication.again import OtherContent, is_whole, make_again
from warehouse.publication.folder import MANIFEST, days_of, releases_of
from warehouse.schema import VIEW
from warehouse.schema.shape import Shape, shape_of


class NoFolder(YihuError):
    """A day's release folder cannot be made again."""


def published_in(shape: Shape) -> list[str]:
    """The tables that a release of this shape takes from the lake."""
    published = {table: maker(table).publishes for table in published_tables()}
    return [table for table, view in published.items() if view in shape.columns or view not in VIEW]


def folders_of(release_dir: Path, day: date) -> list[tuple[int, Path]]:
    """The releases of a day that have a folder with a manifest, ascending."""
    folders = dict(days_of(release_dir))
    found = releases_of(folders[day]) if day in folders else []
    return sorted((n, path) for n, path in found if n is not None and (path / MANIFEST).is_file())


def remake(engine: Engine, lake: Lake, day: date, folder: Path) -> list[Path]:
    """The files that the folder of a day's release lacks, made from the day in the lake.

    Raises:
        NoFolder: the lake does not have the day any more.
        OtherContent: it gives other rows.
    """
    moment = made_moment(lake, engine, day)
    shape = shape_of(moment.layout, moment.catalogue)
    runner = Runner(engine, LakeInputs(lake, {}), load_contracts())
    tables = published_in(shape)
    for table in tables:
        if lake.version(*layer_and_folder(table), day) is None:
            raise NoFolder(
                f"the lake has no {table} of {day} any more",
                "read the release in the warehouse: select yihu_as_of(…)",
            )
        runner.use(table, day)
    return make_again(engine, {table: table for table in tables}, shape, folder)


def complete_before_replacing(temp: Path, lake: Lake, day: date) -> None:
    """Before a day gets other rows: the folders that are made of those it has are made whole."""
    lacking = [
        path
        for release_id, path in folders_of(lake.root / "release", day)
        if not is_whole(path) and can_make_again(lake, day, release_id)
    ]
    if not lacking:
        return
    engine = Engine(temp)
    try:
        for path in lacking:
            # another version of the engine writes other bytes: the warehouse still has the release
            with suppress(OtherContent):
                remake(engine, lake, day, path)
    finally:
        engine.close()
