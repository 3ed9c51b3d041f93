"""How fresh and how complete each source is on a day: the table `source_status`, and what indicators ask of it.

Belongs here: turning the day's ledgers and link counts into rows. Not here: making the ledgers (`ledger`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pyarrow as pa

from expectations.contract import load_contracts
from expectations.engine import SqlEngine, literal

COLUMNS = pa.schema(
    [
        ("department", pa.string()),
        ("records", pa.string()),
        ("batch_id", pa.string()),
        ("extract_date", pa.date32()),
        ("age_days", pa.int32()),
        ("state", pa.string()),
        *((count, pa.int64()) for count in ("received", "accepted", "unchanged", "superseded", "withdrawn", "quarantined", "in_force")),
        *((count, pa.int64()) for count in ("notes", "behind_window")),
        ("left_lying", pa.int32()),
        ("rejected_batch", pa.string()),
        ("rejected_on", pa.date32()),
        ("rejected_rule", pa.string()),
        ("rejected_rows", pa.int64()),
        ("next_step", pa.string()),
    ]
)
COUNTED = COLUMNS.names[: COLUMNS.names.index("notes")]
SAID = COLUMNS.names[COLUMNS.names.index("notes") :]
PLACED = ("placed", "unplaced")
"""Outcomes of records about an area; `linkage_quality` has them where a contract has that subject."""
ORDER = "department, records"


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
    return {**{name: flat.get(name) for name in COLUMNS.names}, "extract_date": _day(flat.get("extract_date")), **said}


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text[:10]) if text else None


def next_step(ledger: dict[str, Any]) -> str | None:
    """What to do about a source that is not well; None where nothing is to be done."""
    rejection, failure = ledger.get("rejection"), ledger.get("failure")
    if rejection is not None:
        return str(rejection["next_step"])
    if failure is not None:
        return str(failure["message"]).partition("; ")[2] or str(failure["message"])
    if ledger["state"] == "ok":
        return None
    return f"ask {ledger['department']} for its newest {ledger['records']}, then make sync"


def build_source_status(engine: SqlEngine, ledgers: Sequence[dict[str, Any]]) -> None:
    """Makes the engine tables `source_status` (a row per record type, columns of `views.csv`) and `source_state`.

    Reads the engine table `linkage_quality` of the same day.
    """
    engine.from_arrow("source_ledger", pa.Table.from_pylist([_row(ledger) for ledger in ledgers], COLUMNS))
    have = {column for column, _ in engine.columns("select * from linkage_quality")}
    placed = ", ".join(f"q.{column}" if column in have else f"cast(null as bigint) as {column}" for column in PLACED)
    engine.table(
        "source_status",
        f"""
        select {", ".join(f"s.{column}" for column in COUNTED)},
            q.linked, q.unregistered, q.ambiguous, q.unidentifiable, q.match_rate, q.false_link_rate,
            {placed}, {", ".join(f"s.{column}" for column in SAID)}
        from source_ledger as s left join linkage_quality as q using (department, records)
        order by department, records
        """,
    )
    engine.view("source_state", source_state_select())


def source_state_select() -> str:
    """What the indicators ask of `source_status`: `missing` was never read, `stale` is older than its contract allows, else `ok`.

    `state` says first what an operator has to know, that an extract was rejected; how old the source is, its age decides.
    """
    allowed = " ".join(
        f"when department = {literal(contract.department)} and records = {literal(contract.records)} then {contract.stale_after_days}"
        for contract in load_contracts()
    )
    return f"""
    select
        records,
        case
            when state in ('missing', 'stale', 'ok') then state
            when age_days is null then 'missing'
            when age_days > case {allowed} end then 'stale'
            else 'ok'
        end as state
    from source_status
    """
