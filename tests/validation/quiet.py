"""Days of the sandbox as faces: quiet ones, and ones with a fault planted that the check of faces
is to find.

Belongs here: rows of a day, their faces, what was found. Not here: what must hold (`test_faces`).
By hand, for a county of any size: `python -m tests.validation.quiet FOLDER --households 104000`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from expectations.contract import Contract, load_contracts
from resources.engines.duckdb import Engine
from resources.lake import Lake
from sandbox.county import County
from sandbox.drop import due_on
from warehouse.batch_profile import REGISTER, BatchProfile, measured, profile_of
from warehouse.ledger import profiles_before
from warehouse.merge_state import MergeState
from warehouse.unusual import EXPECTED_FROM, Finding, unusual

LAST = date(2026, 11, 19)
QUIET = 10
WEEKS = 9
JUMP = 10
WINDOW = timedelta(days=2)
"""An increment reaches from the overlap of a day before the state's end to the end of the day."""


@dataclass
class Measured:
    """What came of it: lines on quiet days, and planted faults with whether they were found."""

    quiet: list[str] = field(default_factory=list)
    planted: dict[str, list[tuple[str, bool]]] = field(
        default_factory=lambda: {"town": [], "emptied": [], "jumped": []}
    )

    def found(self, kind: str) -> float:
        return sum(is_found for _, is_found in self.planted[kind]) / len(self.planted[kind])

    def missed(self, kind: str) -> list[str]:
        return [what for what, is_found in self.planted[kind] if not is_found]


@dataclass
class Quiet:
    """The sandbox's days as faces, on an engine of their own."""

    county: County
    engine: Engine
    lake: Lake

    def register(self, on: date) -> None:
        """The register that rows find their towns in."""
        for records, table in REGISTER.items():
            self._load(records, _end(on), None)
            self.lake.write(
                self.engine, "valid", table, on, "select * from landed where _op <> 'D'", "1"
            )

    def _load(self, records: str, until: datetime, since: datetime | None) -> None:
        select = (
            "select row_number() over () as _row, *, []::varchar[] as _misfit from"
            f" ({self.county.state(records, until, since)})"
        )
        self.engine.from_arrow("landed", self.county.connection().execute(select).to_arrow_table())

    def day(self, contract: Contract, on: date) -> MergeState:
        return MergeState(self.engine, self.lake, contract, on, None, {})

    def rows(self, contract: Contract, on: date) -> None:
        """The table `landed`: what the department brings on that day."""
        is_file = contract.server.get("form") == "file"
        span = timedelta(days=8) if contract.cadence == "weekly" else WINDOW
        self._load(contract.records, _end(on), None if is_file else _end(on) - span)

    def keep(self, contract: Contract, on: date, face: BatchProfile) -> None:
        batch = {"face": face, "delivery": _manifest(contract)["delivery"], "is_rejected": False}
        self.lake.write_note("ledger", contract.table, on, {"batches": [batch]})

    def look(
        self, contract: Contract, on: date, select: str = "(select * from landed)"
    ) -> tuple[BatchProfile, list[Finding]]:
        day = self.day(contract, on)
        face = profile_of(day, select)
        return face, unusual(face, profiles_before(day, _manifest(contract)), on)


def _end(day: date) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(days=1, microseconds=-1)


def _manifest(contract: Contract) -> dict[str, Any]:
    return (
        {"delivery": "full"}
        if contract.server.get("form") == "file"
        else {"delivery": "incremental", "since": "x"}
    )


def days_of(contract: Contract, last: date) -> list[date]:
    """The days on which a source delivers: of a daily or weekly one some weeks, of others as many
    runs as are compared, and one.
    """
    if contract.cadence == "daily":
        return [last - timedelta(days=n) for n in range(WEEKS * 7)][::-1]
    days, on = [], last
    while len(days) < WEEKS + 1:
        on = due_on(contract.cadence, on)
        days.append(on)
        on -= timedelta(days=1)
    return days[::-1]


def measure(
    quiet: Quiet,
    last: date = LAST,
    contracts: Sequence[Contract] | None = None,
    tell: Callable[[str], None] = print,
) -> Measured:
    """Every source day by day up to `last`; lines of the last ten days are false ones, then faults
    are planted in the last run.
    """
    told = Measured()
    quiet.register(min(days[0] for days in (days_of(c, last) for c in load_contracts())))
    for contract in contracts or load_contracts():
        days = days_of(contract, last)
        for on in days:
            quiet.rows(contract, on)
            face, found = quiet.look(contract, on)
            quiet.keep(contract, on, face)
            if (last - on).days < QUIET:
                told.quiet += [f"{on} {contract.records}: {f.said}" for f in found]
        _plant(quiet, contract, days[-1], face, told)
        tell(f"{contract.records}: {face['rows']:,} rows, {len(days)} runs")
    return told


def _plant(quiet: Quiet, contract: Contract, on: date, face: BatchProfile, told: Measured) -> None:
    """One fault after the other in the rows of the last run, which stand on the engine."""
    silenced = (
        {town: rows for town, rows in face["towns"].items() if rows >= EXPECTED_FROM}
        if len(face["towns"]) > 2
        else {}
    )
    usual = _usual_towns(quiet, contract, on)
    for town in silenced:
        if usual.get(town, 0) < EXPECTED_FROM:
            continue
        # the rows that the town would have had: its face without them, the rest as it was
        less = {
            **face,
            "rows": face["rows"] - silenced[town],
            "towns": {t: n for t, n in face["towns"].items() if t != town},
        }
        found = unusual(less, profiles_before(quiet.day(contract, on), _manifest(contract)), on)
        told.planted["town"].append(
            (
                f"{contract.records} town {town} ({silenced[town]})",
                any(f.key == f"town:{town}" for f in found),
            )
        )
    if face["rows"] < EXPECTED_FROM:
        return
    for kind, what, select, keys in _spoilt(contract, face):
        _, found = quiet.look(contract, on, select)
        told.planted[kind].append((f"{contract.records} {what}", any(f.key in keys for f in found)))


def _usual_towns(quiet: Quiet, contract: Contract, on: date) -> dict[str, float]:
    """Rows by town of the middle one of the earlier runs."""
    runs = [
        face["towns"] for _, face in profiles_before(quiet.day(contract, on), _manifest(contract))
    ]
    return {
        town: median(run.get(town, 0) for run in runs)
        for town in {town for run in runs for town in run}
    }


def _spoilt(contract: Contract, face: BatchProfile) -> Iterator[tuple[str, str, str, set[str]]]:
    """Kind, column, the spoilt rows, the findings that would be right."""
    for column in measured(contract):
        there = face["columns"][column.name]
        if 1 - there["empty"] >= 0.1:
            yield (
                "emptied",
                column.name,
                f'(select * replace (null as "{column.name}") from landed)',
                {f"{column.name}:empty"},
            )
        if "middle" in there:
            kind = contract.field(column.name).type
            jumped = (
                f'cast({JUMP} * "{column.name}" as'
                f" {'bigint' if kind == 'integer' else 'decimal(18,2)'})"
            )
            keys = {f"{column.name}:{measure}" for measure in ("middle", "smallest", "largest")}
            yield (
                "jumped",
                column.name,
                f'(select * replace ({jumped} as "{column.name}") from landed)',
                keys,
            )


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("folder", type=Path)
    asked.add_argument("--households", type=int, default=104_000)
    asked.add_argument("--seed", type=int, default=1)
    options = asked.parse_args()
    county = County(options.folder / "county", options.households, options.seed).make()
    told = measure(Quiet(county, Engine(options.folder / "tmp"), Lake(options.folder / "lake")))
    print(f"{len(told.quiet)} lines on {QUIET} quiet days", *told.quiet, sep="\n  ")
    for kind, planted in told.planted.items():
        print(
            f"{kind}: {told.found(kind):.1%} of {len(planted)} found; not:"
            f" {', '.join(told.missed(kind)) or '-'}"
        )


if __name__ == "__main__":
    main()
