"""How fresh and how complete each source is on a day.

Belongs here: turning the day's ledgers into rows. Not here: making the ledgers (`asof`), what is told of them beside the links
(`models/household/source_status.sql`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import pyarrow as pa

from warehouse.schema.lake import SOURCE_LEDGER

COLUMNS = SOURCE_LEDGER.arrow


def _row(ledger: dict[str, Any]) -> dict[str, Any]:
    flat = {**ledger, **(ledger["today"] or {})}
    extracted = flat.get("extract_date")
    return {**{name: flat.get(name) for name in COLUMNS.names}, "extract_date": date.fromisoformat(extracted[:10]) if extracted else None}


def ledger_table(ledgers: Iterable[dict[str, Any] | None]) -> pa.Table:
    """A row per record type that has a ledger of the day."""
    return pa.Table.from_pylist([_row(ledger) for ledger in ledgers if ledger is not None], COLUMNS)
