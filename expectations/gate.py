"""A gate that stopped a batch, opened by a named person with a reason:
a record beside the lake's tables.

Belongs here: writing and reading those records. Not here: what stops a batch (`validation`).
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from expectations.errors import UsageError


class GateError(UsageError):
    """A gate that cannot be opened so; says what is missing."""


@dataclass(frozen=True)
class Gate:
    """Who let a rejected batch through, and why."""

    table: str
    batch_id: str
    who: str
    why: str
    opened_at: str
    login: str | None = None
    os_user: str | None = None


def _path(lake_root: Path, table: str, batch_id: str) -> Path:
    return lake_root / "gates" / table / f"{batch_id}.json"


def open_gate(
    lake_root: Path,
    table: str,
    batch_id: str,
    who: str,
    why: str,
    login: str | None = None,
    os_user: str | None = None,
) -> Gate:
    """Lets the good rows of a rejected batch through the next time its day is run;
    what is recorded is never overwritten.

    Raises:
        GateError: no name, no reason, no such batch, or a gate that is open already.
    """
    if not who.strip() or len(why.strip()) < 5:
        raise GateError(
            "a gate is opened by a named person with a reason:",
            "give BY=<name> and WHY=<reason>",
        )
    if not (lake_root / "raw" / table / batch_id / "manifest.json").exists():
        raise GateError(
            f"{table} has no batch {batch_id}:",
            "take its name from the check that rejected it",
        )
    now = datetime.now(ZoneInfo("Asia/Shanghai")).isoformat(timespec="seconds")
    gate = Gate(table, batch_id, who.strip(), why.strip(), now, login, os_user)
    path = _path(lake_root, table, batch_id)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    work = path.with_suffix(f".{os.getpid()}.tmp")
    work.write_text(json.dumps(asdict(gate), ensure_ascii=False, indent=1), encoding="utf-8")
    work.chmod(0o600)
    try:
        os.link(work, path)  # unlike a rename, refuses where somebody else was first
    except FileExistsError:
        there = gate_of(lake_root, table, batch_id)
        said = f", by {there.who} at {there.opened_at}" if there is not None else ""
        raise GateError(f"the gate of {batch_id} is open already{said}", "run make sync") from None
    finally:
        work.unlink()
    return gate


def gate_of(lake_root: Path, table: str, batch_id: str) -> Gate | None:
    """The record of an opened gate, None while it is shut."""
    path = _path(lake_root, table, batch_id)
    return Gate(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
