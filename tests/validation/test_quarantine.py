"""The quarantine at work: gates, replays, corrections, and whose rows they are."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from expectations.contract import CONTRACTS, Contract, contract_for, read_contract
from expectations.gate import GateError, open_gate
from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.validation.batches import Row, state, stored, write_batch
from tests.validation.rows import good_row, id_number
from tests.validation.test_asof import D1, D2, D3, aid, many
from warehouse.asof import make_valid
from warehouse.quarantine import list_quarantine, write_corrections
from warehouse.replay import request_replay

AID = contract_for("temporary_aid")
CERTIFICATES = contract_for("certificates")


def spoilt(count: int, **broken: Any) -> list[Row]:
    """40 good rows and `count` bad ones."""
    return [*many(40), *(aid(f"bad{n}", **broken) for n in range(count))]


def open_rows(engine: Engine, lake: Lake, day: date) -> list[tuple[Any, ...]]:
    return stored(
        engine,
        lake,
        "quarantine",
        AID,
        day,
        "select record_key, rules, times_seen, batch_id from t order by 1",
    )


def test_a_gate_opened_by_name_and_reason_lets_the_good_rows_through(
    engine: Engine, lake: Lake
) -> None:
    batch = write_batch(lake, AID, D1, spoilt(10, aid_type="??"))
    assert make_valid(engine, lake, AID, D1)["state"] == "missing"
    with pytest.raises(GateError, match="BY="):
        open_gate(lake.root, AID.table, batch, " ", "they will be corrected next week")
    with pytest.raises(GateError, match="no batch"):
        open_gate(lake.root, AID.table, "aid-1", "Li", "they will be corrected next week")
    open_gate(lake.root, AID.table, batch, "Li", "they will be corrected next week")
    ledger = make_valid(engine, lake, AID, D1)
    assert (ledger["today"]["accepted"], ledger["today"]["quarantined"], ledger["rejected"]) == (
        40,
        10,
        None,
    )
    assert ledger["batches"][0]["gate"]["who"] == "Li"
    assert [
        rule["rule"]
        for rule in ledger["rules"]
        if not rule["passed"] and rule["rule"].startswith("batch")
    ] == ["batch:bad_share"]


def looser(tmp_path: Path) -> Contract:
    """temporary_aid with one code more."""
    path = tmp_path / "civil_affairs" / "temporary_aid.odcs.yaml"
    path.parent.mkdir(parents=True)
    text = (CONTRACTS / "civil_affairs" / "temporary_aid.odcs.yaml").read_text()
    path.write_text(
        text.replace(
            "      - code: other\n", "      - code: other\n      - code: drought\n"
        ).replace("version: 1.0.0", "version: 1.1.0")
    )
    return read_contract(path)


def test_a_replay_after_a_contract_change_brings_rows_in(
    engine: Engine, lake: Lake, tmp_path: Path
) -> None:
    write_batch(
        lake,
        AID,
        D1,
        [*spoilt(1, aid_type="drought"), aid("worse", aid_type="drought", amount=None)],
    )
    make_valid(engine, lake, AID, D1)
    make_valid(engine, lake, AID, D2)
    contract = looser(tmp_path)
    assert request_replay(engine, lake, contract, D3) == 2
    for _ in range(2):
        ledger = make_valid(engine, lake, contract, D3)
        assert ledger["replayed"] == {
            "received": 2,
            "accepted": 1,
            "unchanged": 0,
            "superseded": 0,
            "withdrawn": 0,
            "quarantined": 1,
        }
        assert (
            ledger["new_keys"],
            ledger["in_force"],
            ledger["today"],
            ledger["contract_version"],
        ) == (1, 41, None, "1.1.0")
        assert open_rows(engine, lake, D3) == [
            ("worse", ["required:amount"], 1, "temporary_aid-20261101-01")
        ]
        assert ("bad0", "drought", D3) in state(
            engine, lake, contract, D3, "aid_id, aid_type, _arrived_on"
        )


def test_a_row_that_keeps_coming_is_one_row_seen_more_often(engine: Engine, lake: Lake) -> None:
    for day in (D1, D2, D3):
        write_batch(lake, AID, day, spoilt(1, amount="viel"), since="2026-10-31T00:00:00+08:00")
        make_valid(engine, lake, AID, day)
    assert open_rows(engine, lake, D3) == [
        ("bad0", ["type:amount"], 3, "temporary_aid-20261103-01")
    ]
    line = list_quarantine(engine, lake, [AID], D3)[0]
    assert (line.department, line.records, line.rule, line.rows) == (
        "civil_affairs",
        "temporary_aid",
        "type:amount",
        1,
    )
    assert (line.first_seen_on, line.last_seen_on, line.times_seen) == (D1, D3, 3)


def test_a_withdrawal_and_a_full_delivery_close_rows(engine: Engine, lake: Lake) -> None:
    write_batch(lake, AID, D1, [*spoilt(1, amount=None), aid(" ", amount=1)])
    assert make_valid(engine, lake, AID, D1)["open_quarantine"] == 2
    later = "2026-11-02T08:00:00+08:00"
    write_batch(lake, AID, D2, [aid("bad0", later, _op="D")], since=later)
    assert make_valid(engine, lake, AID, D2)["open_quarantine"] == 1
    write_batch(lake, AID, D3, many(40), form="file", delivery="full")
    assert make_valid(engine, lake, AID, D3)["open_quarantine"] == 0


def test_a_row_that_the_source_no_longer_has_is_closed(engine: Engine, lake: Lake) -> None:
    write_batch(lake, AID, D1, spoilt(2, amount=None), form="sql")
    make_valid(engine, lake, AID, D1)
    keys = [row["aid_id"] for row in spoilt(1)]
    write_batch(lake, AID, D2, [], form="sql", since="2026-11-01T00:00:00+08:00", keys=keys)
    make_valid(engine, lake, AID, D2)
    assert [row[0] for row in open_rows(engine, lake, D2)] == ["bad0"]


def test_a_gate_opened_on_a_missing_column_lets_no_broken_row_through(
    engine: Engine, lake: Lake
) -> None:
    columns = [field.physical_name for field in AID.fields if field.name != "paid_on"]
    batch = write_batch(lake, AID, D1, [aid("a1", paid_on=None)], columns=columns)
    open_gate(lake.root, AID.table, batch, "Li", "the column comes next week")
    ledger = make_valid(engine, lake, AID, D1)
    assert (ledger["in_force"], ledger["today"]["quarantined"]) == (0, 1)


def test_a_bad_row_of_a_full_delivery_keeps_its_key_in_force(engine: Engine, lake: Lake) -> None:
    write_batch(lake, AID, D1, many(40), form="file", delivery="full")
    make_valid(engine, lake, AID, D1)
    later = "2026-11-02T08:00:00+08:00"
    write_batch(
        lake, AID, D2, [*many(40)[1:], aid("a000", later, amount="?")], form="file", delivery="full"
    )
    ledger = make_valid(engine, lake, AID, D2)
    assert (ledger["in_force"], ledger["withdrawn_keys"], ledger["no_good_version"]) == (40, 0, 0)
    assert state(engine, lake, AID, D2, "aid_id, amount::varchar, _quarantined_at::varchar")[0] == (
        "a000",
        "500.25",
        "2026-11-02 08:00:00",
    )


def test_a_bad_version_older_than_the_one_in_force_is_counted_and_not_kept(
    engine: Engine, lake: Lake
) -> None:
    write_batch(lake, AID, D1, [aid("a1", "2026-11-01T10:00:00+08:00")])
    make_valid(engine, lake, AID, D1)
    write_batch(lake, AID, D2, [*many(40), aid("a1", "2026-10-20T10:00:00+08:00", amount=None)])
    ledger = make_valid(engine, lake, AID, D2)
    assert (ledger["today"]["quarantined"], ledger["open_quarantine"]) == (1, 0)


def test_the_correction_file_names_keys_and_rules_and_no_identity(
    engine: Engine, lake: Lake, tmp_path: Path
) -> None:
    write_batch(lake, AID, D1, [*spoilt(1, amount="viel", paid_on=None), *many(40, "c")])
    make_valid(engine, lake, AID, D1)
    rows = [good_row(CERTIFICATES, n) for n in range(40)]
    write_batch(
        lake,
        CERTIFICATES,
        D1,
        [*rows, good_row(CERTIFICATES, 50) | {"level": "9"}],
        form="file",
        delivery="full",
    )
    make_valid(engine, lake, CERTIFICATES, D1)
    files = write_corrections(engine, lake, [AID, CERTIFICATES], D1, tmp_path / "out")
    assert [file.name for file in files] == [
        "civil_affairs_corrections_20261101.csv",
        "disability_federation_corrections_20261101.csv",
    ]
    with files[0].open(encoding="utf-8-sig") as file:
        lines = list(csv.DictReader(file))
    assert [(line["record_key"], line["row"], line["rule"], line["column"]) for line in lines] == [
        ("bad0", "41", "required:paid_on", "paid_on"),
        ("bad0", "41", "type:amount", "amount"),
    ]
    text = files[1].read_text(encoding="utf-8-sig")
    assert "certificates,,certificates-20261101-01,41,codes:level,残疾等级" in text
    assert "不在代码表内: one of 1; 2; 3; 4" in text
    assert [line["what_is_wrong"] for line in lines] == [
        "必填项为空: a value is required",
        "类型不符: decimal(16,2) expected",
    ]
    assert not [n for n in range(60) if id_number(n) in text]


def test_no_cell_of_a_correction_file_is_a_formula(
    engine: Engine, lake: Lake, tmp_path: Path
) -> None:
    keys = [
        "=HYPERLINK(http://evil.example)",
        "+cmd|x!A0",
        "-2+3+cmd|x!A0",
        "@SUM(A1)",
        " =1+1",
        "＝1+1",
        "a=1",
    ]
    write_batch(lake, AID, D1, [*(aid(key, amount="viel") for key in keys), *many(200, "c")])
    make_valid(engine, lake, AID, D1)
    (path,) = write_corrections(engine, lake, [AID], D1, tmp_path / "out")
    with path.open(encoding="utf-8-sig") as file:
        lines = list(csv.DictReader(file))
    told = [line["record_key"] for line in lines]
    assert "a=1" in told
    assert {key.strip("' ") for key in told} == {key.strip() for key in keys}
    assert not [
        cell
        for line in lines
        for cell in line.values()
        if cell.lstrip()[:1] in ("=", "+", "-", "@", "＝")
    ]


def test_no_identity_leaves_valid_raw_and_quarantine(
    engine: Engine,
    lake: Lake,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(0)
    sound = [good_row(CERTIFICATES, n) for n in range(60)]
    bad = [
        good_row(CERTIFICATES, 70) | {"level": "9"},
        good_row(CERTIFICATES, 71) | {"issued_on": id_number(71)},
    ]
    write_batch(lake, CERTIFICATES, D1, [*sound, *bad], form="file", delivery="full")
    make_valid(engine, lake, CERTIFICATES, D1)
    worse = [row | {"status": "徐某"} for row in sound]
    write_batch(lake, CERTIFICATES, D2, worse, form="file", delivery="full")
    assert make_valid(engine, lake, CERTIFICATES, D2)["rejected"]
    write_corrections(engine, lake, [CERTIFICATES], D2, tmp_path / "out")
    said = (
        caplog.text
        + "".join(capfd.readouterr())
        + repr(list_quarantine(engine, lake, [CERTIFICATES], D2))
    )
    said += "".join(
        file.read_text() for file in lake.table("ledger", CERTIFICATES.table).rglob("*.json")
    )
    said += "".join(file.read_text() for file in (tmp_path / "out").iterdir())
    said += "".join(str(file) for file in lake.root.rglob("*"))
    assert not [n for n in range(80) if id_number(n) in said]
    assert "某" not in said
    made = [*lake.root.rglob("as_of=*/*/*.parquet"), *lake.root.rglob("rows.parquet")]
    assert {file.stat().st_mode & 0o777 for file in made} == {0o600}
