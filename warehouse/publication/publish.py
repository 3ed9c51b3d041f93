"""Write, audit, publish: a release goes in as its difference from the last one written, in one transaction.

Belongs here: the order of the steps, and which release becomes current. Not here: what is in a release (`content`), what
must hold (`audit`), the Parquet folder (`folder`), what is not versioned (`beside`).
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from warehouse.model import SqlEngine
from warehouse.publication import audit, beside
from warehouse.publication.content import Content, changed, difference, drop, everything_is_new, prepare
from warehouse.publication.errors import AuditFailed
from warehouse.publication.folder import folder_of, move_into_place, written_aside
from warehouse.publication.wire import Wire, take_turn, wired
from warehouse.schema import OPEN, VIEWS, View

LOCK = 7_104_002
"""The advisory lock of publishers, of rollback and of pruning."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunSource:
    """The run that a release comes from."""

    run_id: str
    code_version: str
    rule_version: str
    is_provisional: bool = False


@dataclass(frozen=True)
class PublishResult:
    """What publishing came to. `release_id` is None for a day before the current release's: Parquet folder only.

    `changed`: per view, the rows that were new, gone or different. `seconds`: per step. `opened_gates`: those that it passed
    because somebody had opened them.
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


@dataclass(frozen=True)
class SameDay:
    """The last release that was written for the day."""

    release_id: int
    checksum: str
    is_withdrawn: bool


@dataclass(frozen=True)
class Standing:
    """What the database holds before this release."""

    last_written: int | None
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
) -> PublishResult:
    """Publishes the content of `tables` (view of `yihu` → engine table) as the release of `as_of`.

    Views that `tables` does not name are published empty; `source_status` goes there too. `extras`: what is not
    versioned (`beside.NAMES` → engine table). `register`: an engine table with every household_id that must be there.

    The same day with the same content is no second release. A day before the current release's, and a provisional run for a
    day that has its final release, go to the Parquet folder only.

    Raises:
        AuditFailed: when the release does not hold, a line per finding.
        Busy: when another publisher is not done in `wait_seconds`.
        PublicationError: when the database or the disk fails. Whichever it is, the last release stands.
    """
    clock = Clock()
    with clock.step("prepare"):
        content = prepare(engine, tables)
    try:
        with wired(url) as wire:
            with clock.step("wait"):
                take_turn(wire, LOCK, wait_seconds)
            turn = _Turn(engine, wire, as_of, source, release_dir, content, tables, extras or {}, register, clock)
            return turn.take(_standing(wire, as_of))
    finally:
        drop(engine)


def _standing(wire: Wire, as_of: date) -> Standing:
    current = wire.rows(
        "select r.release_id, r.households, r.red, r.as_of, r.is_provisional"
        " from ops.release as r join ops.current_release as c on c.release_id = r.release_id"
    )
    same = wire.rows(
        "select release_id, checksum, withdrawn_at is not null from ops.release"
        " where as_of = $1::text::date and pruned_at is null order by release_id desc limit 1",
        as_of.isoformat(),
    )
    return Standing(
        last_written=wire.scalar("select max(release_id) from ops.release"),
        current=audit.Previous(*current[0][:3]) if current else None,
        current_as_of=current[0][3] if current else None,
        current_is_provisional=bool(current and current[0][4]),
        same_day=SameDay(*same[0]) if same else None,
    )


@dataclass(frozen=True)
class _Turn:
    """One publisher's turn, under the lock, in one transaction."""

    engine: SqlEngine
    wire: Wire
    as_of: date
    source: RunSource
    release_dir: Path
    content: Content
    tables: Mapping[str, str]
    extras: Mapping[str, str]
    register: str | None
    clock: Clock

    def take(self, standing: Standing) -> PublishResult:
        if self._is_past(standing):
            return self._folder_only(standing)
        if standing.same_day is not None and standing.same_day.checksum == self.content.checksum:
            return self._again(standing, standing.same_day)
        return self._write(standing)

    def _is_past(self, standing: Standing) -> bool:
        if standing.current_as_of is None:
            return False
        replaced = self.as_of == standing.current_as_of and self.source.is_provisional and not standing.current_is_provisional
        return self.as_of < standing.current_as_of or replaced

    def _folder_only(self, standing: Standing) -> PublishResult:
        self._say_sources(None)
        folder = self._folder(None)
        current = standing.current.release_id if standing.current else None
        message = f"{self.as_of} is not published: release {current} of {standing.current_as_of} is current; it lies in {folder}"
        return self._result(None, folder, message)

    def _say_sources(self, release_id: int | None) -> None:
        if release_id is not None and "source_status" in self.tables:
            beside.load_source_status(self.wire, self.engine, self.tables["source_status"], release_id)

    def _again(self, standing: Standing, same: SameDay) -> PublishResult:
        """The same content as the day's last release: what is not versioned is brought up to date, nothing else."""
        with self.clock.step("beside"):
            if not self.source.is_provisional:
                self.wire.execute("update ops.release set is_provisional = false where release_id = $1::integer", same.release_id)
            self._say_sources(same.release_id)
            beside.load(self.wire, self.engine, self.as_of, self.extras)
            self.wire.commit()
        folder = folder_of(self.release_dir, self.as_of, same.release_id, self.content.checksum)
        if not folder.exists():
            folder = self._folder(same.release_id)
        is_current = standing.current is not None and standing.current.release_id == same.release_id
        message = f"{self.as_of} is already published as release {same.release_id}, with the same content"
        if same.is_withdrawn:
            message += f"; it was rolled back: make rollback TO={same.release_id} brings it back"
        return self._result(same.release_id, folder, message, is_current=is_current)

    def _write(self, standing: Standing) -> PublishResult:
        release_id = (standing.last_written or 0) + 1
        with self.clock.step("difference"):
            differing = {view.name: self._differ(view, standing.last_written is None) for view in VIEWS}
        with self.clock.step("audit"):
            findings = audit.before_writing(self.engine, self.content, self.register, self.extras.get(beside.PERSON))
            if findings:
                raise AuditFailed(self.as_of, findings)
        with self._aside() as work:
            verdict = self._into_database(release_id, standing, differing)
            folder = folder_of(self.release_dir, self.as_of, release_id, self.content.checksum)
            move_into_place(work, folder, release_id=release_id)
        message = f"release {release_id} of {self.as_of}: {sum(differing.values())} rows changed"
        return self._result(release_id, folder, message, changed=differing, is_new=True, is_current=True, opened=verdict.used)

    def _differ(self, view: View, first: bool) -> int:
        if first:
            return everything_is_new(self.engine, view)
        key = ", ".join(f'"{name}"' for name in view.key)
        written = self.wire.arrow(f'select {key}, row_hash from store."{view.name}" where until_release = {OPEN}')
        if written.num_rows == 0:
            return everything_is_new(self.engine, view)
        return difference(self.engine, view, written)

    def _into_database(self, release_id: int, standing: Standing, differing: Mapping[str, int]) -> audit.Verdict:
        with self.clock.step("write"):
            for view in VIEWS:
                if differing[view.name]:
                    self._close(view, release_id)
                    self._add(view, release_id)
            self._insert_release(release_id, differing)
        with self.clock.step("audit"):
            self.wire.rows("select set_config('yihu.release_id', $1::text, true)", str(release_id))
            verdict = audit.as_read(self.wire, self.content, standing.current, audit.open_gates(self.wire, self.as_of))
            if verdict.findings:
                raise AuditFailed(self.as_of, verdict.findings)
        with self.clock.step("beside"):
            self._say_sources(release_id)
            beside.load(self.wire, self.engine, self.as_of, self.extras)
        with self.clock.step("commit"):
            for gate in verdict.used:
                self.wire.execute(
                    "update ops.gate_opening set used_by_release = $1::integer where as_of = $2::text::date and gate = $3::text",
                    release_id,
                    self.as_of.isoformat(),
                    gate,
                )
            self.wire.execute(
                "update ops.release set households = $2::integer, red = $3::integer, yellow = $4::integer where release_id = $1::integer",
                *(release_id, verdict.households, verdict.red, verdict.yellow),
            )
            self.wire.execute(
                "insert into ops.current_release (release_id) values ($1::integer)"
                " on conflict (slot) do update set release_id = excluded.release_id",
                release_id,
            )
            self.wire.commit()
        return verdict

    def _close(self, view: View, release_id: int) -> None:
        """Ends the versions that are replaced or gone."""
        if not self.engine.exists(f"differs_{view.name}"):
            return
        key = ", ".join(f'"{name}"' for name in view.key)
        declared = ", ".join(f'"{name}" text' for name in view.key)
        same = " and ".join(f't."{name}" = c."{name}"' for name in view.key)
        self.wire.execute(f'create temporary table "closed_{view.name}" ({declared}) on commit drop')
        if self.wire.load(f"closed_{view.name}", self.engine.arrow(f"select {key} from differs_{view.name} where was_there")):
            self.wire.execute(f'analyze "closed_{view.name}"')
            self.wire.execute(
                f'update store."{view.name}" as t set until_release = $1::integer from "closed_{view.name}" as c'
                f" where {same} and t.until_release = {OPEN}",
                release_id,
            )

    def _add(self, view: View, release_id: int) -> None:
        """Adds the new versions: straight into the table, or by way of a staging table where row security or a type asks for it."""
        kinds = {column.name: "text" if column.type == "jsonb" else column.type for column in view.stored} | {"row_hash": "bytea"}
        names = ", ".join(f'"{name}"' for name in kinds)
        key = ", ".join(f'"{name}"' for name in view.key)
        select = f"select {names}, {release_id}::integer as from_release from {changed(view)} order by {key}"
        is_guarded = self.wire.scalar("select row_security_active($1::text)", f"store.{view.name}")
        if not is_guarded and "jsonb" not in {column.type for column in view.stored}:
            self.wire.load(view.name, self.engine.arrow(select), schema="store")
            return
        declared = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
        self.wire.execute(f'create temporary table "stage_{view.name}" ({declared}, from_release integer) on commit drop')
        if self.wire.load(f"stage_{view.name}", self.engine.arrow(select)):
            casts = ", ".join(f'"{column.name}"::{column.type}' if column.type == "jsonb" else f'"{column.name}"' for column in view.stored)
            into = f'insert into store."{view.name}" ({names}, from_release)'
            self.wire.execute(f'{into} select {casts}, row_hash, from_release from "stage_{view.name}"')

    def _insert_release(self, release_id: int, differing: Mapping[str, int]) -> None:
        self.wire.execute(
            "insert into ops.release (release_id, as_of, is_provisional, published_at, rule_version, code_version, run_id, checksum,"
            " households, red, yellow, row_counts, changed_rows, published_by)"
            " values ($1::integer, $2::text::date, $3::boolean, clock_timestamp(), $4::text, $5::text, $6::text, $7::text,"
            " 0, 0, 0, $8::text::jsonb, $9::text::jsonb, session_user)",
            release_id,
            self.as_of.isoformat(),
            self.source.is_provisional,
            self.source.rule_version,
            self.source.code_version,
            self.source.run_id,
            self.content.checksum,
            json.dumps(dict(self.content.counts)),
            json.dumps(dict(differing)),
        )

    def _note(self) -> dict[str, str | bool]:
        source = self.source
        return {
            "as_of": self.as_of.isoformat(),
            "is_provisional": source.is_provisional,
            "rule_version": source.rule_version,
            "code_version": source.code_version,
            "run_id": source.run_id,
        }

    def _folder(self, release_id: int | None) -> Path:
        final = folder_of(self.release_dir, self.as_of, release_id, self.content.checksum)
        with self._aside() as work:
            move_into_place(work, final, release_id=release_id)
        return final

    @contextmanager
    def _aside(self) -> Iterator[Path]:
        with ExitStack() as stack:
            with self.clock.step("folder"):
                work = stack.enter_context(written_aside(self.engine, self.content, self.release_dir, self._note()))
            yield work

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
    ) -> PublishResult:
        log.info(message)
        counts = self.content.counts
        none = dict.fromkeys(counts, 0)
        return PublishResult(
            release_id, is_new, is_current, self.content.checksum, counts, changed or none, folder, message, self.clock.seconds, opened
        )
