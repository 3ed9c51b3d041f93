"""`python -m bench.references.by_hand validation|matching|lamps …`: the steps of a day as one would write them in DuckDB for once.

Belongs here: the shortest scripts that come to the same tables where nothing is wrong: no checks, no quarantine, no repair of
numbers, no review queue, no days in between, no Dagster. Not here: clocks that compare (`bench.__main__`).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb

from bench.peak import peak_mb
from expectations.contract import Contract, Field, load_contracts
from warehouse.matching import household_field, number_field

LAMPS = Path(__file__).parent / "lamps.sql"
KINDS = {"text": "varchar", "integer": "bigint"}


def folder(lake: Path, layer: str, table: str, as_of: date) -> str:
    return f"read_parquet('{lake}/{layer}/{table}/as_of={as_of}/county=*/*.parquet', hive_partitioning = false)"


def delivered(batch: Path, contract: Contract, out: Path) -> str:
    """The rows of a batch's files, as text; `out` is for what must be copied as UTF-8 first."""
    manifest = json.loads((batch / "manifest.json").read_text(encoding="utf-8"))
    if manifest["format"] == "json":
        rows = ", ".join(f'"{f.physical_name}" VARCHAR' for f in contract.fields)
        return (
            f"select unnest(data.rows, recursive := true) from read_json('{batch}/page-*.json', maximum_object_size = 1000000000, "
            f"columns = {{data: 'STRUCT(rows STRUCT({rows})[])'}})"
        )
    if manifest["format"] == "csv":
        text = (batch / manifest["files"][0]).read_bytes().decode(manifest.get("encoding") or "utf-8")
        (out / "delivered.csv").write_text(text, encoding="utf-8")
        return f"select * from read_csv('{out}/delivered.csv', all_varchar = true)"
    return f"select * from read_parquet('{batch}/{'delivered' if manifest['form'] == 'file' else 'part-*'}.parquet')"


def _typed(field: Field) -> str:
    value = f'"{field.physical_name}"'
    if field.type == "timestamp":
        value = f"replace(cast({value} as varchar), '+08:00', '')"
    return f"try_cast({value} as {KINDS.get(field.type, field.type)}) as {field.name}"


def validation(connection: duckdb.DuckDBPyConnection, lake: Path, as_of: date, out: Path) -> None:
    """Each record type's day: its newest row per key, typed."""
    for contract in load_contracts():
        note = json.loads((lake / "raw" / contract.table / f"as_of={as_of}.json").read_text(encoding="utf-8"))
        key = contract.record_key.name
        columns = ", ".join(_typed(f) for f in contract.fields)
        for batch in note["batches"]:
            source = delivered(lake / "raw" / contract.table / batch, contract, out)
            connection.execute(
                f"copy (select * from (select {columns} from ({source})) qualify row_number() over (partition by {key} order by updated_at desc) = 1 "
                f"order by {key}) to '{out}/{contract.records}.parquet' (compression zstd)"
            )


def matching(connection: duckdb.DuckDBPyConnection, lake: Path, as_of: date, out: Path) -> None:
    """Everybody's pseudonym, and each record joined to whoever has its number and name."""
    members = folder(lake, "valid", "rural_revitalisation__members", as_of)
    connection.execute(f"""
        create table person as select upper(trim(id_number)) as number, name, member_id, household_id, status, sha256('a key' || id_number) as person_key,
            try_strptime(substr(id_number, 7, 8), '%Y%m%d')::date as birth_on, substr(name, 1, 1) || repeat('*', length(name) - 1) as name_masked
        from {members}""")
    connection.execute(
        f"copy (select * exclude (number, name) from person order by member_id) to '{out}/person.parquet' (compression zstd)"
    )
    connection.execute("create table once as select * from person where status = '1' qualify count(*) over (partition by number) = 1")
    for contract in load_contracts():
        valid = folder(lake, "valid", contract.table, as_of)
        without = ", ".join(f.name for f in contract.fields if f.is_identity) or None
        fields = f"v.* exclude ({without})" if without else "v.*"
        key = contract.record_key
        record_id = f"sha256('a key' || v.{key.name})" if key.is_identity else f"v.{key.name}"
        yuan = ", cast(v.loss_amount * 10000 as decimal(18,2)) as loss_yuan" if contract.records == "losses" else ""
        if household_field(contract) is not None:
            households = folder(lake, "valid", "rural_revitalisation__households", as_of)
            select = (
                f"select {record_id} as record_id, {fields}{yuan}, case when h.household_id is null then 'unregistered' else 'linked' end as outcome "
                f"from {valid} as v left join {households} as h on h.household_id = v.household_id"
            )
        else:
            number = f"left(v.{key.name}, 18)" if key.is_identity else f"upper(replace(trim(v.{number_field(contract).name}), '-', ''))"
            name = contract.find_role("name") or contract.find_role("head_name")
            named = f" and p.name = v.{name.name}" if name else ""
            select = (
                f"select {record_id} as record_id, {fields}{yuan}, p.person_key, p.member_id, p.household_id, "
                f"case when p.member_id is null then 'unregistered' else 'linked' end as outcome "
                f"from {valid} as v left join once as p on p.number = {number}{named}"
            )
        connection.execute(f"copy ({select} order by record_id) to '{out}/{contract.records}.parquet' (compression zstd)")


def lamps(connection: duckdb.DuckDBPyConnection, lake: Path, as_of: date, out: Path) -> None:
    """The 72 indicators, scores, lamps and reasons of the house's own matched rows: the same answer, to be compared."""
    for contract in load_contracts():
        connection.execute(f"create view {contract.records} as select * from {folder(lake, 'matched', contract.table, as_of)}")
    connection.execute(f"create view person as select * from {folder(lake, 'household', 'person', as_of)}")
    connection.execute(LAMPS.read_text(encoding="utf-8").format(as_of=as_of, out=out))


def lamps_of(lake: Path, as_of: date, out: Path) -> None:
    with duckdb.connect(config={"threads": 2}) as connection:
        lamps(connection, lake, as_of, out)


STEPS: dict[str, Callable[[duckdb.DuckDBPyConnection, Path, date, Path], None]] = {
    "validation": validation,
    "matching": matching,
    "lamps": lamps,
}


def run(lake: Path, as_of: date, steps: list[str], out: Path) -> dict[str, object]:
    """Makes the steps' tables under `out`; seconds, CPU seconds and peak memory of this process."""
    started, began = time.monotonic(), time.process_time()
    for step in steps:
        with duckdb.connect(config={"threads": 2}) as connection:
            connection.execute("set TimeZone = 'Asia/Shanghai'")
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
