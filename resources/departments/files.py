"""A department's drop folder: which file is read, and whether it is all there.

Belongs here: names, dates, checksums, the raw batch of a file. Not here: what is in the file (`tabular`).
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from expectations.contract import Contract
from resources.departments.batches import BatchStore, Manifest
from resources.departments.errors import Fault
from resources.departments.reading import Reading, Task, fetched_at
from resources.departments.tabular import to_parquet
from resources.departments.windows import end_of, stamp
from resources.settings import Settings

PIECE = 1 << 20
SENT_LATER = "have the department finish it and write the checksum last; the next run looks again"


@dataclass(frozen=True)
class Dropped:
    """One file of a record type in the drop folder."""

    path: Path
    day: date

    @property
    def expected(self) -> str | None:
        """The SHA-256 that lies beside it, None where there is none (yet)."""
        for beside in (self.path.with_name(f"{self.path.name}.sha256"), self.path.with_suffix(".sha256")):
            if beside.is_file():
                # whatever the tool that made it writes around the digest: a name, a star, a mark of its encoding
                found = re.search(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", beside.read_bytes().replace(b"\0", b"").lower())
                return found[0].decode("ascii") if found else ""
        return None


def dropped_files(folder: Path, records: str, until: date) -> list[Dropped]:
    """The files of a record type dated on or before `until`, the newest first."""
    shape = re.compile(rf"{re.escape(records)}_([0-9]{{8}})\.(csv|xlsx|zip)", re.IGNORECASE)
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        match = shape.fullmatch(path.name)
        day = _day(match[1]) if match else None
        if day is not None and day <= until and path.is_file():
            found.append(Dropped(path, day))
    return sorted(found, key=lambda f: f.day, reverse=True)


class FileReader:
    """Reads the newest whole file of a record type into a raw batch, once."""

    def __init__(self, settings: Settings, store: BatchStore) -> None:
        self._settings = settings
        self._store = store

    def read(self, task: Task) -> Reading:
        contract, ledger = task.contract, task.ledger or {}
        if self._settings.drop_dir is None:
            raise Fault(
                "none", "not_configured", "no drop folder is named", "set YIHU_DROP_DIR to the folder where the departments put their files"
            )
        notes: list[str] = []
        with _readable():
            files = dropped_files(self._settings.drop_dir / contract.department, contract.records, task.as_of)
        for file in files:
            if file.day.isoformat() < str(ledger.get("extract_date") or ""):
                break  # the state is built on a newer one
            with _readable():
                sha256, expected = sha256_of(file.path), file.expected
            if expected != sha256:
                notes.append(f"{file.path.name} is not whole ({_lack(file)}): left for next time")
                continue
            known = self._known(contract, file, sha256)
            if known is None:
                return Reading((self._take(contract, file, sha256),), True, tuple(notes))
            is_in_state = known.batch_id == ledger.get("batch_id")
            return Reading(() if is_in_state else (known,), False, tuple(notes))
        if ledger.get("batch_id"):
            return Reading((), False, tuple(notes))
        if notes:
            raise Fault("again", "incomplete_file", notes[0], SENT_LATER)
        name = f"{contract.records}_YYYYMMDD.{contract.server.get('format', 'csv')}"
        raise Fault(
            "none", "no_file", "the drop folder has no file of that day or before", f"have the department deliver {name} with its .sha256"
        )

    def _known(self, contract: Contract, file: Dropped, sha256: str) -> Manifest | None:
        """The batch that holds this very file already."""
        of_day = self._store.of_day(contract.table, contract.records, file.day)
        return next((m for m in of_day if (m.form, m.source, m.sha256) == ("file", file.path.name, sha256)), None)

    def _take(self, contract: Contract, file: Dropped, sha256: str) -> Manifest:
        batch_id = self._store.next_id(contract.table, contract.records, file.day)
        work = self._store.begin(contract.table, batch_id, anew=True)
        try:
            copy = work / file.path.name
            shutil.copyfile(file.path, copy)
            if sha256_of(copy) != sha256:
                raise Fault("again", "incomplete_file", f"{file.path.name} changed while it was read", SENT_LATER)
            table = to_parquet(contract, copy, work / "delivered.parquet")
        except BaseException as error:
            if isinstance(error, Fault):
                error.refused = file.path.name
            self._store.drop(work)
            raise
        manifest = Manifest(
            batch_id=batch_id,
            table=contract.table,
            department=contract.department,
            records=contract.records,
            form="file",
            format=table.format,
            delivery=_delivery(contract.server),
            source=file.path.name,
            since=None,
            until=stamp(end_of(file.day)),
            extract_date=file.day.isoformat(),
            row_count=table.row_count,
            total=None,
            sha256=sha256,
            fetched_at=fetched_at(),
            contract_version=contract.version,
            files=[copy.name],
            encoding=table.encoding,
            columns=table.columns,
            notes=table.notes,
        )
        return self._store.commit(work, manifest)


def _delivery(server: dict[str, Any]) -> Any:
    # Only the newest file is read, so that a file has to hold everything, whatever the record type's delivery by other forms;
    # a department that sends increments in files says so in the contract's servers.
    return "incremental" if server.get("delivery") == "incremental" else "full"


@contextmanager
def _readable() -> Iterator[None]:
    """The drop folder's errors as faults; those of the lake are the run's own."""
    try:
        yield
    except FileNotFoundError:
        raise Fault("again", "incomplete_file", "a file vanished while it was read", SENT_LATER) from None
    except OSError as error:
        said = f"the drop folder cannot be read ({type(error).__name__})"
        raise Fault("none", "unreadable", said, "let this user read the department's folder and its files") from None


def _lack(file: Dropped) -> str:
    return "no checksum yet" if file.expected is None else "another checksum"


def sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as opened:
        while piece := opened.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _day(digits: str) -> date | None:
    try:
        return date.fromisoformat(digits)
    except ValueError:
        return None
