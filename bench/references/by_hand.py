"""`python -m bench.references.by_hand validation|matching|lamps …`: the steps of a day as one would
write them in DuckDB for once.

Belongs here: the shortest scripts that come to the same links and the same lamps: no checks, no
quarantine, no review queue, no linkage quality, no days in between, no Dagster. Not here: clocks
that compare (`bench.__main__`).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import duckdb

from bench.peak import peak_mb
from expectations.contract import Contract, Field, load_contracts
from resources.lake import Lake
from warehouse import identity, names
from warehouse.matching import household_field, number_field

MATCHING, LAMPS = (Path(__file__).parent / f"{name}.sql" for name in ("matching", "lamps"))
KINDS = {"text": "varchar", "integer": "bigint"}


def folder(lake: Path, layer: str, table: str, as_of: date) -> str:
    return Lake(lake).relation(layer, table, as_of)


def delivered(batch: Path, contract: Contract, out: Path) -> str:
    """The rows of a batch's files, as text; `out` is for what must be copied as UTF-8 first."""
    manifest = json.loads((batch / "manifest.json").read_text(encoding="utf-8"))
    if manifest["format"] == "json":
        rows = ", ".join(f'"{f.physical_name}" VARCHAR' for f in contract.fields)
        return (
            f"select unnest(data.rows, recursive := true) from read_json('{batch}/page-*.json',"
            " maximum_object_size = 1000000000, columns = {data: 'STRUCT(rows"
            f" STRUCT({rows})[])'}})"
        )
    if manifest["format"] == "csv":
        text = (
            (batch / manifest["files"][0]).read_bytes().decode(manifest.get("encoding") or "utf-8")
        )
        (out / "delivered.csv").write_text(text, encoding="utf-8")
        return f"select * from read_csv('{out}/delivered.csv', all_varchar = true)"
    return (
        "select * from"
        f" read_parquet('{batch}/"
        f"{'delivered' if manifest['form'] == 'file' else 'part-*'}.parquet')"
    )


def _typed(field: Field) -> str:
    value = f'"{field.physical_name}"'
    if field.type == "timestamp":
        value = f"replace(cast({value} as varchar), '+08:00', '')"
    return f"try_cast({value} as {KINDS.get(field.type, field.type)}) as {field.name}"


def validation(connection: duckdb.DuckDBPyConnection, lake: Path, as_of: date, out: Path) -> None:
    """Each record type's day: its newest row per key, typed."""
    for contract in load_contracts():
        note = json.loads(
            (lake / "raw" / contract.table / f"as_of={as_of}.json").read_text(encoding="utf-8")
        )
        key = contract.record_key.name
        columns = ", ".join(_typed(f) for f in contract.fields)
        for batch in note["batches"]:
            source = delivered(lake / "raw" / contract.table / batch, contract, out)
            connection.execute(
                f"copy (select * from (select {columns} from ({source})) qualify row_number() over"
                f" (partition by {key} order by updated_at desc) = 1 order by {key}) to"
                f" '{out}/{contract.records}.parquet' (compression zstd)"
            )


def matching(connection: duckdb.DuckDBPyConnection, lake: Path, as_of: date, out: Path) -> None:
    """Everybody's pseudonym, and each record with whoever has its number and name, or a number one
    slip away.
    """
    pads = (bytes(byte ^ pad for byte in b"a key".ljust(64, b"\0")).hex() for pad in (0x36, 0x5C))
    connection.execute(
        "create temp table pseudonym_pad as select unhex('{}') as inner_pad, unhex('{}') as"
        " outer_pad".format(*pads)
    )
    connection.execute(
        "create temp table name_variant as select '{}' as variant_source,"
        " '{}' as variant_target".format(*names.variants())
    )
    contracts = load_contracts()
    asked = [contract for contract in contracts if household_field(contract) is None]
    connection.execute(
        MATCHING.read_text(encoding="utf-8").format(**_expressions(lake, as_of, out, asked))
    )
    for contract in contracts:
        valid, key = folder(lake, "valid", contract.table, as_of), contract.record_key
        record_id = (
            identity.pseudonym(f"'{contract.records}|' || v.{key.name}")
            if key.is_identity
            else f"v.{key.name}"
        )
        without = (
            ", ".join(f.name for f in contract.fields if f.is_identity or f.name == "outcome")
            or None
        )
        fields = f"v.* exclude ({without})" if without else "v.*"
        yuan = (
            ", cast(v.loss_amount * 10000 as decimal(18,2)) as loss_yuan"
            if contract.records == "losses"
            else ""
        )
        if contract in asked:
            number, name = _delivered(contract)
            at_once = (
                f"coalesce(h.name = {name} or ({name} is null and right(h.number, 3) <> '000'),"
                " false)"
            )
            columns = ", ".join(
                f"case when {at_once} then h.{c} else a.{c} end as {c}"
                for c in ("person_key", "member_id", "household_id")
            )
            select = (
                f"select {record_id} as record_id, {fields}{yuan}, {columns}, case when {at_once}"
                f" then 'linked' else a.outcome end as outcome, case when {at_once} then 'exact'"
                f" else a.method end as method, a.reason, case when {at_once} then case when {name}"
                " is null then 'absent' else 'same' end else a.agreement end as name_agreement"
                f" from {valid} as v left join holder as h on h.number = {number} left join answer"
                f" as a on a.pair = case when not {at_once} then coalesce({number}, '') || chr(10)"
                f" || coalesce({name}, '') end"
            )
        else:
            households = folder(lake, "valid", "rural_revitalisation__households", as_of)
            select = (
                f"select {record_id} as record_id, {fields}{yuan}, case when h.household_id is null"
                f" then 'unregistered' else 'linked' end as outcome from {valid} as v left join"
                f" {households} as h on h.household_id = v.household_id"
            )
        connection.execute(
            f"copy ({select} order by record_id) to '{out}/{contract.records}.parquet' (compression"
            " zstd)"
        )


def _delivered(contract: Contract) -> tuple[str, str]:
    """The columns of a record's number and name, as `v` has them."""
    name = contract.find_role("name") or contract.find_role("head_name")
    return f"v.{number_field(contract).name}", f"v.{name.name}" if name else "cast(null as varchar)"


def _expressions(lake: Path, as_of: date, out: Path, asked: Sequence[Contract]) -> dict[str, str]:
    """What `matching.sql` leaves open: where things lie, and how a number or a name is written."""
    day = f"date '{as_of}'"
    records = [(contract, *_delivered(contract)) for contract in asked]
    masked = "(select *, {mask} as name_mask from (select *, {folded} as f from {source}))"
    keyed = (
        f"select m.*, {names.key('f', 'name_mask')} as name_key from {masked} as m, name_variant"
    )

    def named(source: str, name: str) -> str:
        relation = keyed.format(mask=names.mask("f"), folded=names.folded(name), source=source)
        return f"select *, {names.gap('name_key')} as name_gap from ({relation})"

    return {
        "out": str(out), "day": day,
        "members": folder(lake, "valid", "rural_revitalisation__members", as_of),
        "asked": " union all ".join(f"select {number} as raw, {name} as named"
            f" from {folder(lake, 'valid', c.table, as_of)} as v" for c, number, name in records),
        "cleaned": identity.cleaned("raw"), "shaped": identity.shaped("c"),
        "form": identity.form("c"),
        "check_character": identity.check_character("number"),
        "problem": identity.problem("number", "form", day, "expected"),
        "birth_on": identity.birth_on("number"), "number_key": identity.pseudonym("number"),
        "member_key": identity.pseudonym("'member:' || member_id"),
        "is_clipped": identity.is_clipped("number", "form"),
        "passes_check": identity.passes_check("number", "expected"),
        "swapped": identity.swapped("number", "place"),
        "look_alike_mended": identity.look_alike_mended("number"),
        "names_of_pairs": named("(select distinct raw, named from met)", "named"),
        "names_of_people": named("(select distinct name from met)", "name"),
        "agreement": names.agreement("p", "s"),
    }  # fmt: skip


def lamps(connection: duckdb.DuckDBPyConnection, lake: Path, as_of: date, out: Path) -> None:
    """The 72 indicators, scores, lamps and reasons of the house's own matched rows: the same
    answer, to be compared.
    """
    for contract in load_contracts():
        connection.execute(
            f"create view {contract.records} as select * from"
            f" {folder(lake, 'matched', contract.table, as_of)}"
        )
    connection.execute(
        f"create view person as select * from {folder(lake, 'household', 'person', as_of)}"
    )
    connection.execute(LAMPS.read_text(encoding="utf-8").format(as_of=as_of, out=out))


def links_of(lake: Path, as_of: date, out: Path) -> None:
    with _connection() as connection:
        matching(connection, lake, as_of, out)


def lamps_of(lake: Path, as_of: date, out: Path) -> None:
    with _connection() as connection:
        lamps(connection, lake, as_of, out)


def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("set TimeZone = 'Asia/Shanghai'")
    return connection


STEPS: dict[str, Callable[[duckdb.DuckDBPyConnection, Path, date, Path], None]] = {
    "validation": validation,
    "matching": matching,
    "lamps": lamps,
}


def run(lake: Path, as_of: date, steps: list[str], out: Path) -> dict[str, object]:
    """Makes the steps' tables under `out`; seconds, CPU seconds and peak memory of this process."""
    started, began = time.monotonic(), time.process_time()
    for step in steps:
        with _connection() as connection:
            STEPS[step](connection, lake, as_of, out)
    return {
        "seconds": round(time.monotonic() - started, 2),
        "cpu_seconds": round(time.process_time() - began, 2),
        "peak_mb": peak_mb(),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.references.by_hand", description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--as-of", type=date.fromisoformat, required=True)
    parser.add_argument("steps", nargs="+", choices=sorted(STEPS))
    asked = parser.parse_args()
    os.umask(0o077)
    out = Path(tempfile.mkdtemp(prefix="yihu-by-hand-"))
    try:
        print(json.dumps(run(asked.home / "lake", asked.as_of, asked.steps, out)), flush=True)
    finally:
        shutil.rmtree(out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
