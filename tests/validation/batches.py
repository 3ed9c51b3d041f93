"""Hand-made batches in the shapes of the lake: what `resources.departments` leaves in `raw`,
without any department.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb

from expectations.contract import Contract
from expectations.engine import literal
from resources.engines.duckdb import Engine
from resources.lake import Lake

Row = dict[str, Any]


def physical(contract: Contract, row: Row, op: str = "U") -> Row:
    """A row by physical names, every key in it, from one by logical names (`_op` may be in it)."""
    return {
        "_op": row.get("_op", op),
        **{f.physical_name: row.get(f.name) for f in contract.fields},
    }


def write_batch(
    lake: Lake,
    contract: Contract,
    as_of: date,
    rows: Sequence[Row],
    *,
    number: int = 1,
    form: str = "api",
    delivery: str = "incremental",
    since: str | None = None,
    page: int = 1000,
    keys: Sequence[str] | None = None,
    **manifest: Any,
) -> str:
    """A batch of `rows` (by logical names) in the lake, and the day's pointer to it; returns its
    id.
    """
    batch_id = f"{contract.records}-{as_of:%Y%m%d}-{number:02d}"
    folder = lake.table("raw", contract.table) / batch_id
    folder.mkdir(parents=True)
    delivered = [physical(contract, row) for row in rows]
    columns = (
        list(delivered[0]) if delivered else ["_op", *(f.physical_name for f in contract.fields)]
    )
    files = (
        _pages(folder, delivered, page) if form == "api" else _parquet(folder, delivered, columns)
    )
    if keys is not None:
        _parquet_file(folder / "keys.parquet", [{"key": key} for key in keys], ["key"])
        manifest["keys_file"] = "keys.parquet"
    note = {
        "batch_id": batch_id, "table": contract.table, "department": contract.department,
        "records": contract.records,
        "form": form, "format": "json" if form == "api" else "parquet", "delivery": delivery,
        "since": since,
        "until": f"{as_of}T23:59:59.999999+08:00" if form != "file" else None,
        "extract_date": as_of.isoformat(),
        "row_count": len(delivered), "total": len(delivered) if form == "api" else None,
        "sha256": f"{batch_id}",
        "contract_version": contract.version, "files": files,
        "columns": [column for column in columns if column != "_op"] if form != "api" else columns,
        **manifest,
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(note, ensure_ascii=False))
    pointer = lake.read_note("raw", contract.table, as_of) or {"batches": [], "failure": None}
    lake.write_note(
        "raw", contract.table, as_of, {**pointer, "batches": [*pointer["batches"], batch_id]}
    )
    return batch_id


def _pages(folder: Path, rows: list[Row], page: int) -> list[str]:
    names = []
    for start in range(0, max(1, len(rows)), page):
        file = folder / f"page-{start // page + 1:05d}.json"
        body = {
            "code": 0,
            "message": "ok",
            "data": {"total": len(rows), "cursor": None, "rows": rows[start : start + page]},
        }
        file.write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")
        names.append(file.name)
    return names


def _parquet(folder: Path, rows: list[Row], columns: list[str]) -> list[str]:
    _parquet_file(
        folder / "delivered.parquet", rows, [column for column in columns if column != "_op"]
    )
    return ["delivered.parquet"]


def _parquet_file(path: Path, rows: list[Row], columns: list[str]) -> None:
    connection = duckdb.connect()
    connection.execute(
        "create table t (" + ", ".join(f'"{column}" varchar' for column in columns) + ")"
    )
    text = [
        [None if row.get(column) is None else str(row[column]) for column in columns]
        for row in rows
    ]
    if text:
        connection.executemany(f"insert into t values ({', '.join('?' for _ in columns)})", text)
    connection.execute(f"copy t to {literal(path)} (format parquet)")
    connection.close()


def state(
    engine: Engine, lake: Lake, contract: Contract, as_of: date, columns: str = "*"
) -> list[tuple[Any, ...]]:
    """The stored valid rows of a day, by record key."""
    return stored(
        engine,
        lake,
        "valid",
        contract,
        as_of,
        f"select {columns} from t order by {contract.record_key.name}",
    )


def stored(
    engine: Engine, lake: Lake, layer: str, contract: Contract, as_of: date, select: str
) -> list[tuple[Any, ...]]:
    return engine.rows(f"with t as (from {lake.relation(layer, contract.table, as_of)}) {select}")


def days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(count)]
