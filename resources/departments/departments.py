"""The departments as one: what each of them brings for a day.

Belongs here: whether a day is read or stands already, the day pointer, several record types at
once. Not here: how each form is read.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from expectations.contract import Contract
from expectations.gate import gate_of
from expectations.questions import standing_questions
from resources.departments.batches import BatchStore, Manifest
from resources.departments.errors import Fault, SourceError
from resources.departments.files import FileReader
from resources.departments.reading import ApiReader, Reader, Reading, Task, form_of
from resources.departments.retry import RetryPolicy
from resources.departments.sql import SqlReader
from resources.departments.windows import end_of, is_closed, moment, stamp, until_of, watermark_of
from resources.lake import Lake
from resources.settings import SHANGHAI, Settings
from warehouse.known import is_unknown, ledger_before

CONCURRENCY = 3

Status = Literal["read", "reused", "nothing_new", "failed"]


@dataclass(frozen=True)
class DayRead:
    """What one record type brought for one day.

    `batches` are those that the day stands on, in order: also with `failed`, where an earlier read
    of the day brought some.
    """

    table: str
    as_of: date
    status: Status
    batches: tuple[Manifest, ...]
    failure: SourceError | None
    notes: tuple[str, ...]
    seconds: float
    requests: int
    unread: tuple[str, ...] = ()
    """What lies at the source and nothing reads."""

    @property
    def row_count(self) -> int:
        return sum(batch.row_count for batch in self.batches)


class Departments:
    """Reads each record type in its form into raw batches.

    One instance serves a run; its methods may be called from several threads.
    """

    def __init__(self, settings: Settings, lake: Lake, policy: RetryPolicy | None = None) -> None:
        self.settings = settings
        self.lake = lake
        self.store = BatchStore(lake)
        self.policy = policy or RetryPolicy()
        self._pool: ThreadPoolExecutor | None = None
        self._ahead: dict[tuple[str, date], Future[DayRead]] = {}

    def read_day(self, contract: Contract, as_of: date, now: datetime | None = None) -> DayRead:
        """What `contract` brings for `as_of`, read unless the day is closed and stands already.

        A source that fails is recorded in the day pointer and returned with status `failed`, never
        raised.
        """
        ahead = self._ahead.pop((contract.table, as_of), None)
        return (
            ahead.result()
            if ahead is not None
            else self._read_day(contract, as_of, now or datetime.now(SHANGHAI))
        )

    def prefetch(
        self, contracts: Iterable[Contract], as_of: date, now: datetime | None = None
    ) -> None:
        """Begins to read several record types at once; `read_day` then waits for its own."""
        now = now or datetime.now(SHANGHAI)
        self._pool = self._pool or ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="departments")
        for contract in contracts:
            self._ahead[contract.table, as_of] = self._pool.submit(
                self._read_day, contract, as_of, now
            )

    def close(self) -> None:
        """Drops what was begun and not collected."""
        self._ahead.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def stands(self, contract: Contract, as_of: date, now: datetime) -> tuple[Manifest, ...] | None:
        """The batches of a day that need not be read again, None where it must be."""
        if not is_closed(as_of, now):
            return None
        table = contract.table
        if not contract.is_base_register and is_unknown(self.lake, table, as_of):
            return ()  # nobody tells any more what was there on that day
        refused = ((self.lake.read_note("ledger", table, as_of) or {}).get("rejected") or {}).get(
            "batch_id"
        )
        if refused is not None and gate_of(self.lake.root, table, str(refused)) is None:
            return None
        before = ledger_before(self.lake, table, as_of)
        pointer = self.store.pointer(table, as_of)
        if pointer is None:
            return self._unpointed(contract, as_of, before)
        if (
            pointer.get("failure")
            or pointer.get("notes")
            or moment(pointer.get("until")) != end_of(as_of)
        ):
            return None
        batches = self._batches(table, pointer)
        if batches is None or (
            not batches and pointer.get("upon") != (before or {}).get("batch_id")
        ):
            return None
        return batches if all(b.form == "file" or _covers(b, before) for b in batches) else None

    def reader(self, contract: Contract) -> Reader:
        """The reader for the form in which the record type comes.

        Raises `Fault`; also where its contract is still a draft's.
        """
        questions = standing_questions(contract.path)
        if questions:
            said = (
                f"{len(questions)} questions of its draft stand in {contract.path.name}, the first"
                f" in line {questions[0].line}"
            )
            raise Fault(
                "none",
                "draft",
                said,
                "answer each in the contract and delete its line; `make contracts` lists them",
            )
        match form_of(contract, self.settings):
            case "api":
                return ApiReader(self.settings, self.store, self.policy)
            case "file":
                return FileReader(self.settings, self.store)
            case "sql":
                return SqlReader(self.settings, self.store, self.policy)

    def _read_day(self, contract: Contract, as_of: date, now: datetime) -> DayRead:
        started = time.monotonic()
        standing = self.stands(contract, as_of, now)
        if standing is not None:
            pointer = self.store.pointer(contract.table, as_of)
            if pointer is None:
                self._point(contract, as_of, now, standing, None, ())
            return DayRead(
                contract.table,
                as_of,
                "reused" if standing else "nothing_new",
                standing,
                None,
                (),
                time.monotonic() - started,
                0,
                tuple((pointer or {}).get("unread") or ()),
            )
        try:
            ledger = ledger_before(self.lake, contract.table, as_of)
            reading = self.reader(contract).read(Task(contract, as_of, now, ledger))
        except Fault as fault:
            return self._failed(contract, as_of, now, fault, started)
        self._point(
            contract,
            as_of,
            now,
            reading.batches,
            None,
            reading.notes,
            reading.unread,
            reading.left_lying,
        )
        return DayRead(
            contract.table,
            as_of,
            _status(reading),
            reading.batches,
            None,
            reading.notes,
            time.monotonic() - started,
            reading.requests,
            reading.unread,
        )

    def _failed(
        self, contract: Contract, as_of: date, now: datetime, fault: Fault, started: float
    ) -> DayRead:
        """Records the failure; what an earlier read of the same day brought stays,
        if it joins the state without a gap.
        """
        error = fault.as_error(contract.department, contract.records, as_of)
        before = ledger_before(self.lake, contract.table, as_of)
        kept = self._batches(contract.table, self.store.pointer(contract.table, as_of) or {}) or ()
        if not all(b.form == "file" or _joins(b, before) for b in kept):
            kept = ()
        unread = tuple(fault.unread)
        self._point(contract, as_of, now, kept, error, (), unread, fault.left_lying)
        return DayRead(
            contract.table,
            as_of,
            "failed",
            kept,
            error,
            (),
            time.monotonic() - started,
            fault.requests,
            unread,
        )

    def _point(
        self,
        contract: Contract,
        as_of: date,
        now: datetime,
        batches: tuple[Manifest, ...],
        error: SourceError | None,
        notes: tuple[str, ...],
        unread: tuple[str, ...] = (),
        left_lying: int | None = None,
    ) -> None:
        before = ledger_before(self.lake, contract.table, as_of) or {}
        note = {
            "batches": [batch.batch_id for batch in batches],
            "failure": error.note if error else None,
            "notes": list(notes),
            "unread": list(unread),
            "left_lying": left_lying,
            "until": stamp(until_of(as_of, now)),
            "upon": before.get("batch_id"),
        }
        self.lake.write_note("raw", contract.table, as_of, note)

    def _batches(self, table: str, pointer: dict[str, Any]) -> tuple[Manifest, ...] | None:
        """The batches that a pointer names, None where one of them is gone."""
        found = [self.store.manifest(table, str(name)) for name in pointer.get("batches") or []]
        there = tuple(batch for batch in found if batch is not None)
        return there if len(there) == len(found) else None

    def _unpointed(
        self, contract: Contract, as_of: date, before: dict[str, Any] | None
    ) -> tuple[Manifest, ...] | None:
        """A whole batch of the day whose run was killed before it could point at it."""
        done = self.store.of_day(contract.table, contract.records, as_of)
        fit = [
            b
            for b in done
            if b.form != "file" and moment(b.until) == end_of(as_of) and _covers(b, before)
        ]
        return (fit[-1],) if fit else None


def _status(reading: Reading) -> Status:
    if reading.is_new:
        return "read"
    return "reused" if reading.batches else "nothing_new"


def _covers(batch: Manifest, ledger: dict[str, Any] | None) -> bool:
    """The batch reaches the end of its day and joins the state before without a gap."""
    until = moment(batch.until)
    return until == end_of(date.fromisoformat(batch.extract_date)) and _joins(batch, ledger)


def _joins(batch: Manifest, ledger: dict[str, Any] | None) -> bool:
    since, reached = moment(batch.since), watermark_of(ledger)
    return since is None or (reached is not None and since <= reached)
