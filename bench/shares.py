"""`python -m bench.shares --households 20000`: a day from `valid` to what follows a lamp, by the
share of the records that changed overnight: laid over the day before, and in full beside it.

Belongs here: changing a share of a made county's records, and timing both ways in processes of
their own, one after the other. Not here: the county (`bench.province`), the stages
(`bench.stage`), a whole `sync` (`bench.__main__`).
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from bench.alone import Line, child
from bench.province import Province, make_province
from expectations.contract import load_contracts
from expectations.engine import name
from resources.engines.duckdb import Engine
from resources.lake import Lake
from warehouse.graph.under import MADE

SHARES = (0.0, 0.1, 1.0, 10.0, 30.0, 100.0)
"""Percent of the records."""
FIRST = date(2026, 11, 26)
STAGES = ("matching", "lamps", "following")
PARTS = 100_000


def overnight(home: Path, share: float) -> int:
    """Writes the next day's `valid`: so many percent of each type's records came anew; how many
    they are.
    """
    lake, day, changed = Lake(home / "lake"), FIRST + timedelta(days=1), 0
    engine = Engine(home / "tmp")
    for contract in load_contracts():
        key, updated = (name(c) for c in (contract.record_key.name, "updated_at"))
        chosen = f"hash({key}, 'overnight') % {PARTS} < {round(share * PARTS / 100)}"
        rows = (
            f"select * replace (case when {chosen} then date '{day}' else _arrived_on end as"
            f" _arrived_on, case when {chosen} then timestamp '{day} 08:00:00' else {updated} end"
            f" as {updated}) from {lake.relation('valid', contract.table, FIRST)}"
        )
        written = lake.write(
            engine, "valid", contract.table, day, rows, key, key=(contract.record_key.name,)
        )
        changed += written.changed or 0
        for layer in ("ledger",):
            note = lake.read_note(layer, contract.table, FIRST)
            lake.write_note(layer, contract.table, day, note or {})
    engine.close()
    return changed


def made(home: Path, households: int, seconds: float) -> None:
    """A county on its first day, to the end."""
    province = Province(1, households, FIRST)
    make_province(Lake(home / "lake"), home / "making", province)
    shutil.rmtree(home / "making", ignore_errors=True)
    _stage(home, FIRST, "yes", seconds)


def _stage(home: Path, day: date, full: str, seconds: float) -> Line:
    where = ("--home", str(home), "--as-of", day.isoformat())
    return child("bench.stage", *where, *STAGES, seconds=seconds, YIHU_FULL=full)


def lines(households: int, shares: Sequence[float], seconds: float) -> Iterator[Line]:
    """A line a share: both ways, and what laying over costs of a full day."""
    with tempfile.TemporaryDirectory(prefix="yihu-shares-") as folder:
        base = Path(folder) / "base"
        made(base, households, seconds)
        for share in shares:
            line: Line = {"bench": "changed_share", "households": households, "percent": share}
            for full in ("no", "yes"):
                home = Path(folder) / full
                shutil.copytree(base, home, ignore=shutil.ignore_patterns("postgres", "tmp"))
                line["records"] = overnight(home, share)
                done = _stage(home, FIRST + timedelta(days=1), full, seconds)
                way = "laid" if full == "no" else "full"
                line |= {f"{way}_{key}": done[key] for key in ("seconds", "cpu_seconds")}
                if full == "no":
                    note = Lake(home / "lake").read_note(*MADE, FIRST + timedelta(days=1)) or {}
                    line["touched"] = note.get("touched")
                shutil.rmtree(home)
            line["cpu_ratio"] = round(line["laid_cpu_seconds"] / line["full_cpu_seconds"], 2)
            yield line


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.shares", description=__doc__)
    parser.add_argument("--households", type=int, default=20_000)
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES, help="percent")
    parser.add_argument("--seconds", type=float, default=1800, help="a process's deadline")
    asked = parser.parse_args()
    for line in lines(asked.households, asked.shares, asked.seconds):
        print(json.dumps(line, ensure_ascii=False), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
