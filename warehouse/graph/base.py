"""The day that a day is laid over: whether there is one to stand on, and why not.

Every kept table notes what it was made from and by: its own version in the lake, those of the
tables of its day, and who computed it (code, contracts, rules, key). A day is laid over the newest
one before it only where all of that is as it was; a table of that day that was made anew since,
from other rows, stands on nothing that the note says.

Belongs here: the note, and reading it. Not here: which households are touched (`touched`).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb

from expectations.contract import Contract
from warehouse.graph.heads import Kind
from warehouse.graph.inputs import HELD_BACK, MADE_OF, GraphLake, LakeInputs, earlier_day
from warehouse.graph.moment import Moment
from warehouse.graph.registry import (
    EVERY_TYPE,
    PER_TYPE,
    inputs_of,
    is_of_type,
    laid_over,
    layer_and_folder,
)
from warehouse.graph.under import MADE

ROOT = Path(__file__).parents[2]
WITHDRAWN = ("release", "withdrawn")
"""Notes in the lake: the days whose release was rolled back."""
COMPUTING = ("warehouse", "expectations", "resources/engines")
"""Folders of the code and of the data that say what rows come out."""
STANDS_ON = ("person", "person_key_map", "review_queue", "source_status")
"""What is made in full each day, and compared."""
OF_ITS_DAY = (Kind.SAME_DAY, Kind.ASKED)
NAMES = {
    "code": "other code computes it",
    "contracts": "a contract is another one",
    "engine": "the engine is another version",
    "key": "the pseudonym key is another one",
    "rules": "rules or standards are others",
    "following": "the rules of what follows are others",
    "catalogue": "the catalogue of indicators is another one",
    "further": "further rules are others",
    "layout": "the layout is another one",
}
"""What a day is computed by, and what to say where it is not what it was."""


@dataclass(frozen=True)
class Base:
    """The day that one is laid over, or why there is none."""

    on: date | None
    why_none: str = ""


@lru_cache(maxsize=1)
def computing_code() -> str:
    """A digest of what computes, file by file."""
    digest = hashlib.sha256()
    for folder in COMPUTING:
        for path in sorted((ROOT / folder).rglob("*")):
            is_schema_of_postgres = "migrations" in path.parts
            if path.suffix in (".py", ".sql", ".jinja", ".csv", ".yaml") and not (
                is_schema_of_postgres
            ):
                digest.update(str(path.relative_to(ROOT)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def computed_by(moment: Moment, contracts: Iterable[Contract], key: bytes) -> dict[str, str]:
    """What computes a day, part by part."""
    told = hashlib.sha256()
    for contract in sorted(contracts, key=lambda c: c.table):
        told.update(contract.table.encode() + contract.path.read_bytes())
    return {
        "code": computing_code()[:16],
        "contracts": told.hexdigest()[:16],
        "engine": str(duckdb.__version__),
        "key": hmac.digest(key, b"a day is laid over its own key", "sha256").hex()[:16],
        "rules": moment.rules.hash[:16],
        "following": moment.following.hash[:16],
        "catalogue": moment.catalogue.hash[:16],
        "further": moment.further.hash[:16],
        "layout": moment.layout,
    }


def made_from(table: str, contracts: Collection[Contract]) -> list[str]:
    """The kept tables of its day that a kept table comes from, every record type by its name."""
    if is_of_type(table):
        layer, _, record_type = table.partition("_")
        read = inputs_of(f"{layer}_{PER_TYPE}", OF_ITS_DAY)
        named = {t.replace(PER_TYPE, record_type) for t in read}
    else:
        named = set(inputs_of(table, OF_ITS_DAY))
    found: set[str] = set()
    for one in named:
        prefix = one.removesuffix(EVERY_TYPE)
        found.update([one] if prefix == one else (f"{prefix}{c.table}" for c in contracts))
    return sorted(found - {table})


def entry(
    lake: GraphLake, table: str, as_of: date, contracts: Collection[Contract], by: Mapping[str, str]
) -> dict[str, Any]:
    """What the lake notes of a table that was kept just now."""
    return {
        "version": _version(lake, table, as_of),
        "from": {read: _version(lake, read, as_of) for read in made_from(table, contracts)},
        "by": dict(by),
    }


def _version(lake: GraphLake, table: str, as_of: date) -> str | None:
    return lake.version(*layer_and_folder(table), as_of)


def note_withdrawn(lake: GraphLake, current: int) -> None:
    """Notes the days whose release was rolled back: those of releases after the current one."""
    for day in lake.note_days(*MADE_OF):
        release = (lake.read_note(*MADE_OF, day) or {}).get("release_id")
        if release is not None and int(release) > current:
            lake.write_note(*WITHDRAWN, day, {"release_id": release})
        else:
            lake.remove_note(*WITHDRAWN, day)


def needed(contracts: Iterable[Contract]) -> list[str]:
    """The tables that a day has to have for another to be laid over it: those that are, and what
    says whom it touches.
    """
    return [*(f"matched_{c.table}" for c in contracts), *STANDS_ON, *laid_over()]


def base_of(
    lake: GraphLake,
    as_of: date,
    contracts: Collection[Contract],
    by: Mapping[str, str],
) -> Base:
    """The newest day before `as_of`, where everything of it stands as it was made, by what would
    make this one.
    """
    inputs = LakeInputs(lake, {})
    on = earlier_day(inputs, "warning_flag", as_of)
    if on is None:
        return Base(None, "it is the first day")
    note = lake.read_note(*MADE, on) or {}
    tables: Mapping[str, Any] = note.get("tables") or {}
    if on in lake.note_days(*HELD_BACK):
        return Base(None, f"{on} was held back")
    if on in lake.note_days(*WITHDRAWN):
        return Base(None, f"{on} was rolled back")
    if note.get("is_provisional"):
        return Base(None, f"{on} was provisional")
    seen: dict[str, str | None] = {}

    def version(table: str) -> str | None:
        if table not in seen:
            seen[table] = _version(lake, table, on)
        return seen[table]

    for table in needed(contracts):
        made = tables.get(table)
        if made is None or made["version"] is None:
            return Base(None, f"{table} of {on} is missing, or older code made it")
        for part, said in by.items():
            if made["by"].get(part) != said:
                return Base(None, NAMES[part])
        if made["version"] != version(table):
            return Base(None, f"{table} of {on} was made anew")
        for read, then in made["from"].items():
            if version(read) != then:
                return Base(None, f"{read} of {on} was made anew, and {table} was not")
        if (newest := earlier_day(inputs, table, as_of)) != on:
            return Base(None, f"{table} has a day of its own, {newest}")
    return Base(on)
