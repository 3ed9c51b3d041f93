"""The face of a batch: what it looks like as a whole, so that the next one can be held beside it.
No identity is in it.

Belongs here: measuring it, in one query. Not here: what counts as unusual (`unusual`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from expectations.contract import BASE_REGISTER, Contract, Field
from expectations.engine import literal, name, parquet
from warehouse.merge_state import MergeState, stored_rows
from warehouse.model import render

ROWS_BEHIND = 20
"""A smallest or largest value is kept only where so many rows have one."""

REGISTER = {records: f"{BASE_REGISTER}__{records}" for records in ("households", "members")}
NEEDED: dict[str, tuple[str, ...]] = {
    "area": (),
    "household": ("households",),
    "person": ("households", "members"),
}
"""What of the register it takes to find a row's town, by the way in which it is found."""

BatchProfile = dict[str, Any]
"""`rows`; `towns` (code → rows); `columns`: name → `empty` and `unknown` (shares), `codes` (how
many different ones), `smallest`, `largest`, and `middle` (the median of what is not 0) with the
rows `behind` it."""


@dataclass(frozen=True)
class Measured:
    """A column as the query measures it."""

    name: str
    is_coded: bool
    is_number: bool
    is_date: bool
    misfit: str
    unknown: str

    @property
    def is_measured(self) -> bool:
        return self.is_number or self.is_date


def measured(contract: Contract) -> list[Measured]:
    """What is looked at of each delivered column but the key, whose values are all different."""
    return [_measured(field) for field in contract.delivered if field.role != "record_key"]


def _measured(field: Field) -> Measured:
    misfit = f"list_contains(_misfit, {literal(field.name)})" if field.type != "text" else "false"
    codes = ", ".join(literal(code.code) for code in field.codes)
    unknown = f"coalesce({name(field.name)} not in ({codes}), false)" if codes else misfit
    is_shown = not field.is_identity and not field.codes
    is_number = is_shown and (field.type == "integer" or field.type.startswith("decimal"))
    return Measured(
        field.name, bool(codes), is_number, is_shown and field.type == "date", misfit, unknown
    )


def town_link(contract: Contract) -> tuple[str, str] | None:
    """How a row finds its town, and by which field: its own area, its household, or its person;
    None where it cannot.
    """
    for town, roles in (
        ("area", ("area_code",)),
        ("household", ("household_id",)),
        ("person", ("id_number",)),
    ):
        for field in contract.fields:
            if field.role in roles or (town != "person" and field.name in roles):
                return town, field.name
    key = contract.find_role("record_key")
    # the first 18 characters of a certificate's number are its holder's ID number
    return ("person", key.name) if key is not None and key.holds_number else None


def profile_of(day: MergeState, rows: str) -> BatchProfile:
    """The face of the landed `rows` (a relation)."""
    columns = measured(day.contract)
    whole, towns = _asked(day, rows, columns)
    count = int(whole[1])
    cells = [whole[2 + 7 * i : 9 + 7 * i] for i, _ in enumerate(columns)]
    found = {c.name: _column(c, count, own) for c, own in zip(columns, cells, strict=True) if count}
    return {"rows": count, "towns": towns, "columns": found}


def with_towns(day: MergeState, face: BatchProfile, batch_id: str | None) -> BatchProfile:
    """An earlier face with its rows by town, which it lacks where it was measured before there was
    a register."""
    link = town_link(day.contract)
    file = day.lake.table("raw", day.contract.table) / str(batch_id) / "rows.parquet"
    if face["towns"] or not face["rows"] or link is None or not file.exists():
        return face
    rows = parquet(file)
    there = {column for column, _ in day.engine.columns(f"select * from {rows}")}
    return {**face, "towns": _asked(day, rows, [])[1]} if link[1] in there else face


def _asked(
    day: MergeState, rows: str, columns: list[Measured]
) -> tuple[tuple[Any, ...], dict[str, int]]:
    """The answer for the whole, and the rows by town: none before there is a register to tell."""
    link = town_link(day.contract)
    register = {records: _before(day, table) for records, table in REGISTER.items()}
    if link is not None and any(register[records] is None for records in NEEDED[link[0]]):
        link = None
    town, by = link or (None, None)
    answer = day.engine.rows(
        render("valid/face", rows=rows, columns=columns, town=town, link=by, **register)
    )
    towns = {str(row[0]): int(row[1]) for row in answer if row[0] is not None}
    return next(row for row in answer if row[0] is None), dict(sorted(towns.items()))


def _column(column: Measured, rows: int, cells: tuple[Any, ...]) -> dict[str, Any]:
    empty, unknown, codes, least, most, middle, others = cells
    found: dict[str, Any] = {"empty": _share(empty, rows), "unknown": _share(unknown, rows)}
    if column.is_coded:
        found["codes"] = int(codes)
    read = _date if column.is_date else float
    if column.is_measured and rows - int(empty) - int(unknown) >= ROWS_BEHIND:
        found |= {"smallest": read(least), "largest": read(most)}
    if column.is_number and int(others) >= ROWS_BEHIND:
        found |= {"middle": round(float(middle), 4), "behind": int(others)}
    return found


def _share(count: Any, rows: int) -> float:
    return round(int(count) / rows, 6)


def _date(text: str) -> str:
    return date.fromisoformat(text[:10]).isoformat()


def _before(day: MergeState, table: str) -> str | None:
    """The register's newest state before the day, as a relation; None where there is none.

    Not the day's own: no source waits for the register's read, or fails with it, for the sake of a
    warning.
    """
    newest = max((d for d in day.lake.days("valid", table) if d < day.as_of), default=None)
    return stored_rows(day.lake, "valid", table, newest)
