"""The quarantine to look at and to send back: whose rows, why, since when, how often, which batch.

Belongs here: listings and correction files (keys and rules, no identities). Not here: its state
(`models/valid/quarantine.sql`).
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from expectations.contract import Contract
from expectations.engine import SqlEngine, literal, name, parquet
from expectations.rules import row_rules
from expectations.validation import Verdict
from warehouse.merge_state import LakeFolder, stored_rows

CORRECTIONS = (
    "records", "record_key", "batch_id", "row", "rule", "column", "first_seen_on", "last_seen_on",
    "times_seen", "source", "what_is_wrong",
)  # fmt: skip
FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
WRONG = {
    "type": "类型不符",
    "required": "必填项为空",
    "codes": "不在代码表内",
    "range": "超出范围",
    "pattern": "格式不符",
    "order": "日期先后不符",
    "sum": "金额不平",
    "reversal": "冲销与原单不符",
    "damaged": "数字位数丢失（请先设为文本格式）",
    "error_cell": "单元格为错误值",
    "formula_without_value": "公式没有结果",
    "control_character": "含有控制字符",
    "illegal_byte": "含有无法识别的字节",
    "extra_cells": "列数多于表头",
    "merged_across": "单元格跨列合并，不知是哪一列的值",
    "identity": "编号中含有证件号、电话号或汉字",
    "folded_key": "编号仅全角半角或空格不同",
    "future": "时间晚于读取之日",
    "far_day": "日期早于1900年或晚于2100年",
}
"""What each kind of rule says to a department (部门): the Chinese in front, the particulars behind.
"""


@dataclass(frozen=True)
class QuarantineLine:
    """How many open rows of a record type broke one rule."""

    department: str
    records: str
    rule: str
    rows: int
    first_seen_on: date
    last_seen_on: date
    times_seen: int
    """The most often that one of them came."""
    batches: tuple[str, ...]
    is_rejected: bool = False
    """Whether the whole batch was rejected, so that its good rows wait too."""


BROKEN = "broken.parquet"
"""In the folder of a rejected batch: its rows that broke rules, as the quarantine has them,
without what they hold.
"""


def keep_broken_rows(
    engine: SqlEngine, contract: Contract, folder: Path, rows: str, verdict: Verdict
) -> None:
    """Keeps, beside a rejected batch, which of its rows broke which rules:
    to be listed and sent back like the quarantine.
    """
    key, updated = name(contract.record_key.name), name(contract.by_role("updated_at").name)
    engine.copy(
        f"select b._row, r.{key} as record_key, b.rules, r.{updated} as updated_at from"
        f" {verdict.bad_rows} as b inner join {rows} as r on r._row = b._row order by b._row",
        folder / BROKEN,
    )
    (folder / BROKEN).chmod(0o600)


def _open_rows(lake: LakeFolder, contract: Contract, as_of: date) -> str | None:
    """The rows set aside as of the newest day up to `as_of`, a row for each rule that it broke;
    those of a rejected batch too.
    """
    newest = max((d for d in lake.note_days("ledger", contract.table) if d <= as_of), default=None)
    if newest is None:
        return None
    columns = "batch_id, _row, record_key, rules, first_seen_on, last_seen_on, times_seen"
    stored = stored_rows(lake, "quarantine", contract.table, newest)
    parts = [f"select {columns}, false as is_rejected from {stored}"] if stored else []
    rejection = (lake.read_note("ledger", contract.table, newest) or {}).get("rejection") or {}
    broken = lake.table("raw", contract.table) / str(rejection.get("batch_id")) / BROKEN
    if broken.exists():
        on, batch = f"date '{newest.isoformat()}'", literal(rejection["batch_id"])
        parts.append(
            f"select {batch} as batch_id, _row, record_key, rules, {on} as first_seen_on, {on} as"
            f" last_seen_on, 1 as times_seen, true as is_rejected from {parquet(broken)}"
        )
    return (
        f"(select *, unnest(rules) as rule from ({' union all '.join(parts)}))" if parts else None
    )


def list_quarantine(
    engine: SqlEngine, lake: LakeFolder, contracts: Sequence[Contract], as_of: date
) -> list[QuarantineLine]:
    """The open rows on `as_of` by department, record type and rule;
    a row that broke two rules is in two lines.

    The rows that broke rules of a rejected batch, while it is the newest, are in lines of their
    own.
    """
    lines: list[QuarantineLine] = []
    for contract in contracts:
        rows = _open_rows(lake, contract, as_of)
        if rows is None:
            continue
        found = engine.rows(
            "select rule, count(*), min(first_seen_on), max(last_seen_on), max(times_seen),"
            f" list_sort(list(distinct batch_id)), is_rejected from {rows} group by is_rejected,"
            " rule order by is_rejected, rule"
        )
        lines += [
            QuarantineLine(
                contract.department,
                contract.records,
                str(rule),
                int(count),
                first,
                last,
                int(times),
                tuple(batches),
                rejected,
            )
            for rule, count, first, last, times, batches, rejected in found
        ]
    return lines


@dataclass(frozen=True)
class Rejected:
    """An extract that was rejected and that nothing newer followed."""

    said: str
    next_step: str


def list_rejected(lake: LakeFolder, contracts: Sequence[Contract], as_of: date) -> list[Rejected]:
    """The rejected extracts that stand on the newest day up to `as_of`:
    source, batch, day, rule, rows and reasons.
    """
    found = []
    for contract in contracts:
        newest = max(
            (d for d in lake.note_days("ledger", contract.table) if d <= as_of), default=None
        )
        rejection = (
            (lake.read_note("ledger", contract.table, newest) if newest else None) or {}
        ).get("rejection")
        if rejection:
            rows = "" if rejection["rows"] is None else f", {rejection['rows']:,} rows"
            what = (
                f"{contract.department} {contract.records}, {rejection['batch_id'] or 'a file'} of"
                f" {rejection['day']}"
            )
            found.append(
                Rejected(
                    f"{what}: {rejection['rule']}{rows}: {'; '.join(rejection['reasons'])}",
                    rejection["next_step"],
                )
            )
    return found


def write_corrections(
    engine: SqlEngine, lake: LakeFolder, contracts: Sequence[Contract], as_of: date, folder: Path
) -> list[Path]:
    """A CSV file per department with what it has to correct, fit to send back; returns the files.

    Rows are named by their record key, or by batch, source and row number where the key is an
    identity or missing. Columns are named as the department names them, and what is wrong is said
    in words; no value is in it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    by_department: dict[str, list[list[object]]] = {}
    for contract in contracts:
        rows = _open_rows(lake, contract, as_of)
        if rows is None:
            continue
        key = "null" if contract.is_pseudonymous else "record_key"
        more = {rule.name: rule.description for rule in row_rules(contract)}
        found = engine.rows(
            f"select {key}, batch_id, _row, rule, first_seen_on, last_seen_on, times_seen from"
            f" {rows} order by batch_id, _row, rule"
        )
        columns = {field.name: field.physical_name for field in contract.fields}
        by_department.setdefault(contract.department, []).extend(
            [
                contract.records, record_key or "", batch, row, rule,
                columns.get(str(rule).partition(":")[2], ""), first, last, times,
                _source(lake, contract, str(batch)),
                _what_is_wrong(contract, str(rule), more.get(str(rule), "")),
            ]
            for record_key, batch, row, rule, first, last, times in found
        )  # fmt: skip
    paths = []
    for department, lines in sorted(by_department.items()):
        if lines:
            paths.append(_write_csv(folder / f"{department}_corrections_{as_of:%Y%m%d}.csv", lines))
    return paths


def _what_is_wrong(contract: Contract, rule: str, more: str) -> str:
    """One rule in words that a department understands; never a value."""
    kind, _, field_name = rule.partition(":")
    field = next((f for f in contract.fields if f.name == field_name), None)
    if kind == "codes":
        more = f"one of {'; '.join(code.code for code in field.codes)}" if field else "U or D"
    elif field is not None and kind in ("type", "required"):
        more = {"type": f"{field.type} expected", "required": "a value is required"}[kind]
    return ": ".join(part for part in (WRONG.get(kind, ""), more) if part)


def _source(lake: LakeFolder, contract: Contract, batch_id: str) -> str:
    """The file or table that brought a batch, where its manifest is still there."""
    manifest = lake.table("raw", contract.table) / batch_id / "manifest.json"
    return (
        str(json.loads(manifest.read_text(encoding="utf-8")).get("source") or "")
        if manifest.exists()
        else ""
    )


def _as_text(cell: object) -> object:
    """A cell that no spreadsheet takes for a formula:
    keys, columns and file names are what a department made them.
    """
    return f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell


def _write_csv(path: Path, lines: list[list[object]]) -> Path:
    # utf-8-sig: the departments open it in a spreadsheet.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(CORRECTIONS)
        writer.writerows([_as_text(cell) for cell in line] for line in lines)
    path.chmod(0o600)
    return path
