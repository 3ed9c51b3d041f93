"""The face of a batch, and what is unusual in one: a silent town, an emptied column, a jumped
number are found, chance is not.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from expectations.contract import Contract, contract_for
from resources.engines.duckdb import Engine
from resources.lake import Lake
from sandbox.county import County
from tests.conftest import Show
from tests.validation.batches import Row, days, write_batch
from tests.validation.quiet import QUIET, Quiet, measure
from tests.validation.rows import good_row, id_number
from warehouse.asof import make_valid
from warehouse.batch_profile import BatchProfile, town_link
from warehouse.ledger import profiles_before
from warehouse.unusual import ENOUGH, RUNS, unusual

AID, HOUSEHOLDS, MEMBERS = (
    contract_for("temporary_aid"),
    contract_for("households"),
    contract_for("members"),
)
CERTIFICATES, REPORTS, CASES = (
    contract_for("certificates"),
    contract_for("reports"),
    contract_for("cases"),
)
DAY = date(2026, 11, 16)
TOWNS = [f"6109211{n:02d}" for n in range(12)]


# measuring


def in_force(
    engine: Engine, lake: Lake, contract: Contract, day: date, rows: Sequence[Row], **manifest: Any
) -> dict[str, Any]:
    write_batch(lake, contract, day, rows, **manifest)
    ledger = make_valid(engine, lake, contract, day)
    assert ledger["rejection"] is None
    return ledger


def face_in(ledger: dict[str, Any]) -> BatchProfile:
    found: BatchProfile = ledger["batches"][-1]["face"]
    return found


def register(engine: Engine, lake: Lake, day: date, count: int = 40, towns: int = 2) -> None:
    """Households in a few towns, a member each: number n lives in town n % towns."""
    households = [
        good_row(HOUSEHOLDS, n) | {"household_id": f"H{n}", "area_code": f"61092110{n % towns}001"}
        for n in range(count)
    ]
    members = [good_row(MEMBERS, n) | {"household_id": f"H{n}"} for n in range(count)]
    in_force(engine, lake, HOUSEHOLDS, day, households)
    in_force(engine, lake, MEMBERS, day, members)


def test_a_face_says_what_a_batch_looks_like_and_names_nobody(engine: Engine, lake: Lake) -> None:
    register(engine, lake, DAY - timedelta(days=1))
    rows = [
        good_row(AID, n) | {"amount": 100 + n, "aid_type": AID.field("aid_type").codes[n % 2].code}
        for n in range(30)
    ]
    rows[0] |= {"id_number": id_number(700)}  # nobody in the register
    rows[1] |= {"name": None, "aid_type": "??"}
    face = face_in(in_force(engine, lake, AID, DAY, rows))
    assert (face["rows"], face["towns"]) == (30, {"610921100": 14, "610921101": 15})
    amount = face["columns"]["amount"]
    assert amount == {
        "empty": 0,
        "unknown": 0,
        "smallest": 100,
        "largest": 129,
        "middle": 114.5,
        "behind": 30,
    }
    assert face["columns"]["aid_type"] == {"empty": 0, "unknown": round(1 / 30, 6), "codes": 3}
    assert face["columns"]["name"] == {"empty": round(1 / 30, 6), "unknown": 0}
    assert face["columns"]["paid_on"]["largest"] == "2026-10-01"
    assert "aid_id" not in face["columns"]
    assert not [n for n in range(40) if id_number(n) in repr(face)]
    assert "某" not in repr(face)


def test_few_rows_leave_no_value(engine: Engine, lake: Lake) -> None:
    rows = [good_row(AID, n) | {"amount": 100 + n} for n in range(19)]
    assert face_in(in_force(engine, lake, AID, DAY, rows))["columns"]["amount"] == {
        "empty": 0,
        "unknown": 0,
    }


def test_a_withdrawal_is_no_part_of_a_face_and_nothing_has_one(engine: Engine, lake: Lake) -> None:
    rows = [good_row(AID, n) for n in range(3)]
    in_force(engine, lake, AID, DAY, rows)
    later = "2026-11-17T09:00:00+08:00"
    ledger = in_force(
        engine,
        lake,
        AID,
        DAY + timedelta(days=1),
        [rows[0] | {"_op": "D", "updated_at": later}],
        since=later,
    )
    assert face_in(ledger) == {"rows": 0, "towns": {}, "columns": {}}


@pytest.mark.parametrize(
    ("contract", "link"),
    [
        (HOUSEHOLDS, ("area", "area_code")), (MEMBERS, ("household", "household_id")),
        (CASES, ("household", "household_id")),
        (AID, ("person", "id_number")), (CERTIFICATES, ("person", "certificate_no")),
    ],
)  # fmt: skip
def test_how_a_row_finds_its_town(contract: Contract, link: tuple[str, str]) -> None:
    assert town_link(contract) == link


# comparing


def quiet_face(
    chance: random.Random, rows: int = 60, level: float = 1.0, **columns: Any
) -> BatchProfile:
    """A face as chance makes it: some rows a town, a column that is a tenth empty, amounts around
    500.
    """
    towns = {
        town: sum(chance.random() < rows * level / 1000 for _ in range(1000)) for town in TOWNS
    }
    total = sum(towns.values())
    empty = sum(chance.random() < 0.1 for _ in range(total)) / max(total, 1)
    amounts = sorted(chance.lognormvariate(6.2, 0.8) for _ in range(max(total, 1)))
    column = {
        "empty": empty,
        "unknown": 0.0,
        "smallest": amounts[0],
        "largest": amounts[-1],
        "middle": amounts[total // 2],
        "behind": total,
    }
    return {"rows": total, "towns": towns, "columns": {"amount": column | columns}}


def before(
    chance: random.Random, count: int = RUNS, **more: Any
) -> list[tuple[date, BatchProfile]]:
    return [(DAY - timedelta(days=7 * n), quiet_face(chance, **more)) for n in range(count, 0, -1)]


def keys(face: BatchProfile, runs: Sequence[tuple[date, BatchProfile]]) -> list[str]:
    return [finding.key for finding in unusual(face, runs, DAY)]


@pytest.mark.parametrize("count", [1, ENOUGH - 1, ENOUGH, RUNS])
def test_chance_is_not_unusual(count: int) -> None:
    chance = random.Random(20261116 + count)
    lines = [keys(quiet_face(chance), before(chance, count)) for _ in range(40)]
    assert sum(map(len, lines)) <= 4, lines


@pytest.mark.parametrize("count", [2, RUNS])
def test_faults_are_found_with_their_expected_range(count: int) -> None:
    found = {"town": 0, "emptied": 0, "jumped": 0}
    for seed in range(40):
        chance = random.Random(seed)
        runs, now = before(chance, count), quiet_face(chance)
        silent = chance.choice(TOWNS)
        findings = unusual({**now, "towns": {**now["towns"], silent: 0}}, runs, DAY)
        found["town"] += any(
            f.key == f"town:{silent}" and f"rows of town {silent}: 0, expected " in f.said
            for f in findings
        )
        column = now["columns"]["amount"]
        found["emptied"] += "amount:empty" in keys(
            {**now, "columns": {"amount": {"empty": 1.0, "unknown": 0.0}}}, runs
        )
        jumped = column | {
            measure: 10 * column[measure] for measure in ("smallest", "largest", "middle")
        }
        found["jumped"] += "amount:middle" in keys({**now, "columns": {"amount": jumped}}, runs)
    assert min(found.values()) >= 38, found


def test_a_county_that_has_less_to_tell_has_no_silent_town() -> None:
    chance = random.Random(5)
    runs = before(chance)
    assert keys(quiet_face(chance, level=0.5), runs) == []
    half = quiet_face(chance, level=0.5)
    half["towns"][TOWNS[3]] = 0
    assert keys(half, runs) == [f"town:{TOWNS[3]}"]


def test_a_small_town_is_not_looked_at() -> None:
    chance = random.Random(6)
    runs, now = before(chance, rows=12), quiet_face(chance, rows=12)
    now["towns"][TOWNS[3]] = 0
    assert keys(now, runs) == []


@pytest.mark.parametrize(
    ("empty", "is_found"), [(0.12, False), (0.25, False), (0.45, True), (1.0, True)]
)
def test_how_much_emptier_is_unusual(empty: float, is_found: bool) -> None:
    chance = random.Random(7)
    assert ("amount:empty" in keys(quiet_face(chance, empty=empty), before(chance))) == is_found


def test_other_measures() -> None:
    chance = random.Random(8)
    runs = [(on, quiet_face(chance, codes=7, unknown=0.0)) for on, _ in before(chance)]
    assert keys(quiet_face(chance, codes=2, unknown=0.4), runs) == [
        "amount:unknown",
        "amount:codes",
    ]
    dated = {"empty": 0.0, "unknown": 0.0}
    runs = [
        (on, quiet_face(chance, **dated, smallest="2026-01-01", largest=on.isoformat()))
        for on, _ in before(chance)
    ]
    assert (
        keys(quiet_face(chance, **dated, smallest="2026-01-01", largest="2026-11-15"), runs) == []
    )
    assert keys(quiet_face(chance, **dated, smallest="1900-01-01", largest="2062-11-15"), runs) == [
        "amount:smallest",
        "amount:largest",
    ]


# which runs are compared


def kept(
    lake: Lake, contract: Contract, on: date, rows: int, delivery: str = "incremental"
) -> None:
    face = {"rows": rows, "towns": {}, "columns": {}}
    batches = [
        {"face": face, "delivery": delivery, "is_rejected": False},
        {"delivery": delivery, "is_rejected": True},
    ]
    lake.write_note("ledger", contract.table, on, {"batches": batches})


def compared(lake: Lake, contract: Contract, on: date, **manifest: Any) -> list[tuple[date, int]]:
    quiet = Quiet(None, None, lake)  # type: ignore[arg-type]
    return [
        (day, face["rows"])
        for day, face in profiles_before(quiet.day(contract, on), {"since": "x", **manifest})
    ]


def test_a_daily_source_is_compared_with_its_weekday(lake: Lake) -> None:
    for number, on in enumerate(days(DAY - timedelta(days=70), 70)):
        kept(lake, AID, on, number)
    mondays = [(DAY - timedelta(days=7 * n), 70 - 7 * n) for n in range(RUNS, 0, -1)]
    assert compared(lake, AID, DAY) == mondays
    assert compared(lake, AID, DAY, delivery="full") == []


def test_without_that_weekday_the_last_run_serves(lake: Lake) -> None:
    for number, on in enumerate(days(DAY - timedelta(days=3), 3)):
        kept(lake, AID, on, number)
    assert compared(lake, AID, DAY) == [(DAY - timedelta(days=1), 2)]


def test_other_sources_are_compared_with_their_last_runs(lake: Lake) -> None:
    for month in range(1, 12):
        kept(lake, CERTIFICATES, date(2026, month, 1), month, "full")
        lake.write_note("ledger", CERTIFICATES.table, date(2026, month, 2), {"batches": []})
    assert [rows for _, rows in compared(lake, CERTIFICATES, DAY, delivery="full")] == list(
        range(4, 12)
    )


# from batch to warning


def test_a_town_that_falls_silent_is_a_warning_and_stops_nothing(
    engine: Engine, lake: Lake
) -> None:
    register(engine, lake, DAY - timedelta(days=9), 90, 3)
    monthly = replace(AID, cadence="monthly")
    ledgers = []
    for number, on in enumerate(days(DAY - timedelta(days=8), 7)):
        here = [n for n in range(90) if number < 6 or n % 3]
        rows = [
            good_row(AID, n) | {"aid_id": f"{number}-{n}", "updated_at": f"{on}T09:00:00+08:00"}
            for n in here
        ]
        write_batch(lake, monthly, on, rows, since=f"{on}T00:00:00+08:00")
        ledgers.append(make_valid(engine, lake, monthly, on))
    assert all(
        not any(w["key"].startswith("face:") for w in ledger["warnings"]) for ledger in ledgers[:6]
    )
    last = ledgers[-1]
    assert (last["state"], last["rejection"], last["today"]["accepted"]) == ("ok", None, 60)
    assert face_in(last)["towns"] == {"610921101": 30, "610921102": 30}
    (warned,) = [w for w in last["warnings"] if w["key"].startswith("face:")]
    assert (warned["key"], warned["said"]) == (
        "face:town:610921100",
        "rows of town 610921100: 0, expected 6 to 72",
    )


def test_the_second_delivery_is_held_beside_the_first_that_came_with_the_register(
    engine: Engine, lake: Lake
) -> None:
    """No source waits for the register of its own day: the first face of all knows no towns, until
    there is a second one."""
    first, second = DAY, DAY + timedelta(days=7)
    register(engine, lake, first, 90, 3)
    ledger = in_force(
        engine, lake, AID, first, [good_row(AID, n) for n in range(90)], delivery="full"
    )
    assert (face_in(ledger)["rows"], face_in(ledger)["towns"]) == (90, {})
    later = [good_row(AID, n) for n in range(90) if n % 3 or n < 9]
    ledger = in_force(
        engine,
        lake,
        replace(AID, properties={"maxWithdrawnShare": 1}),
        second,
        later,
        delivery="full",
    )
    assert face_in(ledger)["towns"] == {"610921100": 3, "610921101": 30, "610921102": 30}
    said = [w["said"] for w in ledger["warnings"] if w["key"].startswith("face:")]
    assert said == ["rows of town 610921100: 3, expected 7 to 69"]


def test_a_run_without_towns_says_nothing_of_them() -> None:
    chance = random.Random(9)
    runs = [
        (on, {**face, "towns": {}} if number < 3 else face)
        for number, (on, face) in enumerate(before(chance))
    ]
    now = quiet_face(chance)
    assert keys(now, runs) == []
    assert keys({**now, "towns": {**now["towns"], TOWNS[3]: 0}}, runs) == [f"town:{TOWNS[3]}"]
    assert keys(now, [(on, {**face, "towns": {}}) for on, face in runs]) == []


@pytest.mark.long
def test_measured_on_sandbox_days(tmp_path: Path, show: Show) -> None:
    """At most one false line in ten quiet days; at least 95% of planted silent towns, emptied
    columns, jumped numbers found.
    """
    county = County(tmp_path / "county", 20_000, 7).make()
    engine = Engine(tmp_path / "spill", threads=2)
    told = measure(Quiet(county, engine, Lake(tmp_path / "lake")), tell=lambda line: None)
    engine.close()
    show("faces", f"{len(told.quiet)} lines on {QUIET} quiet days of 18 sources")
    for kind, planted in told.planted.items():
        show("faces", f"{kind}: {told.found(kind):.1%} of {len(planted)} found")
    assert len(told.quiet) <= 1, told.quiet
    for kind in told.planted:
        assert told.found(kind) >= 0.95, told.missed(kind)
