"""What a release holds: each table in its declared columns and types, a hash per row,
a checksum over all.

Belongs here: the engine's side of a release, and its difference from the last one written. Not
here: the database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from expectations.engine import SqlEngine, parquet
from warehouse.model import render
from warehouse.publication.errors import REPORT, PublicationError
from warehouse.row_hash import NO_ROWS, octets, summed, text_of
from warehouse.schema import VIEW, VIEWS, Column, View
from warehouse.schema.lake import empty_select
from warehouse.schema.shape import Shape, newest_shape

ENGINE_TYPES = {
    "text": "varchar",
    "text[]": "varchar[]",
    "jsonb": "varchar",
    "timestamptz": "timestamptz",
}
FULL = 2**64
WRITERS = 2
"""So many tables are written at once: most have one row group, which one core reads,
hashes and encodes.
"""


@dataclass(frozen=True)
class Table:
    """One table of a release.

    `digest` is the sum of the rows' hashes, as two numbers of 64 bits: the same for the same rows
    in any order, on any engine. `sum` is what the database sums of them, to say that it holds the
    same rows.
    """

    rows: int
    digest: str
    sum: int


@dataclass(frozen=True)
class Content:
    """The release on the engine: `release_<view>` reads the file of its folder,
    whose rows carry their hash.
    """

    tables: Mapping[str, Table]
    """Every table; one that the shape does not have has no row, and no file."""
    checksum: str
    shape: Shape

    @property
    def counts(self) -> dict[str, int]:
        return {name: self.tables[name].rows for name in self.shape.columns}

    @property
    def views(self) -> tuple[View, ...]:
        """The tables that the release has."""
        return tuple(VIEW[name] for name in self.shape.columns)

    @staticmethod
    def rows(view: View) -> str:
        return f"release_{view.name}"


@dataclass(frozen=True)
class Known:
    """What differs of a table from the last release: its file, the engine's view of the rows that
    came, a relation of the keys whose rows are not the same.
    """

    file: Path
    came: str
    keys: str


def columns_of(wanted: Sequence[Column]) -> dict[str, str]:
    """The columns of a table's file, with their types."""
    return {column.name: column.type for column in wanted} | {"row_hash": "bytea"}


def engine_type(column: Column) -> str:
    return ENGINE_TYPES.get(column.type, column.type.replace("numeric", "decimal"))


def _source(column: Column, have: set[str]) -> str | None:
    if column.name in have:
        return f'"{column.name}"'
    if column.name == "town_code" and "area_code" in have:
        return "case when length(area_code) >= 9 then substr(area_code, 1, 9) end"
    return None


def _columns(view: View, wanted: Sequence[Column], have: set[str] | None) -> list[dict[str, Any]]:
    """The wanted columns for the model; `have` is None for a table that is not there yet."""
    made, lacking = [], []
    for column in wanted:
        source = "null" if have is None else _source(column, have)
        if source is None:
            lacking.append(column.name)
        made.append(
            {
                "name": column.name,
                "type": engine_type(column),
                "source": source,
                "text": text_of(column.name, column.type),
            }
        )
    if lacking:
        raise PublicationError(
            f"{view.name} cannot be published: the engine's table lacks {', '.join(lacking)}",
            REPORT,
        )
    return made


def file_of(folder: Path, view: View) -> Path:
    """The file of one table in a release's folder."""
    return folder / f"{view.name}.parquet"


NOTHING = Table(0, NO_ROWS.digest, 0)


def prepare(
    engine: SqlEngine,
    tables: Mapping[str, str],
    folder: Path,
    shape: Shape | None = None,
    known: Mapping[str, Known] | None = None,
) -> Content:
    """Writes the tables of a release to `folder`, each in the order of its key;
    views that `tables` does not name are empty.

    Equal content gives equal bytes. `tables`: name of the view → name of the engine's table or
    view. `shape`: the tables and columns that the release has; where none is given, all that are
    declared. `known`: by view, what differs from the last release, whose rows are not hashed again.

    Raises:
        PublicationError: for an unknown name, a table that lacks a column, or a disk that is full.
    """
    unknown = sorted(set(tables) - set(VIEW) - {"source_status"})
    if unknown:
        raise PublicationError(f"no such view in yihu: {', '.join(unknown)}", REPORT)
    shape = shape or newest_shape()
    views = [view for view in VIEWS if view.name in shape.columns]
    selects = {
        view.name: _select(
            engine, view, tables.get(view.name), shape.of(view), (known or {}).get(view.name)
        )
        for view in views
    }
    with ThreadPoolExecutor(WRITERS) as writers:
        for written in [
            writers.submit(_write, engine, view, selects[view.name], folder) for view in views
        ]:
            written.result()
    made: dict[str, Table] = {}
    digest = hashlib.sha256()
    for view in VIEWS:
        if view.name not in shape.columns:
            key = {column.name: engine_type(column) for column in view.columns}
            key = {name: key[name] for name in view.key}
            engine.view(Content.rows(view), empty_select(key | {"row_hash": "blob"}))
            made[view.name] = NOTHING
            continue
        engine.parquet_view(Content.rows(view), str(file_of(folder, view)))
        made[view.name] = table = _summed(engine, view)
        digest.update(f"{view.name}:{table.rows}:".encode())
        digest.update(bytes.fromhex(table.digest))
    return Content(made, digest.hexdigest(), shape)


def _select(
    engine: SqlEngine,
    view: View,
    source: str | None,
    wanted: Sequence[Column],
    known: Known | None,
) -> str:
    """The table's rows with their hashes, in the order of its key."""
    if known is None:
        return f"{_hashed(engine, view, source, wanted)} order by {_key(view)}"
    columns = ", ".join(f'"{column}"' for column in columns_of(wanted))
    same = " and ".join(f'k."{name}" is not distinct from p."{name}"' for name in view.key)
    return (
        f"select {columns} from {parquet(known.file)} as p where not exists (select 1 from"
        f" {known.keys} as k where {same}) union all select {columns} from"
        f" ({_hashed(engine, view, known.came, wanted)}) as came order by {_key(view)}"
    )


def _hashed(engine: SqlEngine, view: View, source: str | None, wanted: Sequence[Column]) -> str:
    have = (
        None
        if source is None
        else {name for name, _ in engine.columns(f'select * from "{source}"')}
    )
    columns = _columns(view, wanted, have)
    rows = render(
        "publication/content",
        columns=columns,
        source="(select 1) where false" if source is None else f'"{source}"',
    )
    return render("publication/hashes", columns=columns, content=f"({rows}) as content")


def _write(engine: SqlEngine, view: View, select: str, folder: Path) -> None:
    try:
        engine.copy_apart(select, file_of(folder, view))
    except Exception as error:
        raise _explained(view, folder, error) from None


def _explained(view: View, folder: Path, error: Exception) -> PublicationError:
    """The engine's message may quote a value: its class and the system's reason are enough."""
    reason = getattr(error, "strerror", None) or (
        "No space left on device" if "No space left" in str(error) else None
    )
    if reason is None and isinstance(error, OSError):
        reason = type(error).__name__
    if reason is not None:
        said = f"the release folder could not be written under {folder.parent}: {reason}"
        return PublicationError(said, "make room and run again, the last release stands.")
    kind = type(error).__name__
    return PublicationError(
        f"{view.name} cannot be published: its values do not fit the declared types ({kind})",
        REPORT,
    )


def _summed(engine: SqlEngine, view: View) -> Table:
    begins = 0

    def counted() -> Iterator[pa.RecordBatch]:
        nonlocal begins
        for batch in engine.arrow(f"select row_hash from {Content.rows(view)}"):
            numbers = octets(batch.column(0)).view(">u8").reshape(-1, 2)[:, 0]
            begins += int(numbers.astype(np.uint64).sum(dtype=np.uint64))
            yield batch

    total = summed(counted())
    return Table(total.rows, total.digest, begins % FULL)


def _key(view: View) -> str:
    return ", ".join(f'"{name}"' for name in view.key)


def duplicates(engine: SqlEngine, view: View) -> int:
    """Keys that stand more than once among the changed rows, or are empty;
    equal rows of one key show in the counts.
    """
    empty = " or ".join(f'"{name}" is null' for name in view.key)
    repeated = engine.scalar(
        f"select count(*) from (select {_key(view)} from {changed(view)} group by {_key(view)}"
        " having count(*) > 1)"
    )
    return int(repeated) + int(engine.scalar(f"select count(*) from {changed(view)} where {empty}"))


def changed(view: View) -> str:
    """The engine's name for the rows to add."""
    return f"changed_{view.name}"


def everything_is_new(engine: SqlEngine, view: View) -> None:
    """Makes `changed_<view>` where nothing was written before."""
    engine.view(changed(view), f"select * from {Content.rows(view)}")


def nothing_is_new(engine: SqlEngine, view: View) -> None:
    """Makes an empty `changed_<view>`."""
    engine.view(changed(view), f"select * from {Content.rows(view)} where false")


def difference(engine: SqlEngine, view: View, written: str) -> int:
    """Makes `changed_<view>` (rows to add) and `differs_<view>`
    (keys, and whether they were there).

    `written`: the engine's name for the keys and hashes of the last release written. Returns how
    many keys differ; an empty key differs from everything.
    """
    count = engine.table(
        f"differs_{view.name}",
        render("publication/difference", key=view.key, release=Content.rows(view), written=written),
    )
    same = " and ".join(f'd."{name}" is not distinct from a."{name}"' for name in view.key)
    rows = (
        f"select a.* from {Content.rows(view)} as a where exists (select 1 from differs_{view.name}"
        f" as d where {same})"
    )
    engine.table(changed(view), rows)
    return count


def drop(engine: SqlEngine) -> None:
    """Gives back the memory of the tables that a publication made."""
    for view in VIEWS:
        for prefix in ("changed", "differs", "written", "release"):
            engine.drop(f"{prefix}_{view.name}")
