"""The files that a person names, as the delivery that a run would take them for.

Belongs here: a file, a folder or a pattern; the day and the parts that the names say. Not here:
reading it (`dry_run`).
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from expectations.contract import Contract
from expectations.errors import UsageError
from resources.departments.dropped import (
    Delivery,
    Dropped,
    comes_in_files,
    missing_parts,
    parts_of,
    strangers,
)
from resources.departments.files import may_be_sheets
from resources.departments.names import READABLE, named, readable, shown, split
from resources.departments.whole import judged, sha256_of
from resources.settings import SHANGHAI, Settings


class InputFileError(UsageError):
    """FILE names nothing that could be read; says what to write."""


@dataclass(frozen=True)
class InputFiles:
    """A delivery as a person hands it over."""

    delivery: Delivery
    digests: tuple[str, ...]
    waits: tuple[str, ...]
    """Sentences: why a run would not take it yet, or not under these names."""
    passed_over: tuple[str, ...]
    """Names of files beside it that the contract does not take."""
    has_every_part: bool = True
    """False where it is one part, or some, of a delivery in several files."""


def files_of(text: str) -> list[Path]:
    """The files that FILE names: one, those of a folder, or those that a pattern fits;
    in the order of their names.

    Raises:
        GivenError: there is none.
    """
    path = Path(text).expanduser()
    if path.is_dir():
        found = [file for file in path.iterdir() if _is_table(file)]
    elif path.exists():
        found = [path]
    else:
        found = [Path(name) for name in glob.glob(str(path)) if _is_table(Path(name))]
    if not found:
        raise InputFileError(
            f"FILE is {text!r}: no file of that name",
            "write a file, a folder, or a pattern in quotation marks",
        )
    return sorted(found, key=lambda file: readable(file.name))


def _is_table(path: Path) -> bool:
    return (
        path.is_file() and split(path.name)[1] in READABLE and not path.name.startswith(("~$", "."))
    )


def read_input_files(contract: Contract, paths: Sequence[Path], settings: Settings) -> InputFiles:
    """The delivery out of `paths`; where the contract takes some of them by name, those."""
    taken = [path for path in paths if named(contract, path.name) is not None] or list(paths)
    files = [_dropped(contract, path) for path in taken]
    strange = {left.name for left in strangers(contract, files)}
    # where the contract names its parts, a run reads those
    files = [file for file in files if file.name not in strange] or files
    taken = [file.path for file in files]
    delivery = Delivery(tuple(files))
    digests = tuple(sha256_of(path) for path in taken)
    waits = []
    if named(contract, taken[0].name) is None:
        waits.append(
            "a run would not take it: its name fits no pattern of the contract,"
            f" {_patterns(contract)}"
        )
    lacks = _incomplete(contract, delivery)
    waits += lacks
    needs = contract.server.get("checksum") == "required"
    for file, digest in zip(files, digests, strict=True):
        lack = judged(file.path, digest, needs, settings.file_settle).lack
        if lack:
            waits.append(f"a run would wait: {file.name} is not whole yet, {lack}")
    others = tuple(shown(path.name) for path in paths if path not in taken)
    return InputFiles(delivery, digests, tuple(waits), others, not (lacks and parts_of(contract)))


def _patterns(contract: Contract) -> str:
    stated = contract.server.get("files") or f"{contract.records}_{{YYYY}}{{MM}}{{DD}}"
    return ", ".join(stated) if isinstance(stated, list) else str(stated)


def _incomplete(contract: Contract, delivery: Delivery) -> list[str]:
    if not comes_in_files(contract):
        several = len(delivery.files) > 1
        return (
            ["a run takes several files for one delivery only where the contract says `parts`"]
            if several
            else []
        )
    if may_be_sheets(contract, delivery):
        return []
    missing = missing_parts(contract, [file.part for file in delivery.files])
    return [f"a run would wait: it is not all, {missing}"] if missing else []


def _dropped(contract: Contract, path: Path) -> Dropped:
    said = named(contract, path.name)
    status = path.stat()
    written = datetime.fromtimestamp(status.st_mtime, SHANGHAI).date()
    day = said.day if said is not None and said.day is not None else written
    part = said.part if said is not None else split(path.name)[0]
    return Dropped(path, day, part, said is not None and said.day is not None, status.st_mtime_ns)


def without_parts(contract: Contract) -> Contract:
    """The contract as it reads one part alone: what lacks was said already."""
    return replace(
        contract, server={name: value for name, value in contract.server.items() if name != "parts"}
    )
