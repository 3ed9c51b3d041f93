"""A day before the first one for which a source was read cannot be known, and says so."""

from __future__ import annotations

from datetime import date
from typing import Any

from assets.valid import valid_checks
from expectations.contract import BASE_REGISTER, Contract, contract_for
from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.validation.batches import write_batch
from tests.validation.test_asof import aid
from warehouse.asof import make_valid
from warehouse.graph.inputs import LakeInputs, earlier_day
from warehouse.known import county_known_from, known_from, ledger_before, stands_on
from warehouse.sources import next_step

AID, HOUSEHOLDS = contract_for("temporary_aid"), contract_for("households")
EARLIER, EARLY, FIRST, NEXT = (date(2026, 11, day) for day in (3, 4, 9, 10))


def household(number: str) -> dict[str, Any]:
    found = {
        "household_id": number,
        "head_id_number": "610921198001010010",
        "head_name": "徐某",
        "area_code": "610921104201",
        "household_type": "1",
        "monitor_class": "0",
        "updated_at": "2026-11-01T09:00:00+08:00",
    }
    return {field.name: found.get(field.name) for field in HOUSEHOLDS.fields} | found


def made(engine: Engine, lake: Lake, contract: Contract, day: date, *rows: Any) -> dict[str, Any]:
    if rows:
        write_batch(lake, contract, day, rows)
    return make_valid(engine, lake, contract, day)


def fresh(ledger: dict[str, Any]) -> tuple[bool, str]:
    found = {check.check_name: check for check in valid_checks(ledger)}["fresh"]
    return found.passed, found.severity.value


def test_what_was_not_read_yet_is_missing_on_earlier_days(engine: Engine, lake: Lake) -> None:
    made(engine, lake, AID, FIRST, aid("a1"))
    assert known_from(lake, AID.table) == FIRST
    before = made(engine, lake, AID, EARLY, aid("a0"))
    assert (before["state"], before["in_force"], before["age_days"]) == ("missing", 0, None)
    assert fresh(before) == (False, "ERROR")
    assert "first read for 2026-11-09" in str(next_step(before))
    again = made(engine, lake, AID, FIRST)
    assert (again["state"], again["in_force"], again["in_force_before"]) == ("ok", 1, 0)
    assert fresh(again) == (True, "WARN")


def test_an_earlier_day_of_the_register_is_incomplete_and_nothing_stands_on_it(
    engine: Engine, lake: Lake
) -> None:
    assert HOUSEHOLDS.department == BASE_REGISTER
    first = made(engine, lake, HOUSEHOLDS, FIRST, household("H1"), household("H2"))
    before = made(engine, lake, HOUSEHOLDS, EARLY, household("H1"))
    assert before["state"] == "incomplete"
    assert fresh(before) == (False, "ERROR")
    assert county_known_from(lake) == FIRST
    # the day again: what it had, from nothing, and not upon the half county
    again = made(engine, lake, HOUSEHOLDS, FIRST)
    assert {part: again[part] for part in ("state", "today", "in_force_before")} == {
        part: first[part] for part in ("state", "today", "in_force_before")
    }
    assert stands_on(lake, HOUSEHOLDS.table, FIRST) is None
    assert ledger_before(lake, HOUSEHOLDS.table, FIRST) is None
    assert stands_on(lake, HOUSEHOLDS.table, NEXT) == FIRST
    # an unknown day stands on what there is before it
    assert made(engine, lake, HOUSEHOLDS, EARLIER, household("H1"))["state"] == "incomplete"
    assert stands_on(lake, HOUSEHOLDS.table, EARLY) == EARLIER


def test_nothing_is_compared_with_a_day_that_cannot_be_known(engine: Engine, lake: Lake) -> None:
    for day in (EARLY, FIRST):
        lake.write(engine, "flags", "warning_flag", day, "select 'H1' as household_id", "1")
    inputs = LakeInputs(lake, {})
    assert earlier_day(inputs, "warning_flag", FIRST) == EARLY
    made(engine, lake, HOUSEHOLDS, FIRST, household("H1"))
    made(engine, lake, HOUSEHOLDS, EARLY, household("H1"))
    assert earlier_day(inputs, "warning_flag", FIRST) is None
    assert earlier_day(inputs, "warning_flag", NEXT) == FIRST


def test_days_that_were_read_in_order_are_whole(engine: Engine, lake: Lake) -> None:
    """As by `make sync FROM=… TO=…`, also where the first answer had to be looked at."""
    write_batch(lake, AID, EARLY, [], delivery="full")
    rejected = make_valid(engine, lake, AID, EARLY)
    assert rejected["rejected"] is not None
    assert known_from(lake, AID.table) == EARLY
    assert made(engine, lake, AID, FIRST, aid("a1"))["state"] == "ok"
    assert known_from(lake, AID.table) == EARLY


def test_ledgers_of_an_older_code_tell_it_too(engine: Engine, lake: Lake) -> None:
    made(engine, lake, AID, FIRST, aid("a1"))
    note = lake.read_note("ledger", AID.table, FIRST)
    assert note is not None
    del note["known_from"]
    lake.write_note("ledger", AID.table, FIRST, note)
    assert known_from(lake, AID.table) == FIRST
