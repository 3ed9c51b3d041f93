"""How fresh and how complete each source is on a day: the table `source_status`, and what indicators ask of it.

Belongs here: turning the day's ledgers and link counts into rows. Not here: making the ledgers (`asof`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from warehouse.model import SqlEngine

COLUMNS = (
    ("department", "varchar"),
    ("records", "varchar"),
    ("batch_id", "varchar"),
    ("extract_date", "date"),
    ("age_days", "integer"),
    ("state", "varchar"),
    ("received", "bigint"),
    ("accepted", "bigint"),
    ("unchanged", "bigint"),
    ("superseded", "bigint"),
    ("withdrawn", "bigint"),
    ("quarantined", "bigint"),
    ("in_force", "bigint"),
)
ORDER = "department, records"


def _row(ledger: dict[str, Any]) -> list[Any]:
    flat = {**ledger, **(ledger["today"] or {})}
    return [flat.get(name) for name, _ in COLUMNS]


def build_source_status(engine: SqlEngine, ledgers: Sequence[dict[str, Any]]) -> None:
    """Makes the engine tables `source_status` (a row per record type, columns of `views.csv`) and `source_state`.

    Reads the engine table `linkage_quality` of the same day. `source_state` (records, state) is what the indicators
    read: `missing` was never read, `stale` is older than its contract allows.
    """
    nothing = ", ".join(f"null::{kind} as {name}" for name, kind in COLUMNS)
    engine.table("source_ledger", f"select {nothing} where false")
    for ledger in ledgers:
        engine.execute(f"insert into source_ledger values ({', '.join('?' for _ in COLUMNS)})", _row(ledger))
    engine.table(
        "source_status",
        """
        select s.*, q.linked, q.unregistered, q.ambiguous, q.unidentifiable, q.match_rate, q.false_link_rate
        from source_ledger as s left join linkage_quality as q using (department, records)
        order by department, records
        """,
    )
    engine.view("source_state", "select records, state from source_status")
