"""The lake: `lake/<layer>/<table>/as_of=YYYY-MM-DD/county=<6 digits>/*.parquet`,
and the raw batches beside it.

Belongs here: where things lie, written aside and renamed into place. Not here: what is in them.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from expectations.engine import parquet, pattern
from expectations.errors import YihuError
from resources.engines.duckdb import ComputeEngine

NO_COUNTY = "000000"
"""The county of tables whose rows do not name one."""

LAYERS = (
    "raw",
    "ledger",
    "valid",
    "withdrawn",
    "quarantine",
    "matched",
    "household",
    "flags",
    "release",
)


@dataclass(frozen=True)
class Written:
    """What one write left in the lake."""

    path: Path
    rows: int
    counties: tuple[str, ...]


class NotInLake(YihuError):
    """A day that was asked for is not there."""

    next_step = "make sync AS_OF=… of that day first"


class Lake:
    """The folder tree under `YIHU_HOME/lake`; folders of mode 0700, files of mode 0600."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        root.chmod(0o700)

    def table(self, layer: str, table: str) -> Path:
        return self.root / layer / table

    def partition(self, layer: str, table: str, as_of: date) -> Path:
        return self.table(layer, table) / f"as_of={as_of.isoformat()}"

    def files(self, layer: str, table: str, as_of: date, county: str | None = None) -> str | None:
        """The glob of a partition's files, of one county where it is named;
        None where the day was not written.
        """
        folder = self.partition(layer, table, as_of)
        return pattern(folder, f"county={county or '*'}", "*.parquet") if folder.is_dir() else None

    def relation(self, layer: str, table: str, as_of: date, county: str | None = None) -> str:
        """The rows of a day of a table, or of one county of it, as what stands after `from`.

        Raises `NotInLake`.
        """
        files = self.files(layer, table, as_of, county)
        if files is None:
            raise NotInLake(f"{layer} {table} has no day {as_of} in the lake")
        return parquet(files)

    def version(self, layer: str, table: str, as_of: date) -> str | None:
        """Another text for another writing of the day; None where it was not written."""
        folder = self.partition(layer, table, as_of)
        try:
            found = folder.stat()
        except FileNotFoundError:
            return None
        return f"{found.st_ino}-{found.st_mtime_ns}"

    def counties(self, layer: str, table: str, as_of: date) -> list[str]:
        """The counties that a day of a table has, ascending."""
        return sorted(
            folder.name[7:] for folder in self.partition(layer, table, as_of).glob("county=*")
        )

    def days(self, layer: str, table: str) -> list[date]:
        """The days that a table has, ascending."""
        folder = self.table(layer, table)
        names = (
            [p.name[6:16] for p in folder.glob("as_of=*") if p.is_dir()] if folder.is_dir() else []
        )
        return sorted({date.fromisoformat(name) for name in names})

    def latest(self, layer: str, table: str, before: date) -> date | None:
        """The newest day strictly before `before` that a table has."""
        return max((day for day in self.days(layer, table) if day < before), default=None)

    @contextmanager
    def aside(self, final: Path) -> Iterator[Path]:
        """A folder to write into, renamed to `final` when the block ends well,
        removed when it does not.
        """
        final.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        work = final.parent / f".{final.name}.{uuid.uuid4().hex[:8]}.tmp"
        work.mkdir(mode=0o700)
        try:
            yield work
            for file in work.rglob("*"):
                file.chmod(0o700 if file.is_dir() else 0o600)
            if final.exists():
                old = final.parent / f".{final.name}.{uuid.uuid4().hex[:8]}.old.tmp"
                os.rename(final, old)
                os.rename(work, final)
                shutil.rmtree(old)
            else:
                os.rename(work, final)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def write(
        self,
        engine: ComputeEngine,
        layer: str,
        table: str,
        as_of: date,
        select: str,
        order_by: str,
        county: str | None = None,
    ) -> Written:
        """Writes a day of a table in a total order, a file a county.

        `order_by` is a list of columns that orders the rows totally. `county` is an expression over
        the columns of `select` that gives six digits; without one, all rows go under
        `county=000000`.
        """
        final = self.partition(layer, table, as_of)
        rows = 0
        with self.aside(final) as work:
            counties = [NO_COUNTY]
            if county is not None:
                found = engine.rows(
                    f"select distinct coalesce({county}, '{NO_COUNTY}') from ({select}) order by 1"
                )
                counties = [str(c) for (c,) in found] or [NO_COUNTY]
            for code in counties:
                folder = work / f"county={code}"
                folder.mkdir(mode=0o700)
                where = (
                    ""
                    if len(counties) == 1
                    else f" where coalesce({county}, '{NO_COUNTY}') = '{code}'"
                )
                rows += engine.copy(
                    f"select * from ({select}){where} order by {order_by}",
                    folder / "part-0.parquet",
                )
        return Written(final, rows, tuple(counties))

    def spread(
        self, engine: ComputeEngine, layer: str, table: str, as_of: date, relation: str
    ) -> Written:
        """Writes a day of a table that is in its order already,
        a file for each value of its column `_county`.
        """
        final, rows = self.partition(layer, table, as_of), 0
        counties = [
            str(code)
            for (code,) in engine.rows(f"select distinct _county from {relation} order by 1")
        ] or [NO_COUNTY]
        with self.aside(final) as work:
            for code in counties:
                folder = work / f"county={code}"
                folder.mkdir(mode=0o700)
                rows += engine.copy(
                    f"select * exclude (_county) from {relation} where _county = '{code}'",
                    folder / "part-0.parquet",
                )
        return Written(final, rows, tuple(counties))

    def adopt(self, layer: str, table: str, as_of: date, folder: Path) -> Path:
        """Makes `folder`, which holds a file a county and is the caller's to give away,
        the day of a table.
        """
        final = self.partition(layer, table, as_of)
        with self.aside(final) as work:
            for county in sorted(folder.glob("county=*")):
                os.rename(county, work / county.name)
        shutil.rmtree(folder)
        return final

    def carry(self, layer: str, table: str, source: date, as_of: date) -> Path:
        """The day `as_of` as a copy (hard links) of the day `source`:
        the last good state, carried forward.
        """
        final = self.partition(layer, table, as_of)
        with self.aside(final) as work:
            shutil.copytree(
                self.partition(layer, table, source),
                work,
                copy_function=os.link,
                dirs_exist_ok=True,
            )
        return final

    def write_note(self, layer: str, table: str, as_of: date, note: dict[str, Any]) -> Path:
        """A day's JSON note (`lake/<layer>/<table>/as_of=YYYY-MM-DD.json`), replaced whole."""
        path = self.table(layer, table) / f"as_of={as_of.isoformat()}.json"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        work = path.with_suffix(f".{uuid.uuid4().hex[:8]}.tmp")
        work.write_text(
            json.dumps(note, ensure_ascii=False, indent=1, default=str), encoding="utf-8"
        )
        work.chmod(0o600)
        os.replace(work, path)
        return path

    def read_note(self, layer: str, table: str, as_of: date) -> dict[str, Any] | None:
        path = self.table(layer, table) / f"as_of={as_of.isoformat()}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def remove_note(self, layer: str, table: str, as_of: date) -> None:
        """Gives up a day's note, where there is one."""
        (self.table(layer, table) / f"as_of={as_of.isoformat()}.json").unlink(missing_ok=True)

    def latest_note(self, layer: str, table: str, before: date) -> dict[str, Any] | None:
        """The newest note of a day strictly before `before`."""
        day = max((d for d in self.note_days(layer, table) if d < before), default=None)
        return None if day is None else self.read_note(layer, table, day)

    def note_days(self, layer: str, table: str) -> list[date]:
        folder = self.table(layer, table)
        return (
            sorted(date.fromisoformat(p.name[6:16]) for p in folder.glob("as_of=*.json"))
            if folder.is_dir()
            else []
        )
