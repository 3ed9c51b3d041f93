"""Every model as it is run: what the house fills in, on an engine that computes nothing.

Belongs here: collecting the statements, and finding a rendered line in its file. Not here: judging
them (`sql_subset`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from expectations.contract import Contract, contract_for, load_contracts
from warehouse.batch_profile import measured
from warehouse.counties import REACHING
from warehouse.graph.engine_inputs import Nothing
from warehouse.graph.laying import NEEDED
from warehouse.graph.moment import day_moment
from warehouse.graph.registry import makers, stored_tables
from warehouse.graph.runner import Runner
from warehouse.matching import model_name
from warehouse.model import MODELS, render
from warehouse.periodic_reports import PERIODIC_REPORTS

DAY = date(2026, 11, 19)
KEY = b"a key that reads nobody"
BOUND = "select * from ("
"""How a bound input begins: no model of its own."""
RECORDS = ("households", "members", "certificates", "losses", "cases")
"""Enough of the record types for every branch of the templates."""


class NoEngine:
    """Says what makes every branch of a model be filled in: sources are there."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []
        """Name and SELECT of everything that is put on it, but for what is only bound."""

    def execute(self, sql: str, parameters: list[Any] | None = None) -> None: ...

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        return [(c.records, "ok") for c in load_contracts()] if "from source_state" in sql else []

    def scalar(self, sql: str, parameters: list[Any] | None = None) -> Any:
        return 0

    def columns(self, select: str) -> list[tuple[str, str]]:
        return []

    def view(self, name: str, select: str) -> None:
        if not select.startswith(BOUND):
            self.made.append((name, select))

    def parquet_view(self, name: str, files: str) -> None: ...

    def table(self, name: str, select: str) -> int:
        self.made.append((name, select))
        return 0

    def exists(self, name: str) -> bool:
        return True

    def copy(self, select: str, path: Path) -> int:
        return 0

    def arrow(self, select: str) -> pa.RecordBatchReader:
        raise AssertionError("nothing is computed here")

    def from_arrow(self, name: str, table: pa.Table) -> None: ...

    def drop(self, name: str) -> None: ...


def rendered_models() -> dict[str, set[str]]:
    """Model (as `indicators/basic`) → its statements on a day; of those that are run for each
    record type, a few.
    """
    found: dict[str, set[str]] = {}
    contracts = [*(contract_for(records) for records in RECORDS), of_areas()]
    engine = NoEngine()
    runner = Runner(engine, Nothing(tuple(contracts)), contracts, KEY)
    runner.make(
        (
            *(f"matched_{contract.table}" for contract in contracts),
            *stored_tables(),
            "review_candidate",
            "entitlement_listing",
        ),
        day_moment(DAY),
    )
    for rhythm in PERIODIC_REPORTS:
        runner.make(
            (rhythm.name, *stored_tables()),
            replace(rhythm.moment(DAY, day_moment(DAY)), flag_days=(DAY,)),
        )
    runner.make(("household_county", *REACHING), day_moment(DAY))
    runner.make(NEEDED, replace(day_moment(DAY), base=DAY - timedelta(days=1)))
    by_table = {contract.table: model_name(contract) for contract in contracts}
    for table, sql in engine.made:
        layer, _, record_type = table.partition("_")
        model = (
            by_table.get(record_type)
            if layer == "matched"
            else makers()[table].name
            if table in makers()
            else None
        )
        if model is not None:
            found.setdefault(model, set()).add(sql)
    for contract in contracts:
        _valid(found, contract)
    found["flags/rules_diff"] = {render("flags/rules_diff")}
    found["counties/moved"] = {render("counties/moved", previous="previous")}
    return found


def of_areas() -> Contract:
    """A record type that is about areas, which none of today's is."""
    households = contract_for("households")
    return replace(
        households, records="villages", properties=households.properties | {"subject": "area"}
    )


def _valid(found: dict[str, set[str]], contract: Any) -> None:
    names = (
        "arrivals",
        "outcome",
        "gone",
        "returned",
        "before",
        "withdrawn_before",
        "quarantine_before",
        "rows",
        "bad",
        "bad_rows",
    )
    after = ("valid_after", "withdrawn_after", "quarantine_after")
    common: dict[str, Any] = {
        **{name: name for name in (*names, *after)},
        "fields": [field.name for field in contract.fields],
        "key": contract.record_key.name,
        "updated": contract.by_role("updated_at").name,
        "as_of": f"date '{DAY}'",
        "batch_id": "batch",
        "is_full": "true",
        "is_snapshot": True,
        "latest": f"timestamp '{DAY} 00:00:00'",
        "sighting": 1,
        "source_keys": "select record_key from keys",
    }
    face = {
        "columns": measured(contract),
        "households": "households",
        "members": "members",
        "link": contract.record_key.name,
    }
    for town in ("area", "household", "person", None):
        found.setdefault("valid/face", set()).add(
            render("valid/face", rows="rows", town=town, **face)
        )
    common |= {**face, "town": None}
    for model in (
        "valid",
        *(f"valid/{path.stem}" for path in sorted((MODELS / "valid").glob("*.sql"))),
    ):
        found.setdefault(model, set()).add(render(model, **common))


def line_in_file(model: str, sql: str, line: int) -> int:
    """The line of the model's file that a line of its statement comes from, as near as its text
    tells.
    """
    said = sql.splitlines()[line - 1].strip() if line <= len(sql.splitlines()) else ""
    lines = [
        text.strip() for text in (MODELS / f"{model}.sql").read_text(encoding="utf-8").splitlines()
    ]
    if said in lines:
        return lines.index(said) + 1

    def alike(text: str) -> int:
        ahead = text.split("{", 1)[0]
        return len(ahead) if ahead and said.startswith(ahead) else 0

    nearest = max(range(len(lines)), key=lambda place: alike(lines[place]), default=0)
    return nearest + 1 if lines and alike(lines[nearest]) else line
