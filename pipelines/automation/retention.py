"""What is given up, and when: raw batches, the lake's days, release folders, the warehouse's old
versions, Dagster's runs; as a job, and for `make prune`.

Belongs here: what of each part is old and not needed. Not here: giving up days of a table
(`resources.lake`), releases (`warehouse.publication`).

Never given up: what a release that is kept was made of; batches that a row in quarantine, a
rejected extract or an open question came with; anything of a day under legal hold
(`YIHU_LEGAL_HOLD`).
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import sqlalchemy as sa

from pipelines.automation.sizes import bytes_of, note_sizes
from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.runtime.lock import run_lock
from resources.server import warehouse_server
from resources.settings import SHANGHAI, Settings, today
from warehouse.graph.inputs import HELD_BACK, can_make_again
from warehouse.graph.registry import layer_and_folder
from warehouse.publication import Kept, prune

BATCH = re.compile(r"[a-z_]+-(?P<day>[0-9]{8})-[0-9]+")
RELEASED = "select distinct as_of from ops.release where pruned_at is null"
FINISHED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]


@dataclass(frozen=True)
class Part:
    """One part of what is given up."""

    name: str
    said: str
    freed: int | None
    """Bytes, where they can be told before."""
    give_up: Callable[[], None]


@dataclass
class Pruning:
    """What a retention finds in one home: the parts in the order in which they go."""

    settings: Settings
    engine: Engine
    lake: Lake
    warehouse: sa.Engine
    instance: dg.DagsterInstance
    now: date
    release_days: int

    def parts(self) -> Iterator[Part]:
        """Each is found out when the ones before it are gone."""
        yield self._warehouse()
        yield self._lake()
        yield self._raw()
        yield self._runs()

    def _warehouse(self) -> Part:
        keep, folder = self.settings.retention, self.settings.lake / "release"
        kept = Kept(
            releases=self.release_days,
            folders=keep.folder_days,
            results=keep.event_days,
            hold=keep.holds,
            can_make_again=lambda day, release: can_make_again(self.lake, day, release),
        )
        if not _has_releases(self.warehouse):
            return Part("releases", "none yet", 0, lambda: None)
        planned = prune(self.warehouse, folder, self.now, kept=kept, is_plan=True)
        said = (
            f"{len(planned.releases)} releases, {planned.rows:,} versions,"
            f" {len(planned.folders)} folders, the files of {len(planned.emptied)} more,"
            f" {planned.results:,} validation results"
        )
        freed = sum(bytes_of(path, "*.parquet") for path in (*planned.folders, *planned.emptied))

        def give_up() -> None:
            prune(self.warehouse, folder, self.now, kept=kept)

        return Part("releases", said, freed, give_up)

    def _lake(self) -> Part:
        gone = {table: self._old_days(*table) for table in self.lake.tables()}
        days = sorted(set[date]().union(*gone.values()))
        freed = sum(
            bytes_of(folder)
            for table, old in gone.items()
            for day in old
            if (folder := self.lake.folder(*table, day)) is not None
        )
        since = f", {days[0]} to {days[-1]}" if days else ""

        def give_up() -> None:
            if days:
                self.lake.keep_since(self._kept_since())
            for table, old in gone.items():
                self.lake.forget(self.engine, *table, old)

        return Part("lake", f"{len(days)} days{since}", freed, give_up)

    def _old_days(self, layer: str, table: str) -> list[date]:
        """The days of a table that nobody needs, ascending."""
        days = self.lake.days(layer, table)
        needed = self._needed_days()
        return [day for day in days[:-1] if day < self._kept_since() and day not in needed]

    def _kept_since(self) -> date:
        """The first day of which every table is kept: counted from the newest day that was made,
        so that a house that stood still has its last days.
        """
        newest = max(self.lake.days(*layer_and_folder("warning_flag")), default=self.now)
        return min(newest, self.now) - timedelta(days=self.settings.retention.lake_days)

    def _needed_days(self) -> frozenset[date]:
        """Month ends, released days, the last one that readers saw, days under legal hold."""
        days = self.lake.days(*layer_and_folder("warning_flag"))
        held_back = set(self.lake.note_days(*HELD_BACK))
        ends = {(day.year, day.month): day for day in days}
        seen = [day for day in days if day not in held_back]
        every = set[date]().union(*(self.lake.days(*table) for table in self.lake.tables()))
        held = {day for day in every if self.settings.retention.holds(day)}
        return frozenset({*ends.values(), *self._released(), *seen[-1:], *held})

    def _released(self) -> set[date]:
        if not _has_releases(self.warehouse):
            return set()
        with self.warehouse.connect() as connection:
            return set(connection.scalars(sa.text(RELEASED)))

    def _raw(self) -> Part:
        last = _months_before(self.now, self.settings.retention.raw_months)
        gone: list[Path] = []
        for folder in _folders(self.settings.lake / "raw"):
            old = [path for path in _folders(folder) if (_day_of(path) or last) < last]
            if old:
                needed, arrived = self._needed_batches(folder.name)
                gone += [p for p in old if p.name not in needed and _day_of(p) not in arrived]
        gone = [path for path in gone if not self.settings.retention.holds(_day_of(path) or last)]

        def give_up() -> None:
            for path in gone:
                shutil.rmtree(path)

        said = f"{len(gone)} batches from before {last}"
        return Part("raw", said, sum(map(bytes_of, gone)), give_up)

    def _needed_batches(self, table: str) -> tuple[set[str], set[date]]:
        """Batches that something open came with, and the days on which open questions arrived."""
        note = self.lake.latest_note("ledger", table, date.max) or {}
        rejection = note.get("rejection") or {}
        needed = {str(note.get("batch_id")), str(rejection.get("batch_id"))}
        days = self.lake.days("quarantine", table)
        if days:
            rows = self.lake.relation("quarantine", table, days[-1])
            needed |= {str(b) for (b,) in self.engine.rows(f"select distinct batch_id from {rows}")}
        queue, matched = layer_and_folder("review_queue"), ("matched", table)
        arrived = set[date]()
        if self.lake.days(*queue) and self.lake.days(*matched):
            questions = self.lake.relation(*queue, self.lake.days(*queue)[-1])
            tied = self.lake.relation(*matched, self.lake.days(*matched)[-1])
            found = self.engine.rows(
                f"select distinct m._arrived_on from {tied} as m where m.record_id in (select"
                f" record_id from {questions} where records = '{table.partition('__')[2]}')"
            )
            arrived = {day for (day,) in found}
        return needed, arrived

    def _runs(self) -> Part:
        last = self.now - timedelta(days=self.settings.retention.event_days)
        before = datetime(last.year, last.month, last.day, tzinfo=SHANGHAI)
        found = self.instance.get_run_records(
            dg.RunsFilter(statuses=FINISHED, created_before=before)
        )
        newest = self._newest_of_each_job()
        gone = [r.dagster_run.run_id for r in found if r.dagster_run.run_id not in newest]

        storage = self.settings.home / "dagster"

        def give_up() -> None:
            for run_id in gone:
                self.instance.delete_run(run_id)
                shutil.rmtree(storage / "storage" / run_id, ignore_errors=True)
            if gone:
                _compact(storage)

        return Part("runs", f"{len(gone)} of Dagster's runs from before {last}", None, give_up)

    def _newest_of_each_job(self) -> set[str]:
        """The last runs of each job: what the pages say of an asset is theirs."""
        runs = self.instance.get_runs(dg.RunsFilter(statuses=FINISHED))
        newest: dict[str, str] = {}
        for run in runs:
            newest.setdefault(run.job_name, run.run_id)
        return set(newest.values())


def _has_releases(warehouse: sa.Engine) -> bool:
    with warehouse.connect() as connection:
        return connection.scalar(sa.text("select to_regclass('ops.release')")) is not None


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.is_dir()) if folder.is_dir() else []


def _day_of(batch: Path) -> date | None:
    """The day in the batch's name; None for what is no batch."""
    found = BATCH.fullmatch(batch.name)
    return None if found is None else datetime.strptime(found["day"], "%Y%m%d").date()


def _months_before(day: date, months: int) -> date:
    """The first of a month, so many months before."""
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def _compact(storage: Path) -> None:
    """Gives the room of deleted rows back."""
    for file in (storage / "history" / "runs.db", storage / "history" / "runs" / "index.db"):
        if file.is_file():
            with sqlite3.connect(file, timeout=60) as connection:
                connection.execute("vacuum")


@contextmanager
def pruning(settings: Settings, release_days: int | None = None) -> Iterator[Pruning]:
    """What there is to give up; nobody runs a day meanwhile."""
    engine = Engine(settings.home / "tmp", memory_limit=settings.engine_memory)
    with (
        run_lock(settings.home, wait_seconds=3600.0),
        warehouse_server(settings.home, settings.warehouse_url) as server,
        dg.DagsterInstance.get() as instance,
    ):
        warehouse = server.engine()
        try:
            yield Pruning(
                settings,
                engine,
                Lake(settings.lake),
                warehouse,
                instance,
                today(),
                settings.retention.release_days if release_days is None else release_days,
            )
        finally:
            warehouse.dispose()
            engine.close()


def give_up(
    settings: Settings,
    say: Callable[[str], None],
    release_days: int | None = None,
    *,
    is_plan: bool = False,
) -> Sequence[Part]:
    """Says what each part frees, and then frees it; returns the parts."""
    parts = []
    with pruning(settings, release_days) as found:
        for part in found.parts():
            freed = "" if part.freed is None else f" ({part.freed / 1e6:,.1f} MB)"
            say(f"{part.name}: {part.said}{freed}")
            if not is_plan:
                part.give_up()
            parts.append(part)
    note_sizes(settings.home)
    return parts
