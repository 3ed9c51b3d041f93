"""The versioned rows in the database: what is replaced or gone is closed, what is new is added.

Belongs here: getting a difference into `store`. Not here: finding it (`content`), the order of the
steps (`publish`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from expectations.engine import SqlEngine
from warehouse.publication.content import changed
from warehouse.publication.wire import Wire
from warehouse.schema import OPEN, Column, View

JSONB_VERSION = b"\x01"
"""What PostgreSQL wants before the text of a jsonb value that comes in binary."""


def written_before(wire: Wire, engine: SqlEngine, view: View) -> str | None:
    """The keys and hashes of the last release written, as the database has them;
    None where it has no row.
    """
    key = ", ".join(f'"{name}"' for name in view.key)
    written = wire.arrow(
        f'select {key}, row_hash from store."{view.name}" where until_release = {OPEN}'
    )
    if written.num_rows == 0:
        return None
    name = f"written_{view.name}"
    engine.from_arrow(name, written)
    return name


def close(wire: Wire, engine: SqlEngine, view: View, release_id: int) -> None:
    """Ends the versions that are replaced or gone."""
    if not engine.exists(f"differs_{view.name}"):
        return
    key = ", ".join(f'"{name}"' for name in view.key)
    declared = ", ".join(f'"{name}" {kind}' for name, kind in view.key_types.items())
    same = " and ".join(f't."{name}" = c."{name}"' for name in view.key)
    wire.execute(f'create temporary table "closed_{view.name}" ({declared}) on commit drop')
    if wire.load(
        f"closed_{view.name}",
        engine.arrow(f"select {key} from differs_{view.name} where was_there"),
    ):
        wire.execute(f'analyze "closed_{view.name}"')
        wire.execute(
            f'update store."{view.name}" as t set until_release = $1::integer from'
            f' "closed_{view.name}" as c where {same} and t.until_release = {OPEN}',
            release_id,
        )


def add(
    wire: Wire, engine: SqlEngine, view: View, release_id: int, columns: Sequence[Column]
) -> None:
    """Adds the new versions, in these columns.

    Straight into the table, or by way of a staging table where row security asks for it. By town: a
    town's login reads all of its town, which then lies on that town's pages and not on all of the
    county's.
    """
    kinds = {column.name: column.type for column in columns} | {"row_hash": "bytea"}
    names = ", ".join(f'"{name}"' for name in kinds)
    place = ", ".join(f'"{name}"' for name in ("town_code", *view.key) if name in kinds)
    select = f"select {names}, {release_id}::integer as from_release from {changed(view)}"
    rows = engine.arrow(f"{select} order by {place}" if place else select)
    documents = [name for name, kind in kinds.items() if kind == "jsonb"]
    if documents:
        rows = _as_jsonb(rows, documents)
    if not wire.scalar("select row_security_active($1::text)", f"store.{view.name}"):
        wire.load(view.name, rows, schema="store")
        return
    declared = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
    wire.execute(
        f'create temporary table "stage_{view.name}" ({declared}, from_release integer) on commit'
        " drop"
    )
    if wire.load(f"stage_{view.name}", rows):
        staged = f'select {names}, from_release from "stage_{view.name}"'
        wire.execute(f'insert into store."{view.name}" ({names}, from_release) {staged}')


def _as_jsonb(rows: pa.RecordBatchReader, names: list[str]) -> pa.RecordBatchReader:
    """The same rows with their documents as PostgreSQL reads them in a binary COPY."""
    fields = [
        pa.field(field.name, pa.binary()) if field.name in names else field for field in rows.schema
    ]
    schema = pa.schema(fields)

    def made() -> Iterator[pa.RecordBatch]:
        for batch in rows:
            columns = [
                (
                    pc.binary_join_element_wise(
                        pa.scalar(JSONB_VERSION), column.cast(pa.binary()), pa.scalar(b"")
                    )
                    if name in names
                    else column
                )
                for name, column in zip(batch.schema.names, batch.columns, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, made())
