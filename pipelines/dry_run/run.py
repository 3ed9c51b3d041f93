"""One delivery read exactly as a run would read it, beside the lake:
landed, judged, merged with the state in force.

Belongs here: the scratch lake and its day. Not here: what it does to households (`effects`), what
is printed (`told`), written (`exported`).
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec

from expectations.contract import BASE_REGISTER, REGISTER_RECORDS, Contract
from expectations.engine import literal
from expectations.engine import name as identifier
from expectations.gate import open_gate
from expectations.rules import own_rules
from pipelines.dry_run.input_files import InputFiles, without_parts
from resources.departments.batches import BatchStore, Manifest
from resources.departments.errors import Fault
from resources.departments.files import FileReader, Offer
from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.settings import Settings
from warehouse.asof import make_valid
from warehouse.downstream import built_from

SHOWN_ROWS = 5
"""Of each rule so many rows are named."""
REGISTER = tuple(f"{BASE_REGISTER}__{records}" for records in REGISTER_RECORDS)


class DryRunEngine(Engine):
    """The engine of a trial: rules are counted by it alone,
    since importing Great Expectations takes longer than a trial.
    """

    kind = "plain"

    def table(self, name: str, select: str) -> int:
        """As of every engine; the rows that a verdict sets aside are kept beside it:
        a run needs them no longer once they are in the quarantine, which has one row a key.
        """
        count = super().table(name, select)
        if name.startswith("bad_"):
            super().table(f"kept_{name}", f"select _row, rules from {identifier(name)}")
        return count


@dataclass(frozen=True)
class BadRule:
    """How many rows broke one rule, and where the first of them stand: file, sheet, line."""

    rule: str
    rows: int
    first: tuple[tuple[str, str | None, int], ...]


@dataclass
class DryRun:
    """What a run would make of a delivery."""

    contract: Contract
    given: InputFiles
    manifest: Manifest
    as_of: date
    state_day: date | None
    """The day of the state in force that it was merged with; null where there is none."""
    ledger: dict[str, Any]
    reasons: list[str]
    """Why a run would reject it; empty where it would not."""
    engine: DryRunEngine
    lake: Lake
    bad_rules: list[BadRule] = field(default_factory=list)

    @property
    def batch(self) -> Path:
        return self.lake.table("raw", self.contract.table) / self.manifest.batch_id

    @property
    def is_merged(self) -> bool:
        """Whether its rows could be typed and judged at all."""
        return self.ledger["today"] is not None

    @property
    def delivered(self) -> str:
        return f"read_parquet({literal(self.batch / 'delivered.parquet')})"

    @property
    def rows(self) -> str:
        return f"read_parquet({literal(self.batch / 'rows.parquet')})"

    @property
    def bad(self) -> str:
        """A relation with `_row` and `rules` of the rows that are set aside."""
        return identifier(f"kept_bad_{self.contract.table}")


@contextmanager
def scratch(settings: Settings) -> Iterator[Path]:
    """A folder of mode 0700 that is gone afterwards;
    named so that the next run sweeps it where this process is killed.
    """
    folder = settings.home / "tmp" / f"{os.getpid()}-{uuid.uuid4().hex[:8]}"
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def dry_run(settings: Settings, contract: Contract, handed: InputFiles) -> Iterator[DryRun]:
    """The trial of a delivery; what it reads and makes lies in a scratch folder
    that is gone afterwards.

    Raises:
        SourceError: the files cannot be read; says why and what to do.
    """
    os.umask(0o077)
    with scratch(settings) as folder:
        lake = Lake(folder / "lake")
        state_day = borrow_state(Lake(settings.lake), lake, contract, None)
        manifest, handed = _taken(settings, lake, contract, handed)
        after = state_day + timedelta(days=1) if state_day else settings.as_of
        as_of = max(settings.as_of, handed.delivery.day, after)
        engine = DryRunEngine(folder / "tmp", memory_limit=settings.engine_memory)
        try:
            yield merged(engine, lake, contract, handed, manifest, as_of, state_day)
        finally:
            engine.close()


def _taken(
    settings: Settings, lake: Lake, contract: Contract, handed: InputFiles
) -> tuple[Manifest, InputFiles]:
    """The raw batch that a run's reader makes of the files, and the files with what was found
    of their parts: a workbook's or an archive's are known once it is read.
    """
    reading = contract if handed.has_every_part else without_parts(contract)
    offer = Offer(handed.delivery, handed.digests, is_unchecked=False)
    reader = FileReader(settings, BatchStore(lake))
    try:
        try:
            return reader.take(reading, offer), handed
        except Fault as fault:
            if fault.reason != "incomplete_parts":
                raise
            handed = replace(handed, waits=(*handed.waits, f"a run would wait: {fault.said}"))
            return reader.take(without_parts(contract), offer), handed
    except Fault as fault:
        raise fault.as_error(contract.department, contract.records, handed.delivery.day) from None


def merged(
    engine: DryRunEngine,
    lake: Lake,
    contract: Contract,
    handed: InputFiles,
    manifest: Manifest,
    as_of: date,
    state_day: date | None,
) -> DryRun:
    """Judges and merges a batch of the scratch lake.

    One that is rejected is merged as if its gate were open, and says so.
    """
    pointer = {"batches": [manifest.batch_id], "failure": None}
    ledger = make_valid(engine, lake, contract, as_of, pointer, built_from)
    reasons = list((ledger["rejected"] or {}).get("reasons", ()))
    if (
        reasons
        and (lake.table("raw", contract.table) / manifest.batch_id / "rows.parquet").exists()
    ):
        open_gate(lake.root, contract.table, manifest.batch_id, "make try", "a trial keeps nothing")
        ledger = make_valid(engine, lake, contract, as_of, pointer, built_from)
    made = DryRun(contract, handed, manifest, as_of, state_day, ledger, reasons, engine, lake)
    if made.is_merged:
        made.bad_rules = _bad_rules(made)
    return made


def borrow_state(
    real: Lake, scratch_lake: Lake, contract: Contract, before: date | None
) -> date | None:
    """Lays links to the newest state before a day (of all days) into the scratch lake;
    returns the state's day.

    Also to what the contract's rules look up: the newest states of other record types, and the
    register.
    """
    days = [
        day for day in real.note_days("ledger", contract.table) if before is None or day < before
    ]
    for day in days:
        _link(real, scratch_lake, Path("ledger") / contract.table / f"as_of={day.isoformat()}.json")
    newest = max(days, default=None)
    if newest is not None:
        for layer in ("valid", "withdrawn", "quarantine"):
            real.lend(scratch_lake, layer, contract.table, newest)
    needs = {need.removeprefix("valid_") for rule in own_rules(contract) for need in rule.needs}
    for table in sorted((needs | set(REGISTER)) - {contract.table}):
        there = real.days("valid", table)
        if there:
            real.lend(scratch_lake, "valid", table, there[-1])
    return newest


def _link(real: Lake, scratch_lake: Lake, path: Path) -> None:
    if not (real.root / path).exists():
        return
    target = scratch_lake.root / path
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    target.symlink_to(real.root / path)


def _bad_rules(made: DryRun) -> list[BadRule]:
    """The rules that rows broke, those of the most rows first."""
    place = location(made)
    found = made.engine.rows(f"""
        with broken as (select _row, unnest(rules) as rule from {made.bad}),
        ranked as (
            select rule, p._file, p._sheet, p._line,
                row_number() over (partition by rule order by _row) as nth
            from broken inner join {place} as p using (_row)
        )
        select rule, count(*),
            list([_file, _sheet, cast(_line as varchar)] order by nth) filter (nth <= {SHOWN_ROWS})
        from ranked group by rule order by count(*) desc, rule
        """)
    return [
        BadRule(str(rule), int(rows), tuple((str(f), s, int(line)) for f, s, line in first))
        for rule, rows, first in found
    ]


def location(made: DryRun) -> str:
    """A relation with `_row`, `_file`, `_sheet`, `_line` of the delivery's rows;
    of a batch that is no file its own numbers.
    """
    if not (made.batch / "delivered.parquet").exists():
        return (
            f"(select _row, '' as _file, null::varchar as _sheet, _row as _line from {made.rows})"
        )
    return f"(select _row, _file, _sheet, _line from {made.delivered})"


def batch_files(folder: Path) -> Sequence[Path]:
    """What a batch brought, without what landing made of it."""
    return [
        file
        for file in sorted(folder.iterdir())
        if file.name not in ("rows.parquet", "landed.json")
    ]


def read_manifest(folder: Path) -> Manifest:
    return msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
