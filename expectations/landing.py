"""From a raw batch to typed rows: `rows.parquet` in the batch's folder.

Belongs here: reading a batch's bytes, logical names, types, column drift. Not here: fetching (`resources`), rules (`rules`).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expectations.casting import present, sql_type, typed
from expectations.contract import Contract
from expectations.drift import Downstream, Drift, column_drift, nothing_downstream, type_drift
from expectations.engine import SqlEngine, literal, name, parquet

LANDING = 1
"""Raised when the same bytes would land otherwise than before; a batch landed under another number lands anew."""

PAGE_BYTES = 16 * 1024 * 1024


class LandingError(RuntimeError):
    """A batch whose bytes cannot be read; says which and what to do."""


@dataclass(frozen=True)
class Landed:
    """A batch as typed rows.

    `rows_path` holds `_row` (1-based, as received), `_op` (U or D), every contract field by its logical name, and
    `_misfit` (the fields whose delivered text did not fit their type).
    """

    rows_path: Path
    row_count: int
    drifts: tuple[Drift, ...]


def fingerprint(contract: Contract) -> str:
    """What a landing depends on besides the bytes: the contract file and this module."""
    return hashlib.sha256(contract.path.read_bytes() + f"|{LANDING}".encode()).hexdigest()[:16]


def land(
    engine: SqlEngine, contract: Contract, batch: Path, manifest: dict[str, Any], downstream: Downstream = nothing_downstream
) -> Landed:
    """Lands the batch in the folder `batch`, or finds it landed under this very contract.

    The engine's reader parses the bytes. It is left with the table `delivered_<table>` (the text as delivered) when the
    batch landed now; `delivered_json` makes it where it is needed and not there.

    Raises:
        LandingError: the files of the manifest are not there or cannot be read.
    """
    drifts = column_drift(contract, manifest.get("columns") or [f.physical_name for f in contract.fields], downstream)
    path = batch / "rows.parquet"
    note = batch / "landed.json"
    reader = engine.reader
    mark = {"fingerprint": fingerprint(contract), "sha256": manifest.get("sha256")}
    reader.drop(text_table(contract))
    if not (path.exists() and note.exists() and json.loads(note.read_text(encoding="utf-8")) == mark):
        _delivered_text(reader, contract, batch, manifest)
        _write(reader, _typed_select(contract, str(manifest.get("form", "api"))), path, contract)
        _replace(note, json.dumps(mark))
    rows = int(reader.scalar(f"select count(*) from {parquet(path)}"))
    return Landed(path, rows, (*drifts, *_retyped(reader, contract, path, downstream)))


def text_table(contract: Contract) -> str:
    """The reader's table with the batch's rows as delivered: page and place in it, `_op`, every contract column as text."""
    return f"delivered_{contract.table}"


def delivered_json(engine: SqlEngine, contract: Contract, batch: Path, manifest: dict[str, Any], wanted: str) -> str:
    """A relation of the engine with `_row` and `raw` (the row as delivered, as JSON text) of the rows in `wanted`."""
    reader, relation = engine.reader, f"raw_{contract.table}"
    if not reader.exists(text_table(contract)):
        _delivered_text(reader, contract, batch, manifest)
    if reader is not engine:
        reader.from_arrow(wanted, engine.arrow(f"select _row from {wanted}").read_all())
    text = ", ".join(f"{literal(f.physical_name)}: {name(f.physical_name)}" for f in contract.fields)
    rows = f"select _row, to_json({{{text}}})::varchar as raw from ({row_numbers(contract)}) where _row in (select _row from {wanted})"
    if reader is engine:
        engine.view(relation, rows)
    else:
        engine.from_arrow(relation, reader.arrow(rows).read_all())
        reader.drop(wanted)
    return relation


def _delivered_text(engine: SqlEngine, contract: Contract, batch: Path, manifest: dict[str, Any]) -> None:
    """Makes the table `delivered_<table>` of this batch."""
    table = text_table(contract)
    files = [batch / file for file in manifest.get("files") or ()]
    absent = [file.name for file in files if not file.exists()]
    if absent:
        raise LandingError(f"{contract.table}: batch {batch.name} lacks {', '.join(absent[:3])}; read the day again")
    try:
        engine.table(
            table, _json_select(contract, files) if _is_json(manifest) else _parquet_select(engine, contract, _parquets(batch, files))
        )
    except LandingError:
        raise
    except Exception as error:
        # The engine's message may quote a value: its class says enough.
        raise LandingError(f"{contract.table}: batch {batch.name} cannot be parsed ({type(error).__name__}); read the day again") from None


def release_text(engine: SqlEngine, contract: Contract) -> None:
    """Frees the memory of `delivered_<table>`, and what was made of it."""
    engine.drop(f"raw_{contract.table}")
    engine.reader.drop(text_table(contract))


def row_numbers(contract: Contract) -> str:
    """The delivered text with `_row`: 1-based, in the order of the pages and in the order within each."""
    table = name(text_table(contract))
    return f"""
    with paged as (select _file, count(*) as rows_in_page from {table} group by _file),
    started as (
        select _file, coalesce(sum(rows_in_page) over (order by _file rows between unbounded preceding and 1 preceding), 0) as before
        from paged
    )
    select (started.before + d._position)::bigint as _row, d.* exclude (_file, _position)
    from {table} as d inner join started on started._file = d._file
    """


def _is_json(manifest: dict[str, Any]) -> bool:
    return manifest.get("form", "api") == "api"


def _parquets(batch: Path, files: Sequence[Path]) -> list[Path]:
    delivered = batch / "delivered.parquet"
    return (
        [delivered]
        if delivered.exists()
        else sorted(file for file in files if file.suffix == ".parquet" and not file.name.startswith("keys"))
    )


def _json_select(contract: Contract, files: Sequence[Path]) -> str:
    """The rows of the answer's pages, in the order of the pages and in the order within each."""
    columns = ", ".join(f"{name(column)} varchar" for column in ["_op", *(f.physical_name for f in contract.fields)])
    text = ", ".join(f"r.{name(f.physical_name)} as {name(f.physical_name)}" for f in contract.fields)
    if not files:
        nothing = ", ".join(f"null::varchar as {name(f.physical_name)}" for f in contract.fields)
        return f"select null::varchar as _file, null::bigint as _position, null::varchar as _op, {nothing} where false"
    largest = max(PAGE_BYTES, *(file.stat().st_size + 1024 for file in files))
    listed = "[" + ", ".join(literal(file) for file in files) + "]"
    return f"""
    select filename as _file, position as _position, r._op as _op, {text}
    from (
        select filename, unnest(data.rows) as r, generate_subscripts(data.rows, 1) as position
        from read_json(
            {listed}, format = 'unstructured', records = true, filename = true, maximum_object_size = {largest},
            columns = {{'data': 'struct("rows" struct({columns.replace("'", "''")})[])'}}
        )
    )
    """


def _parquet_select(engine: SqlEngine, contract: Contract, files: Sequence[Path]) -> str:
    """The rows of a file or of a query's result, in the order of the parts."""
    if not files:
        return _json_select(contract, ())
    listed = "[" + ", ".join(literal(file) for file in files) + "]"
    source = f"read_parquet({listed}, union_by_name = true)"
    there = {column for column, _ in engine.columns(f"select * from {source}")}
    text = ", ".join(
        f"{name(f.physical_name) + '::varchar' if f.physical_name in there else 'null::varchar'} as {name(f.physical_name)}"
        for f in contract.fields
    )
    return f"select '' as _file, row_number() over () as _position, 'U' as _op, {text} from {source}"


def _typed_select(contract: Contract, form: str) -> str:
    """Logical names, typed; a value that does not fit is null and named in `_misfit`."""
    fields = contract.fields
    blank = ", ".join(f"{present(name(f.physical_name))} as _t{i}" for i, f in enumerate(fields))
    values = ", ".join(f"({typed(f.type, f'_t{i}', form)})::{sql_type(f.type)} as {name(f.name)}" for i, f in enumerate(fields))
    casts = [(i, f) for i, f in enumerate(fields) if f.type != "text"]
    wrong = [(f"_t{i} is not null and {name(f.name)} is null", f.name) for i, f in casts]
    none = "[]::varchar[]"
    listed = ", ".join(f"case when {condition} then {literal(field)} end" for condition, field in wrong)
    anywhere = " or ".join(f"({condition})" for condition, _ in wrong)
    misfit = f"case when {anywhere} then list_filter([{listed}], f -> f is not null) else {none} end" if wrong else none
    return f"""
    with numbered as ({row_numbers(contract)}),
    present as (select _row, _op, {blank} from numbered),
    value as (select *, {values} from present)
    select _row, _op, {", ".join(name(f.name) for f in fields)}, {misfit} as _misfit
    from value
    """


def _write(engine: SqlEngine, select: str, path: Path, contract: Contract) -> None:
    work = _aside(path)
    try:
        engine.copy(select, work)
    except Exception as error:
        work.unlink(missing_ok=True)
        raise LandingError(
            f"{contract.table}: batch {path.parent.name} cannot be landed ({type(error).__name__}); check the disk"
        ) from None
    work.chmod(0o600)
    os.replace(work, path)


def _aside(path: Path) -> Path:
    """Beside the batch, not in it: there `resources.leftovers` finds what a killed run leaves."""
    return path.parent.with_name(f".{path.parent.name}.{path.name}.tmp")


def _replace(path: Path, text: str) -> None:
    work = _aside(path)
    work.write_text(text, encoding="utf-8")
    work.chmod(0o600)
    os.replace(work, path)


def _retyped(engine: SqlEngine, contract: Contract, path: Path, downstream: Downstream) -> list[Drift]:
    source = parquet(path)
    if not engine.scalar(f"select count(*) from {source} where len(_misfit) > 0"):
        return []
    casts = [f for f in contract.fields if f.type != "text"]
    counts = ", ".join(
        f"count(*) filter (list_contains(_misfit, {literal(f.name)})), "
        f"count(*) filter ({name(f.name)} is not null or list_contains(_misfit, {literal(f.name)}))"
        for f in casts
    )
    found = engine.rows(f"select {counts} from {source} where _op is distinct from 'D'")[0]
    drifts = [type_drift(contract, f, int(found[2 * i + 1]), int(found[2 * i]), downstream) for i, f in enumerate(casts)]
    return [drift for drift in drifts if drift is not None]
