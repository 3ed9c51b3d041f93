"""The ledger of one record type on one day: counts, state, age, rules; and whether they add up.

Belongs here: what a day's note says. Not here: the state itself (`asof`).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from expectations.engine import name
from expectations.gate import Gate
from expectations.landing import Landed
from expectations.validation import Verdict
from warehouse.day import Day

HISTORY_DAYS = 10
"""How many earlier days the volume of a batch is compared with."""


class ConservationError(RuntimeError):
    """Rows that were lost or doubled between a batch and the state: never published, always a defect."""


def report(day: Day, landed: Landed, verdict: Verdict) -> None:
    """Adds a batch's results to the day's: counts add up, one failure fails."""
    day.drift += [str(drift) for drift in landed.drifts if str(drift) not in day.drift]
    for result in verdict.rules:
        found = result.as_dict()
        old = day.rules.get(result.rule)
        if old is not None:
            found |= {count: found[count] + old[count] for count in ("element_count", "unexpected_count")}
            found |= {flag: found[flag] and old[flag] for flag in ("passed", "could_run")}
        day.rules[result.rule] = found


def batch_note(batch_id: str, manifest: dict[str, Any], verdict: Verdict, gate: Gate | None, counts: dict[str, int]) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "delivery": _delivery(manifest),
        "received": verdict.received,
        "rows_a_day": _rows_a_day(manifest, verdict.received),
        "is_rejected": verdict.is_rejected and gate is None,
        "gate": {"who": gate.who, "why": gate.why, "opened_at": gate.opened_at} if gate else None,
        **counts,
    }


def _delivery(manifest: dict[str, Any]) -> str:
    """Batches are compared in volume with those of their own kind."""
    if manifest.get("delivery") == "full":
        return "full"
    return "incremental" if manifest.get("since") else "everything"


def _rows_a_day(manifest: dict[str, Any], received: int) -> float:
    if not manifest.get("since") or not manifest.get("until"):
        return float(received)
    span = datetime.fromisoformat(str(manifest["until"])) - datetime.fromisoformat(str(manifest["since"]))
    return received / max(1.0, span.total_seconds() / 86400)


def volumes(day: Day, manifest: dict[str, Any]) -> list[float]:
    """Rows that the last batches of the same delivery would have had in this one's window."""
    span = 1.0
    if manifest.get("since") and manifest.get("until"):
        since, until = (datetime.fromisoformat(str(manifest[edge])) for edge in ("since", "until"))
        span = max(1.0, (until - since).total_seconds() / 86400)
    days = [d for d in day.lake.note_days("ledger", day.contract.table) if d < day.as_of][-HISTORY_DAYS:]
    notes = [day.lake.read_note("ledger", day.contract.table, d) or {} for d in days]
    batches = [batch for note in notes for batch in note.get("batches", ()) if not batch["is_rejected"]]
    return [batch["rows_a_day"] * span for batch in batches if batch["delivery"] == _delivery(manifest)]


def ledger_of(day: Day, failure: dict[str, Any] | None) -> dict[str, Any]:
    table, engine = day.contract.table, day.engine
    in_force = int(engine.scalar(f"select count(*) from {name('valid_' + table)}"))
    before = int(day.prior.get("in_force", 0))
    if in_force != before + day.new_keys - day.withdrawn_keys:
        raise ConservationError(
            f"{table} {day.as_of}: {in_force} rows in force, but {before} before + {day.new_keys} new - {day.withdrawn_keys} "
            "withdrawn keys; report it, and do not publish this day"
        )
    newest = day.accepted or {}
    extract = str(newest.get("extract_date") or day.prior.get("extract_date") or "") or None
    age = (day.as_of - date.fromisoformat(extract[:10])).days if extract else None
    no_good = engine.scalar(
        f"select count(*) from {day.quarantine} as q where not q.is_withdrawal "
        f"and (q.record_key is null or q.record_key not in (select {name(day.key)} from {name('valid_' + table)}))"
    )
    return {
        "table": table,
        "department": day.contract.department,
        "records": day.contract.records,
        "as_of": day.as_of.isoformat(),
        "batch_id": newest.get("batch_id") or day.prior.get("batch_id"),
        "extract_date": extract,
        "watermark": newest.get("until") or day.prior.get("watermark"),
        "state": "missing" if age is None else "stale" if age > day.contract.stale_after_days else "ok",
        "age_days": age,
        "today": dict(day.counts) if day.accepted is not None else None,
        "replayed": dict(day.replayed) or None,
        "in_force": in_force,
        "in_force_before": before,
        "new_keys": day.new_keys,
        "withdrawn_keys": day.withdrawn_keys,
        "no_good_version": int(no_good or 0),
        "open_quarantine": int(engine.scalar(f"select count(*) from {day.quarantine}")),
        "rejected": day.rejected,
        "failure": failure,
        "rules": list(day.rules.values()),
        "drift": day.drift,
        "batches": day.batches,
        "contract_version": day.contract.version,
    }
