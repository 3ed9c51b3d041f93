"""Whether a day has one to be laid over: everything of it stands as it was made, by what would make
this one; else it says why not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest

from expectations.contract import contract_for, load_contracts
from warehouse.graph.base import Base, base_of, entry, made_from, needed, note_withdrawn
from warehouse.graph.inputs import HELD_BACK, MADE_OF
from warehouse.graph.registry import layer_and_folder, stored_tables
from warehouse.graph.under import MADE

DAY = date(2026, 12, 8)
BEFORE = DAY - timedelta(days=1)
BY = {"code": "one", "rules": "one", "key": "one"}
CONTRACTS = load_contracts()


@dataclass
class Kept:
    """Versions and notes of a lake."""

    versions: dict[tuple[str, str, date], str] = field(default_factory=dict)
    notes: dict[tuple[str, str, date], dict[str, Any]] = field(default_factory=dict)

    def put(self, table: str, day: date, version: str = "1") -> None:
        self.versions[(*layer_and_folder(table), day)] = version

    def days(self, layer: str, table: str) -> list[date]:
        return sorted(day for *of, day in self.versions if tuple(of) == (layer, table))

    def version(self, layer: str, table: str, as_of: date) -> str | None:
        return self.versions.get((layer, table, as_of))

    def counties(self, layer: str, table: str, as_of: date) -> list[str]:
        return ["000000"]

    def relation(self, layer: str, table: str, as_of: date, county: str | None = None) -> str:
        return "nothing"

    def difference(self, layer: str, table: str, base: date, as_of: date) -> Any:
        return None

    def note_days(self, layer: str, table: str) -> list[date]:
        return sorted(day for *of, day in self.notes if tuple(of) == (layer, table))

    def write_note(self, layer: str, table: str, as_of: date, note: dict[str, Any]) -> None:
        self.notes[layer, table, as_of] = note

    def remove_note(self, layer: str, table: str, as_of: date) -> None:
        self.notes.pop((layer, table, as_of), None)

    def read_note(self, layer: str, table: str, as_of: date) -> dict[str, Any] | None:
        return self.notes.get((layer, table, as_of))


def kept() -> Kept:
    """A day before that is whole."""
    lake = Kept()
    for contract in CONTRACTS:
        lake.put(f"valid_{contract.table}", BEFORE)
    for table in needed(CONTRACTS):
        lake.put(table, BEFORE)
    tables = {table: entry(lake, table, BEFORE, CONTRACTS, BY) for table in needed(CONTRACTS)}
    lake.notes[(*MADE, BEFORE)] = {"tables": tables}
    return lake


def found(lake: Kept, by: dict[str, str] | None = None) -> Base:
    return base_of(lake, DAY, CONTRACTS, by or BY)


def test_a_whole_day_is_one_to_stand_on() -> None:
    assert found(kept()) == Base(BEFORE)


def _anew(table: str) -> Callable[[Kept], None]:
    return lambda lake: lake.put(table, BEFORE, "2")


def _unmade(lake: Kept) -> None:
    del lake.notes[(*MADE, BEFORE)]["tables"]["household_card"]


def _provisional(lake: Kept) -> None:
    lake.notes[(*MADE, BEFORE)]["is_provisional"] = True


def _held_back(lake: Kept) -> None:
    lake.notes[(*HELD_BACK, BEFORE)] = {"run_id": "one"}


@pytest.mark.parametrize(
    ("happened", "why"),
    [
        (_anew("warning_flag"), "warning_flag of 2026-12-07 was made anew"),
        (_anew("valid_housing__dwellings"), "valid_housing__dwellings of 2026-12-07 was made anew"),
        (_unmade, "household_card of 2026-12-07 is missing, or older code made it"),
        (_provisional, "2026-12-07 was provisional"),
        (_held_back, "2026-12-07 was held back"),
        (lambda lake: lake.notes.clear(), "is missing, or older code made it"),
        (lambda lake: lake.versions.clear(), "it is the first day"),
    ],
)
def test_a_day_that_does_not_stand_says_why(happened: Callable[[Kept], None], why: str) -> None:
    lake = kept()
    happened(lake)
    base = found(lake)
    assert base.on is None
    assert why in base.why_none


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ("code", "other code computes it"),
        ("rules", "rules or standards are others"),
        ("key", "the pseudonym key is another one"),
    ],
)
def test_what_computes_is_what_computed(part: str, why: str) -> None:
    assert found(kept(), BY | {part: "another"}) == Base(None, why)


def test_a_day_whose_release_was_rolled_back_is_none_to_stand_on() -> None:
    lake = kept()
    lake.write_note(*MADE_OF, BEFORE, {"release_id": 7})
    note_withdrawn(lake, 6)
    assert found(lake) == Base(None, "2026-12-07 was rolled back")
    note_withdrawn(lake, 7)  # brought back
    assert found(lake) == Base(BEFORE)


def test_days_may_be_skipped() -> None:
    assert base_of(kept(), DAY + timedelta(days=20), CONTRACTS, BY) == Base(BEFORE)


def test_what_a_table_is_made_from_is_noted() -> None:
    assert "valid_housing__dwellings" in made_from("matched_housing__dwellings", CONTRACTS)
    members = f"valid_{contract_for('members').table}"
    assert members in made_from("matched_housing__dwellings", CONTRACTS)
    assert "matched_housing__retrofits" in made_from("household_indicator", CONTRACTS)
    assert not {t for t in stored_tables() if t in made_from(t, CONTRACTS)}
