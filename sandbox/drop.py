"""The departments' drop folders: dated files as each department delivers.

Belongs here: which file is due, writing it, and what can be wrong with it. Not here: sheets
(`sheet`), rows (`days`), how an office writes them (`office`).

Written `tidy`, a file is a table with codes, ISO dates and a checksum; written by the `office`, it
is what people make.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Literal, get_args

from expectations.contract import Contract, load_contracts
from expectations.engine import literal
from sandbox.county import County
from sandbox.days import end_of
from sandbox.faults import FILE_FAULTS
from sandbox.office import listing, sheets
from sandbox.render import text_rows
from sandbox.shapes import SHAPES
from sandbox.sheet import HEADER_ROW, Layout, Sheet, write_book

_STAMP = ".county"
Writing = Literal["office", "tidy"]
WRITINGS: tuple[Writing, ...] = get_args(Writing)
SHANGHAI = timezone(timedelta(hours=8))
SETTLED = timedelta(hours=1)
"""A file is never younger than this: nothing waits for it to stand still."""


def due_on(cadence: str, as_of: date) -> date:
    """The newest day, on or before `as_of`, on which a file of that cadence is delivered."""
    if cadence == "weekly":
        return as_of - timedelta(days=as_of.weekday())
    if cadence == "monthly":
        return as_of.replace(day=1)
    if cadence == "quarterly":
        return date(as_of.year, (as_of.month - 1) // 3 * 3 + 1, 1)
    if cadence == "per_term":
        opened = [
            date(year, month, 20) for year in (as_of.year - 1, as_of.year) for month in (4, 10)
        ]
        return max(day for day in opened if day <= as_of)
    if cadence == "yearly":
        return date(as_of.year, 1, 1)
    return as_of


def by_file(everything: bool) -> Iterator[Contract]:
    """The record types that come by file, or all of them."""
    for contract in load_contracts():
        if contract.records in SHAPES and (everything or contract.server.get("form") == "file"):
            yield contract


def file_name(contract: Contract, day: date) -> str:
    form = "xlsx" if contract.server.get("format") == "xlsx" else "csv"
    return f"{contract.records}_{day:%Y%m%d}.{form}"


def drop(
    county: County,
    folder: Path,
    as_of: date,
    everything: bool = False,
    faults: Mapping[str, str] | None = None,
    writing: Writing = "tidy",
) -> list[Path]:
    """Puts the newest file that is due by `as_of` into each department's folder; returns those
    newly written.

    A file dated D holds the rows in force at the end of D. Files of another county, or written
    otherwise, are taken away first. A record type in `faults` gets its file anew, spoilt so, and
    tidy but for that.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _clear_of_others(county, folder, writing)
    written = []
    for contract in filter(_is_known, by_file(everything)):
        day = due_on(contract.cadence, as_of)
        path = folder / contract.department / file_name(contract, day)
        fault = (faults or {}).get(contract.records)
        by_office = writing == "office" and fault is None and contract.server.get("form") == "file"
        if fault is not None or not (path if by_office else checksum_path(path)).exists():
            if by_office:
                write_by_office(county, contract, day, path)
            else:
                write_file(county, contract, day, path, fault)
            written.append(path)
    return written


def _is_known(contract: Contract) -> bool:
    """Whether the sandbox stands in for the office: one whose contract says how its own files are
    called or keyed delivers them itself.
    """
    return "files" not in contract.server and len(contract.delivered) == len(contract.fields)


def writing_of(folder: Path) -> Writing:
    """How the files of a drop folder are written when nobody says: as they are there, by the office
    in a new one.
    """
    stamp = folder / _STAMP
    if not stamp.exists():
        return "office"
    return "office" if stamp.read_text(encoding="ascii").endswith(" office") else "tidy"


def checksum_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def write_file(
    county: County, contract: Contract, day: date, path: Path, fault: str | None = None
) -> None:
    """One file of the day, written aside and renamed, its checksum last; with a fault, as that
    fault leaves it.
    """
    if fault is not None and fault not in FILE_FAULTS:
        raise ValueError(f"no fault {fault!r}: use one of {', '.join(FILE_FAULTS)}")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    work = path.with_name(f".{uuid.uuid4().hex[:8]}.part")
    state = county.state(contract.records, end_of(datetime(day.year, day.month, day.day)))
    rows = text_rows(contract, state)
    try:
        if path.suffix == ".xlsx":
            _write_xlsx(county, contract, day, rows, work, fault)
        else:
            _write_csv(county, contract, rows, work, fault)
        if fault in ("truncated_file", "empty_file"):
            os.truncate(work, work.stat().st_size // 2 if fault == "truncated_file" else 0)
        work.chmod(0o600)
        digest = hashlib.sha256(work.read_bytes()).hexdigest()
        checksum_path(path).unlink(missing_ok=True)
        work.replace(path)
    finally:
        work.unlink(missing_ok=True)
    if fault == "growing":
        return
    if fault == "wrong_checksum":
        digest = hashlib.sha256(b"another file").hexdigest()
    checksum_path(path).write_text(f"{digest}  {path.name}\n", encoding="ascii")
    checksum_path(path).chmod(0o600)


def write_by_office(county: County, contract: Contract, day: date, path: Path) -> None:
    """One file of the day as its office makes it, without a checksum, last written on its day."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    work = path.with_name(f".{uuid.uuid4().hex[:8]}.part")
    state = county.state(contract.records, end_of(datetime(day.year, day.month, day.day)))
    try:
        if path.suffix == ".xlsx":
            write_book(county.connection(), list(sheets(county, contract, state, day)), work)
        else:
            above, select, below = listing(county, contract, state, day)
            _copy_csv(
                county, select, work, str(contract.server.get("encoding", "utf-8")), above, below
            )
        work.chmod(0o600)
        evening = datetime.combine(day, time(17, 30), SHANGHAI)
        at = min(evening, datetime.now(SHANGHAI) - SETTLED).timestamp()
        os.utime(work, (at, at))
        checksum_path(path).unlink(missing_ok=True)
        work.replace(path)
    finally:
        work.unlink(missing_ok=True)


def _header(contract: Contract, fault: str | None) -> tuple[str, ...]:
    names = [field.physical_name for field in contract.fields]
    if fault == "changed_header":
        names[-2] += "_新"
    return tuple(names)


def _write_xlsx(
    county: County, contract: Contract, day: date, rows: str, path: Path, fault: str | None
) -> None:
    layout = Layout(
        f"汉阴县{contract.department_name}{contract.name}",
        f"填报单位:{contract.department_name}  截止日期:{day:%Y年%m月%d日}",
        _header(contract, fault),
        (f"A{HEADER_ROW + 1}:B{HEADER_ROW + 3}",) if fault == "merged_cells" else (),
    )
    write_book(
        county.connection(),
        [] if fault == "missing_sheet" else [Sheet("Sheet1", rows, layout)],
        path,
    )


def _write_csv(
    county: County, contract: Contract, rows: str, path: Path, fault: str | None
) -> None:
    encoding = str(contract.server.get("encoding", "utf-8"))
    if fault == "wrong_encoding":
        encoding = "utf-16" if encoding.lower().startswith("utf-8") else "big5hkscs"
    _copy_csv(county, rows, path, encoding, [",".join(_header(contract, fault))], [])


def _copy_csv(
    county: County, rows: str, path: Path, encoding: str, above: Sequence[str], below: Sequence[str]
) -> None:
    """The rows of a SELECT as CSV, with lines above and below them."""
    plain = path.with_suffix(".utf8")
    try:
        county.connection().execute(
            f"copy ({rows}) to {literal(plain)} (format csv, header false, nullstr '')"
        )
        plain.chmod(0o600)
        with (
            plain.open(encoding="utf-8", newline="") as source,
            codecs.open(str(path), "w", encoding, errors="replace") as target,
        ):
            target.write("".join(f"{line}\r\n" for line in above))
            while chunk := source.read(1 << 20):
                target.write(chunk.replace("\n", "\r\n"))
            target.write("".join(f"{line}\r\n" for line in below))
    finally:
        plain.unlink(missing_ok=True)


def _clear_of_others(county: County, folder: Path, writing: Writing) -> None:
    stamp, mark = folder / _STAMP, county.mark if writing == "tidy" else f"{county.mark} {writing}"
    if stamp.exists() and stamp.read_text(encoding="ascii") == mark:
        return
    for contract in load_contracts():
        for path in (folder / contract.department).glob(f"{contract.records}_*"):
            path.unlink()
    stamp.write_text(mark, encoding="ascii")
