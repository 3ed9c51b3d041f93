"""What a trial writes where `OUT` names a folder:
`rows.csv` and `aside.csv`, for the eyes of who asked for it (mode 0600).

Belongs here: canonical values, the order of the file, rows as delivered. Not here: judging them
(`dry_run`).
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from expectations.contract import Contract, Field
from expectations.engine import name
from pipelines.dry_run.run import DryRun

ASIDE = ("file", "sheet", "row", "field", "rules")
FORMULA = re.compile(r"\s*(?:[=＝@＠]|[+\-＋－].*[(|!])|[\t\r\n]", re.DOTALL)
"""What a spreadsheet would compute, call or fetch; a plain -5 or +86 it shows."""


def write_rows(made: DryRun, folder: Path) -> list[Path]:
    """Writes both files; returns them.

    `rows.csv` has the contract's fields, `aside.csv` the row as it was delivered behind.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fields = [field for field in made.contract.fields if field.derived is None]
    return [
        _write(folder / "rows.csv", [field.name for field in fields], _good(made, fields)),
        _write(folder / "aside.csv", [*ASIDE, *_columns(made)], _aside(made)),
    ]


def _good(made: DryRun, fields: Sequence[Field]) -> Iterator[list[str]]:
    """The rows that would be in force of this delivery, in its order;
    of a key that came twice the version that stands.
    """
    key = name(made.contract.record_key.name)
    stands = " and ".join(
        f"v.{name(field.name)} is not distinct from r.{name(field.name)}" for field in fields
    )
    listed = ", ".join(f"r.{name(field.name)}" for field in fields)
    in_force = made.lake.relation("valid", made.contract.table, made.as_of)
    select = f"""
    with good as (
        select *,
            row_number() over (partition by {listed} order by _row desc) as _place
        from {made.rows} as r
        where _op is distinct from 'D' and _row not in (select _row from {made.bad})
    )
    select {listed}
    from good as r
    inner join {in_force} as v
        on v.{key} = r.{key} and {stands}
    where r._place = 1
    order by r._row
    """
    for batch in made.engine.arrow(select):
        for row in batch.to_pylist():
            yield [canonical(field, row[field.name]) for field in fields]


def _columns(made: DryRun) -> list[str]:
    return [column for column in made.manifest.columns if not column.startswith("_")]


def _aside(made: DryRun) -> Iterator[list[str]]:
    columns = _columns(made)
    cells = "".join(f", cast(d.{name(column)} as varchar)" for column in columns)
    select = f"""
    select d._file, d._sheet, d._line, b.rules{cells}
    from {made.bad} as b inner join {made.delivered} as d using (_row)
    order by d._row
    """
    for file, sheet, line, rules, *row in made.engine.rows(select):
        fields = fields_of(made.contract, rules)
        yield [
            str(file),
            sheet or "",
            str(line),
            ", ".join(fields),
            ", ".join(rules),
            *("" if c is None else str(c) for c in row),
        ]


def fields_of(contract: Contract, rules: Sequence[str]) -> list[str]:
    """The fields at fault: those that the rules name; a derived one only where no other is."""
    named = {rule.partition(":")[2] for rule in rules}
    found = [field for field in contract.fields if field.name in named]
    own = [field.name for field in found if field.derived is None]
    return own or [
        part.name for field in found if field.derived == "key" for part in contract.key_fields
    ]


def canonical(field: Field, value: Any) -> str:
    """A value as text: codes and texts as they are, ISO dates, true and false,
    numbers with the field's places.
    """
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat(timespec="seconds")
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
    return str(value).upper() if field.holds_number else str(value)


def _write(path: Path, header: Sequence[str], rows: Iterator[list[str]]) -> Path:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(map(_as_text, header))
        writer.writerows(map(_as_text, row) for row in rows)
    return path


def _as_text(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: a department wrote it, and so its columns."""
    return f"'{cell}" if FORMULA.match(cell) else cell
