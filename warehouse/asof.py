"""The as-of state: `valid[D]` = the latest `valid` before D, merged by record key with the good rows of D's batches.

Belongs here: a day of one record type from its batches to valid, withdrawn, quarantine and ledger. Not here: how rows
merge (`models/valid.sql` and `models/valid/`), what makes a row good (`expectations`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from expectations.casting import sql_type
from expectations.contract import Contract
from expectations.drift import Downstream, nothing_downstream
from expectations.engine import SqlEngine, literal, name
from expectations.gate import Gate, gate_of
from expectations.landing import Landed, delivered_text, land, release_text, row_numbers, text_table
from expectations.validation import Verdict, validate
from warehouse.model import render

PARTS = ("accepted", "unchanged", "superseded", "withdrawn", "quarantined")
VALID_EXTRAS = (("_batch_id", "varchar"), ("_arrived_on", "date"), ("_quarantined_at", "timestamp"), ("_is_conflict", "boolean"))
WITHDRAWN_EXTRAS = (*VALID_EXTRAS, ("_withdrawn_at", "timestamp"))
QUARANTINE_COLUMNS = (
    ("batch_id", "varchar"),
    ("_row", "bigint"),
    ("record_key", "varchar"),
    ("rules", "varchar[]"),
    ("updated_at", "timestamp"),
    ("first_seen_on", "date"),
    ("last_seen_on", "date"),
    ("times_seen", "bigint"),
    ("raw", "varchar"),
    ("is_withdrawal", "boolean"),
)
HISTORY_DAYS = 10
"""How many earlier days the volume of a batch is compared with."""


class ConservationError(RuntimeError):
    """Rows that were lost or doubled between a batch and the state: never published, always a defect."""


class LakeFolder(Protocol):
    """What the as-of state needs of the lake; `resources.lake.Lake` is the one in use."""

    root: Path

    def table(self, layer: str, table: str) -> Path: ...
    def files(self, layer: str, table: str, as_of: date) -> str | None: ...
    def carry(self, layer: str, table: str, source: date, as_of: date) -> Path: ...
    def write(self, engine: Any, layer: str, table: str, as_of: date, select: str, order_by: str, county: str | None = None) -> Any: ...
    def write_note(self, layer: str, table: str, as_of: date, note: dict[str, Any]) -> Path: ...
    def read_note(self, layer: str, table: str, as_of: date) -> dict[str, Any] | None: ...
    def note_days(self, layer: str, table: str) -> list[date]: ...


@dataclass
class Day:
    """One record type on one day while it is being made: the relations that hold its state, and its counts."""

    engine: SqlEngine
    lake: LakeFolder
    contract: Contract
    as_of: date
    prior_day: date | None
    prior: dict[str, Any]
    valid: str = ""
    withdrawn: str = ""
    quarantine: str = ""
    steps: int = 0
    is_changed: bool = False
    new_keys: int = 0
    withdrawn_keys: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    batches: list[dict[str, Any]] = field(default_factory=list)
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    drift: list[str] = field(default_factory=list)
    rejected: dict[str, Any] | None = None
    accepted: dict[str, Any] | None = None
    """The manifest of the newest accepted batch of the day."""
    made: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        return self.contract.record_key.name

    def relation(self, purpose: str) -> str:
        """A name of the engine for this day's use, dropped when the day is done."""
        relation = f"asof_{purpose}_{self.contract.table}"
        self.made.append(relation)
        return relation

    def model(self, model: str, **more: Any) -> str:
        fields = [f.name for f in self.contract.fields]
        as_of = f"date '{self.as_of.isoformat()}'"
        return render(model, fields=fields, key=self.key, updated=self.contract.by_role("updated_at").name, as_of=as_of, **more)


def make_valid(
    engine: SqlEngine,
    lake: LakeFolder,
    contract: Contract,
    as_of: date,
    day_read: dict[str, Any] | None = None,
    downstream: Downstream = nothing_downstream,
) -> dict[str, Any]:
    """Makes valid, withdrawn, quarantine and ledger of `contract` for `as_of`; returns the ledger.

    `day_read` is the day's pointer (`{"batches": […], "failure": …}`), read from the lake by default. Leaves the engine
    view `valid_<table>` on the day's state. A rejected batch or a failed read carries the last good state forward.

    Raises:
        ConservationError: the counts do not add up; nothing of the day is to be used.
        LandingError: a batch's bytes are gone or cannot be parsed.
    """
    pointer = day_read or lake.read_note("raw", contract.table, as_of) or {"batches": [], "failure": None}
    day = _begin(engine, lake, contract, as_of)
    try:
        for batch_id in pointer.get("batches") or []:
            _take_batch(day, str(batch_id), downstream)
        _store(day)
        ledger = _ledger(day, pointer.get("failure"))
        lake.write_note("ledger", contract.table, as_of, ledger)
    finally:
        _end(day)
    return ledger


def empty_select(columns: Sequence[tuple[str, str]]) -> str:
    """No rows, of these columns."""
    return f"select {', '.join(f'null::{kind} as {name(column)}' for column, kind in columns)} where false"


def state_columns(contract: Contract, extras: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The columns of a stored state: every contract field, and `extras`."""
    return [*((f.name, sql_type(f.type)) for f in contract.fields), *extras]


def _begin(engine: SqlEngine, lake: LakeFolder, contract: Contract, as_of: date) -> Day:
    prior_day = max((d for d in lake.note_days("ledger", contract.table) if d < as_of), default=None)
    prior = (lake.read_note("ledger", contract.table, prior_day) if prior_day else None) or {}
    day = Day(engine, lake, contract, as_of, prior_day, prior)
    day.valid = _before(day, "valid", state_columns(contract, VALID_EXTRAS))
    day.withdrawn = _before(day, "withdrawn", state_columns(contract, WITHDRAWN_EXTRAS))
    day.quarantine = _before(day, "quarantine", QUARANTINE_COLUMNS)
    # The contract's own rules read the state before the batch under its public name.
    engine.view(f"valid_{contract.table}", f"select * from {day.valid}")
    return day


def _before(day: Day, layer: str, columns: Sequence[tuple[str, str]]) -> str:
    relation = day.relation(f"{layer}_0")
    files = day.lake.files(layer, day.contract.table, day.prior_day) if day.prior_day else None
    if files is None:
        day.engine.table(relation, empty_select(columns))
    else:
        listed = ", ".join(name(column) for column, _ in columns)
        there = f"read_parquet({literal(files)}, hive_partitioning = false, union_by_name = true)"
        # A contract may have gained a field since that day.
        day.engine.view(relation, f"select {listed} from ({empty_select(columns)} union all by name select * from {there})")
    return relation


def _take_batch(day: Day, batch_id: str, downstream: Downstream) -> None:
    folder = day.lake.table("raw", day.contract.table) / batch_id
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    landed = land(day.engine, day.contract, folder, manifest, downstream)
    verdict = validate(day.engine, day.contract, manifest, landed.rows_path, _volumes(day, manifest), landed.drifts)
    gate = gate_of(day.lake.root, day.contract.table, batch_id)
    _report(day, landed, verdict)
    if verdict.is_rejected and gate is None:
        day.rejected = {"batch_id": batch_id, "reasons": list(verdict.reasons)}
        day.batches.append(_batch_note(batch_id, manifest, verdict, None, {}))
        release_text(day.engine, day.contract)
        return
    counts = _merge(day, folder, manifest, landed, verdict)
    day.counts = {part: day.counts.get(part, 0) + counts[part] for part in ("received", *PARTS)}
    day.batches.append(_batch_note(batch_id, manifest, verdict, gate, counts))
    day.accepted = manifest
    day.rejected = None


def _merge(day: Day, folder: Path, manifest: dict[str, Any], landed: Landed, verdict: Verdict) -> dict[str, int]:
    """Merges the good rows of one batch into the day's relations; returns the batch's counts."""
    day.steps += 1
    n, engine = day.steps, day.engine
    is_full = "true" if manifest.get("delivery") == "full" else "false"
    rows = f"read_parquet({literal(landed.rows_path)})"
    names = {
        "arrivals": day.relation(f"arrivals_{n}"),
        "outcome": day.relation(f"outcome_{n}"),
        "gone": day.relation(f"gone_{n}"),
        "before": day.valid,
        "withdrawn_before": day.withdrawn,
        "quarantine_before": day.quarantine,
        "batch_id": str(manifest["batch_id"]),
        "is_full": is_full,
    }
    engine.table(names["arrivals"], day.model("valid/arrivals", rows=rows, bad=verdict.bad_rows))
    engine.table(names["outcome"], day.model("valid/outcome", **names))
    gone = engine.table(names["gone"], _gone_select(day, folder, manifest, rows))
    counted = {
        str(outcome): int(count) for outcome, count in engine.rows(f"select outcome, count(*) from {names['outcome']} group by outcome")
    }
    bad = _bad_rows(day, folder, manifest, landed, verdict)
    if gone or counted.get("accepted") or counted.get("withdrawn"):
        day.is_changed = True
        new, taken = engine.rows(
            f"select count(*) filter (outcome = 'accepted' and not was_in_force), "
            f"count(*) filter (outcome = 'withdrawn' and was_in_force) from {names['outcome']}"
        )[0]
        day.new_keys += int(new)
        day.withdrawn_keys += int(taken) + gone
        valid, withdrawn = day.relation(f"valid_{n}"), day.relation(f"withdrawn_{n}")
        engine.view(valid, day.model("valid", **names))
        engine.table(withdrawn, day.model("valid/withdrawn", **names))
        day.valid, day.withdrawn = valid, withdrawn
    quarantine = day.relation(f"quarantine_{n}")
    engine.table(quarantine, day.model("valid/quarantine", bad_rows=bad, valid_after=day.valid, withdrawn_after=day.withdrawn, **names))
    day.quarantine = quarantine
    counts = {part: counted.get(part, 0) for part in PARTS} | {"quarantined": verdict.bad_count, "received": verdict.received}
    if counts["received"] != sum(counts[part] for part in PARTS):
        raise ConservationError(
            f"{day.contract.table} {day.as_of}: batch {manifest['batch_id']} received {counts['received']} rows, but "
            f"{', '.join(f'{counts[part]} {part}' for part in PARTS)}; report it, and do not publish this day"
        )
    return counts


def _gone_select(day: Day, folder: Path, manifest: dict[str, Any], rows: str) -> str:
    """The keys in force that a full delivery, or a reconciliation by keys, does not have."""
    key = name(day.key)
    nothing = "select null::varchar as record_key where false"
    if manifest.get("delivery") == "full":
        present = f"select {key} from {rows} where {key} is not null"
    elif manifest.get("keys_file"):
        keys = f"read_parquet({literal(folder / str(manifest['keys_file']))})"
        column = day.engine.columns(f"select * from {keys}")[0][0]
        present = f"select {name(column)}::varchar from {keys} where {name(column)} is not null union all select {key} from {rows} where {key} is not null"
    else:
        return nothing
    return f"select {key} as record_key from {day.valid} where {key} not in ({present})"


def _bad_rows(day: Day, folder: Path, manifest: dict[str, Any], landed: Landed, verdict: Verdict) -> str:
    """The batch's bad rows as the quarantine keeps them, with the text as delivered."""
    relation = day.relation(f"bad_{day.steps}")
    columns = [c for c in QUARANTINE_COLUMNS if c[0] not in ("batch_id", "first_seen_on", "last_seen_on", "times_seen")]
    if not verdict.bad_count:
        day.engine.table(relation, empty_select(columns))
        release_text(day.engine, day.contract)
        return relation
    if not day.engine.exists(text_table(day.contract)):
        delivered_text(day.engine, day.contract, folder, manifest)
    text = ", ".join(f"{literal(f.physical_name)}: t.{name(f.physical_name)}" for f in day.contract.fields)
    updated = name(day.contract.by_role("updated_at").name)
    day.engine.table(
        relation,
        f"""
        select b._row, r.{name(day.key)} as record_key, b.rules, r.{updated} as updated_at,
            to_json({{{text}}})::varchar as raw, r._op is not distinct from 'D' as is_withdrawal
        from {verdict.bad_rows} as b
        inner join read_parquet({literal(landed.rows_path)}) as r on r._row = b._row
        inner join ({row_numbers(day.contract)}) as t on t._row = b._row
        """,
    )
    release_text(day.engine, day.contract)
    return relation


def _store(day: Day) -> None:
    """Writes the day's three tables, or carries the day before forward where nothing changed."""
    before = f"asof_quarantine_0_{day.contract.table}"
    same_quarantine = day.quarantine == before or not day.engine.scalar(
        f"select count(*) from ((from {before} except from {day.quarantine}) union all (from {day.quarantine} except from {before}))"
    )
    valid = day.model("valid/marked", valid_after=day.valid, quarantine_after=day.quarantine)
    _write(day, "valid", valid, name(day.key), not day.is_changed and same_quarantine)
    _write(day, "withdrawn", f"select * from {day.withdrawn}", name(day.key), not day.is_changed)
    _write(day, "quarantine", f"select * from {day.quarantine}", "record_key nulls last, raw, batch_id, _row", same_quarantine)
    day.engine.parquet_view(f"valid_{day.contract.table}", str(day.lake.files("valid", day.contract.table, day.as_of)))


def _write(day: Day, layer: str, select: str, order_by: str, is_unchanged: bool) -> None:
    if is_unchanged and day.prior_day is not None and day.lake.files(layer, day.contract.table, day.prior_day):
        day.lake.carry(layer, day.contract.table, day.prior_day, day.as_of)
        return
    area = day.contract.find_role("area_code")
    county = f"left({name(area.name)}, 6)" if area and layer != "quarantine" else None
    day.lake.write(day.engine, layer, day.contract.table, day.as_of, select, order_by, county)


def _report(day: Day, landed: Landed, verdict: Verdict) -> None:
    """Adds a batch's results to the day's: counts add up, one failure fails."""
    day.drift += [str(drift) for drift in landed.drifts if str(drift) not in day.drift]
    for result in verdict.rules:
        found = result.as_dict()
        old = day.rules.get(result.rule)
        if old is not None:
            found |= {count: found[count] + old[count] for count in ("element_count", "unexpected_count")}
            found |= {flag: found[flag] and old[flag] for flag in ("passed", "could_run")}
        day.rules[result.rule] = found


def _batch_note(batch_id: str, manifest: dict[str, Any], verdict: Verdict, gate: Gate | None, counts: dict[str, int]) -> dict[str, Any]:
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


def _volumes(day: Day, manifest: dict[str, Any]) -> list[float]:
    """Rows that the last batches of the same delivery would have had in this one's window."""
    span = 1.0
    if manifest.get("since") and manifest.get("until"):
        since, until = (datetime.fromisoformat(str(manifest[edge])) for edge in ("since", "until"))
        span = max(1.0, (until - since).total_seconds() / 86400)
    days = [d for d in day.lake.note_days("ledger", day.contract.table) if d < day.as_of][-HISTORY_DAYS:]
    notes = [day.lake.read_note("ledger", day.contract.table, d) or {} for d in days]
    batches = [batch for note in notes for batch in note.get("batches", ()) if not batch["is_rejected"]]
    return [batch["rows_a_day"] * span for batch in batches if batch["delivery"] == _delivery(manifest)]


def _ledger(day: Day, failure: dict[str, Any] | None) -> dict[str, Any]:
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


def _end(day: Day) -> None:
    """Drops what the day needed on the engine, last made first: views stand on tables."""
    batch = f"batch_{day.contract.table}"
    for relation in [*reversed(day.made), f"{batch}_records", batch, f"bad_{day.contract.table}"]:
        for (kind,) in day.engine.rows("select table_type from information_schema.tables where table_name = ?", [relation]):
            day.engine.execute(f"drop {'view' if kind == 'VIEW' else 'table'} {name(relation)}")
