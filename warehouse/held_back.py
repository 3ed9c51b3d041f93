"""What of a batch is so unlike the state in force that a named person has to say that it is right.

Belongs here: keys that go, columns that vanish, a first answer without rows; each with its count
and what to do. Not here: rules on rows and on the batch alone (`expectations`), opening a gate
(`expectations.gate`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from expectations.contract import Contract, Field
from expectations.engine import literal, name
from expectations.suites import RuleResult
from expectations.validation import SHARES_FROM, Verdict
from warehouse.merge_state import MergeState

UNCHECKED_SHARE = 0.02
"""What a full file without a checksum, whose end nobody can see, may withdraw of the state."""
LEAST_WITHDRAWN = 3
"""Of a state under `SHARES_FROM` rows, more than half has to go, and at least so many."""

Found = tuple[RuleResult, str]
"""A rule's result, and what to say where it does not hold."""


def rows_due(day: MergeState, manifest: dict[str, Any]) -> bool:
    """Whether a batch without rows is refused.

    On a first read an empty answer is not believed the first time: the next day that says the same
    is (`batch:not_empty`). The register is never empty, and neither is a later full delivery.
    """
    is_full = manifest.get("delivery") == "full"
    if day.contract.is_base_register:
        return is_full or manifest.get("since") is None
    if day.prior.get("batch_id") or day.accepted is not None:
        return is_full
    before = day.prior.get("rejection") or {}
    said_before = before.get("rule") == "batch:not_empty" and before.get(
        "batch_id"
    ) != manifest.get("batch_id")
    return not said_before


def against_state(
    day: MergeState, manifest: dict[str, Any], rows: str, verdict: Verdict, lacked: int
) -> Verdict:
    """The verdict with what comes of a comparison with the state in force.

    `rows` is the relation of the landed rows; `lacked` counts the keys in force that a full
    delivery, or a reconciliation by keys, lacks.
    """
    in_force = int(day.engine.scalar(f"select count(*) from {day.valid}"))
    if not in_force:
        return verdict
    found = [
        *_withdrawn(day, manifest, in_force, lacked),
        *_vanished(day, manifest, rows, in_force),
    ]
    return verdict.held_back(found)


def _withdrawn(
    day: MergeState, manifest: dict[str, Any], in_force: int, lacked: int
) -> Iterator[Found]:
    """Keys that would go because the delivery lacks them;
    what a department withdraws itself is its word.
    """
    share = day.contract.max_withdrawn_share
    if share is not None:
        many = (
            lacked > in_force * share
            if in_force >= SHARES_FROM
            else lacked >= LEAST_WITHDRAWN and lacked * 2 > in_force
        )
        said = f"{lacked} of {in_force} records would go, which the delivery lacks"
        yield _result(day.contract, "batch:withdrawn_share", in_force, lacked if many else 0, said)
    if manifest.get("unchecked"):
        many = lacked > in_force * UNCHECKED_SHARE
        said = (
            f"{lacked} of {in_force} records would go by a file without a checksum, which may have"
            " been cut short"
        )
        yield _result(day.contract, "batch:unchecked", in_force, lacked if many else 0, said)


def _vanished(
    day: MergeState, manifest: dict[str, Any], rows: str, in_force: int
) -> Iterator[Found]:
    """Optional columns that much of the state has, and that the batch has not, or much of it
    (sheets and files without the column), or has without a single value.
    """
    contract = day.contract
    optional = [field for field in contract.delivered if not contract.must_have(field)]
    if not optional:
        return
    absent = {field.name for field in absent_fields(contract, manifest)}
    in_batch = _filled(day, optional, rows, "_op is distinct from 'D'")
    records = int(day.engine.scalar(f"select count(*) from {rows} where _op is distinct from 'D'"))
    absent_in = manifest.get("absent_in") or {}
    in_parts = {
        f.name: absent_in[f.physical_name]
        for f in optional
        if absent_in.get(f.physical_name, 0) >= max(1, contract.max_vanished * records)
    }
    lost = [
        f
        for f in optional
        if f.name in absent
        or f.name in in_parts
        or (records >= SHARES_FROM and not in_batch[f.name])
    ]
    in_state = _filled(day, lost, day.valid, "true") if lost else {}
    for field in lost:
        usual = in_state[field.name]
        if usual >= contract.max_vanished * in_force:
            how = f"has no value in any of {records} rows"
            if field.name in absent:
                how = "is not there"
            elif field.name in in_parts:
                how = f"is not there in parts with {in_parts[field.name]} of {records} rows"
            said = (
                f"column {field.physical_name!r} ({field.name}) {how}; {usual} of {in_force}"
                " records have one"
            )
            yield _result(contract, f"batch:vanished:{field.name}", in_force, usual, said)


def absent_fields(contract: Contract, manifest: Mapping[str, Any]) -> list[Field]:
    """Fields whose column the delivery does not have at all;
    none where nobody said which columns came.
    """
    columns = manifest.get("columns") or []
    return [field for field in contract.delivered if columns and field.physical_name not in columns]


def _filled(day: MergeState, fields: list[Field], relation: str, where: str) -> dict[str, int]:
    """Rows with a value, by field; a value that does not fit its type is one."""
    is_batch = relation != day.valid
    misfit = {
        f.name: f" or list_contains(_misfit, {literal(f.name)})" if is_batch else "" for f in fields
    }
    counts = ", ".join(
        f"count(*) filter (where {name(f.name)} is not null{misfit[f.name]})" for f in fields
    )
    found = day.engine.rows(f"select {counts} from {relation} where {where}")[0]
    return {field.name: int(count) for field, count in zip(fields, found, strict=True)}


def _result(contract: Contract, rule: str, of: int, rows: int, said: str) -> Found:
    reason = (
        f"{contract.table}: {said}; ask the department whether that is right: if so, open the gate,"
        " else have it delivered anew"
    )
    return RuleResult(rule, "critical", rows == 0, True, of, rows), reason
