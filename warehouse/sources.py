"""How fresh and how complete each source is on a day.

Belongs here: turning the day's ledgers into rows. Not here: making the ledgers (`asof`), what is
told of them beside the links (`models/household/source_status.sql`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pyarrow as pa

from warehouse.known import KNOWN_FROM
from warehouse.schema.lake import SOURCE_LEDGER

COLUMNS = SOURCE_LEDGER.arrow


def _row(ledger: dict[str, Any]) -> dict[str, Any]:
    flat = {**ledger, **(ledger["today"] or {})}
    rejection = ledger.get("rejection") or {}
    accepted = [batch for batch in ledger.get("batches", ()) if not batch["is_rejected"]]
    said = {
        "notes": sum(batch.get("notes", 0) for batch in accepted) if accepted else None,
        "behind_window": sum(batch.get("behind", 0) for batch in accepted) if accepted else None,
        "rejected_batch": rejection.get("batch_id"),
        "rejected_on": _day(rejection.get("day")),
        "rejected_rule": rejection.get("rule"),
        "rejected_rows": rejection.get("rows"),
        "next_step": next_step(ledger),
    }
    return {
        **{name: flat.get(name) for name in COLUMNS.names},
        "extract_date": _day(flat.get("extract_date")),
        **said,
    }


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None


def message_and_next_step(failure: Mapping[str, Any]) -> tuple[str, str]:
    """What a source's failure said, and what to do; older days have both in one line."""
    if "next_step" in failure:
        return str(failure["said"]), str(failure["next_step"])
    said, _, next_step = str(failure["message"]).partition("; ")
    return said, next_step or said


def unknown_before(ledger: Mapping[str, Any]) -> str | None:
    """The first day for which the source was read, where the ledger is of an earlier one."""
    first = ledger.get(KNOWN_FROM)
    return str(first) if first and str(ledger["as_of"]) < str(first) else None


def next_step(ledger: dict[str, Any]) -> str | None:
    """What to do about a source that is not well; None where nothing is to be done."""
    rejection, failure = ledger.get("rejection"), ledger.get("failure")
    if rejection is not None:
        return str(rejection["next_step"])
    if failure is not None:
        return message_and_next_step(failure)[1]
    if ledger["state"] == "ok":
        return None
    if first := unknown_before(ledger):
        return f"nobody can tell it any more: this source was first read for {first}"
    return f"ask {ledger['department']} for its newest {ledger['records']}, then make sync"


def ledger_table(ledgers: Iterable[dict[str, Any] | None]) -> pa.Table:
    """A row per record type that has a ledger of the day."""
    return pa.Table.from_pylist([_row(ledger) for ledger in ledgers if ledger is not None], COLUMNS)
