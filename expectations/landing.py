"""From a raw batch to typed rows: `rows.parquet` in the batch's folder.

Belongs here: reading a batch's bytes, writing its rows, how its columns differ. Not here: fetching
(`resources`), what a text means (`typed_rows`), rules (`rules`).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from expectations.contract import Contract
from expectations.drift import (
    Downstream,
    Drift,
    asking_drift,
    column_drift,
    nothing_downstream,
    type_drift,
)
from expectations.engine import SqlEngine, literal, name, parquet
from expectations.errors import YihuError
from expectations.typed_rows import Delivery, typed_select

LANDING = 4
"""Raised when the same bytes would land otherwise than before;
a batch landed under another number lands anew.
"""

PAGE_BYTES = 16 * 1024 * 1024


class LandingError(YihuError):
    """A batch whose bytes cannot be read; says which and what to do."""


@dataclass(frozen=True)
class Landed:
    """A batch as typed rows.

    `rows_path` holds `_row` (1-based, as received), `_op` (U or D), every contract field by its
    logical name, `_misfit` (the fields whose delivered text did not fit their type), `_unread`
    (those whose cell was damaged), `_marked` (`<rule>:<field>` of each damaged cell) and
    `_key_text` (the key as delivered where folding changed it).
    """

    rows_path: Path
    row_count: int
    drifts: tuple[Drift, ...]


def fingerprint(contract: Contract) -> str:
    """What a landing depends on besides the bytes: the contract file and this module."""
    return hashlib.sha256(contract.path.read_bytes() + f"|{LANDING}".encode()).hexdigest()[:16]


def land(
    engine: SqlEngine,
    contract: Contract,
    batch: Path,
    manifest: dict[str, Any],
    downstream: Downstream = nothing_downstream,
) -> Landed:
    """Lands the batch in the folder `batch`, or finds it landed under this very contract.

    The engine's reader parses the bytes. It is left with the table `delivered_<table>` (the text as
    delivered) when the batch landed now; `delivered_json` makes it where it is needed and not
    there.

    Raises:
        LandingError: the files of the manifest are not there or cannot be read.
    """
    drifts = column_drift(
        contract,
        manifest.get("columns") or [f.physical_name for f in contract.delivered],
        downstream,
    )
    path = batch / "rows.parquet"
    note = batch / "landed.json"
    reader = engine.reader
    mark = {"fingerprint": fingerprint(contract), "sha256": manifest.get("sha256")}
    reader.drop(text_table(contract))
    known = json.loads(note.read_text(encoding="utf-8")) if path.exists() and note.exists() else {}
    if {key: known.get(key) for key in mark} != mark:
        _delivered_text(reader, contract, batch, manifest)
        _write(
            reader,
            typed_select(contract, row_numbers(contract), _delivery(reader, contract, manifest)),
            path,
            contract,
        )
        known = mark | {"asks": [asked.__dict__ for asked in _asking(reader, contract, path)]}
        _replace(note, json.dumps(known, ensure_ascii=False))
    rows = int(reader.scalar(f"select count(*) from {parquet(path)}"))
    asks = [Drift(**asked) for asked in known.get("asks", ())]
    return Landed(path, rows, (*drifts, *asks, *_retyped(reader, contract, path, downstream)))


def _delivery(reader: SqlEngine, contract: Contract, manifest: dict[str, Any]) -> Delivery:
    there = {column for column, _ in reader.columns(f"select * from {name(text_table(contract))}")}
    columns = manifest.get("columns") or [field.physical_name for field in contract.delivered]
    extract = str(manifest.get("extract_date") or date.min.isoformat())[:10]
    form = str(manifest.get("form", "api"))
    return Delivery(
        form,
        frozenset(columns),
        date.fromisoformat(extract),
        "_marks" in there,
        "_numbers" in there,
    )


def text_table(contract: Contract) -> str:
    """The reader's table with the batch's rows as delivered:
    page and place in it, `_op`, every delivered column as text.
    """
    return f"delivered_{contract.table}"


def delivered_json(
    engine: SqlEngine, contract: Contract, batch: Path, manifest: dict[str, Any], wanted: str
) -> str:
    """A relation of the engine with `_row` and `raw`
    (the row as delivered, as JSON text) of the rows in `wanted`.
    """
    reader, relation = engine.reader, f"raw_{contract.table}"
    if not reader.exists(text_table(contract)):
        _delivered_text(reader, contract, batch, manifest)
    if reader is not engine:
        reader.from_arrow(wanted, engine.arrow(f"select _row from {wanted}").read_all())
    # PostgreSQL takes no NUL, in JSON's own spelling neither
    text = ", ".join(
        f"{literal(f.physical_name)}: replace({name(f.physical_name)}, chr(0), '')"
        for f in contract.delivered
    )
    rows = (
        f"select _row, to_json({{{text}}})::varchar as raw from ({row_numbers(contract)}) where"
        f" _row in (select _row from {wanted})"
    )
    if reader is engine:
        engine.view(relation, rows)
    else:
        engine.from_arrow(relation, reader.arrow(rows).read_all())
        reader.drop(wanted)
    return relation


def _delivered_text(
    engine: SqlEngine, contract: Contract, batch: Path, manifest: dict[str, Any]
) -> None:
    """Makes the table `delivered_<table>` of this batch."""
    table = text_table(contract)
    files = [batch / file for file in manifest.get("files") or ()]
    absent = [file.name for file in files if not file.exists()]
    if absent:
        raise LandingError(
            f"{contract.table}: batch {batch.name} lacks {', '.join(absent[:3])}",
            "read the day again",
        )
    try:
        engine.table(
            table,
            (
                _json_select(contract, files)
                if _is_json(manifest)
                else _parquet_select(engine, contract, _parquets(batch, files))
            ),
        )
    except LandingError:
        raise
    except Exception as error:
        # The engine's message may quote a value: its class says enough.
        raise LandingError(
            f"{contract.table}: batch {batch.name} cannot be parsed ({type(error).__name__})",
            "read the day again",
        ) from None


def release_text(engine: SqlEngine, contract: Contract) -> None:
    """Frees the memory of `delivered_<table>`, and what was made of it."""
    engine.drop(f"raw_{contract.table}")
    engine.reader.drop(text_table(contract))


def row_numbers(contract: Contract) -> str:
    """The delivered text with `_row`: 1-based,
    in the order of the pages and in the order within each.
    """
    table = name(text_table(contract))
    return f"""
    with paged as (select _file, count(*) as rows_in_page from {table} group by _file),
    started as (
        select _file,
            coalesce(sum(rows_in_page)
                over (order by _file rows between unbounded preceding and 1 preceding), 0) as before
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
        else sorted(
            file for file in files if file.suffix == ".parquet" and not file.name.startswith("keys")
        )
    )


def _json_select(contract: Contract, files: Sequence[Path]) -> str:
    """The rows of the answer's pages, in the order of the pages and in the order within each."""
    columns = ", ".join(
        f"{name(column)} varchar"
        for column in ["_op", *(f.physical_name for f in contract.delivered)]
    )
    text = ", ".join(
        f"r.{name(f.physical_name)} as {name(f.physical_name)}" for f in contract.delivered
    )
    if not files:
        nothing = ", ".join(f"null::varchar as {name(f.physical_name)}" for f in contract.delivered)
        return (
            "select null::varchar as _file, null::bigint as _position, null::varchar as _op,"
            f" {nothing} where false"
        )
    largest = max(PAGE_BYTES, *(file.stat().st_size + 1024 for file in files))
    listed = "[" + ", ".join(literal(file) for file in files) + "]"
    return f"""
    select filename as _file, position as _position, r._op as _op, {text}
    from (
        select filename, unnest(data.rows) as r, generate_subscripts(data.rows, 1) as position
        from read_json(
            {listed}, format = 'unstructured', records = true, filename = true,
            maximum_object_size = {largest},
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
        f"{name(f.physical_name) + '::varchar' if f.physical_name in there else 'null::varchar'} as"
        f" {name(f.physical_name)}"
        for f in contract.delivered
    )
    beside = [
        f"{column}::{kind} as {column}" for column, kind in _BESIDE.items() if column in there
    ]
    beside += [
        f"null::varchar as {column}" for column in _named_by(contract) if column not in there
    ]
    said = "".join(f", {column}" for column in beside)
    return (
        f"select '' as _file, row_number() over () as _position, 'U' as _op, {text}{said} from"
        f" {source}"
    )


_BESIDE = {"_part": "varchar", "_sheet": "varchar", "_marks": "varchar[]", "_numbers": "varchar[]"}
"""What the reader of files says of a row besides its cells."""


def _named_by(contract: Contract) -> list[str]:
    """The columns that hold what the rows lack: the names of file and sheet."""
    return sorted(
        {
            "_sheet" if field.source == "sheet" else "_part"
            for field in contract.fields
            if field.source
        }
    )


def _write(engine: SqlEngine, select: str, path: Path, contract: Contract) -> None:
    work = _aside(path)
    try:
        engine.copy(select, work)
    except Exception as error:
        work.unlink(missing_ok=True)
        raise LandingError(
            f"{contract.table}: batch {path.parent.name} cannot be landed ({type(error).__name__})",
            "check the disk",
        ) from None
    work.chmod(0o600)
    os.replace(work, path)


def _aside(path: Path) -> Path:
    """Beside the batch, not in it: there `resources.runtime.cleanup` finds what a killed
    run leaves.
    """
    return path.parent.with_name(f".{path.parent.name}.{path.name}.tmp")


def _replace(path: Path, text: str) -> None:
    work = _aside(path)
    work.write_text(text, encoding="utf-8")
    work.chmod(0o600)
    os.replace(work, path)


def _retyped(
    engine: SqlEngine, contract: Contract, path: Path, downstream: Downstream
) -> list[Drift]:
    source = parquet(path)
    if not engine.scalar(f"select count(*) from {source} where len(_misfit) > 0"):
        return []
    casts = [f for f in contract.fields if f.type != "text" or f.written]
    counts = ", ".join(
        f"count(*) filter (list_contains(_misfit, {literal(f.name)})), "
        f"count(*) filter ({name(f.name)} is not null or list_contains(_misfit, {literal(f.name)}))"
        for f in casts
    )
    found = engine.rows(f"select {counts} from {source} where _op is distinct from 'D'")[0]
    drifts = [
        type_drift(contract, f, int(found[2 * i + 1]), int(found[2 * i]), downstream)
        for i, f in enumerate(casts)
    ]
    return [drift for drift in drifts if drift is not None]


def _asking(reader: SqlEngine, contract: Contract, path: Path) -> list[Drift]:
    """What the contract must say of date columns that could be read in two ways;
    looks only at columns with misfits.
    """
    rows = parquet(path)
    dates = [f for f in contract.delivered if f.type in ("date", "timestamp")]
    if not dates or not reader.scalar(f"select count(*) from {rows} where len(_misfit) > 0"):
        return []
    misfits = reader.rows(
        "select"
        f""" {
            ", ".join(f"count(*) filter (list_contains(_misfit, {literal(f.name)}))" for f in dates)
        }"""
        f" from {rows}"
    )[0]
    drifts = []
    for field, count in zip(dates, misfits, strict=True):
        if not count:
            continue
        text = f"regexp_replace({name(field.physical_name)}, '[年月/.]', '-', 'g')"
        parts = (
            f"select string_split({text}, '-') as p from {name(text_table(contract))} where"
            f" regexp_matches({text}, '{_THREE_PARTS}')"
        )
        middle, last, ends = reader.rows(
            "select count(*) filter (len(p[1]) = 4 and p[2]::int > 12), max(case when len(p[1]) ="
            f" 4 then left(p[3], 2)::int end), count(*) filter (len(p[1]) < 4) from ({parts})"
        )[0]
        drifts += asking_drift(contract, field, int(middle), int(last or 0), int(ends))
    return drifts


_THREE_PARTS = (
    "^ *([0-9]{4}-[0-9]{1,2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]"
    "|[0-9]{1,2}-[0-9]{1,2}-(19|20)[0-9]{2}) *$"
)
