"""The newest batch of a record type under its contract in use and under an edited one:
what would change.

Belongs here: reading a batch that is kept anew, row beside row. Not here: the trial of each
(`dry_run`), households (`effects`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from expectations.contract import Contract, load_contracts
from expectations.engine import name
from expectations.errors import UsageError
from pipelines.dry_run.effects import effects
from pipelines.dry_run.input_files import InputFiles
from pipelines.dry_run.report import effects_report, number
from pipelines.dry_run.run import (
    DryRun,
    DryRunEngine,
    batch_files,
    borrow_state,
    location,
    merged,
    read_manifest,
    scratch,
)
from resources.departments.batches import BatchStore, Manifest
from resources.departments.dropped import Delivery, Dropped
from resources.departments.errors import Fault
from resources.departments.files import FileReader, Offer
from resources.departments.names import part_of
from resources.departments.whole import sha256_of
from resources.lake import Lake
from resources.settings import Settings

RULES_SHOWN = 20


class DifferenceError(UsageError):
    """There is nothing to compare; says what to do."""


@dataclass(frozen=True)
class Newest:
    """The newest batch that came of a record type, and the day on which it was read."""

    day: date
    folder: Path
    manifest: Manifest


def newest_batch(lake: Lake, table: str) -> Newest:
    """Raises `DifferenceError` where none is kept."""
    for day in reversed(lake.note_days("raw", table)):
        for batch_id in reversed((lake.read_note("raw", table, day) or {}).get("batches") or []):
            folder = lake.table("raw", table) / str(batch_id)
            if (folder / "manifest.json").exists():
                return Newest(day, folder, read_manifest(folder))
    raise DifferenceError(
        f"no batch of {table} is kept in the lake:",
        "try the contract on a file with make try FILE=… CONTRACT=…",
    )


def difference(settings: Settings, edited: Contract) -> list[str]:
    """What the edited contract would change, a line each; no identity.

    Raises:
        DifferenceError: nothing is kept of the record type,
            or its batch cannot be read under the contract.
    """
    lake = Lake(settings.lake)
    newest = newest_batch(lake, edited.table)
    used = next((contract for contract in load_contracts() if contract.table == edited.table), None)
    lines = [
        f"{edited.table}: batch {newest.manifest.batch_id} ({newest.manifest.source}), read for"
        f" {newest.day}"
    ]
    with _read_anew(settings, edited, newest) as after:
        if used is None:
            lines.append("no contract of this record type is in use: compared with nothing")
        else:
            with _read_anew(settings, used, newest) as before:
                lines += _rows(before, after)
        lines += [
            f"a run would reject it under the edited contract: {reason}" for reason in after.reasons
        ]
        if after.is_merged:
            lines += effects_report(after, effects(after, settings, with_lamps=True))
    return lines


@contextmanager
def _read_anew(settings: Settings, contract: Contract, newest: Newest) -> Iterator[DryRun]:
    """The batch as a run of its day would read and merge it under a contract."""
    os.umask(0o077)
    with scratch(settings) as folder:
        lake = Lake(folder / "lake")
        state_day = borrow_state(Lake(settings.lake), lake, contract, before=newest.day)
        handed, manifest = _handed(settings, lake, contract, newest)
        engine = DryRunEngine(folder / "tmp", memory_limit=settings.engine_memory)
        try:
            yield merged(engine, lake, contract, handed, manifest, newest.day, state_day)
        finally:
            engine.close()


def _handed(
    settings: Settings, lake: Lake, contract: Contract, newest: Newest
) -> tuple[InputFiles, Manifest]:
    """The batch in the scratch lake: files are read anew,
    answers and queries lie there as they came.
    """
    day = date.fromisoformat(newest.manifest.extract_date)
    if newest.manifest.form != "file":
        target = lake.table("raw", contract.table) / newest.manifest.batch_id
        target.mkdir(parents=True, mode=0o700)
        for file in batch_files(newest.folder):
            (target / file.name).symlink_to(file)
        source = Dropped(newest.folder / newest.manifest.source, day)
        return InputFiles(Delivery((source,)), (), (), ()), newest.manifest
    paths = [newest.folder / file for file in newest.manifest.files]
    files = tuple(Dropped(path, day, part_of(contract, path.name)) for path in paths)
    digests = tuple(sha256_of(path) for path in paths)
    try:
        manifest = FileReader(settings, BatchStore(lake)).take(
            contract, Offer(Delivery(files), digests, is_unchecked=False)
        )
    except Fault as fault:
        said = f"the batch cannot be read under {contract.path.name}: {fault.said}"
        raise DifferenceError(said, fault.next_step) from None
    return InputFiles(Delivery(files), digests, (), ()), manifest


def _rows(before: DryRun, after: DryRun) -> list[str]:
    """Rows whose outcome changes, by rule;
    fields whose value changes in rows that are good under both.
    """
    if not before.is_merged or not after.is_merged:
        return [f"under the contract in use: {reason}" for reason in before.reasons]
    engine = after.engine
    for label, made in (("before", before), ("after", after)):
        engine.from_arrow(f"rows_{label}", made.engine.arrow(_judged(made)).read_all())
    joined = (
        "rows_before as b full join rows_after as a on a._file = b._file and a._sheet = b._sheet"
        " and a._line = b._line"
    )
    counts = engine.rows(f"""
        select
            count(*) filter (len(b.rules) = 0), count(*) filter (len(a.rules) = 0),
            count(*) filter (len(b.rules) = 0 and len(a.rules) > 0),
            count(*) filter (len(b.rules) > 0 and len(a.rules) = 0),
            count(*) filter (a._line is null), count(*) filter (b._line is null)
        from {joined}
        """)[0]
    good_before, good_after, lost, won, gone, come = (int(count) for count in counts)
    lines = [
        f"good rows: {number(good_before)} -> {number(good_after)}; {number(lost)} would be set"
        f" aside, {number(won)} would come back, {number(gone)} would not be read, {number(come)}"
        " would be read for the first time"
    ]
    for said, one, other in (("no longer broken", "b", "a"), ("newly broken", "a", "b")):
        found = engine.rows(
            f"select rule, count(*) from (select unnest({one}.rules) as rule, {other}.rules as"
            f" others from {joined}) as broken where not list_contains(coalesce(others, []), rule)"
            " group by rule order by 2 desc, 1"
        )
        lines += [f"  {said}: {rule}, {number(count)} rows" for rule, count in found[:RULES_SHOWN]]
    return lines + _values(engine, before.contract, after.contract, joined)


def _judged(made: DryRun) -> str:
    """The rows with their place, the rules that they broke, and their values as text."""
    values = ", ".join(
        f"cast(r.{name(f.name)} as varchar) as {name(f.name)}" for f in made.contract.fields
    )
    return f"""
    select p._file, coalesce(p._sheet, '') as _sheet, p._line, coalesce(b.rules, []) as rules,
        {values}
    from {made.rows} as r
    inner join {location(made)} as p using (_row)
    left join {made.bad} as b using (_row)
    """


def _values(engine: DryRunEngine, before: Contract, after: Contract, joined: str) -> list[str]:
    names = [f.name for f in after.fields if f.name in {field.name for field in before.fields}]
    counts = ", ".join(
        f"count(*) filter (len(a.rules) = 0 and len(b.rules) = 0 and a.{name(n)} is distinct from"
        f" b.{name(n)})"
        for n in names
    )
    found = engine.rows(f"select {counts} from {joined}")[0]
    return [
        f"  {n}: another value in {number(int(count))} rows"
        for n, count in zip(names, found, strict=True)
        if count
    ]
