"""Two lakes, table by table: the same rows in the same order, of the same types.

Belongs here: comparing what two runs left. Not here: running them.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from expectations.engine import literal
from resources.engines.duckdb import Engine

BATCH_ONLY = ("raw", "release")
"""Layers of bytes as delivered, and of releases: not made by the engine."""


def tables(lake: Path) -> list[Path]:
    """Every Parquet file that a run computed, named from the lake's root."""
    return sorted(
        file.relative_to(lake)
        for file in lake.rglob("*.parquet")
        if file.relative_to(lake).parts[0] not in BATCH_ONLY
    )


def by_duckdb(lake: Path, as_of: date) -> list[Path]:
    """The files of a day that DuckDB wrote, as they say themselves."""
    names = {f"as_of={as_of}", as_of.isoformat()}
    of_day = [file for file in tables(lake) if names & {*file.parts}]
    return [file for file in of_day if "DuckDB" in str(pq.read_metadata(lake / file).created_by)]


def notes(lake: Path) -> list[Path]:
    """Every ledger, named from the lake's root."""
    return sorted(file.relative_to(lake) for file in (lake / "ledger").rglob("*.json"))


def unlike_tables(engine: Engine, one: Path, other: Path) -> list[str]:
    """What differs between the tables of two lakes, a line each; none where all are equal row for
    row.
    """
    found = [f"{file}: in one lake only" for file in sorted(set(tables(one)) ^ set(tables(other)))]
    for file in sorted(set(tables(one)) & set(tables(other))):
        ours, theirs = (
            f"read_parquet({literal(lake / file)}, file_row_number = true, hive_partitioning ="
            " false)"
            for lake in (one, other)
        )
        types = [dict(engine.columns(f"select * from {rows}")) for rows in (ours, theirs)]
        if list(types[0].items()) != list(types[1].items()):
            found.append(
                f"{file}: columns"
                f" {sorted(set(types[0].items()) ^ set(types[1].items())) or 'in another order'}"
            )
        elif differing := _differing(engine, ours, theirs):
            columns = [
                c
                for c in types[0]
                if _differing(
                    engine,
                    *(f"(select {c}, file_row_number from {rows})" for rows in (ours, theirs)),
                )
            ]
            found.append(f"{file}: {differing} rows, in {', '.join(columns)}")
    return found


def _differing(engine: Engine, one: str, other: str) -> int:
    either = (
        f"(select * from {one} except all select * from {other}) union all (select * from {other}"
        f" except all select * from {one})"
    )
    return int(engine.scalar(f"select count(*) from ({either})"))


def unlike_notes(one: Path, other: Path) -> list[str]:
    """The ledgers that do not say the same, each with the entries that differ."""
    found = [f"{file}: in one lake only" for file in sorted(set(notes(one)) ^ set(notes(other)))]
    for file in sorted(set(notes(one)) & set(notes(other))):
        ours, theirs = (
            json.loads((lake / file).read_text(encoding="utf-8")) for lake in (one, other)
        )
        if ours != theirs:
            found.append(
                f"{file}: {', '.join(entry for entry in ours if ours[entry] != theirs.get(entry))}"
            )
    return found


def checksum(lake: Path, as_of: date) -> str:
    """The checksum of the day's newest release."""
    manifests = sorted(
        (lake / "release" / f"as_of={as_of}").glob("release=*/manifest.json"),
        key=lambda file: file.stat().st_mtime,
    )
    return str(json.loads(manifests[-1].read_text(encoding="utf-8"))["checksum"])
