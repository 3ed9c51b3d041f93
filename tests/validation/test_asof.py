"""The as-of state of a record type, day by day, from hand-made batches."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from expectations.contract import contract_for
from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.validation.batches import Row, state, stored, write_batch
from warehouse.asof import LostStateError, make_valid

AID = contract_for("temporary_aid")
D1, D2, D3 = date(2026, 11, 1), date(2026, 11, 2), date(2026, 11, 3)
PARTS = ("accepted", "unchanged", "superseded", "withdrawn", "quarantined")


def aid(key: str, at: str = "2026-11-01T09:00:00+08:00", **more: Any) -> Row:
    return {
        "aid_id": key, "id_number": "610921198001010010", "name": "徐某", "aid_type": "illness",
        "amount": 500.25,
        "paid_on": "2026-10-30", "updated_at": at, **more,
    }  # fmt: skip


def many(count: int, prefix: str = "a") -> list[Row]:
    return [aid(f"{prefix}{n:03d}") for n in range(count)]


def run(engine: Engine, lake: Lake, day: date) -> dict[str, Any]:
    ledger = make_valid(engine, lake, AID, day)
    today = ledger["today"]
    assert today is None or today["received"] == sum(today[part] for part in PARTS)
    assert (
        ledger["in_force"]
        == ledger["in_force_before"] + ledger["new_keys"] - ledger["withdrawn_keys"]
    )
    return ledger


def test_a_first_batch_lands_and_is_in_force(engine: Engine, lake: Lake) -> None:
    batch = write_batch(lake, AID, D1, [aid("a1"), aid("a2", amount=7)], page=1)
    ledger = run(engine, lake, D1)
    assert ledger["today"] == {
        "received": 2,
        "accepted": 2,
        "unchanged": 0,
        "superseded": 0,
        "withdrawn": 0,
        "quarantined": 0,
    }
    assert (ledger["state"], ledger["age_days"], ledger["batch_id"], ledger["in_force"]) == (
        "ok",
        0,
        batch,
        2,
    )
    assert ledger["watermark"] == "2026-11-01T23:59:59.999999+08:00"
    rows = state(
        engine,
        lake,
        AID,
        D1,
        "aid_id, amount::varchar, updated_at::varchar, _batch_id, _arrived_on::varchar,"
        " _is_conflict",
    )
    assert rows == [
        ("a1", "500.25", "2026-11-01 09:00:00", batch, "2026-11-01", False),
        ("a2", "7.00", "2026-11-01 09:00:00", batch, "2026-11-01", False),
    ]
    assert engine.scalar("select count(*) from valid_civil_affairs__temporary_aid") == 2
    assert all(rule["could_run"] for rule in ledger["rules"])


def test_updates_repeats_and_withdrawals(engine: Engine, lake: Lake) -> None:
    write_batch(lake, AID, D1, [aid("a1"), aid("a2"), aid("a3"), aid("a4")])
    run(engine, lake, D1)
    later = "2026-11-02T10:00:00+08:00"
    write_batch(
        lake,
        AID,
        D2,
        [
            aid("a1"),
            aid("a2", later, amount=9),
            aid("a3", later, _op="D"),
            aid("a4", "2026-10-01T00:00:00+08:00", amount=1),
            aid("a5", later),
            aid("a6", later, _op="D"),
        ],
        since="2026-10-31T23:59:59.999999+08:00",
    )
    ledger = run(engine, lake, D2)
    assert ledger["today"] == {
        "received": 6,
        "accepted": 2,
        "unchanged": 1,
        "superseded": 1,
        "withdrawn": 2,
        "quarantined": 0,
    }
    assert (ledger["new_keys"], ledger["withdrawn_keys"], ledger["in_force"]) == (1, 1, 4)
    assert state(engine, lake, AID, D2, "aid_id, amount::varchar, _arrived_on::varchar") == [
        ("a1", "500.25", "2026-11-01"),
        ("a2", "9.00", "2026-11-02"),
        ("a4", "500.25", "2026-11-01"),
        ("a5", "500.25", "2026-11-02"),
    ]
    tombstones = stored(
        engine,
        lake,
        "withdrawn",
        AID,
        D2,
        "select aid_id, _withdrawn_at::varchar from t order by 1",
    )
    assert tombstones == [("a3", "2026-11-02 10:00:00"), ("a6", "2026-11-02 10:00:00")]

    write_batch(
        lake,
        AID,
        D3,
        [aid("a3", "2026-11-03T08:00:00+08:00", amount=3), aid("a6", "2026-11-01T08:00:00+08:00")],
        since=later,
    )
    ledger = run(engine, lake, D3)
    assert ledger["today"]["accepted"] == 1
    assert ledger["today"]["superseded"] == 1
    assert [key for (key,) in state(engine, lake, AID, D3, "aid_id")] == [
        "a1",
        "a2",
        "a3",
        "a4",
        "a5",
    ]
    assert stored(engine, lake, "withdrawn", AID, D3, "select aid_id from t order by 1") == [
        ("a6",)
    ]


def test_a_bad_row_waits_in_quarantine_until_corrected(engine: Engine, lake: Lake) -> None:
    write_batch(lake, AID, D1, many(40))
    run(engine, lake, D1)
    later, last = "2026-11-02T10:00:00+08:00", "2026-11-03T10:00:00+08:00"
    good = [aid(f"b{n}", later) for n in range(40)]
    write_batch(
        lake,
        AID,
        D2,
        [*good, aid("a001", later, amount="viel", aid_type="xx"), aid("new", later, paid_on=None)],
        since=later,
    )
    ledger = run(engine, lake, D2)
    assert ledger["today"]["quarantined"] == 2
    assert (ledger["no_good_version"], ledger["open_quarantine"]) == (1, 2)
    assert state(engine, lake, AID, D2, "_quarantined_at::varchar")[1] == ("2026-11-02 10:00:00",)
    quarantined = stored(
        engine,
        lake,
        "quarantine",
        AID,
        D2,
        "select record_key, rules, times_seen, _row, raw from t order by 1",
    )
    assert [row[:4] for row in quarantined] == [
        ("a001", ["codes:aid_type", "type:amount"], 1, 41),
        ("new", ["required:paid_on"], 1, 42),
    ]
    assert '"amount":"viel"' in quarantined[0][4]

    write_batch(
        lake, AID, D3, [aid("a001", last), aid("new", later, paid_on=None), *good], since=later
    )
    ledger = run(engine, lake, D3)
    assert ledger["open_quarantine"] == 1
    assert stored(
        engine,
        lake,
        "quarantine",
        AID,
        D3,
        "select record_key, times_seen, first_seen_on::varchar from t",
    ) == [("new", 2, "2026-11-02")]
    assert state(engine, lake, AID, D3, "_quarantined_at")[1] == (None,)


def test_a_day_without_a_batch_is_carried_forward_and_ages(engine: Engine, lake: Lake) -> None:
    ledger = run(engine, lake, D1)
    assert (ledger["state"], ledger["in_force"], ledger["today"]) == ("missing", 0, None)
    assert state(engine, lake, AID, D1) == []
    write_batch(lake, AID, D1, [aid("a1")])
    run(engine, lake, D1)
    far = date(2026, 11, 20)
    lake.write_note(
        "raw",
        AID.table,
        far,
        {"batches": [], "failure": {"kind": "transient", "reason": "reset", "message": "down"}},
    )
    ledger = run(engine, lake, far)
    assert (ledger["state"], ledger["age_days"], ledger["in_force"], ledger["today"]) == (
        "stale",
        19,
        1,
        None,
    )
    assert ledger["failure"]["reason"] == "reset"
    assert ledger["watermark"].startswith("2026-11-01")


def test_a_full_delivery_withdraws_what_it_lacks_and_brings_back_what_returns(
    engine: Engine, lake: Lake
) -> None:
    write_batch(lake, AID, D1, [aid("a1"), aid("a2"), aid("a3")], form="file", delivery="full")
    run(engine, lake, D1)
    write_batch(lake, AID, D2, [aid("a1")], form="file", delivery="full")
    ledger = run(engine, lake, D2)
    assert (ledger["withdrawn_keys"], ledger["in_force"]) == (2, 1)
    write_batch(lake, AID, D3, [aid("a1"), aid("a2")], form="file", delivery="full")
    ledger = run(engine, lake, D3)
    assert (ledger["new_keys"], ledger["in_force"]) == (1, 2)
    assert stored(engine, lake, "withdrawn", AID, D3, "select aid_id from t") == [("a3",)]


def test_keys_that_the_source_no_longer_has_are_withdrawn(engine: Engine, lake: Lake) -> None:
    write_batch(lake, AID, D1, [aid("a1"), aid("a2")], form="sql")
    run(engine, lake, D1)
    write_batch(
        lake,
        AID,
        D2,
        [aid("a3", "2026-11-02T10:00:00+08:00")],
        form="sql",
        since="2026-11-01T00:00:00+08:00",
        keys=["a2", "a3"],
    )
    ledger = run(engine, lake, D2)
    assert (ledger["withdrawn_keys"], ledger["new_keys"], ledger["in_force"]) == (1, 1, 2)
    assert [key for (key,) in state(engine, lake, AID, D2, "aid_id")] == ["a2", "a3"]
    write_batch(
        lake, AID, D3, [], form="sql", since="2026-11-02T00:00:00+08:00", keys=["a1", "a2", "a3"]
    )
    ledger = run(engine, lake, D3)
    assert (ledger["withdrawn_keys"], ledger["new_keys"], ledger["in_force"]) == (0, 1, 3)
    assert state(engine, lake, AID, D3, "aid_id, _arrived_on")[0] == ("a1", D3)
    assert stored(engine, lake, "withdrawn", AID, D3, "select count(*) from t") == [(0,)]


def test_a_batch_that_cannot_be_read_is_rejected_and_the_state_stands(
    engine: Engine, lake: Lake
) -> None:
    write_batch(lake, AID, D1, [aid("a1")])
    run(engine, lake, D1)
    batch = write_batch(lake, AID, D2, [aid("a2")])
    (lake.table("raw", AID.table) / batch / "page-00001.json").write_text("<html>login</html>")
    ledger = run(engine, lake, D2)
    assert (ledger["in_force"], ledger["today"], ledger["age_days"]) == (1, None, 1)
    assert ledger["rejected"]["batch_id"] == batch
    assert "cannot be parsed" in ledger["rejected"]["reasons"][0]
    shutil.rmtree(lake.table("raw", AID.table) / batch)
    assert "no readable manifest" in run(engine, lake, D2)["rejected"]["reasons"][0]


def test_a_state_that_is_gone_is_no_empty_state(engine: Engine, lake: Lake) -> None:
    write_batch(lake, AID, D1, [aid("a1")])
    run(engine, lake, D1)
    shutil.rmtree(lake.table("valid", AID.table) / f"as_of={D1}")
    with pytest.raises(LostStateError, match="run 2026-11-01 again"):
        run(engine, lake, D2)


@pytest.mark.parametrize("layer", ["valid", "withdrawn", "quarantine"])
def test_a_day_killed_while_it_is_made_anew_does_not_count(
    engine: Engine, lake: Lake, monkeypatch: pytest.MonkeyPatch, layer: str
) -> None:
    """Today is made twice, the second time not to its end: tomorrow stands on yesterday, and
    catches up.
    """
    write_batch(lake, AID, D1, [aid("a1")])
    run(engine, lake, D1)
    later = "2026-11-02T10:00:00+08:00"
    write_batch(lake, AID, D2, [aid("a2", later)], since=D1.isoformat() + "T00:00:00+08:00")
    run(engine, lake, D2)
    write_batch(
        lake,
        AID,
        D2,
        [aid("a3", later), aid("a1", later, _op="D"), aid("a4", later, amount=None)],
        number=2,
        since=D1.isoformat() + "T00:00:00+08:00",
    )
    rename = os.rename

    def killed(source: Path, target: Path) -> None:
        rename(source, target)
        if f"/{layer}/" in str(target):
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        make_valid(engine, lake, AID, D2)
    monkeypatch.undo()
    ledger = run(engine, lake, D3)
    assert (ledger["in_force"], ledger["in_force_before"], ledger["watermark"]) == (
        1,
        1,
        "2026-11-01T23:59:59.999999+08:00",
    )


def test_unlike_versions_of_one_key_and_time_are_marked(engine: Engine, lake: Lake) -> None:
    rows = [
        aid("a1", amount=1),
        aid("a1", amount=2),
        aid("a2"),
        aid("a2"),
        aid("a3", amount=5),
        aid("a3", "2026-10-01T00:00:00+08:00"),
    ]
    write_batch(lake, AID, D1, rows)
    ledger = run(engine, lake, D1)
    assert ledger["today"] == {
        "received": 6,
        "accepted": 3,
        "unchanged": 1,
        "superseded": 2,
        "withdrawn": 0,
        "quarantined": 0,
    }
    assert state(engine, lake, AID, D1, "aid_id, amount::varchar, _is_conflict") == [
        ("a1", "2.00", True),
        ("a2", "500.25", False),
        ("a3", "5.00", False),
    ]
    warned = {
        rule["rule"]: rule["unexpected_count"]
        for rule in ledger["rules"]
        if not rule["passed"] and rule["rule"].startswith("batch")
    }
    assert warned == {"batch:unique_key": 3, "batch:unique_version": 2}


def test_too_many_bad_rows_reject_the_batch(engine: Engine, lake: Lake) -> None:
    write_batch(lake, AID, D1, [aid("a1")])
    run(engine, lake, D1)
    batch = write_batch(
        lake, AID, D2, [*many(18, "b"), aid("c1", amount=None), aid("c2", amount=None)]
    )
    ledger = run(engine, lake, D2)
    assert ledger["rejected"]["batch_id"] == batch
    assert "2 of 20 rows are bad" in ledger["rejected"]["reasons"][0]
    assert ledger["state"] == "rejected"
    assert (ledger["today"], ledger["in_force"], ledger["age_days"]) == (None, 1, 1)
    assert ledger["watermark"].startswith("2026-11-01")
