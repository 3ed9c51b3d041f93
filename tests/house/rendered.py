"""Every model as it is run: what the house fills in, on an engine that computes nothing.

Belongs here: collecting the statements, and finding a rendered line in its file. Not here: judging them (`sql_subset`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

import warehouse.counties
import warehouse.day
import warehouse.follow_up
import warehouse.indicators
import warehouse.matching
import warehouse.rhythms
import warehouse.scoring
from expectations.contract import Contract, contract_for, load_contracts
from warehouse.catalogue import load_indicators
from warehouse.face import measured
from warehouse.follow_up import build_following
from warehouse.following_rules import load_following
from warehouse.indicators import build_indicators
from warehouse.linkage import build_linkage_quality
from warehouse.matching import build_matched, build_person
from warehouse.model import MODELS, render
from warehouse.review import build_review_queue
from warehouse.rhythms import FIELD_RESULTS, RHYTHMS, build_rhythm
from warehouse.scoring import build_flags
from warehouse.scoring_rules import load_rules

DAY = date(2026, 11, 19)
KEY = b"a key that reads nobody"
RENDERERS = (
    warehouse.counties, warehouse.day, warehouse.follow_up, warehouse.indicators, warehouse.matching, warehouse.rhythms, warehouse.scoring,
)  # fmt: skip
RECORDS = ("members", "certificates", "losses", "cases")
"""Enough of the record types for every branch of the templates."""


class NoEngine:
    """Says what makes every branch of a model be filled in: sources there, formulas with a state of their own."""

    def execute(self, sql: str, parameters: list[Any] | None = None) -> None: ...

    def rows(self, sql: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
        return [(c.records, "ok") for c in load_contracts()] if "from source_state" in sql else []

    def scalar(self, sql: str, parameters: list[Any] | None = None) -> Any:
        return 0

    def columns(self, select: str) -> list[tuple[str, str]]:
        return [(f"{indicator.code.lower()}_state", "VARCHAR") for indicator in load_indicators()]

    def view(self, name: str, select: str) -> None: ...

    def parquet_view(self, name: str, files: str) -> None: ...

    def table(self, name: str, select: str) -> int:
        return 0

    def exists(self, name: str) -> bool:
        return name == FIELD_RESULTS

    def copy(self, select: str, path: Path) -> int:
        return 0

    def arrow(self, select: str) -> pa.RecordBatchReader:
        raise AssertionError("nothing is computed here")

    def from_arrow(self, name: str, table: pa.Table) -> None: ...

    def drop(self, name: str) -> None: ...


@contextmanager
def _written_down(into: dict[str, set[str]]) -> Iterator[None]:
    """Whatever the warehouse renders in the block is kept, by model."""

    def kept(name: str, **parameters: Any) -> str:
        sql = render(name, **parameters)
        into.setdefault(name, set()).add(sql)
        return sql

    before = [module.render for module in RENDERERS]  # the name that they import
    try:
        for module in RENDERERS:
            module.render = kept
        yield
    finally:
        for module, own in zip(RENDERERS, before, strict=True):
            module.render = own


def rendered_models() -> dict[str, set[str]]:
    """Model (as `indicators/basic`) → its statements on a day; of those that are run for each record type, a few."""
    found: dict[str, set[str]] = {}
    engine, rules, following = NoEngine(), load_rules(DAY), load_following(DAY)
    contracts = [contract_for(records) for records in RECORDS]
    with _written_down(found):
        build_person(engine, DAY, KEY)
        for contract in contracts:
            build_matched(engine, contract, DAY, KEY)
            _valid(found, contract)
        build_matched(engine, _of_areas(), DAY, KEY)
        build_linkage_quality(engine, [*contracts, _of_areas()], DAY)
        build_review_queue(engine, contracts, DAY)
        build_indicators(engine, DAY, rules)
        build_flags(engine, DAY, rules)
        build_following(engine, DAY, rules, following)
        for rhythm in RHYTHMS:
            build_rhythm(engine, rhythm, DAY, DAY, rules, following)
        warehouse.counties.place_households(engine)
        warehouse.counties.reach_over(engine)
    found["flags/rules_diff"] = {render("flags/rules_diff")}
    found["counties/moved"] = {render("counties/moved", previous="previous_household")}
    return found


def _of_areas() -> Contract:
    """A record type that is about areas, which none of today's is."""
    households = contract_for("households")
    return replace(households, records="villages", properties=households.properties | {"subject": "area"})


def _valid(found: dict[str, set[str]], contract: Any) -> None:
    names = ("arrivals", "outcome", "gone", "returned", "before", "withdrawn_before", "quarantine_before", "rows", "bad", "bad_rows")
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
    face = {"columns": measured(contract), "households": "households", "members": "members", "link": contract.record_key.name}
    for town in ("area", "household", "person", None):
        found.setdefault("valid/face", set()).add(render("valid/face", rows="rows", town=town, **face))
    common |= {**face, "town": None}
    for model in ("valid", *(f"valid/{path.stem}" for path in sorted((MODELS / "valid").glob("*.sql")))):
        found.setdefault(model, set()).add(render(model, **common))


def line_in_file(model: str, sql: str, line: int) -> int:
    """The line of the model's file that a line of its statement comes from, as near as its text tells."""
    said = sql.splitlines()[line - 1].strip() if line <= len(sql.splitlines()) else ""
    lines = [text.strip() for text in (MODELS / f"{model}.sql").read_text(encoding="utf-8").splitlines()]
    if said in lines:
        return lines.index(said) + 1

    def alike(text: str) -> int:
        ahead = text.split("{", 1)[0]
        return len(ahead) if ahead and said.startswith(ahead) else 0

    nearest = max(range(len(lines)), key=lambda place: alike(lines[place]), default=0)
    return nearest + 1 if lines and alike(lines[nearest]) else line
