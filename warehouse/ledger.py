"""The ledger of one record type on one day:
counts, state, age, rules, what was rejected, what is to be told; and whether the counts add up.

Belongs here: what a day's note says. Not here: the state itself (`asof`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from expectations.engine import name
from expectations.errors import DefectError
from expectations.gate import Gate
from expectations.landing import Landed
from expectations.validation import Verdict
from warehouse.batch_profile import BatchProfile, with_towns
from warehouse.known import KNOWN_FROM
from warehouse.merge_state import MergeState
from warehouse.sources import message_and_next_step
from warehouse.unusual import RUNS
from warehouse.warned import warnings_of_day

HISTORY_DAYS = 10
"""How many earlier days the volume of a batch is compared with."""
FACES_WITHIN_DAYS = 800
"""How far back the last runs of a source are looked for: eight quarters, and some."""


class ConservationError(DefectError):
    """Rows that were lost or doubled between a batch and the state:
    never published, always a defect.
    """


def report(day: MergeState, landed: Landed, verdict: Verdict) -> None:
    """Adds a batch's results to the day's: counts add up, one failure fails."""
    day.drift += [str(drift) for drift in landed.drifts if str(drift) not in day.drift]
    for result in verdict.rules:
        found = result.as_dict()
        old = day.rules.get(result.rule)
        if old is not None:
            found |= {
                count: found[count] + old[count] for count in ("element_count", "unexpected_count")
            }
            found |= {flag: found[flag] and old[flag] for flag in ("passed", "could_run")}
        day.rules[result.rule] = found


def batch_note(
    batch_id: str,
    manifest: dict[str, Any],
    verdict: Verdict,
    gate: Gate | None,
    counts: dict[str, int],
    lacked: int = 0,
) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "delivery": _delivery(manifest),
        "received": verdict.received,
        "rows_a_day": _rows_a_day(manifest, verdict.received),
        "is_rejected": verdict.is_rejected and gate is None,
        "notes": sum((manifest.get("note_lines") or {}).values()),
        "behind": int(manifest.get("behind") or 0),
        "lacked": lacked,
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
    span = datetime.fromisoformat(str(manifest["until"])) - datetime.fromisoformat(
        str(manifest["since"])
    )
    return received / max(1.0, span.total_seconds() / 86400)


def volumes(day: MergeState, manifest: dict[str, Any]) -> list[float]:
    """Rows that the last batches of the same delivery would have had in this one's window."""
    span = 1.0
    if manifest.get("since") and manifest.get("until"):
        since, until = (datetime.fromisoformat(str(manifest[edge])) for edge in ("since", "until"))
        span = max(1.0, (until - since).total_seconds() / 86400)
    days = [d for d in day.lake.note_days("ledger", day.contract.table) if d < day.as_of][
        -HISTORY_DAYS:
    ]
    notes = [day.lake.read_note("ledger", day.contract.table, d) or {} for d in days]
    batches = [
        batch for note in notes for batch in note.get("batches", ()) if not batch["is_rejected"]
    ]
    return [
        batch["rows_a_day"] * span for batch in batches if batch["delivery"] == _delivery(manifest)
    ]


def profiles_before(day: MergeState, manifest: dict[str, Any]) -> list[tuple[date, BatchProfile]]:
    """The faces that a batch's is compared with, newest last: the last eight runs of the same
    delivery, of daily and weekly sources those of the same weekday; where there is none of these,
    the last run."""
    days = [
        d
        for d in day.lake.note_days("ledger", day.contract.table)
        if d < day.as_of and (day.as_of - d).days <= FACES_WITHIN_DAYS
    ]
    is_weekly = day.contract.cadence in ("daily", "weekly")
    runs: list[tuple[date, BatchProfile]] = []
    for on in reversed([d for d in days if not is_weekly or d.weekday() == day.as_of.weekday()]):
        if len(runs) < RUNS:
            runs += _faces(day, on, manifest)
    for on in [] if runs else reversed(days[-HISTORY_DAYS:]):
        runs = runs or _faces(day, on, manifest)
    return runs[::-1]


def _faces(day: MergeState, on: date, manifest: dict[str, Any]) -> list[tuple[date, BatchProfile]]:
    """The face of the largest accepted batch of an earlier day, of the same delivery."""
    note = day.lake.read_note("ledger", day.contract.table, on) or {}
    with_faces = [batch for batch in note.get("batches", ()) if batch.get("face")]
    found = [batch for batch in with_faces if batch["delivery"] == _delivery(manifest)]
    if not found:
        return []
    largest = max(found, key=lambda batch: int(batch["face"]["rows"]))
    return [(on, with_towns(day, largest["face"], largest.get("batch_id")))]


STATES = ("missing", "incomplete", "rejected", "stale", "ok")
"""What a source's state can be: the first that holds."""


def state_of(
    age_days: int | None, stale_after_days: int, *, is_rejected: bool, is_incomplete: bool = False
) -> str:
    """The state of a source on a day."""
    holds = (
        age_days is None,
        is_incomplete,
        is_rejected,
        age_days is not None and age_days > stale_after_days,
        True,
    )
    return next(state for state, is_so in zip(STATES, holds, strict=True) if is_so)


def rejection_of(manifest: Mapping[str, Any], verdict: Verdict) -> dict[str, Any]:
    """A batch that was rejected: which, of which day, by what, how many rows, and what to do."""
    batch_id, first = str(manifest["batch_id"]), verdict.rejecting[0]
    is_all = (
        first.rule in ("batch:columns", "batch:total", "batch:not_empty") or not first.could_run
    )
    return {
        "batch_id": batch_id,
        "day": str(manifest.get("extract_date") or "")[:10] or None,
        "rule": first.rule,
        "rows": verdict.received if is_all else first.unexpected_count,
        "reasons": list(verdict.reasons),
        "next_step": (
            "have the department correct and resend it; if the extract is right as it is: make"
            f" open-gate RECORDS={batch_id.rsplit('-', 2)[0]} BATCH={batch_id} BY=… WHY=…, then"
            " make sync"
        ),
    }


def unreadable(day: MergeState, batch_id: str, said: str) -> dict[str, Any]:
    """A batch whose bytes cannot be read."""
    step = "run the day again; if it stays so, have the department deliver it anew"
    on = day.as_of.isoformat()
    return {
        "batch_id": batch_id,
        "day": on,
        "rule": "batch:readable",
        "rows": None,
        "reasons": [said],
        "next_step": step,
    }


def _rejection(day: MergeState, pointer: Mapping[str, Any]) -> dict[str, Any] | None:
    """The newest rejected extract while nothing newer was accepted: today's, a file that could not
    be used, or the one of the day before where today nobody could be asked."""
    failure = pointer.get("failure") or {}
    if day.rejected is not None:
        return day.rejected
    if failure.get("refused"):
        said, next_step = message_and_next_step(failure)
        rule = f"read:{failure['reason']}"
        return {
            "batch_id": None,
            "day": day.as_of.isoformat(),
            "rule": rule,
            "rows": None,
            "reasons": [said],
            "next_step": next_step,
        }
    if day.accepted is None and (failure or not pointer.get("is_read", True)):
        return day.prior.get("rejection")
    return None


def _known_from(day: MergeState) -> str | None:
    """The first day for which the source was read, which may be this one."""
    is_read = day.batches or day.rejected is not None
    first = day.known_from or (day.as_of if is_read else None)
    return first.isoformat() if first is not None else None


def ledger_of(day: MergeState, pointer: Mapping[str, Any]) -> dict[str, Any]:
    table, engine = day.contract.table, day.engine
    in_force = int(engine.scalar(f"select count(*) from {name('valid_' + table)}"))
    before = int(day.prior.get("in_force", 0))
    if in_force != before + day.new_keys - day.withdrawn_keys:
        raise ConservationError(
            f"{table} {day.as_of}: {in_force} rows in force, but {before} before + {day.new_keys}"
            f" new - {day.withdrawn_keys} withdrawn keys",
            "report it, and do not publish this day",
        )
    newest = day.accepted or {}
    extract = str(newest.get("extract_date") or day.prior.get("extract_date") or "") or None
    age = (day.as_of - date.fromisoformat(extract[:10])).days if extract else None
    failure, rejection = pointer.get("failure"), _rejection(day, pointer)
    no_good = engine.scalar(
        f"select count(*) from {day.quarantine} as q where not q.is_withdrawal and (q.record_key is"
        f" null or q.record_key not in (select {name(day.key)} from {name('valid_' + table)}))"
    )
    return {
        "table": table,
        "department": day.contract.department,
        "records": day.contract.records,
        "as_of": day.as_of.isoformat(),
        "batch_id": newest.get("batch_id") or day.prior.get("batch_id"),
        KNOWN_FROM: _known_from(day),
        "extract_date": extract,
        "watermark": newest.get("until") or day.prior.get("watermark"),
        "state": state_of(
            age,
            day.contract.stale_after_days,
            is_rejected=rejection is not None,
            is_incomplete=bool(pointer.get("incomplete")) or day.is_unknown,
        ),
        "age_days": age,
        "is_late": age is not None and age > day.contract.stale_after_days,
        "today": dict(day.counts) if day.accepted is not None else None,
        "replayed": dict(day.replayed) or None,
        "in_force": in_force,
        "in_force_before": before,
        "new_keys": day.new_keys,
        "withdrawn_keys": day.withdrawn_keys,
        "no_good_version": int(no_good or 0),
        "open_quarantine": int(engine.scalar(f"select count(*) from {day.quarantine}")),
        "rejected": day.rejected,
        "rejection": rejection,
        "failure": failure,
        "rules": list(day.rules.values()),
        "drift": day.drift,
        "warnings": warnings_of_day(day, pointer),
        "left_lying": pointer.get("left_lying"),
        "batches": day.batches,
        "contract_version": day.contract.version,
        "key": day.key,
        "keys_folded": day.keys_folded,
        "keys_checked": day.keys_checked,
    }
