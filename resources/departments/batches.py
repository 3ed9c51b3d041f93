"""Raw batches: what one read brought, with its manifest, never changed afterwards.

Belongs here: names, folders, manifests and day pointers. Not here: how the bytes were got, and what
they say.
"""

from __future__ import annotations

import os
import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any, Literal

import msgspec

from resources.lake import Lake

Form = Literal["api", "file", "sql"]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One batch, as `manifest.json` keeps it; times are ISO 8601 with offset, days ISO."""

    batch_id: str
    table: str
    department: str
    records: str
    form: Form
    format: Literal["json", "csv", "xlsx", "xls", "xlsb", "ods", "html", "parquet"]
    delivery: Literal["full", "incremental"]
    source: str
    """File name, table or path of the record type; no secrets, no host."""
    since: str | None
    until: str
    extract_date: str
    row_count: int
    total: int | None
    sha256: str
    fetched_at: str
    contract_version: str
    files: list[str]
    encoding: str | None = None
    columns: list[str] = []
    """Physical names as delivered, unknown ones included."""
    keys_file: str | None = None
    """Every key that the source holds, where it was reconciled (column `record_key`)."""
    notes: list[str] = []
    """What the reader noticed in a batch that can be used all the same."""
    unread: list[str] = []
    """What lay there and was not read: other sheets, files of the same day,
    rows far behind the window.
    """
    unchecked: bool = False
    """A text or HTML file without checksum: nothing but its end says that it is whole."""
    note_lines: dict[str, int] = {}
    """Lines of files that are no records (totals, signatures, the header again, blanks), by kind.
    """
    keys_twice: int = 0
    """Keys that stand in more than one file of a delivery in parts."""
    twice_in: list[str] = []
    """The files that have such keys."""
    absent_in: dict[str, int] = {}
    """Rows of the sheets and files that lack an optional column which others have, by column."""
    behind: int = 0
    """Rows of a query's table that are later than the window."""


class BatchStore:
    """The batches of the lake, `raw/<table>/<batch_id>/`."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake

    def folder(self, table: str, batch_id: str) -> Path:
        return self.lake.table("raw", table) / batch_id

    def manifest(self, table: str, batch_id: str) -> Manifest | None:
        """The manifest of a complete batch, None where there is none."""
        path = self.folder(table, batch_id) / "manifest.json"
        return msgspec.json.decode(path.read_bytes(), type=Manifest) if path.exists() else None

    def of_day(self, table: str, records: str, day: date) -> list[Manifest]:
        """The complete batches of an extract date, in the order in which they were read."""
        names = self._names(table, records, day)
        found = (self.manifest(table, name) for name in names)
        return [m for m in found if m is not None]

    def next_id(self, table: str, records: str, day: date) -> str:
        """`<records>-YYYYMMDD-NN`, NN one above the highest of that day."""
        taken = [int(name.rsplit("-", 1)[1]) for name in self._names(table, records, day)]
        return f"{records}-{day:%Y%m%d}-{max(taken, default=0) + 1:02d}"

    def begin(self, table: str, batch_id: str, anew: bool = False) -> Path:
        """The folder aside in which a batch is gathered;
        what an earlier, killed read left in it is still there, unless `anew`.

        Left-overs of other batches are removed: one read of a record type runs at a time.
        """
        home = self.lake.table("raw", table)
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        work = home / f".{batch_id}.reading"
        for other in home.glob(".*.reading"):
            if anew or other != work:
                shutil.rmtree(other)
        work.mkdir(exist_ok=True, mode=0o700)
        return work

    def same(self, new: Manifest) -> Manifest | None:
        """The batch of that day that brought the very same: asked again after a rejection, a
        department often has no other answer.
        """
        for old in self.of_day(new.table, new.records, date.fromisoformat(new.extract_date)):
            if all(
                getattr(old, name) == getattr(new, name)
                for name in ("form", "since", "until", "sha256", "contract_version")
            ):
                return old
        return None

    def drop(self, work: Path) -> None:
        """Forgets a batch that was begun."""
        shutil.rmtree(work, ignore_errors=True)

    def commit(self, work: Path, manifest: Manifest) -> Manifest:
        """Writes the manifest last, then renames the folder into place:
        a batch is there whole or not at all.
        """
        (work / "manifest.json").write_bytes(
            msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        )
        for file in work.rglob("*"):
            file.chmod(0o700 if file.is_dir() else 0o600)
        os.rename(work, self.folder(manifest.table, manifest.batch_id))
        return manifest

    def pointer(self, table: str, day: date) -> dict[str, Any] | None:
        """Which batches a day stands on: `batches`, `failure`, `notes`, `until`, `upon`."""
        return self.lake.read_note("raw", table, day)

    def _names(self, table: str, records: str, day: date) -> list[str]:
        home = self.lake.table("raw", table)
        shape = re.compile(rf"{re.escape(records)}-{day:%Y%m%d}-[0-9]+")
        return (
            sorted(
                (p.name for p in home.iterdir() if shape.fullmatch(p.name)),
                key=lambda n: (len(n), n),
            )
            if home.is_dir()
            else []
        )
