"""Since when a source is known: a day before the first one for which it was read cannot be known.

A source that comes in increments tells no history: what it answers for an earlier day lacks every
row that was written since. So the register of such a day is half a county, and any other record
type says nothing of it.

Belongs here: that first day, and which earlier day a day stands on. Not here: what is done with it
(`asof`, `graph.inputs`, `assets.release`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol

from expectations.contract import BASE_REGISTER, REGISTER_RECORDS

REGISTER = tuple(f"{BASE_REGISTER}__{records}" for records in REGISTER_RECORDS)
"""What a day of the county cannot be told without."""
KNOWN_FROM = "known_from"


class Ledgers(Protocol):
    """What is needed of the lake."""

    def note_days(self, layer: str, table: str) -> list[date]: ...
    def read_note(self, layer: str, table: str, as_of: date) -> dict[str, Any] | None: ...


def known_from(lake: Ledgers, table: str) -> date | None:
    """The first business day for which a record type was read, as its newest ledger says; None
    where it never was.
    """
    days = lake.note_days("ledger", table)
    newest = (lake.read_note("ledger", table, days[-1]) if days else None) or {}
    if KNOWN_FROM in newest:
        return date.fromisoformat(newest[KNOWN_FROM]) if newest[KNOWN_FROM] else None
    # ledgers of an older code do not say it
    read = (day for day in days if was_read(lake.read_note("ledger", table, day) or {}))
    return next(read, None)


def was_read(ledger: Mapping[str, Any]) -> bool:
    """Whether a batch of the source was looked at on the day, or before it."""
    return bool(ledger.get("batch_id") or ledger.get("rejected") or ledger.get("batches"))


def is_unknown(lake: Ledgers, table: str, as_of: date) -> bool:
    first = known_from(lake, table)
    return first is not None and as_of < first


def stands_on(lake: Ledgers, table: str, as_of: date) -> date | None:
    """The newest earlier day of a record type; a day that is known stands on none that is not."""
    first = known_from(lake, table)
    days = [day for day in lake.note_days("ledger", table) if day < as_of]
    if first is not None and as_of >= first:
        days = [day for day in days if day >= first]
    return max(days, default=None)


def ledger_before(lake: Ledgers, table: str, as_of: date) -> dict[str, Any] | None:
    """The ledger of the day that `as_of` stands on."""
    day = stands_on(lake, table, as_of)
    return None if day is None else lake.read_note("ledger", table, day)


def county_known_from(lake: Ledgers) -> date | None:
    """The first day whose county is whole: register and members both were read for it. Earlier ones
    are published nowhere, and nothing is compared with them.
    """
    found = [known_from(lake, table) for table in REGISTER]
    return max((day for day in found if day is not None), default=None)
