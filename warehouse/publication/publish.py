"""Write, audit, publish: a release goes in as its difference from the last one written,
in one transaction.

Belongs here: the order of the steps, and which release becomes current. Not here: what is in a
release (`content`), what must hold (`audit`), its versioned rows (`rows`), the Parquet folder
(`folder`), what is not versioned (`beside`).
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from expectations.engine import SqlEngine
from expectations.errors import YihuError
from warehouse.database.write_lock import with_lock_retries
from warehouse.publication import audit, rows
from warehouse.publication import unversioned as beside
from warehouse.publication.again import is_whole
from warehouse.publication.content import (
    Content,
    Known,
    difference,
    drop,
    everything_is_new,
    nothing_is_new,
    prepare,
)
from warehouse.publication.errors import AuditFailed, GateClosed, LockTimeout
from warehouse.publication.folder import (
    ReleaseFolder,
    aside,
    complete,
    folder_of,
    move_into_place,
    read_release_folder,
)
from warehouse.publication.wire import Wire, take_write_lock, wired
from warehouse.schema import VIEWS, View
from warehouse.schema.shape import Shape, newest_shape

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunSource:
    """The run that a release comes from."""

    run_id: str
    code_version: str
    rule_version: str
    is_provisional: bool = False
    following_version: str | None = None
    further_version: str | None = None
    shape: Shape = field(default_factory=newest_shape)


@dataclass(frozen=True)
class PublishResult:
    """What publishing came to. `release_id` is None for a day before the current release's:
    Parquet folder only.

    `changed`: per view, the rows that were new, gone or different. `seconds`: per step.
    `opened_gates`: those that it passed because somebody had opened them. `access_seal`: the access
    log's last seal, of a new release.
    """

    release_id: int | None
    is_new: bool
    is_current: bool
    checksum: str
    counts: Mapping[str, int]
    changed: Mapping[str, int]
    folder: Path
    message: str
    seconds: Mapping[str, float]
    opened_gates: tuple[str, ...] = ()
    access_seal: str | None = None


@dataclass(frozen=True)
class SameDay:
    """The last release that was written for the day."""

    release_id: int
    checksum: str
    is_withdrawn: bool


@dataclass(frozen=True)
class LastWritten:
    """The release that the open versions belong to."""

    release_id: int
    as_of: date
    checksum: str


@dataclass(frozen=True)
class PublishedState:
    """What the database holds before this release."""

    last_written: LastWritten | None
    current: audit.Previous | None
    current_as_of: date | None
    current_is_provisional: bool
    same_day: SameDay | None


@dataclass
class Clock:
    """Seconds per step."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - began, 3)


def publish(
    engine: SqlEngine,
    url: str | sa.URL,
    as_of: date,
    tables: Mapping[str, str],
    source: RunSource,
    release_dir: Path,
    *,
    extras: Mapping[str, str] | None = None,
    register: str | None = None,
    wait_seconds: float = 60.0,
    known: Mapping[str, Known] | None = None,
) -> PublishResult:
    """Publishes the content of `tables` (view of `yihu` → engine table) as the release of `as_of`.

    Views that `tables` does not name are published empty; `source_status` goes there too. `extras`:
    what is not versioned (`beside.NAMES` → engine table). `register`: an engine table with every
    household_id that must be there. `known`: what differs from the last release, by view.

    The same day with the same content is no second release. A day before the current release's, and
    a provisional run for a day that has its final release, go to the Parquet folder only.

    Raises:
        AuditFailed: when the release does not hold, a line per finding.
        Busy: when another publisher is not done in `wait_seconds`.
        PublicationError: when the database or the disk fails.
            Whichever it is, the last release stands.
    """
    clock = Clock()
    try:
        with aside(release_dir) as work:
            with clock.step("prepare"):
                content = prepare(engine, tables, work, source.shape, known)
            turn = partial(
                _Turn,
                engine,
                as_of,
                source,
                release_dir,
                work,
                content,
                tables,
                extras or {},
                register,
                clock,
            )
            try:
                return _unhindered(turn(trusts_folder=True), url, wait_seconds)
            except FolderOutOfDate:
                log.warning(
                    "the last release's folder is not what the database holds: the difference is"
                    " taken from the database"
                )
                return _unhindered(turn(trusts_folder=False), url, wait_seconds)
    finally:
        drop(engine)


def _unhindered(turn: _Turn, url: str | sa.URL, wait_seconds: float) -> PublishResult:
    """The turn, taken again while somebody's lock is in the way of what it writes;
    in the end their session goes.
    """
    engine = sa.create_engine(
        url if isinstance(url, sa.URL) else sa.make_url(url), poolclass=sa.NullPool
    )
    return with_lock_retries(
        lambda lock_timeout: _taken(turn, url, wait_seconds, lock_timeout),
        engine,
        held_up=lambda error: isinstance(error, LockTimeout),
    )


def _taken(
    turn: _Turn, url: str | sa.URL, wait_seconds: float, lock_timeout: float
) -> PublishResult:
    with wired(url) as wire:
        with turn.clock.step("wait"):
            take_write_lock(wire, wait_seconds, lock_timeout)
        return turn.take(wire, _standing(wire, turn.as_of))


def _standing(wire: Wire, as_of: date) -> PublishedState:
    current = wire.rows(
        "select r.release_id, r.households, r.red, r.as_of, r.is_provisional"
        " from ops.release as r join ops.current_release as c on c.release_id = r.release_id"
    )
    last = wire.rows(
        "select release_id, as_of, checksum from ops.release order by release_id desc limit 1"
    )
    same = wire.rows(
        "select release_id, checksum, withdrawn_at is not null from ops.release"
        " where as_of = $1::text::date and pruned_at is null order by release_id desc limit 1",
        as_of.isoformat(),
    )
    return PublishedState(
        last_written=LastWritten(*last[0]) if last else None,
        current=audit.Previous(*current[0][:3]) if current else None,
        current_as_of=current[0][3] if current else None,
        current_is_provisional=bool(current and current[0][4]),
        same_day=SameDay(*same[0]) if same else None,
    )


class FolderOutOfDate(YihuError):
    """The database does not hold what the last release's folder says:
    somebody changed it by hand.
    """

    kind = "transient"
    next_step = "read its rows back from the database"


@dataclass(frozen=True)
class _Turn:
    """One publisher's turn, under the lock, in one transaction."""

    engine: SqlEngine
    as_of: date
    source: RunSource
    release_dir: Path
    work: Path
    content: Content
    tables: Mapping[str, str]
    extras: Mapping[str, str]
    register: str | None
    clock: Clock
    trusts_folder: bool

    def take(self, wire: Wire, standing: PublishedState) -> PublishResult:
        if self._is_past(standing):
            return self._folder_only(standing)
        if standing.same_day is not None and standing.same_day.checksum == self.content.checksum:
            return self._again(wire, standing, standing.same_day)
        return self._write(wire, standing)

    def _is_past(self, standing: PublishedState) -> bool:
        if standing.current_as_of is None:
            return False
        replaced = (
            self.as_of == standing.current_as_of
            and self.source.is_provisional
            and not standing.current_is_provisional
        )
        return self.as_of < standing.current_as_of or replaced

    def _folder_only(self, standing: PublishedState) -> PublishResult:
        folder = self._place(None)
        current = standing.current.release_id if standing.current else None
        message = (
            f"{self.as_of} is not published: release {current} of {standing.current_as_of} is"
            f" current; it lies in {folder}"
        )
        return self._result(None, folder, message)

    def _load_unversioned(self, wire: Wire, release_id: int) -> None:
        if "source_status" in self.tables:
            beside.load_source_status(wire, self.engine, self.tables["source_status"], release_id)
        beside.load(wire, self.engine, self.as_of, self.extras)

    def _again(self, wire: Wire, standing: PublishedState, same: SameDay) -> PublishResult:
        """The same content as the day's last release:
        what is not versioned is brought up to date, nothing else.
        """
        with self.clock.step("beside"):
            if not self.source.is_provisional:
                wire.execute(
                    "update ops.release set is_provisional = false where release_id = $1::integer",
                    same.release_id,
                )
            self._load_unversioned(wire, same.release_id)
            wire.commit()
        folder = folder_of(self.release_dir, self.as_of, same.release_id, self.content.checksum)
        if not folder.exists() or not is_whole(folder):
            folder = self._place(same.release_id)
        is_current = standing.current is not None and standing.current.release_id == same.release_id
        message = (
            f"{self.as_of} is already published as release {same.release_id}, with the same content"
        )
        if same.is_withdrawn:
            message += f"; it was rolled back: make rollback TO={same.release_id} brings it back"
        return self._result(same.release_id, folder, message, is_current=is_current)

    def _write(self, wire: Wire, standing: PublishedState) -> PublishResult:
        release_id = 1 + (standing.last_written.release_id if standing.last_written else 0)
        before = self._last_folder(standing.last_written)
        with self.clock.step("difference"):
            differing = {
                view.name: self._differ(wire, view, standing.last_written, before) for view in VIEWS
            }
        with self.clock.step("audit"):
            findings = audit.before_writing(
                self.engine, self.content, self.register, self.extras.get(beside.PERSON)
            )
            if findings:
                raise AuditFailed(self.as_of, findings)
        with self.clock.step("folder"):
            complete(self.work, self.content, self._note(), before)
        verdict, seal = self._into_database(wire, release_id, standing, differing)
        folder = folder_of(self.release_dir, self.as_of, release_id, self.content.checksum)
        move_into_place(self.work, folder, release_id=release_id, access_seal=seal)
        message = f"release {release_id} of {self.as_of}: {sum(differing.values())} rows changed"
        return self._result(
            release_id,
            folder,
            message,
            changed=differing,
            is_new=True,
            is_current=True,
            opened=verdict.used,
            seal=seal,
        )

    def _last_folder(self, last: LastWritten | None) -> ReleaseFolder | None:
        if last is None:
            return None
        return read_release_folder(
            folder_of(self.release_dir, last.as_of, last.release_id, last.checksum),
            last.release_id,
            last.checksum,
        )

    def _differ(
        self, wire: Wire, view: View, last: LastWritten | None, before: ReleaseFolder | None
    ) -> int:
        """Makes the rows to add, and the keys to close;
        the keys and hashes of the last release are in its folder, or fetched.
        """
        if last is None:
            everything_is_new(self.engine, view)
            return self.content.tables[view.name].rows
        written = None
        if (
            self.trusts_folder
            and before is not None
            and (file := before.file(view.name)) is not None
        ):
            if before.tables[view.name]["digest"] == self.content.tables[view.name].digest:
                nothing_is_new(self.engine, view)
                return 0
            written = f"written_{view.name}"
            self.engine.parquet_view(written, str(file))
        else:
            written = rows.written_before(wire, self.engine, view)
        if written is None:
            everything_is_new(self.engine, view)
            return self.content.tables[view.name].rows
        return difference(self.engine, view, written)

    def _into_database(
        self, wire: Wire, release_id: int, standing: PublishedState, differing: Mapping[str, int]
    ) -> tuple[audit.Verdict, str | None]:
        with self.clock.step("write"):
            for view in VIEWS:
                if differing[view.name]:
                    rows.close(wire, self.engine, view, release_id)
                    rows.add(wire, self.engine, view, release_id, self.content.shape.of(view))
            self._insert_release(wire, release_id, differing)
        with self.clock.step("audit"):
            wire.rows("select set_config('yihu.release_id', $1::text, true)", str(release_id))
            apart = audit.tables_apart(wire, self.content)
            if apart and self.trusts_folder and standing.last_written is not None:
                raise FolderOutOfDate("the database holds other rows than the last folder says")
            verdict = audit.as_read(wire, standing.current, audit.open_gates(wire, self.as_of))
            if apart:
                raise AuditFailed(self.as_of, [*apart, *verdict.findings], verdict.closed)
            if verdict.findings:
                raise GateClosed(self.as_of, verdict.findings, verdict.closed)
        with self.clock.step("beside"):
            self._load_unversioned(wire, release_id)
        with self.clock.step("commit"):
            for gate in verdict.used:
                wire.execute(
                    "update ops.gate_opening set used_by_release = $1::integer where as_of ="
                    " $2::text::date and gate = $3::text",
                    release_id,
                    self.as_of.isoformat(),
                    gate,
                )
            seal = wire.scalar("select ops.seal_log()")
            wire.execute(
                "update ops.release set households = $2::integer, red = $3::integer, yellow ="
                " $4::integer, access_seal = $5::text where release_id = $1::integer",
                *(release_id, verdict.households, verdict.red, verdict.yellow, seal),
            )
            wire.execute(
                "insert into ops.current_release (release_id) values ($1::integer)"
                " on conflict (slot) do update set release_id = excluded.release_id",
                release_id,
            )
            wire.commit()
        return verdict, seal

    def _insert_release(self, wire: Wire, release_id: int, differing: Mapping[str, int]) -> None:
        wire.execute(
            "insert into ops.release (release_id, as_of, is_provisional, published_at,"
            " rule_version, code_version, run_id, checksum, households, red, yellow, row_counts,"
            " changed_rows, published_by, following_version, layout, catalogue_version,"
            " further_version) values"
            " ($1::integer, $2::text::date, $3::boolean, clock_timestamp(), $4::text, $5::text,"
            " $6::text, $7::text, 0, 0, 0, $8::text::jsonb, $9::text::jsonb, session_user,"
            " $10::text, $11::text, $12::text, $13::text)",
            release_id,
            self.as_of.isoformat(),
            self.source.is_provisional,
            self.source.rule_version,
            self.source.code_version,
            self.source.run_id,
            self.content.checksum,
            json.dumps(dict(self.content.counts)),
            json.dumps(dict(differing)),
            self.source.following_version,
            self.source.shape.layout,
            self.source.shape.catalogue_version,
            self.source.further_version,
        )

    def _note(self) -> dict[str, str | bool | None]:
        source = self.source
        return {
            "as_of": self.as_of.isoformat(),
            "is_provisional": source.is_provisional,
            "rule_version": source.rule_version,
            "following_version": source.following_version,
            "further_version": source.further_version,
            "catalogue_version": source.shape.catalogue_version,
            "layout": source.shape.layout,
            "code_version": source.code_version,
            "run_id": source.run_id,
        }

    def _place(self, release_id: int | None) -> Path:
        """The folder of a day that is not written to the database now."""
        final = folder_of(self.release_dir, self.as_of, release_id, self.content.checksum)
        with self.clock.step("folder"):
            complete(self.work, self.content, self._note(), None)
            move_into_place(self.work, final, release_id=release_id)
        return final

    def _result(
        self,
        release_id: int | None,
        folder: Path,
        message: str,
        *,
        changed: Mapping[str, int] | None = None,
        is_new: bool = False,
        is_current: bool = False,
        opened: tuple[str, ...] = (),
        seal: str | None = None,
    ) -> PublishResult:
        log.info(message)
        counts = self.content.counts
        none = dict.fromkeys(counts, 0)
        return PublishResult(
            release_id,
            is_new,
            is_current,
            self.content.checksum,
            counts,
            changed or none,
            folder,
            message,
            self.clock.seconds,
            opened,
            seal,
        )
