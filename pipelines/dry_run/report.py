"""What a trial says: columns, note lines, good and bad rows, unknown words, the state, links,
indicators. No identity.

Belongs here: the text of `make try`. Not here: the trial itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import pyarrow.parquet as pq

from expectations.contract import Field
from expectations.drafting.content import shown
from expectations.drift import column_drift
from expectations.engine import name
from expectations.questions import standing_questions
from pipelines.dry_run.effects import Effects
from pipelines.dry_run.run import SHOWN_ROWS, BadRule, DryRun
from resources.departments.tabular import NOTED
from warehouse.downstream import built_from

WORDS_SHOWN = 10
"""A column with more unknown words than this is the wrong column:
they are counted, and may be anything.
"""


def number(count: int) -> str:
    return f"{count:,}"


def report(made: DryRun) -> list[str]:
    """What the delivery is and what a run would make of it, a line each."""
    lines = [_head(made)]
    questions = standing_questions(made.contract.path)
    if questions:
        lines.append(
            f"the contract is a draft: {len(questions)} questions stand in it, and `make contracts`"
            " refuses it"
        )
    lines += made.given.waits
    lines += _read(made)
    lines += ["", "columns:", *_columns(made), "", "lines that are no records:", *_notes(made)]
    if made.is_merged:
        lines += ["", *_rows(made), *_unknown_words(made), "", *_state(made)]
    if made.reasons:
        lines += ["", "a run would reject it:", *(f"  {reason}" for reason in made.reasons)]
    return lines


def _head(made: DryRun) -> str:
    state = f"the state of {made.state_day}" if made.state_day else "no state yet"
    source = made.given.delivery.source
    return (
        f"{made.contract.department}.{made.contract.records} of {made.given.delivery.day}:"
        f" {source}, upon {state}"
    )


def _read(made: DryRun) -> list[str]:
    said = [f"not read: {name}" for name in (*made.given.passed_over, *made.manifest.unread)]
    return [*said, *made.manifest.notes]


def _columns(made: DryRun) -> list[str]:
    drifts = {
        drift.column: drift
        for drift in column_drift(made.contract, made.manifest.columns, built_from)
    }
    found = [f for f in made.contract.fields if f.is_delivered and f.physical_name not in drifts]
    lines = [f"  read      {_joined(f'{f.physical_name} ({f.name})' for f in found)}"]
    lines += [
        f"  missing   {drift.message}" for drift in drifts.values() if drift.kind == "missing"
    ]
    unknown = [drift.column for drift in drifts.values() if drift.kind == "added"]
    if unknown:
        lines.append(f"  unknown   {_joined(unknown)}")
    return lines


def _joined(words: Iterator[str] | Sequence[str]) -> str:
    return ", ".join(words) or "-"


def _notes(made: DryRun) -> list[str]:
    """Each kind of note line with its lines, by file and sheet."""
    path = made.batch / NOTED
    rows = pq.read_table(path).to_pylist() if path.exists() else []
    if not rows:
        return ["  none"]
    tables: dict[tuple[str, str | None], dict[str, list[int]]] = {}
    for row in rows:
        kinds = tables.setdefault((str(row["_file"]), row["_sheet"]), {})
        kinds.setdefault(str(row["kind"]), []).append(int(row["_line"]))
    lines = []
    for table, kinds in tables.items():
        listed = "; ".join(f"{kind} {_runs(numbers)}" for kind, numbers in sorted(kinds.items()))
        lines.append(f"  {_where(*table)}: {listed}")
    return lines


def _runs(numbers: Sequence[int]) -> str:
    """`1, 2, 94` or `40-49`: line numbers, runs drawn together."""
    runs: list[list[int]] = []
    for line in sorted(set(numbers)):
        if runs and runs[-1][-1] == line - 1:
            runs[-1].append(line)
        else:
            runs.append([line])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _where(file: str, sheet: str | None) -> str:
    return f"{file}, {sheet}" if sheet else file


def _rows(made: DryRun) -> list[str]:
    today = made.ledger["today"]
    good = today["received"] - today["quarantined"]
    lines = [
        f"rows: {number(today['received'])}, good {number(good)}, set aside"
        f" {number(today['quarantined'])}"
    ]
    lines += [_bad(rule) for rule in made.bad_rules]
    warned = [
        rule
        for rule in made.ledger["rules"]
        if rule["severity"] == "warning" and not rule["passed"]
    ]
    lines += [f"  warning {rule['rule']}: {number(rule['unexpected_count'])}" for rule in warned]
    return lines


def _bad(rule: BadRule) -> str:
    tables = []
    for (file, sheet), first in groupby(rule.first, key=lambda place: place[:2]):
        tables.append(f"{_where(file, sheet)}: {_runs([line for _, _, line in first])}")
    more = f" and {number(rule.rows - SHOWN_ROWS)} more" if rule.rows > SHOWN_ROWS else ""
    return f"  {rule.rule}: {number(rule.rows)} rows ({'; '.join(tables)}{more})"


def _unknown_words(made: DryRun) -> list[str]:
    """Words of coded fields that stand for no code."""
    broken = {rule.rule for rule in made.bad_rules}
    lines = []
    for field in made.contract.delivered:
        if field.codes and f"codes:{field.name}" in broken:
            lines.append(
                f"  unknown words of {field.name} ({field.physical_name}): {_words(made, field)}"
            )
    return lines


def _words(made: DryRun, field: Field) -> str:
    text, rule = name(field.physical_name), f"codes:{field.name}"
    found = made.engine.rows(f"""
        select trim(cast(d.{text} as varchar),
            ' ' || chr(9) || chr(10) || chr(13) || chr(160) || chr(12288)) as word, count(*)
        from {made.bad} as b inner join {made.delivered} as d using (_row)
        where list_contains(b.rules, '{rule}') group by 1 order by 2 desc, 1
        """)
    if len(found) > WORDS_SHOWN:
        return f"{len(found)} different ones; is it the right column?"
    return ", ".join(f"{shown(str(word))} ({number(count)})" for word, count in found)


def _state(made: DryRun) -> list[str]:
    ledger, today = made.ledger, made.ledger["today"]
    new = ledger["new_keys"]
    return [
        f"upon {made.state_day or 'nothing'}: {number(new)} new, {number(today['accepted'] - new)}"
        f" changed, {number(today['unchanged'])} unchanged, {number(today['superseded'])} older"
        f" than what is there, {number(ledger['withdrawn_keys'])} withdrawn;"
        f" {number(ledger['in_force'])} in force (before {number(ledger['in_force_before'])})"
    ]


def effects_report(made: DryRun, found: Effects | None) -> list[str]:
    """Links and indicators, a line each."""
    if found is None:
        return ["", "matching and indicators: the lake has no day yet; run make sync first"]
    records = sum(found.outcomes.values())
    outcomes = ", ".join(f"{outcome} {number(count)}" for outcome, count in found.outcomes.items())
    lines = ["", f"of {number(records)} records in force would be, upon {found.day}: {outcomes}"]
    if made.contract.is_base_register:
        lines.append(
            "the links of other records to this register are as they were: only a run makes them"
            " anew"
        )
    if found.moved is None:
        return [*lines, "no indicator reads these records"]
    lines.append("indicators that would move:" if found.moved else "no indicator would move")
    for m in found.moved:
        extra = [
            f"known for {number(m.appears)} more" if m.appears else "",
            f"unknown for {number(m.vanishes)}" if m.vanishes else "",
        ]
        said = "; ".join(part for part in extra if part)
        lines.append(
            f"  {m.indicator.code} {m.indicator.name} {m.indicator.chinese}: {number(m.households)}"
            " households" + (f" ({said})" if said else "")
        )
    for (before, after), count in sorted(found.lamps.items()):
        lines.append(f"  lamp {before} -> {after}: {number(count)} households")
    return lines
