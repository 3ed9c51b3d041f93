"""A department's drop folder: which delivery is read, and the raw batch that it becomes.

Belongs here: choosing among what lies there, copying it, its manifest. Not here: names (`names`),
what lies in a folder (`dropped`), whether a file is whole (`whole`), what is in it (`tabular`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from expectations.contract import Contract
from expectations.file_names import PatternError
from resources.departments.batches import BatchStore, Manifest
from resources.departments.dropped import (
    Delivery,
    Dropped,
    Folder,
    deliveries,
    missing_parts,
    parts_of,
    safe_copy_names,
    some_of,
)
from resources.departments.errors import Fault
from resources.departments.left import count_left, lines_of, look_for
from resources.departments.names import patterns_of
from resources.departments.reading import Reading, Task, fetched_at
from resources.departments.tabular import Tabular, read_delivery
from resources.departments.whole import PIECE, judged, opened, sha256_of
from resources.departments.windows import end_of, stamp
from resources.settings import Settings

SENT_LATER = "have the department finish it and write the checksum last; the next run looks again"
Digest = Callable[[Path], str]


@dataclass(frozen=True)
class Offer:
    """A whole delivery: its files' digests, and whether nothing but their ends says
    that they are whole.
    """

    delivery: Delivery
    digests: tuple[str, ...]
    is_unchecked: bool

    @property
    def sha256(self) -> str:
        """The file's own, or one for all parts."""
        if len(self.digests) == 1:
            return self.digests[0]
        pairs = (
            f"{f.path.name}\0{d}" for f, d in zip(self.delivery.files, self.digests, strict=True)
        )
        return hashlib.sha256("\n".join(pairs).encode("utf-8", "surrogateescape")).hexdigest()


def offered(
    contract: Contract, found: Folder, until: date, state: str, settings: Settings, digest: Digest
) -> Iterator[tuple[Delivery, Offer | str]]:
    """The whole deliveries dated up to `until`, the newest first,
    and a line for each that is left for next time.

    It ends where the state is built on a newer one. Raises `OSError`.
    """
    needs = contract.server.get("checksum") == "required"
    for delivery in deliveries(contract, found.of(contract), until):
        if delivery.day.isoformat() < state:
            return
        if delivery.missing and not may_be_sheets(contract, delivery):
            yield delivery, f"{delivery.source} is not all: {delivery.missing}: left for next time"
            continue
        digests = [digest(file.path) for file in delivery.files]
        verdicts = [
            judged(file.path, sha256, needs, settings.file_settle)
            for file, sha256 in zip(delivery.files, digests, strict=True)
        ]
        lacking = [(f, v.lack) for f, v in zip(delivery.files, verdicts, strict=True) if v.lack]
        if lacking:
            file, lack = lacking[0]
            yield delivery, f"{file.name} is not whole ({lack}): left for next time"
            continue
        yield delivery, Offer(delivery, tuple(digests), any(v.is_unchecked for v in verdicts))


def may_be_sheets(contract: Contract, delivery: Delivery) -> bool:
    """A lone workbook under a pattern with `*` may hold its parts as sheets;
    only reading it tells.
    """
    if len(delivery.files) > 1 or any(
        "{part}" in pattern.text.lower() for pattern in patterns_of(contract)
    ):
        return False
    with opened(delivery.files[0].path) as file:
        return file.read(8).startswith((b"PK", b"\xd0\xcf\x11\xe0"))


class FileReader:
    """Reads the newest whole delivery of a record type into a raw batch, once."""

    def __init__(self, settings: Settings, store: BatchStore) -> None:
        self._settings = settings
        self._store = store

    def read(self, task: Task) -> Reading:
        contract = task.contract
        folder = self._folder(contract)
        with _readable():
            found = look_for(self._settings, folder, contract)
        unread = lines_of(self._settings, contract, found, task.now.date())
        left_lying = count_left(self._settings, contract, found, task.now.date())
        try:
            return replace(self._read(task, found, unread), left_lying=left_lying)
        except Fault as fault:
            fault.unread, fault.left_lying = tuple(unread), left_lying
            raise

    def _folder(self, contract: Contract) -> Path:
        if self._settings.drop_dir is None:
            said, next_step = (
                "no drop folder is named",
                "set YIHU_DROP_DIR to the folder where the departments put their files",
            )
            raise Fault("none", "not_configured", said, next_step)
        try:
            patterns_of(contract)
            parts_of(contract)
        except PatternError as error:
            raise Fault(
                "none",
                "contract",
                str(error),
                "mend the contract's servers (`make contracts` checks it)",
            ) from None
        return self._settings.drop_dir / contract.department

    def _read(self, task: Task, found: Folder, unread: list[str]) -> Reading:
        contract, ledger = task.contract, task.ledger or {}
        notes: list[str] = []
        offers: list[Offer] = []
        state = str(ledger.get("extract_date") or "")
        with _readable():
            for delivery, offer in offered(
                contract, found, task.as_of, state, self._settings, sha256_of
            ):
                if isinstance(offer, Offer):
                    offers.append(offer)
                    if not _is_incremental(contract):
                        break
                    continue
                notes.append(offer)
                # an increment is never passed over: what is newer waits for it
                if _is_incremental(contract) and all(
                    o.delivery.day != delivery.day for o in offers
                ):
                    offers.clear()
        if not offers:
            unread += self._behind_the_state(contract, found, state)
            return self._nothing(contract, ledger, notes, unread)
        unread += self._passed_over(contract, found, offers)
        if _is_incremental(contract):
            return self._increments(contract, ledger, offers, notes, unread)
        return self._newest(contract, ledger, offers[0], notes, unread)

    def _newest(
        self,
        contract: Contract,
        ledger: dict[str, Any],
        offer: Offer,
        notes: list[str],
        unread: list[str],
    ) -> Reading:
        known = self._known(contract, ledger, offer)
        if known is None:
            return Reading((self.take(contract, offer),), True, tuple(notes), unread=tuple(unread))
        is_in_state = known.batch_id == ledger.get("batch_id")
        return Reading(() if is_in_state else (known,), False, tuple(notes), unread=tuple(unread))

    def _increments(
        self,
        contract: Contract,
        ledger: dict[str, Any],
        offers: list[Offer],
        notes: list[str],
        unread: list[str],
    ) -> Reading:
        """Every increment since the state's, in order: each holds rows that no other has."""
        newest: dict[date, Offer] = {}
        for offer in offers:
            newest.setdefault(offer.delivery.day, offer)
        batches, is_new = [], False
        for day in sorted(newest):
            known = self._known(contract, ledger, newest[day])
            if known is not None and known.batch_id == ledger.get("batch_id"):
                continue
            is_new = is_new or known is None
            batches.append(known or self.take(contract, newest[day]))
        return Reading(tuple(batches), is_new, tuple(notes), unread=tuple(unread))

    def _nothing(
        self, contract: Contract, ledger: dict[str, Any], notes: list[str], unread: list[str]
    ) -> Reading:
        if ledger.get("batch_id"):
            return Reading((), False, tuple(notes), unread=tuple(unread))
        if notes:
            raise Fault("again", "incomplete_file", notes[0], SENT_LATER)
        first = patterns_of(contract)[0]
        form = contract.server.get("format", "csv")
        name = (
            f"{contract.records}_YYYYMMDD.{form}"
            if first.is_default
            else f"a file named like {first.text}"
        )
        said = "the drop folder has no file of that day or before"
        raise Fault(
            "none", "no_file", said, f"have the department deliver {name}, best with its .sha256"
        )

    def _passed_over(self, contract: Contract, found: Folder, offers: Sequence[Offer]) -> list[str]:
        """What is not read for the sake of what is:
        earlier files of the same day, older ones that no day ever read.
        """
        said = []
        taken = {file.path for offer in offers for file in offer.delivery.files}
        for offer in offers:
            chosen = offer.delivery.source
            for file in offer.delivery.replaced:
                if file.path not in taken and not self._was_read(contract, file):
                    said.append(
                        f"{file.name} was written before {chosen} of the same day: not read"
                    )
        last = min(offer.delivery.day for offer in offers)
        older = [
            file
            for file in found.of(contract)
            if file.day < last and file.path not in taken and not self._was_read(contract, file)
        ]
        if older and not parts_of(contract):
            listed = some_of(sorted(file.path.name for file in older))
            said.append(
                f"{len(older)} older file{'s' if len(older) > 1 else ''} never read, since a newer"
                f" one lies there: {listed}"
            )
        return list(dict.fromkeys(said))

    def _behind_the_state(self, contract: Contract, found: Folder, state: str) -> list[str]:
        """Files of before the state in force that no day ever read:
        it was made of another form, or of a file that is gone.
        """
        older = [
            file
            for file in found.of(contract)
            if file.day.isoformat() < state and not self._was_read(contract, file)
        ]
        if not older:
            return []
        listed = some_of(sorted(file.path.name for file in older))
        return [
            f"{len(older)} file{'s' if len(older) > 1 else ''} never read, dated before the state"
            f" in force, of {state[:10]}: {listed}"
        ]

    def _was_read(self, contract: Contract, file: Dropped) -> bool:
        of_day = self._store.of_day(contract.table, contract.records, file.day)
        return any(file.name == batch.source or file.name in batch.files for batch in of_day)

    def _known(self, contract: Contract, ledger: dict[str, Any], offer: Offer) -> Manifest | None:
        """The batch that holds this very delivery already:
        in force, or read under this very contract.
        """
        of_day = self._store.of_day(contract.table, contract.records, offer.delivery.day)
        wanted = ("file", offer.delivery.source, offer.sha256)
        for batch in reversed(of_day):
            if (batch.form, batch.source, batch.sha256) != wanted:
                continue
            if (
                batch.unchecked
                and not offer.is_unchecked
                and batch.batch_id != ledger.get("batch_id")
            ):
                continue  # its checksum came after it: it is judged as a whole one now
            if (
                batch.batch_id == ledger.get("batch_id")
                or batch.contract_version == contract.version
            ):
                return batch
        return None

    def take(self, contract: Contract, offer: Offer) -> Manifest:
        delivery = offer.delivery
        batch_id = self._store.next_id(contract.table, contract.records, delivery.day)
        work = self._store.begin(contract.table, batch_id, anew=True)
        try:
            copies = copied(delivery, offer.digests, work)
            table = _tabular(contract, copies, work, self._settings)
            _check_parts(contract, table)
        except BaseException as error:
            self._store.drop(work)
            if isinstance(error, Fault):
                error.refused = delivery.source
                if not any(file.name in error.said for file in delivery.files):
                    error.said = f"{delivery.source}: {error.said}"
            raise
        manifest = Manifest(
            batch_id=batch_id,
            table=contract.table,
            department=contract.department,
            records=contract.records,
            form="file",
            format=table.format,
            delivery="incremental" if _is_incremental(contract) else "full",
            source=delivery.source,
            since=None,
            until=stamp(end_of(delivery.day)),
            extract_date=delivery.day.isoformat(),
            row_count=table.row_count,
            total=None,
            sha256=offer.sha256,
            fetched_at=fetched_at(),
            contract_version=contract.version,
            files=[copy.name for copy in copies],
            encoding=table.encoding,
            columns=table.columns,
            notes=table.notes,
            unread=table.unread,
            note_lines=table.note_lines,
            keys_twice=table.keys_twice,
            twice_in=table.twice_in,
            absent_in=table.absent_in,
            unchecked=offer.is_unchecked,
        )
        return self._store.commit(work, manifest)


def _tabular(contract: Contract, copies: list[Path], work: Path, settings: Settings) -> Tabular:
    password = settings.file_passwords.get(str(contract.server.get("password")))
    return read_delivery(contract, copies, work, settings, password)


def copied(delivery: Delivery, digests: Sequence[str], work: Path) -> list[Path]:
    """The delivery's files in the folder `work`, byte for byte what was judged. Raises `Fault`."""
    copies = []
    for file, name, sha256 in zip(delivery.files, safe_copy_names(delivery), digests, strict=True):
        copy, digest = work / name, hashlib.sha256()
        with copy.open("xb") as target:
            for piece in _pieces(file.path):
                digest.update(piece)
                target.write(piece)
        if digest.hexdigest() != sha256:
            raise Fault(
                "again", "incomplete_file", f"{file.name} changed while it was read", SENT_LATER
            )
        copies.append(copy)
    return copies


def _pieces(path: Path) -> Iterator[bytes]:
    with _readable(), opened(path) as source:
        while piece := source.read(PIECE):
            yield piece


def _check_parts(contract: Contract, table: Tabular) -> None:
    """Parts that are sheets, and files that were no part, are known only now. Raises `Fault`."""
    missing = missing_parts(contract, table.parts)
    if missing:
        beside = f"; not read: {some_of(table.unread)}" if table.unread else ""
        raise Fault(
            "again", "incomplete_parts", f"the delivery is not all: {missing}{beside}", SENT_LATER
        )


def _is_incremental(contract: Contract) -> bool:
    # Only the newest file is read, so that a file has to hold everything, whatever the record
    # type's delivery by other forms; a department that sends increments in files says so in the
    # contract's servers.
    return contract.server.get("delivery") == "incremental"


@contextmanager
def _readable() -> Iterator[None]:
    """The drop folder's errors as faults; those of the lake are the run's own."""
    try:
        yield
    except FileNotFoundError:
        raise Fault(
            "again", "incomplete_file", "a file vanished while it was read", SENT_LATER
        ) from None
    except OSError as error:
        said = f"the drop folder cannot be read ({type(error).__name__})"
        raise Fault(
            "none", "unreadable", said, "let this user read the department's folder and its files"
        ) from None
