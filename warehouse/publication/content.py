"""What a release holds: each table in its declared columns and types, a hash per row, a checksum over all.

Belongs here: the engine's side of a release, and its difference from the last one written. Not here: the database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from warehouse.model import SqlEngine, render
from warehouse.publication.errors import PublicationError
from warehouse.schema import VIEW, VIEWS, Column, View

ENGINE_TYPES = {"text": "varchar", "text[]": "varchar[]", "jsonb": "varchar", "timestamptz": "timestamptz"}
HASH = pa.binary(16)


@dataclass(frozen=True)
class Content:
    """The engine tables that hold the release (`release_<view>`), their row counts, and the checksum over all."""

    counts: Mapping[str, int]
    checksum: str

    @staticmethod
    def table(view: View) -> str:
        return f"release_{view.name}"


def engine_type(column: Column) -> str:
    return ENGINE_TYPES.get(column.type, column.type.replace("numeric", "decimal"))


def _canonical(column: Column) -> str:
    name = f'"{column.name}"'
    if column.type == "text[]":
        return f"array_to_string({name}, chr(31))"
    if column.type == "boolean":
        return f"case when {name} then 'true' when not {name} then 'false' end"
    return name if column.type in ("text", "jsonb") else f"cast({name} as varchar)"


def _source(column: Column, have: set[str]) -> str | None:
    if column.name in have:
        return f'"{column.name}"'
    if column.name == "town_code" and "area_code" in have:
        return "case when length(area_code) >= 9 then substr(area_code, 1, 9) end"
    return None


def _columns(view: View, have: set[str] | None) -> list[dict[str, Any]]:
    """The columns for the model; `have` is None for a table that is not there yet."""
    made, lacking = [], []
    for column in view.stored:
        source = "null" if have is None else _source(column, have)
        if source is None:
            lacking.append(column.name)
        made.append({"name": column.name, "type": engine_type(column), "source": source, "text": _canonical(column)})
    if lacking:
        raise PublicationError(f"{view.name} cannot be published: the engine's table lacks {', '.join(lacking)}; the last release stands.")
    return made


def prepare(engine: SqlEngine, tables: Mapping[str, str]) -> Content:
    """Makes `release_<view>` for every view; those that `tables` does not name are empty.

    `tables`: name of the view → name of the engine's table or view.

    Raises:
        PublicationError: for an unknown name, or a table that lacks a column.
    """
    unknown = sorted(set(tables) - set(VIEW) - {"source_status"})
    if unknown:
        raise PublicationError(f"no such view in yihu: {', '.join(unknown)}")
    counts: dict[str, int] = {}
    digest = hashlib.sha256()
    for view in VIEWS:
        source = tables.get(view.name)
        have = None if source is None else {name for name, _ in engine.columns(f'select * from "{source}"')}
        columns = _columns(view, have)
        select = render("publication/content", columns=columns, source="(select 1) where false" if source is None else f'"{source}"')
        counts[view.name] = _make(engine, view, select)
        digest.update(f"{view.name}:{counts[view.name]}:".encode())
        digest.update(_table_digest(engine, view))
    return Content(counts, digest.hexdigest())


def _make(engine: SqlEngine, view: View, select: str) -> int:
    try:
        return engine.table(Content.table(view), select)
    except Exception as error:
        # The engine's message may quote a value: its class is enough.
        raise PublicationError(
            f"{view.name} cannot be published: its values do not fit the declared types ({type(error).__name__}); the last release stands."
        ) from None


def _table_digest(engine: SqlEngine, view: View) -> bytes:
    """SHA-256 over the rows' hashes in ascending order: the same for the same rows in any order, on any engine."""
    digest = hashlib.sha256()
    for batch in engine.arrow(f"select row_hash from {Content.table(view)} order by row_hash"):
        digest.update(batch.column(0).cast(HASH).buffers()[1])
    return digest.digest()


def duplicates(engine: SqlEngine, view: View) -> int:
    """Keys that stand more than once among the changed rows, or are empty; equal rows of one key show in the counts."""
    key = ", ".join(f'"{name}"' for name in view.key)
    empty = " or ".join(f'"{name}" is null' for name in view.key)
    table = changed(view)
    repeated = engine.scalar(f"select count(*) from (select {key} from {table} group by {key} having count(*) > 1)")
    return int(repeated) + int(engine.scalar(f"select count(*) from {table} where {empty}"))


def changed(view: View) -> str:
    """The engine table of the rows to add."""
    return f"changed_{view.name}"


def everything_is_new(engine: SqlEngine, view: View) -> int:
    """Makes `changed_<view>` where nothing was written before; returns how many keys differ."""
    engine.view(changed(view), f"select * from {Content.table(view)}")
    return int(engine.scalar(f"select count(*) from {Content.table(view)}"))


def difference(engine: SqlEngine, view: View, written: pa.Table) -> int:
    """Makes `changed_<view>` (rows to add) and `differs_<view>` (keys, and whether they were there).

    `written`: the keys and hashes of the last release written. Returns how many keys differ.
    """
    key = [f'"{name}"' for name in view.key]
    engine.from_arrow(f"written_{view.name}", written)
    select = render("publication/difference", key=view.key, release=Content.table(view), written=f"written_{view.name}")
    count = engine.table(f"differs_{view.name}", select)
    same = " and ".join(f"d.{name} = r.{name}" for name in key)
    engine.table(
        changed(view), f"select r.* from {Content.table(view)} as r where exists (select 1 from differs_{view.name} as d where {same})"
    )
    return count


def drop(engine: SqlEngine) -> None:
    """Gives back the memory of the tables that a publication made."""
    for view in VIEWS:
        for prefix in ("changed", "differs", "written", "release"):
            engine.drop(f"{prefix}_{view.name}")
