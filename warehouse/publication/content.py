"""What a release holds: each table in its declared columns and types, a hash per row, a checksum over all.

Belongs here: the engine's side of a release, and its difference from the last one written. Not here: the database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from warehouse.model import SqlEngine, render
from warehouse.publication.errors import PublicationError
from warehouse.schema import VIEW, VIEWS, Column, View

ENGINE_TYPES = {"text": "varchar", "text[]": "varchar[]", "jsonb": "varchar", "timestamptz": "timestamptz"}
HASH = pa.binary(16)


@dataclass(frozen=True)
class Content:
    """The release on the engine: its rows are the views `release_<view>`, their keys and hashes the tables `hashes_<view>`.

    Only the hashes are computed and kept; wide rows are read again where they are needed, which costs less than a copy.
    """

    counts: Mapping[str, int]
    checksum: str

    @staticmethod
    def rows(view: View) -> str:
        return f"release_{view.name}"

    @staticmethod
    def hashes(view: View) -> str:
        return f"hashes_{view.name}"


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
    """Makes the engine's tables and views of a release; views that `tables` does not name are empty.

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
        rows = render("publication/content", columns=columns, source="(select 1) where false" if source is None else f'"{source}"')
        engine.view(Content.rows(view), rows)
        counts[view.name] = _hash(engine, view, columns)
        digest.update(f"{view.name}:{counts[view.name]}:".encode())
        digest.update(_table_digest(engine, view))
    return Content(counts, digest.hexdigest())


def _hash(engine: SqlEngine, view: View, columns: list[dict[str, Any]]) -> int:
    try:
        return engine.table(Content.hashes(view), render("publication/hashes", key=view.key, columns=columns, content=Content.rows(view)))
    except Exception as error:
        # The engine's message may quote a value: its class is enough.
        raise PublicationError(
            f"{view.name} cannot be published: its values do not fit the declared types ({type(error).__name__}); the last release stands."
        ) from None


def _table_digest(engine: SqlEngine, view: View) -> bytes:
    """The sum of the rows' hashes, as two numbers of 64 bits: the same for the same rows in any order, on any engine."""
    total = np.zeros(2, dtype="<u8")
    for batch in engine.arrow(f"select row_hash from {Content.hashes(view)}"):
        values = np.frombuffer(batch.column(0).cast(HASH).buffers()[1], dtype="<u8")
        total += values.reshape(-1, 2).sum(axis=0, dtype="<u8")
    return total.tobytes()


def duplicates(engine: SqlEngine, view: View) -> int:
    """Keys that stand more than once among the changed rows, or are empty; equal rows of one key show in the counts."""
    key = ", ".join(f'"{name}"' for name in view.key)
    empty = " or ".join(f'"{name}" is null' for name in view.key)
    table = changed(view)
    repeated = engine.scalar(f"select count(*) from (select {key} from {table} group by {key} having count(*) > 1)")
    return int(repeated) + int(engine.scalar(f"select count(*) from {Content.hashes(view)} where {empty}"))


def changed(view: View) -> str:
    """The engine table of the rows to add."""
    return f"changed_{view.name}"


def everything_is_new(engine: SqlEngine, view: View) -> int:
    """Makes `changed_<view>` where nothing was written before; returns how many keys differ."""
    engine.view(changed(view), _with_hashes(view, Content.hashes(view)))
    return int(engine.scalar(f"select count(*) from {Content.hashes(view)}"))


def difference(engine: SqlEngine, view: View, written: pa.Table) -> int:
    """Makes `changed_<view>` (rows to add) and `differs_<view>` (keys, and whether they were there).

    `written`: the keys and hashes of the last release written. Returns how many keys differ.
    """
    engine.from_arrow(f"written_{view.name}", written)
    select = render("publication/difference", key=view.key, hashes=Content.hashes(view), written=f"written_{view.name}")
    count = engine.table(f"differs_{view.name}", select)
    few = (
        f"(select a.* from {Content.hashes(view)} as a where exists (select 1 from differs_{view.name} as d where {_same(view, 'd', 'a')}))"
    )
    engine.table(changed(view), _with_hashes(view, few))
    return count


def _with_hashes(view: View, hashes: str) -> str:
    return f"select r.*, h.row_hash from {Content.rows(view)} as r join {hashes} as h on {_same(view, 'h', 'r')}"


def _same(view: View, one: str, other: str) -> str:
    return " and ".join(f'{one}."{name}" = {other}."{name}"' for name in view.key)


def drop(engine: SqlEngine) -> None:
    """Gives back the memory of the tables that a publication made."""
    for view in VIEWS:
        for prefix in ("changed", "differs", "written", "hashes", "release"):
            engine.drop(f"{prefix}_{view.name}")
