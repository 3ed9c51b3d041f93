"""How fresh and how complete each source is on a day: the table `source_status`, and what indicators ask of it.

Belongs here: turning the day's ledgers and link counts into rows. Not here: making the ledgers (`asof`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from expectations.engine import SqlEngine

COLUMNS = pa.schema(
    [
        ("department", pa.string()),
        ("records", pa.string()),
        ("batch_id", pa.string()),
        ("extract_date", pa.date32()),
        ("age_days", pa.int32()),
        ("state", pa.string()),
        *((count, pa.int64()) for count in ("received", "accepted", "unchanged", "superseded", "withdrawn", "quarantined", "in_force")),
    ]
)
ORDER = "department, records"


def _row(ledger: dict[str, Any]) -> dict[str, Any]:
    flat = {**ledger, **(ledger["today"] or {})}
    extracted = flat.get("extract_date")
    return {**{name: flat.get(name) for name in COLUMNS.names}, "extract_date": date.fromisoformat(extracted[:10]) if extracted else None}


def build_source_status(engine: SqlEngine, ledgers: Sequence[dict[str, Any]]) -> None:
    """Makes the engine tables `source_status` (a row per record type, columns of `views.csv`) and `source_state`.

    Reads the engine table `linkage_quality` of the same day. `source_state` (records, state) is what the indicators
    read: `missing` was never read, `stale` is older than its contract allows.
    """
    engine.from_arrow("source_ledger", pa.Table.from_pylist([_row(ledger) for ledger in ledgers], COLUMNS))
    engine.table(
        "source_status",
        """
        select s.*, q.linked, q.unregistered, q.ambiguous, q.unidentifiable, q.match_rate, q.false_link_rate
        from source_ledger as s left join linkage_quality as q using (department, records)
        order by department, records
        """,
    )
    engine.view("source_state", "select records, state from source_status")
