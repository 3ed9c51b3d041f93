"""A record type of an office's own writing, and batches of what it delivered, cell by cell.

Belongs here: making contracts and `delivered.parquet` as the reader of files leaves it. Not here:
what should come of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.contract import Contract, Field, contract_for
from expectations.landing import Landed, land
from resources.engines.duckdb import Engine
from resources.lake import Lake

DAY = date(2026, 11, 21)


def field(name: str, kind: str = "text", **more: Any) -> Field:
    """An optional field whose column is named as it is."""
    told = {
        "required": False,
        "role": None,
        "classification": "internal",
        "unit": None,
        "meaning": "",
        "codes": (),
    }
    return Field(name, name, kind, **(told | more))


def contract_of(*fields: Field, form: str = "file", **properties: Any) -> Contract:
    """A record type of these fields besides a key and an update time (where they bring none)."""
    own = (
        []
        if any(f.role == "record_key" for f in fields)
        else [field("number", role="record_key", required=True, key_position=1)]
    )
    at = (
        []
        if any(f.role == "updated_at" for f in fields)
        else [field("updated_at", "timestamp", role="updated_at", required=True)]
    )
    aid = contract_for("temporary_aid")
    delivery = properties.pop("delivery", "full")
    return replace(
        aid, fields=(*own, *fields, *at), quality=(), delivery=delivery, server={"form": form},
        properties={"maxBadShare": 1} | properties,
    )  # fmt: skip


def deliver(
    lake: Lake,
    contract: Contract,
    rows: Sequence[dict[str, Any]],
    *,
    day: date = DAY,
    form: str = "file",
    number: int = 1,
    beside: Sequence[dict[str, Any]] = (),
    **manifest: Any,
) -> Path:
    """A batch of rows (by physical names, cells as text); `beside`: `_marks`, `_numbers`, `_sheet`,
    `_part` of each row.
    """
    batch = lake.table("raw", contract.table) / f"{contract.records}-{day:%Y%m%d}-{number:02d}"
    batch.mkdir(parents=True)
    filled = [
        {"number": f"N{n:03d}", "updated_at": "2026-11-01 09:00:00"} | row
        for n, row in enumerate(rows, start=1)
    ]
    columns = manifest.pop("columns", None) or list(dict.fromkeys(c for row in filled for c in row))
    table: dict[str, Any] = {
        column: pa.array([row.get(column) for row in filled], pa.string()) for column in columns
    }
    if form == "file":
        beside = list(beside) or [{} for _ in filled]
        for name in ("_marks", "_numbers"):
            table[name] = pa.array([entry.get(name, []) for entry in beside], pa.list_(pa.string()))
        for name in ("_sheet", "_part"):
            table[name] = pa.array([entry.get(name) for entry in beside], pa.string())
    pq.write_table(pa.table(table), batch / "delivered.parquet")
    note = {
        "batch_id": batch.name, "form": form, "delivery": "full", "since": None, "until": None,
        "extract_date": day.isoformat(),
        "row_count": len(filled), "total": None, "sha256": batch.name,
        "files": ["delivered.parquet"],
        "columns": columns, "contract_version": contract.version, **manifest,
    }  # fmt: skip
    (batch / "manifest.json").write_text(json.dumps(note, ensure_ascii=False))
    pointer = lake.read_note("raw", contract.table, day) or {"batches": [], "failure": None}
    lake.write_note(
        "raw", contract.table, day, {**pointer, "batches": [*pointer["batches"], batch.name]}
    )
    return batch


def landed(engine: Engine, contract: Contract, batch: Path) -> Landed:
    return land(engine, contract, batch, json.loads((batch / "manifest.json").read_text()))


def read(
    engine: Engine,
    lake: Lake,
    kind: Field,
    texts: Sequence[str | None],
    form: str = "file",
    is_number: bool = False,
) -> list[Any]:
    """What each text in a cell of the field is read as: its value as text, `misfit`, or the rules
    that its cell breaks.
    """
    contract = contract_of(kind, form=form)
    beside = [{"_numbers": [kind.physical_name]} if is_number else {} for _ in texts]
    number = (
        1 + sum(1 for _ in lake.table("raw", contract.table).glob("*"))
        if lake.table("raw", contract.table).exists()
        else 1
    )
    rows = [{kind.physical_name: text} for text in texts]
    batch = deliver(lake, contract, rows, form=form, number=number, beside=beside)
    path = landed(engine, contract, batch).rows_path
    name = f'"{kind.name}"'
    found = engine.rows(
        f"select {name}::varchar, _misfit, _marked from read_parquet('{path}') order by _row"
    )
    return [
        list(marked) if marked else "misfit" if kind.name in misfit else value
        for value, misfit, marked in found
    ]
