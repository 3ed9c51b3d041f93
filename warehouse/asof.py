"""The as-of state: `valid[D]` = the latest `valid` before D,
merged by record key with the good rows of D's batches.

Belongs here: a day of one record type from its batches to valid, withdrawn, quarantine and ledger.
Not here: how rows merge (`models/valid.sql` and `models/valid/`), what makes a row good
(`expectations`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from expectations.contract import Contract
from expectations.drift import Downstream
from expectations.engine import SqlEngine, name, parquet
from expectations.errors import YihuError
from expectations.gate import gate_of
from expectations.landing import LandingError, delivered_json, land, release_text
from expectations.rules import own_rules
from expectations.validation import Verdict, judge_rows, validate
from warehouse.batch_profile import profile_of
from warehouse.downstream import built_from
from warehouse.held_back import against_state, rows_due
from warehouse.keys import rekeyed, settle_keys, source_keys
from warehouse.known import known_from, stands_on
from warehouse.ledger import (
    ConservationError,
    batch_note,
    ledger_of,
    profiles_before,
    rejection_of,
    report,
    unreadable,
    volumes,
)
from warehouse.merge_state import (
    PARTS,
    QUARANTINE_COLUMNS,
    VALID_EXTRAS,
    WITHDRAWN_EXTRAS,
    LakeFolder,
    MergeState,
    empty_select,
    state_columns,
    stored_rows,
)
from warehouse.quarantine import keep_broken_rows
from warehouse.replay import ReplayError, replayed_rows
from warehouse.unusual import unusual
from warehouse.warned import Accepted, warnings_of_batch


class LostStateError(YihuError):
    """The state that a day stands on is no longer in the lake."""


def make_valid(
    engine: SqlEngine,
    lake: LakeFolder,
    contract: Contract,
    as_of: date,
    day_read: dict[str, Any] | None = None,
    downstream: Downstream = built_from,
) -> dict[str, Any]:
    """Makes valid, withdrawn, quarantine and ledger of `contract` for `as_of`; returns the ledger.

    `day_read` is the day's pointer (`{"batches": […], "failure": …}`), read from the lake by
    default; `downstream` names what is built from a column that changed. Leaves the engine view
    `valid_<table>` on the day's state. A rejected batch or a failed read carries the last good
    state forward.

    Raises:
        ConservationError: the counts do not add up; nothing of the day is to be used.
        LostStateError: the state before is no longer in the lake.
    """
    pointer = (
        day_read
        or lake.read_note("raw", contract.table, as_of)
        or {"batches": [], "failure": None, "is_read": False}
    )
    day = _begin(engine, lake, contract, as_of)
    try:
        for batch_id, rows in replayed_rows(lake, contract, as_of).items():
            _replay(day, batch_id, rows)
        for batch_id in _due(day, pointer):
            _take_batch(day, batch_id, downstream)
        _store(day)
        ledger = ledger_of(day, pointer)
        lake.write_note("ledger", contract.table, as_of, ledger)
    finally:
        _end(day)
    return ledger


def _due(day: MergeState, pointer: dict[str, Any]) -> Sequence[str]:
    """The batches of the day; none of a record type that says nothing of a day so early."""
    is_told = not day.is_unknown or day.contract.is_base_register
    return [str(batch) for batch in pointer.get("batches") or []] if is_told else []


def _begin(engine: SqlEngine, lake: LakeFolder, contract: Contract, as_of: date) -> MergeState:
    prior_day = stands_on(lake, contract.table, as_of)
    prior = (lake.read_note("ledger", contract.table, prior_day) if prior_day else None) or {}
    first = known_from(lake, contract.table)
    day = MergeState(engine, lake, contract, as_of, prior_day, prior, first)
    day.keys_folded, day.keys_checked = (
        bool(prior.get("keys_folded")),
        bool(prior.get("keys_checked")),
    )
    day.valid = _before(day, "valid", state_columns(contract, VALID_EXTRAS))
    day.withdrawn = _before(day, "withdrawn", state_columns(contract, WITHDRAWN_EXTRAS))
    day.quarantine = _before(day, "quarantine", QUARANTINE_COLUMNS)
    # The contract's own rules read the state before the batch under its public name, and the newest
    # one of others.
    engine.view(f"valid_{contract.table}", f"select * from {day.valid}")
    for table in {
        need.removeprefix("valid_") for rule in own_rules(contract) for need in rule.needs
    } - {contract.table}:
        _refer_to(day, table)
    return day


def _refer_to(day: MergeState, table: str) -> None:
    """Registers another record type's newest state up to the day, for references to it;
    none where it was never made.
    """
    newest = max((d for d in day.lake.days("valid", table) if d <= day.as_of), default=None)
    rows = stored_rows(day.lake, "valid", table, newest)
    if rows is not None:
        day.engine.view(f"valid_{table}", f"select * from {rows}")


def _before(day: MergeState, layer: str, columns: Sequence[tuple[str, str]]) -> str:
    relation = day.relation(f"{layer}_0")
    stored = stored_rows(day.lake, layer, day.contract.table, day.prior_day)
    if stored is None and day.prior_day is not None:
        raise LostStateError(
            f"{day.contract.table} {day.as_of}: {layer} of {day.prior_day} is gone from the lake",
            f"run {day.prior_day} again, then this day",
        )
    if stored is None:
        day.engine.table(relation, empty_select(columns))
    else:
        there = [column for column, _ in day.engine.columns(f"select * from {stored}")]
        # A contract may have gained a field since that day, or changed a type.
        if layer != "quarantine" and day.key not in there:
            return rekeyed(day, layer, stored, columns, there)
        values = [
            (f"try_cast({name(column)} as {kind})" if column in there else f"null::{kind}", column)
            for column, kind in columns
        ]
        day.engine.view(
            relation,
            f"select {', '.join(f'{value} as {name(column)}' for value, column in values)} from"
            f" {stored}",
        )
    return relation


def _take_batch(day: MergeState, batch_id: str, downstream: Downstream) -> None:
    folder = day.lake.table("raw", day.contract.table) / batch_id
    try:
        manifest = _manifest(folder)
        landed = land(day.engine, day.contract, folder, manifest, downstream)
    except LandingError as error:
        # What cannot be read is no empty extract: the last good state stands, and the run goes on.
        day.rejected = unreadable(day, batch_id, str(error))
        return
    settle_keys(day, str(manifest.get("form", "api")))
    rows, usual = parquet(landed.rows_path), volumes(day, manifest)
    due = rows_due(day, manifest)
    verdict = validate(
        day.engine, day.contract, manifest, landed.rows_path, usual, landed.drifts, day.as_of, due
    )
    gone = _gone_select(day, source_keys(day, folder, manifest), manifest, rows)
    lacked = int(day.engine.scalar(f"select count(*) from ({gone}) as gone"))
    verdict = against_state(day, manifest, rows, verdict, lacked)
    gate = gate_of(day.lake.root, day.contract.table, batch_id)
    report(day, landed, verdict)
    if verdict.is_rejected and gate is None:
        keep_broken_rows(day.engine, day.contract, folder, rows, verdict)
        day.rejected = rejection_of(manifest, verdict)
        day.batches.append(batch_note(batch_id, manifest, verdict, None, {}))
        release_text(day.engine, day.contract)
        return
    face = profile_of(day, rows)
    found = unusual(face, profiles_before(day, manifest), day.as_of)
    day.warnings |= warnings_of_batch(
        day, Accepted(manifest, verdict, landed.drifts, gate, usual, found, lacked)
    )
    counts = _merge(day, folder, manifest, rows, verdict)
    day.counts = {part: day.counts.get(part, 0) + counts[part] for part in ("received", *PARTS)}
    day.batches.append(
        batch_note(batch_id, manifest, verdict, gate, counts, lacked) | {"face": face}
    )
    day.accepted = manifest
    day.rejected = None


def _replay(day: MergeState, batch_id: str, rows: Sequence[int]) -> None:
    """Judges quarantined rows of an earlier batch anew, under the contract as it is now;
    what is good joins the state.
    """
    folder = day.lake.table("raw", day.contract.table) / batch_id
    manifest = _manifest(folder)
    landed = land(day.engine, day.contract, folder, manifest)
    settle_keys(day, str(manifest.get("form", "api")))
    chosen = day.relation(f"replayed_{day.steps + 1}")
    listed = ", ".join(str(int(row)) for row in rows)
    day.engine.table(chosen, f"select * from {parquet(landed.rows_path)} where _row in ({listed})")
    verdict = judge_rows(day.engine, day.contract, chosen)
    if not all(result.could_run for result in verdict.rules):
        raise ReplayError(
            f"{day.contract.table}: a rule could not run",
            f"mend {day.contract.path.name}, then replay again",
        )
    counts = _merge(
        day,
        folder,
        manifest | {"delivery": "incremental", "keys_file": None},
        chosen,
        verdict,
        is_sighting=False,
    )
    day.replayed = {part: day.replayed.get(part, 0) + counts[part] for part in ("received", *PARTS)}


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise LandingError(
            f"{folder.parent.name}: batch {folder.name} has no readable manifest",
            "read the day again",
        ) from None


def _merge(
    day: MergeState,
    folder: Path,
    manifest: dict[str, Any],
    rows: str,
    verdict: Verdict,
    *,
    is_sighting: bool = True,
) -> dict[str, int]:
    """Merges the good rows of one batch (the relation `rows`) into the day's relations;
    returns the batch's counts.
    """
    day.steps += 1
    n, engine = day.steps, day.engine
    is_full = "true" if manifest.get("delivery") in ("full", "snapshot") else "false"
    names: dict[str, Any] = {
        "arrivals": day.relation(f"arrivals_{n}"),
        "outcome": day.relation(f"outcome_{n}"),
        "gone": day.relation(f"gone_{n}"),
        "returned": day.relation(f"returned_{n}"),
        "before": day.valid,
        "withdrawn_before": day.withdrawn,
        "quarantine_before": day.quarantine,
        "batch_id": str(manifest["batch_id"]),
        "is_full": is_full,
        "sighting": int(is_sighting),
        "source_keys": source_keys(day, folder, manifest),
        "is_snapshot": day.contract.is_snapshot,
        "latest": f"timestamp '{day.as_of + timedelta(days=2)} 00:00:00'",
    }
    engine.table(names["arrivals"], day.model("valid/arrivals", rows=rows, bad=verdict.bad_rows))
    engine.table(names["outcome"], day.model("valid/outcome", **names))
    gone = engine.table(names["gone"], _gone_select(day, names["source_keys"], manifest, rows))
    returned = engine.table(names["returned"], _returned_select(day, names["source_keys"], rows))
    counted = {
        str(outcome): int(count)
        for outcome, count in engine.rows(
            f"select outcome, count(*) from {names['outcome']} group by outcome"
        )
    }
    bad = _bad_rows(day, folder, manifest, rows, verdict)
    if gone or returned or counted.get("accepted") or counted.get("withdrawn"):
        day.is_changed = True
        new, taken = engine.rows(
            "select count(*) filter (outcome = 'accepted' and not was_in_force), "
            f"count(*) filter (outcome = 'withdrawn' and was_in_force) from {names['outcome']}"
        )[0]
        day.new_keys += int(new) + returned
        day.withdrawn_keys += int(taken) + gone
        _withdraw(day, names, bool(gone or returned or counted.get("withdrawn")))
        day.valid = day.relation(f"valid_{n}")
        engine.view(day.valid, day.model("valid", **names))
    quarantine = day.relation(f"quarantine_{n}")
    engine.table(
        quarantine,
        day.model(
            "valid/quarantine",
            bad_rows=bad,
            valid_after=day.valid,
            withdrawn_after=day.withdrawn,
            **names,
        ),
    )
    day.quarantine = quarantine
    counts = {part: counted.get(part, 0) for part in PARTS} | {
        "quarantined": verdict.bad_count,
        "received": verdict.received,
    }
    if counts["received"] != sum(counts[part] for part in PARTS):
        raise ConservationError(
            f"{day.contract.table} {day.as_of}: batch {manifest['batch_id']} received"
            f" {counts['received']} rows, but"
            f" {', '.join(f'{counts[part]} {part}' for part in PARTS)}",
            "report it, and do not publish this day",
        )
    return counts


def _withdraw(day: MergeState, names: dict[str, Any], takes_out: bool) -> None:
    """The tombstones after the batch; nothing to do where it takes nothing out
    and brings nothing back.
    """
    returned = (
        f"select count(*) from {day.withdrawn} where {name(day.key)} in (select record_key from"
        f" {names['outcome']})"
    )
    if takes_out or day.engine.scalar(returned):
        day.withdrawn = day.relation(f"withdrawn_{day.steps}")
        day.engine.table(day.withdrawn, day.model("valid/withdrawn", **names))


NOTHING = "select null::varchar as record_key where false"


def _gone_select(day: MergeState, keys: str | None, manifest: dict[str, Any], rows: str) -> str:
    """The keys in force that a full delivery, or a reconciliation by keys, does not have."""
    key = name(day.key)
    present = f"select {key} from {rows} where {key} is not null"
    if keys is not None:
        present = f"{keys} union all {present}"
    elif manifest.get("delivery") not in ("full", "snapshot"):
        return NOTHING
    return f"select {key} as record_key from {day.valid} where {key} not in ({present})"


def _returned_select(day: MergeState, keys: str | None, rows: str) -> str:
    """The keys that a reconciliation once missed and now has again,
    without a row of their own in the batch.
    """
    if keys is None:
        return NOTHING
    key, updated = name(day.key), name(day.contract.by_role("updated_at").name)
    return f"""
    select {key} as record_key from {day.withdrawn}
    where {updated} = _withdrawn_at and {key} in ({keys})
        and {key} not in (select {key} from {rows} where {key} is not null)
    """


def _bad_rows(
    day: MergeState, folder: Path, manifest: dict[str, Any], rows: str, verdict: Verdict
) -> str:
    """The batch's bad rows as the quarantine keeps them, with the text as delivered."""
    relation = day.relation(f"bad_{day.steps}")
    columns = [
        c
        for c in QUARANTINE_COLUMNS
        if c[0] not in ("batch_id", "first_seen_on", "last_seen_on", "times_seen")
    ]
    if not verdict.bad_count:
        day.engine.table(relation, empty_select(columns))
        release_text(day.engine, day.contract)
        return relation
    text = delivered_json(day.engine, day.contract, folder, manifest, verdict.bad_rows)
    updated = name(day.contract.by_role("updated_at").name)
    day.engine.table(
        relation,
        f"""
        select b._row, r.{name(day.key)} as record_key, b.rules, r.{updated} as updated_at,
            t.raw, r._op is not distinct from 'D' as is_withdrawal
        from {verdict.bad_rows} as b
        inner join {rows} as r on r._row = b._row
        inner join {text} as t on t._row = b._row
        """,
    )
    release_text(day.engine, day.contract)
    return relation


def _store(day: MergeState) -> None:
    """Writes the day's three tables, or carries the day before forward where nothing changed.

    The day's old ledger goes first: killed from here on, the day is one that was not made, and the
    next stands on the one before.
    """
    day.lake.remove_note("ledger", day.contract.table, day.as_of)
    before, untouched = (
        f"asof_{layer}_0_{day.contract.table}" for layer in ("quarantine", "withdrawn")
    )
    same_quarantine = day.quarantine == before or not day.engine.scalar(
        f"select count(*) from ((select * from {before} except select * from {day.quarantine}) "
        f"union all (select * from {day.quarantine} except select * from {before})) as differing"
    )
    valid = day.model("valid/marked", valid_after=day.valid, quarantine_after=day.quarantine)
    _write(day, "valid", valid, name(day.key), not day.is_changed and same_quarantine)
    _write(
        day,
        "withdrawn",
        f"select * from {day.withdrawn}",
        name(day.key),
        day.withdrawn == untouched,
    )
    _write(
        day,
        "quarantine",
        f"select * from {day.quarantine}",
        "record_key nulls last, raw, batch_id, _row",
        same_quarantine,
    )
    made = day.lake.relation("valid", day.contract.table, day.as_of)
    day.engine.view(f"valid_{day.contract.table}", f"select * from {made}")


def _write(day: MergeState, layer: str, select: str, order_by: str, is_unchanged: bool) -> None:
    if (
        is_unchanged
        and day.prior_day is not None
        and day.lake.version(layer, day.contract.table, day.prior_day) is not None
    ):
        day.lake.carry(day.engine, layer, day.contract.table, day.prior_day, day.as_of)
        return
    area = day.contract.find_role("area_code")
    # A tombstone's code may be anything: a withdrawal is checked for key and time only.
    code = name(area.name) if area else ""
    county = (
        f"case when regexp_matches({code}, '^[0-9]{{6}}') then left({code}, 6) end"
        if area and layer != "quarantine"
        else None
    )
    key = ("batch_id", "_row") if layer == "quarantine" else (day.key,)
    day.lake.write(day.engine, layer, day.contract.table, day.as_of, select, order_by, county, key)


def _end(day: MergeState) -> None:
    """Drops what the day needed on the engine, last made first: views stand on tables."""
    batch = f"batch_{day.contract.table}"
    for relation in [*reversed(day.made), f"{batch}_records", batch, f"bad_{day.contract.table}"]:
        day.engine.drop(relation)
