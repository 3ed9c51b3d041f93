"""What of a day is no reason to stop and has to be told:
columns that came or are absent, warnings of rules, an unusual face, keys that a full delivery
lacked, what lay there and was not read.

Belongs here: the day's warnings, in words, with what to do. Not here: who is told, and when
(`pipelines.automation.alerts`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from expectations.drift import Drift
from expectations.gate import Gate
from expectations.rules import batch_rules, row_rules
from expectations.suites import RuleResult
from expectations.validation import Verdict
from warehouse.downstream import indicators_of
from warehouse.held_back import absent_fields
from warehouse.merge_state import MergeState
from warehouse.unusual import Finding

ASK = "ask the department whether that is right"
CARRIED = ("column:", "rule:")
"""Kinds that still hold of rows in force when a later increment brings nothing to judge them by."""


@dataclass(frozen=True)
class DayWarning:
    """One warning: a key that stays the same while it stands, what is so, what to do.

    Counts and names of columns, no values.
    """

    key: str
    said: str
    next_step: str


@dataclass(frozen=True)
class Accepted:
    """An accepted batch, as far as there may be something to tell of it."""

    manifest: Mapping[str, Any]
    verdict: Verdict
    drifts: Sequence[Drift]
    gate: Gate | None
    volumes: Sequence[float]
    found: Sequence[Finding]
    lacked: int
    """Keys that a full delivery, or a reconciliation by keys, lacked."""


def warnings_of_batch(day: MergeState, batch: Accepted) -> dict[str, dict[str, str]]:
    """What an accepted batch makes worth telling, by key."""
    manifest, verdict, gate, lacked = batch.manifest, batch.verdict, batch.gate, batch.lacked
    told = [*_columns(day, manifest, batch.drifts), *_rules(day, manifest, verdict, batch.volumes)]
    told += [DayWarning(f"face:{f.key}", f.said, f"{ASK}; nothing is stopped") for f in batch.found]
    if lacked:
        told.append(
            DayWarning(
                "lacked",
                f"{lacked} records are no longer in what holds all of them, and were withdrawn",
                ASK,
            )
        )
    if gate is not None:
        rules = (
            ", ".join(result.rule for result in verdict.rejecting)
            or "nothing that still rejects it"
        )
        told.append(
            DayWarning(
                f"gate:{gate.batch_id}",
                f"{gate.batch_id} was let through by {gate.who} ({rules}): {gate.why}",
                "nothing",
            )
        )
    told += [
        DayWarning(f"unread:{line}", line, "have it described by a contract, or taken away")
        for line in manifest.get("unread") or ()
    ]
    told += [DayWarning(f"noticed:{line}", line, ASK) for line in manifest.get("notes") or ()]
    if manifest.get("behind"):
        told.append(
            DayWarning(
                "behind",
                f"{manifest['behind']} rows are dated later than the day that was read",
                "ask for their update time",
            )
        )
    return {warned.key: asdict(warned) for warned in told}


def warnings_of_day(day: MergeState, pointer: Mapping[str, Any]) -> list[dict[str, str]]:
    """The day's warnings: those of its accepted batches, those that stand on from the day before,
    what was left lying.
    """
    stand: dict[str, dict[str, str]] = {}
    if day.accepted is None:
        stand = {
            w["key"]: w
            for w in day.prior.get("warnings") or ()
            if not w["key"].startswith(("lacked", "left:", "waits:"))
        }
    elif day.accepted.get("delivery") != "full":
        stand = {
            w["key"]: w
            for w in day.prior.get("warnings") or ()
            if w["key"].startswith(CARRIED) and _stands(w["key"], day)
        }
    stand |= day.warnings
    for line in pointer.get("unread") or ():
        stand[f"left:{line}"] = asdict(
            DayWarning(
                f"left:{line}",
                line,
                "have it named or described as the contract says, or taken away",
            )
        )
    for line in pointer.get("notes") or ():
        stand[f"waits:{line}"] = asdict(
            DayWarning(
                f"waits:{line}", line, "have the department finish it; the next run looks again"
            )
        )
    return list(stand.values())


def _stands(key: str, day: MergeState) -> bool:
    """A warning about a column or a batch is judged anew by every batch with rows; one about rows
    stands while they may be in force.
    """
    is_judged = bool(day.counts.get("received"))
    return not is_judged or (key.startswith("rule:") and not key.startswith("rule:batch:"))


def _columns(
    day: MergeState, manifest: Mapping[str, Any], drifts: Sequence[Drift]
) -> Iterator[DayWarning]:
    """Columns that came or are absent; of an absent one the indicators that wait for it."""
    absent = {field.physical_name: field for field in absent_fields(day.contract, manifest)}
    for drift in drifts:
        field = absent.get(drift.column) if drift.kind == "missing" else None
        codes = indicators_of(day.contract, field) if field is not None else ()
        waits = f"; indicators {', '.join(codes)} read it and have no value by it" if codes else ""
        step = "take it into the contract, if it is wanted" if drift.kind == "added" else ASK
        yield DayWarning(f"column:{drift.kind}:{drift.column}", f"{drift.message}{waits}", step)


def _rules(
    day: MergeState, manifest: Mapping[str, Any], verdict: Verdict, volumes: Sequence[float]
) -> Iterator[DayWarning]:
    described = {
        r.name: r.description
        for r in (*row_rules(day.contract), *batch_rules(day.contract, dict(manifest), volumes))
    }
    for result in verdict.rules:
        if result.severity == "warning" and result.could_run and not result.passed:
            yield DayWarning(
                f"rule:{result.rule}", _said(result, described.get(result.rule, "")), ASK
            )


def _said(result: RuleResult, description: str) -> str:
    what = f"rule {result.rule}" + (f" ({description})" if description else "")
    counted = (
        f"{result.element_count} rows"
        if result.rule == "batch:volume"
        else f"{result.unexpected_count} of {result.element_count}"
    )
    return f"{what}: {counted}"
