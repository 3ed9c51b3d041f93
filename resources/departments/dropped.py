"""What lies in a department's drop folder, and which of it makes one delivery.

Belongs here: files and their days, parts of one delivery, what no contract takes. Not here: names
(`names`), whether a file is whole (`whole`), reading one (`files`).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from expectations.contract import Contract
from expectations.file_names import PatternError
from resources.departments.names import Named, fold, named, patterns_of, readable, shown
from resources.departments.whole import LARGEST, stated_sha256
from resources.settings import SHANGHAI

LISTED = 40
"""Names that a line spells out; the others are counted."""


@dataclass(frozen=True)
class Dropped:
    """One file of a record type in the drop folder."""

    path: Path
    day: date
    part: str = ""
    has_day: bool = True
    """Whether the day stands in the name; else it is the one on which the file was last written."""
    written: int = 0
    """Its modification time, in nanoseconds."""

    @property
    def expected(self) -> str | None:
        return stated_sha256(self.path)

    @property
    def name(self) -> str:
        """The name as it may be shown and kept."""
        return shown(self.path.name)


@dataclass(frozen=True)
class Unread:
    """Something in a folder that nothing reads, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class Delivery:
    """The files that make one delivery: one, or its parts, in the order of their names."""

    files: tuple[Dropped, ...]
    missing: str | None = None
    """What an incomplete delivery in parts waits for."""
    replaced: tuple[Dropped, ...] = ()
    """Files of the same day (and part) that were written earlier."""

    @property
    def day(self) -> date:
        return max(file.day for file in self.files)

    @property
    def source(self) -> str:
        """Its name in manifests and messages."""
        first, others = self.files[0].name, len(self.files) - 1
        return f"{first} and {others} more" if others else first


@dataclass
class Folder:
    """What lies in one department's folder: the files of each of its record types, and the rest."""

    taken: dict[str, list[Dropped]] = field(default_factory=dict)
    left: list[Unread] = field(default_factory=list)

    def of(self, contract: Contract) -> list[Dropped]:
        return self.taken.get(contract.records, [])


def look(folder: Path, contracts: Sequence[Contract]) -> Folder:
    """Sorts everything in a department's folder:
    each thing is taken by one contract or left with its reason. Raises `OSError`.
    """
    found = Folder()
    if folder.is_symlink():
        found.left.append(Unread(shown(folder.name), "a symbolic link, which is not followed"))
        return found
    if not folder.is_dir():
        return found
    with os.scandir(folder) as entries:
        every = sorted(entries, key=lambda entry: entry.name)
    there = {entry.name for entry in every}
    for entry in every:
        if _belongs_to_another(entry.name, there):
            continue
        taken = _take(entry, contracts)
        if isinstance(taken, Unread):
            found.left.append(taken)
        else:
            records, file = taken
            found.taken.setdefault(records, []).append(file)
    return found


def _belongs_to_another(name: str, there: set[str]) -> bool:
    """A checksum beside its file."""
    if not name.lower().endswith(".sha256"):
        return False
    stem = name[: -len(".sha256")]
    return stem in there or any(
        os.path.splitext(other)[0] == stem for other in there if other != name
    )


def _take(entry: os.DirEntry[str], contracts: Sequence[Contract]) -> Unread | tuple[str, Dropped]:
    name = shown(entry.name)
    status = entry.stat(follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        return Unread(name, "a symbolic link, which is not followed")
    if stat.S_ISDIR(status.st_mode):
        return Unread(name, "a folder, which is not looked into")
    if not stat.S_ISREG(status.st_mode):
        return Unread(name, "no plain file")
    if name.lower().endswith(".sha256"):
        return Unread(name, "a checksum without its file")
    fits = [(contract, said) for contract in contracts if (said := _named(contract, entry.name))]
    if not fits:
        return Unread(name, "no contract takes this name")
    heaviest = max(said.weight for _, said in fits)
    best = [(contract, said) for contract, said in fits if said.weight == heaviest]
    if len(best) > 1:
        takers = " and ".join(contract.records for contract, _ in best)
        return Unread(name, f"{takers} take this name alike: make their `files` differ")
    contract, said = best[0]
    if said.has_day and said.day is None:
        return Unread(name, "its name has no day that exists")
    if status.st_size > LARGEST:
        return Unread(name, f"larger than {LARGEST >> 30} GiB")
    try:
        written = datetime.fromtimestamp(status.st_mtime_ns // 10**9, SHANGHAI).date()
    except (ValueError, OverflowError):
        return Unread(name, "its time of writing is no day that exists")
    day = said.day or written
    return contract.records, Dropped(
        Path(entry.path), day, said.part, said.has_day, status.st_mtime_ns
    )


def _named(contract: Contract, name: str) -> Named | None:
    try:
        return named(contract, name)
    except PatternError:
        return None  # `make contracts` says so; nothing is taken under it


def deliveries(contract: Contract, files: Iterable[Dropped], until: date) -> list[Delivery]:
    """What was delivered up to `until`, the newest first; of one day, the later written first."""
    there = sorted(
        (file for file in files if file.day <= until),
        key=lambda file: (file.day, file.written, readable(file.path.name)),
        reverse=True,
    )
    if not comes_in_files(contract) or _are_sheets(contract, there):
        return [
            Delivery(
                (file,), None, tuple(other for other in there[at + 1 :] if other.day == file.day)
            )
            for at, file in enumerate(there)
        ]
    periods: dict[object, list[Dropped]] = {}
    for file in there:
        periods.setdefault(_period(contract, file), []).append(file)
    labels = {file.part for file in there}
    found = [_in_parts(contract, group, labels) for group in periods.values()]
    return sorted((f for f in found if f is not None), key=lambda d: d.day, reverse=True)


def _are_sheets(contract: Contract, files: Sequence[Dropped]) -> bool:
    """Whether the named parts can only be sheets:
    no file is called like one, and `*` stands for anything.
    """
    expected = parts_of(contract)
    if not isinstance(expected, tuple) or any(
        "{part}" in pattern.text.lower() for pattern in patterns_of(contract)
    ):
        return False
    return not any(_is_part(name, file.part) for name in expected for file in files)


def parts_of(contract: Contract) -> int | tuple[str, ...] | None:
    """How many parts one delivery has, or their names;
    None where it is one file or says nothing of parts.
    """
    stated = contract.server.get("parts")
    if stated is None:
        return None
    if isinstance(stated, list | tuple):
        return tuple(fold(str(name)).strip() for name in stated)
    if not str(stated).isdecimal():
        raise PatternError(
            "`parts` is neither a number nor a list",
            "write how many files make one delivery, or their list",
        )
    return int(str(stated))


def comes_in_files(contract: Contract) -> bool:
    """Whether parts are files of their own (their names differ by `{part}` or `*`),
    not only sheets of one.
    """
    try:
        return parts_of(contract) is not None and any(p.has_part for p in patterns_of(contract))
    except PatternError:
        return False


def missing_parts(
    contract: Contract, labels: Iterable[str], known: Iterable[str] = ()
) -> str | None:
    """What lacks of the parts that a contract expects, where these came;
    `known` were seen in other deliveries.
    """
    expected, came = parts_of(contract), sorted(set(labels))
    if expected is None:
        return None
    if isinstance(expected, int):
        if len(came) == expected:
            return None
        if len(came) > expected:
            return f"{len(came)} parts came where {expected} are expected ({some_of(came)})"
        away = sorted(set(known) - set(came))
        missing = (
            f"{some_of(away)} missing"
            if len(away) == expected - len(came)
            else f"there: {some_of(came)}"
        )
        return f"{len(came)} of {expected} parts came, {missing}"
    away = [name for name in expected if not any(_is_part(name, label) for label in came)]
    return (
        f"{len(expected) - len(away)} of {len(expected)} parts came, {some_of(away)} missing"
        if away
        else None
    )


def _is_part(name: str, label: str) -> bool:
    return name == label or name in label


def some_of(names: Sequence[str]) -> str:
    listed = ", ".join(shown(name) for name in names[:LISTED])
    return f"{listed} and {len(names) - LISTED} more" if len(names) > LISTED else listed


def _period(contract: Contract, file: Dropped) -> object:
    """Parts belong together within one period of the record type's cadence;
    without a day in their names, all that lie there.
    """
    if not file.has_day:
        return None
    day = file.day
    match contract.cadence:
        case "weekly":
            return day - timedelta(days=day.weekday())
        case "monthly":
            return day.replace(day=1)
        case "quarterly":
            return (day.year, (day.month - 1) // 3)
        case "yearly" | "annual":
            return day.year
    return day


def _in_parts(contract: Contract, group: Sequence[Dropped], known: set[str]) -> Delivery | None:
    expected = parts_of(contract)
    newest: dict[str, Dropped] = {}
    replaced: list[Dropped] = []
    oldest = max(file.day for file in group) - timedelta(days=contract.stale_after_days)
    for file in group:
        if isinstance(expected, tuple) and not any(_is_part(name, file.part) for name in expected):
            continue  # named among what is left
        if file.part in newest:
            replaced.append(file)
        elif file.day >= oldest:
            newest[file.part] = file
    if not newest:
        return None
    files = tuple(sorted(newest.values(), key=lambda file: readable(file.path.name)))
    return Delivery(files, missing_parts(contract, newest, known), tuple(replaced))


def strangers(contract: Contract, files: Iterable[Dropped]) -> list[Unread]:
    """Files of a record type that are none of the parts that its contract names."""
    expected, files = parts_of(contract) if comes_in_files(contract) else None, list(files)
    if not isinstance(expected, tuple) or _are_sheets(contract, files):
        return []
    return [
        Unread(file.name, "none of the parts that the contract names")
        for file in files
        if not any(_is_part(name, file.part) for name in expected)
    ]


def left_line(left: Sequence[Unread]) -> str | None:
    """One line for what nobody reads: `left lying: 4 files: a, b, c (why); d (why)`."""
    if not left:
        return None
    reasons: dict[str, list[str]] = {}
    for item in left[:LISTED]:
        reasons.setdefault(item.why, []).append(item.name)
    listed = "; ".join(f"{', '.join(names)} ({why})" for why, names in reasons.items())
    more = f"; and {len(left) - LISTED} more" if len(left) > LISTED else ""
    return f"left lying: {len(left)} file{'s' if len(left) > 1 else ''}: {listed}{more}"


def safe_copy_names(delivery: Delivery) -> list[str]:
    """Names under which the files are kept:
    as they came, but for what may not be shown, and never one twice.
    """
    names: list[str] = []
    for file in delivery.files:
        name = re.sub(r'[/\\:*?"<>|]', "_", file.name)
        stem, suffix = os.path.splitext(name)
        number = 2
        while name in names or name in ("manifest.json", "delivered.parquet", "notes.parquet"):
            name, number = f"{stem}-{number}{suffix}", number + 1
        names.append(name)
    return names
