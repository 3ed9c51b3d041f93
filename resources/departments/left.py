"""What lies in the drop folders and nobody reads.

Belongs here: the line that names it, for a run and for whoever asks now. Not here: why a thing is
left (`dropped`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from expectations.contract import Contract, load_contracts
from resources.departments.dropped import Dropped, Folder, Unread, left_line, look, strangers
from resources.departments.errors import Fault
from resources.departments.names import shown
from resources.departments.reading import form_of
from resources.settings import SHANGHAI, Settings


@dataclass(frozen=True)
class UnreadInFolder:
    """One department's line; `department` is None for what lies in no department's folder."""

    department: str | None
    line: str


def file_contracts(settings: Settings, but: Contract | None = None) -> tuple[Contract, ...]:
    """The record types that come by file; `but` stands in the place of its namesake."""
    every = [c for c in load_contracts() if _comes_by_file(c, settings)]
    if but is None:
        return tuple(every)
    return (*(c for c in every if c.table != but.table), but)


def look_for(settings: Settings, folder: Path, contract: Contract) -> Folder:
    """A department's folder as the contract's reader sees it,
    sorted among all record types of the department. Raises `OSError`.
    """
    every = file_contracts(settings, contract)
    return look(folder, [c for c in every if c.department == contract.department])


def lines_of(settings: Settings, contract: Contract, found: Folder, today: date) -> list[str]:
    """What nobody reads in a department's folder, said by one of its record types only.

    So too what lies beside the folders, by every department: it may be any one's.
    """
    every = file_contracts(settings, contract)
    own = [c for c in every if c.department == contract.department]
    if contract.records != min(c.records for c in own):
        return []
    line = left_line(everything_left(found, own, today))
    lines = [line] if line else []
    if settings.drop_dir is not None:
        lines += stray_lines(settings.drop_dir, [c.department for c in every])
    return lines


def count_left(settings: Settings, contract: Contract, found: Folder, today: date) -> int:
    """How many files lie in the department's folder that no contract takes."""
    own = [c for c in file_contracts(settings, contract) if c.department == contract.department]
    return len(everything_left(found, own, today))


def everything_left(found: Folder, contracts: list[Contract], today: date) -> list[Unread]:
    left = list(found.left)
    for contract in contracts:
        files = found.of(contract)
        left += strangers(contract, files)
        left += [Unread(file.name, _later(file)) for file in files if file.day > today]
    return left


def left_lying(settings: Settings) -> list[UnreadInFolder]:
    """What lies there now and nobody reads, department by department;
    a folder that cannot be read says so.
    """
    if settings.drop_dir is None:
        return []
    today = datetime.now(SHANGHAI).date()
    contracts = file_contracts(settings)
    departments = sorted({c.department for c in contracts})
    said = [UnreadInFolder(None, line) for line in stray_lines(settings.drop_dir, departments)]
    for department in departments:
        own = [c for c in contracts if c.department == department]
        try:
            line = left_line(everything_left(look(settings.drop_dir / department, own), own, today))
        except OSError as error:
            line = f"the folder cannot be read ({type(error).__name__})"
        if line is not None:
            said.append(UnreadInFolder(department, line))
    return said


def stray_lines(folder: Path, departments: list[str]) -> list[str]:
    """What lies beside the departments' folders:
    files, and folders of departments whose record types come otherwise.
    """
    known = {*departments}
    left: list[Unread] = []
    try:
        with os.scandir(folder) as entries:
            every = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []
    for entry in every:
        if entry.name in known or entry.name.startswith("."):
            continue
        if not entry.is_dir(follow_symlinks=False):
            left.append(Unread(shown(entry.name), "in no department's folder"))
            continue
        count = _count(Path(entry.path))
        if count:
            left.append(
                Unread(
                    f"{shown(entry.name)}/",
                    f"{count} in the folder of no department that delivers files",
                )
            )
    line = left_line(left)
    return [line] if line else []


def _count(folder: Path) -> int:
    try:
        return sum(1 for _ in folder.iterdir())
    except OSError:
        return 1


def _later(file: Dropped) -> str:
    return f"dated {file.day}, which is still to come"


def _comes_by_file(contract: Contract, settings: Settings) -> bool:
    try:
        return form_of(contract, settings) == "file"
    except Fault:
        return False
