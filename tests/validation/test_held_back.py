"""What is held back for a named person: keys that go, columns that vanish, bad rows, a first answer
without rows; the state stands.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from expectations.contract import Contract, contract_for
from expectations.gate import open_gate
from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.validation.batches import Row, state, write_batch
from tests.validation.rows import good_row
from tests.validation.test_asof import D1, D2, D3, aid, many
from warehouse.asof import make_valid
from warehouse.ledger import STATES, state_of
from warehouse.model import render
from warehouse.quarantine import list_quarantine, list_rejected, write_corrections
from warehouse.sources import ledger_table

AID = contract_for("temporary_aid")
CERTIFICATES = contract_for("certificates")
HOUSEHOLDS = contract_for("households")
LATER, LATEST = "2026-11-02T10:00:00+08:00", "2026-11-03T10:00:00+08:00"


def full(
    lake: Lake, day: date, rows: Sequence[Row], contract: Contract = AID, **manifest: Any
) -> str:
    return write_batch(lake, contract, day, rows, form="file", delivery="full", **manifest)


def with_properties(contract: Contract, **properties: Any) -> Contract:
    return replace(contract, properties={**contract.properties, **properties})


def columns_without(contract: Contract, *fields: str) -> list[str]:
    return [field.physical_name for field in contract.fields if field.name not in fields]


def held(ledger: dict[str, Any], rule: str, rows: int | None = None) -> None:
    """The day's batch was held back by `rule`; the state stands and says what to do, without a
    value.
    """
    rejection = ledger["rejection"]
    assert rejection is not None, ledger["rules"]
    assert rejection["rule"] == rule
    assert rejection["batch_id"] == ledger["rejected"]["batch_id"]
    assert rejection["day"] == ledger["as_of"]
    assert rows is None or rejection["rows"] == rows
    assert (
        f"make open-gate RECORDS={ledger['records']} BATCH={rejection['batch_id']}"
        in rejection["next_step"]
    )
    assert ledger["table"] in rejection["reasons"][0]
    assert (ledger["today"], ledger["new_keys"], ledger["withdrawn_keys"]) == (None, 0, 0)


# keys that go


@pytest.mark.parametrize(
    ("before", "left", "is_held"),
    [
        *[
            (20, 16, False),
            (20, 15, True),
            (100, 80, False),
            (100, 79, True),
            (19, 10, False),
            (19, 9, True),
        ],
        *[(4, 2, False), (4, 1, True), (3, 1, False), (2, 1, False), (3, 0, True)],
    ],
)
def test_a_full_delivery_that_lacks_much_is_held_back(
    engine: Engine, lake: Lake, before: int, left: int, is_held: bool
) -> None:
    full(lake, D1, many(before))
    make_valid(engine, lake, AID, D1)
    full(lake, D2, many(left) if left else [aid("new")])
    ledger = make_valid(engine, lake, AID, D2)
    if is_held:
        held(ledger, "batch:withdrawn_share", before - left)
        assert f"{before - left} of {before} records would go" in ledger["rejection"]["reasons"][0]
        assert (ledger["state"], ledger["age_days"], ledger["in_force"]) == ("rejected", 1, before)
    else:
        assert (ledger["state"], ledger["rejection"], ledger["in_force"]) == ("ok", None, left)
        assert ledger["batches"][0]["lacked"] == before - left


def test_a_gate_lets_it_through_and_says_so(engine: Engine, lake: Lake) -> None:
    full(lake, D1, many(30))
    make_valid(engine, lake, AID, D1)
    batch = full(lake, D2, many(3))
    held(make_valid(engine, lake, AID, D2), "batch:withdrawn_share", 27)
    open_gate(lake.root, AID.table, batch, "Li", "the town left the county")
    ledger = make_valid(engine, lake, AID, D2)
    assert (ledger["state"], ledger["in_force"], ledger["batches"][0]["lacked"]) == ("ok", 3, 27)
    said = {warned["key"]: warned["said"] for warned in ledger["warnings"]}
    assert (
        "let through by Li (batch:withdrawn_share): the town left the county"
        in said[f"gate:{batch}"]
    )
    assert said["lacked"].startswith("27 records")


def test_the_last_state_goes_on_ageing_until_it_is_stale_too(engine: Engine, lake: Lake) -> None:
    full(lake, D1, many(30))
    make_valid(engine, lake, AID, D1)
    full(lake, D2, many(3))
    make_valid(engine, lake, AID, D2)
    far = date(2026, 11, 20)
    batch = full(lake, far, many(3))
    ledger = make_valid(engine, lake, AID, far)
    held(ledger, "batch:withdrawn_share")
    # rejected comes before stale; its age says that it is late
    assert (
        ledger["state"],
        ledger["age_days"],
        ledger["is_late"],
        ledger["rejection"]["batch_id"],
    ) == ("rejected", 19, True, batch)


def test_keys_that_a_reconciliation_lacks_are_held_back(engine: Engine, lake: Lake) -> None:
    write_batch(lake, AID, D1, many(40), form="sql")
    make_valid(engine, lake, AID, D1)
    write_batch(
        lake, AID, D2, [], form="sql", since="2026-11-01T00:00:00+08:00", keys=["a001", "a002"]
    )
    held(make_valid(engine, lake, AID, D2), "batch:withdrawn_share", 38)


def test_what_a_department_withdraws_itself_is_its_word(engine: Engine, lake: Lake) -> None:
    write_batch(lake, AID, D1, many(30))
    make_valid(engine, lake, AID, D1)
    write_batch(
        lake, AID, D2, [row | {"_op": "D", "updated_at": LATER} for row in many(29)], since=LATER
    )
    ledger = make_valid(engine, lake, AID, D2)
    assert (ledger["rejection"], ledger["in_force"], ledger["batches"][0]["lacked"]) == (None, 1, 0)


def test_the_contract_says_how_much_may_go(engine: Engine, lake: Lake) -> None:
    full(lake, D1, many(40))
    make_valid(engine, lake, AID, D1)
    full(lake, D2, many(20))
    assert (
        make_valid(engine, lake, with_properties(AID, maxWithdrawnShare=0.5), D2)["rejection"]
        is None
    )
    full(lake, D3, many(18))
    held(
        make_valid(engine, lake, with_properties(AID, maxWithdrawnShare=0.05), D3),
        "batch:withdrawn_share",
        2,
    )


def test_a_file_without_a_checksum_may_withdraw_little(engine: Engine, lake: Lake) -> None:
    full(lake, D1, many(100))
    make_valid(engine, lake, AID, D1)
    full(lake, D2, many(98), unchecked=True)
    assert make_valid(engine, lake, AID, D2)["rejection"] is None
    full(lake, D3, many(95), unchecked=True)
    ledger = make_valid(engine, lake, AID, D3)
    held(ledger, "batch:unchecked", 3)
    assert "may have been cut short" in ledger["rejection"]["reasons"][0]
    full(lake, date(2026, 11, 4), many(95))
    assert make_valid(engine, lake, AID, date(2026, 11, 4))["rejection"] is None


# a key in two parts


def test_a_delivery_whose_parts_share_keys_is_held_back(engine: Engine, lake: Lake) -> None:
    """A township's file sent under two names: the one whose file is missing would be withdrawn."""
    files = [
        f"{town}.csv" for town in ("石门镇", "青溪镇", "白鹤镇", "马鞍镇", "龙江镇", "松树岭镇")
    ]
    full(lake, D1, many(30))
    make_valid(engine, lake, AID, D1)
    batch = full(lake, D2, many(30), keys_twice=4, twice_in=files)
    ledger = make_valid(engine, lake, AID, D2)
    held(ledger, "batch:key_in_two_parts", 4)
    said = f"4 keys stand in more than one of the parts {', '.join(files[:5])} and 1 more"
    assert said in ledger["rejection"]["reasons"][0]
    open_gate(lake.root, AID.table, batch, "Li", "families that moved are in both lists")
    assert make_valid(engine, lake, AID, D2)["state"] == "ok"


def test_a_first_delivery_whose_parts_share_a_key_is_held_back_too(
    engine: Engine, lake: Lake
) -> None:
    full(lake, D1, many(30), keys_twice=1, twice_in=["a.csv", "b.csv"])
    ledger = make_valid(engine, lake, AID, D1)
    held(ledger, "batch:key_in_two_parts", 1)
    assert ledger["state"] == "missing"


# columns that vanish


def paid(
    count: int, filled: int, at: str = "2026-11-01T09:00:00+08:00", prefix: str = "c"
) -> list[Row]:
    """Certificates of which `filled` say when they expire."""
    rows = [good_row(CERTIFICATES, n) | {"updated_at": at} for n in range(count)]
    return [
        row | {"expires_on": "2036-10-01" if n < filled else None} for n, row in enumerate(rows)
    ]


@pytest.mark.parametrize(("filled", "is_held"), [(20, True), (40, True), (19, False), (0, False)])
def test_a_column_that_much_of_the_state_has_may_not_be_absent(
    engine: Engine, lake: Lake, filled: int, is_held: bool
) -> None:
    full(lake, D1, paid(40, filled), CERTIFICATES)
    assert make_valid(engine, lake, CERTIFICATES, D1)["rejection"] is None
    full(
        lake,
        D2,
        paid(40, 0, LATER),
        CERTIFICATES,
        columns=columns_without(CERTIFICATES, "expires_on"),
    )
    ledger = make_valid(engine, lake, CERTIFICATES, D2)
    if is_held:
        held(ledger, "batch:vanished:expires_on", filled)
        assert "column '有效期至' (expires_on) is not there" in ledger["rejection"]["reasons"][0]
    else:
        assert (ledger["rejection"], ledger["in_force"]) == (None, 40)
        assert any(w["key"] == "column:missing:有效期至" for w in ledger["warnings"])


@pytest.mark.parametrize(("rows", "is_held"), [(20, True), (19, False)])
def test_a_column_without_a_value_is_one_that_vanished(
    engine: Engine, lake: Lake, rows: int, is_held: bool
) -> None:
    contract = with_properties(CERTIFICATES, maxWithdrawnShare=1)
    full(lake, D1, paid(40, 30), contract)
    make_valid(engine, lake, contract, D1)
    full(lake, D2, paid(rows, 0, LATER), contract)
    ledger = make_valid(engine, lake, contract, D2)
    if is_held:
        held(ledger, "batch:vanished:expires_on", 30)
        assert "has no value in any of 20 rows" in ledger["rejection"]["reasons"][0]
    else:
        assert ledger["rejection"] is None


@pytest.mark.parametrize(("rows", "filled", "is_held"), [(20, 40, True), (19, 40, False),
    (39, 20, True), (39, 19, False)])  # fmt: skip
def test_a_column_that_most_parts_lack_is_absent(
    engine: Engine, lake: Lake, rows: int, filled: int, is_held: bool
) -> None:
    """Towns that call it otherwise leave it empty, whatever the others say."""
    full(lake, D1, paid(40, filled), CERTIFICATES)
    make_valid(engine, lake, CERTIFICATES, D1)
    full(lake, D2, paid(40, 40 - rows, LATER), CERTIFICATES, absent_in={"有效期至": rows})
    ledger = make_valid(engine, lake, CERTIFICATES, D2)
    if is_held:
        held(ledger, "batch:vanished:expires_on", filled)
        said = f"is not there in parts with {rows} of 40 rows"
        assert said in ledger["rejection"]["reasons"][0]
    else:
        assert ledger["rejection"] is None


def test_a_single_value_is_enough(engine: Engine, lake: Lake) -> None:
    full(lake, D1, paid(40, 40), CERTIFICATES)
    make_valid(engine, lake, CERTIFICATES, D1)
    rows = paid(40, 0, LATER)
    full(
        lake,
        D2,
        [rows[0] | {"expires_on": "soon"}, rows[1] | {"expires_on": "2036-10-01"}, *rows[2:]],
        CERTIFICATES,
    )
    ledger = make_valid(engine, lake, CERTIFICATES, D2)
    assert (ledger["rejection"], ledger["today"]["quarantined"]) == (None, 1)


def test_the_contract_says_what_may_vanish(engine: Engine, lake: Lake) -> None:
    contract = with_properties(CERTIFICATES, maxVanished=0.9)
    full(lake, D1, paid(40, 30), contract)
    make_valid(engine, lake, contract, D1)
    full(lake, D2, paid(40, 0, LATER), contract)
    assert make_valid(engine, lake, contract, D2)["rejection"] is None


def test_an_increment_may_not_lose_a_column_either(engine: Engine, lake: Lake) -> None:
    rows = [good_row(HOUSEHOLDS, n) for n in range(30)]
    write_batch(lake, HOUSEHOLDS, D1, rows, form="sql")
    make_valid(engine, lake, HOUSEHOLDS, D1)
    changed = [row | {"updated_at": LATER, "wage_income": None} for row in rows[:2]]
    without = columns_without(HOUSEHOLDS, "wage_income")
    write_batch(
        lake,
        HOUSEHOLDS,
        D2,
        changed,
        form="sql",
        since=D1.isoformat() + "T00:00:00+08:00",
        columns=without,
    )
    ledger = make_valid(engine, lake, HOUSEHOLDS, D2)
    held(ledger, "batch:vanished:wage_income", 30)
    assert (None,) not in state(engine, lake, HOUSEHOLDS, D2, "wage_income")


def test_a_first_read_without_a_column_names_the_indicators_that_wait_for_it(
    engine: Engine, lake: Lake
) -> None:
    """The base register with 工资性收入（元） where the contract says 工资性收入: taken, and
    told with what it empties.
    """
    rows = [good_row(HOUSEHOLDS, n) | {"wage_income": None} for n in range(30)]
    columns = [*columns_without(HOUSEHOLDS, "wage_income"), "工资性收入（元）"]
    write_batch(lake, HOUSEHOLDS, D1, rows, form="sql", columns=columns)
    ledger = make_valid(engine, lake, HOUSEHOLDS, D1)
    assert ledger["rejection"] is None
    said = {warned["key"]: warned["said"] for warned in ledger["warnings"]}
    absent = next(text for key, text in said.items() if key.startswith("column:missing:"))
    assert "(wage_income) is missing" in absent
    assert "indicators " in absent
    assert "B15" in absent.rpartition("indicators ")[2]
    # it is told as long as it is so
    write_batch(
        lake,
        HOUSEHOLDS,
        D2,
        [rows[0] | {"updated_at": LATER}],
        form="sql",
        since=LATER,
        columns=columns,
    )
    assert any(
        w["key"].startswith("column:missing:")
        for w in make_valid(engine, lake, HOUSEHOLDS, D2)["warnings"]
    )
    assert any(
        w["key"].startswith("column:missing:")
        for w in make_valid(engine, lake, HOUSEHOLDS, D3)["warnings"]
    )


# bad rows


@pytest.mark.parametrize(
    ("good", "bad", "is_held"),
    [(19, 1, False), (18, 2, True), (10, 9, False), (0, 3, True), (1, 1, False), (0, 1, True)],
)
def test_how_many_bad_rows_reject(
    engine: Engine, lake: Lake, good: int, bad: int, is_held: bool
) -> None:
    write_batch(lake, AID, D1, [*many(good), *(aid(f"bad{n}", amount=None) for n in range(bad))])
    ledger = make_valid(engine, lake, AID, D1)
    assert (ledger["rejection"] is not None) == is_held
    if is_held:
        held(ledger, "batch:bad_share", bad)
        assert ledger["state"] == "missing"
    else:
        assert (ledger["in_force"], ledger["today"]["quarantined"]) == (good, bad)


def test_the_rows_of_a_rejected_batch_are_listed_and_sent_back(
    engine: Engine, lake: Lake, tmp_path: Path
) -> None:
    write_batch(lake, AID, D1, many(40))
    make_valid(engine, lake, AID, D1)
    broken = [
        aid("x1", LATER, amount="viel"),
        aid("x2", LATER, paid_on=None),
        aid("x3", LATER, amount=None, aid_type="?"),
    ]
    batch = write_batch(
        lake, AID, D2, [*[row | {"updated_at": LATER} for row in many(20)], *broken], since=LATER
    )
    held(make_valid(engine, lake, AID, D2), "batch:bad_share", 3)
    wanted = [
        ("codes:aid_type", 1),
        ("required:amount", 1),
        ("required:paid_on", 1),
        ("type:amount", 1),
    ]
    # still there on a day on which nobody could be asked, and gone when the department has
    # corrected them
    lake.write_note(
        "raw",
        AID.table,
        D3,
        {
            "batches": [],
            "failure": {"kind": "transient", "reason": "reset", "message": "down; wait"},
        },
    )
    make_valid(engine, lake, AID, D3)
    for day in (D2, D3):
        lines = list_quarantine(engine, lake, [AID], day)
        assert [(line.rule, line.rows) for line in lines] == wanted
        assert {(line.is_rejected, line.batches) for line in lines} == {(True, (batch,))}
        (rejected,) = list_rejected(lake, [AID], day)
        assert (
            f"civil_affairs temporary_aid, {batch} of {D2}: batch:bad_share, 3 rows"
            in rejected.said
        )
        (file,) = write_corrections(engine, lake, [AID], day, tmp_path / f"out-{day}")
        with file.open(encoding="utf-8-sig") as opened:
            rows = [
                (line["record_key"], line["row"], line["rule"]) for line in csv.DictReader(opened)
            ]
        expected = [
            ("x1", "21", "type:amount"),
            ("x2", "22", "required:paid_on"),
            ("x3", "23", "codes:aid_type"),
        ]
        assert rows == [*expected, ("x3", "23", "required:amount")]
    D4 = date(2026, 11, 4)
    write_batch(lake, AID, D4, [aid("x1", "2026-11-04T10:00:00+08:00")], since=LATER)
    assert make_valid(engine, lake, AID, D4)["rejection"] is None
    assert list_quarantine(engine, lake, [AID], D4) == []
    assert list_rejected(lake, [AID], D4) == []


def test_a_rejected_batch_keeps_no_value_of_its_rows(engine: Engine, lake: Lake) -> None:
    rows = [good_row(CERTIFICATES, n) | {"status": "徐某"} for n in range(30)]
    batch = full(lake, D1, rows, CERTIFICATES)
    make_valid(engine, lake, CERTIFICATES, D1)
    kept = lake.table("raw", CERTIFICATES.table) / batch / "broken.parquet"
    assert [column for column, _ in engine.columns(f"select * from read_parquet('{kept}')")] == [
        "_row",
        "record_key",
        "rules",
        "updated_at",
    ]
    assert kept.stat().st_mode & 0o777 == 0o600


# a first answer without rows


@pytest.mark.parametrize("form", ["api", "sql", "file"])
def test_an_empty_first_answer_is_believed_the_second_day(
    engine: Engine, lake: Lake, form: str
) -> None:
    delivery = "full" if form == "file" else "incremental"
    batch = write_batch(lake, AID, D1, [], form=form, delivery=delivery)
    ledger = make_valid(engine, lake, AID, D1)
    held(ledger, "batch:not_empty", 0)
    assert (ledger["state"], ledger["age_days"]) == ("missing", None)
    # the same file seen again is no second answer
    lake.write_note("raw", AID.table, D2, {"batches": [batch], "failure": None})
    assert make_valid(engine, lake, AID, D2)["state"] == "missing"
    write_batch(lake, AID, D3, [], form=form, delivery=delivery)
    ledger = make_valid(engine, lake, AID, D3)
    assert (ledger["state"], ledger["rejection"], ledger["in_force"]) == ("ok", None, 0)
    assert make_valid(engine, lake, AID, D3) == ledger


def test_a_named_person_may_say_at_once_that_there_are_none(engine: Engine, lake: Lake) -> None:
    batch = write_batch(lake, AID, D1, [])
    make_valid(engine, lake, AID, D1)
    open_gate(lake.root, AID.table, batch, "Li", "no aid was paid this year")
    assert make_valid(engine, lake, AID, D1)["state"] == "ok"


def test_rows_that_come_after_all_are_taken(engine: Engine, lake: Lake) -> None:
    write_batch(lake, AID, D1, [])
    make_valid(engine, lake, AID, D1)
    write_batch(lake, AID, D2, many(3))
    ledger = make_valid(engine, lake, AID, D2)
    assert (ledger["state"], ledger["rejection"], ledger["in_force"]) == ("ok", None, 3)
    write_batch(lake, AID, D3, [], since=LATER)
    assert make_valid(engine, lake, AID, D3)["state"] == "ok"


def test_a_register_is_never_empty(engine: Engine, lake: Lake) -> None:
    for day in (D1, D2, D3):
        write_batch(lake, HOUSEHOLDS, day, [])
        held(make_valid(engine, lake, HOUSEHOLDS, day), "batch:not_empty")


def test_a_later_full_delivery_without_rows_is_not_believed(engine: Engine, lake: Lake) -> None:
    full(lake, D1, many(2))
    make_valid(engine, lake, AID, D1)
    for day in (D2, D3):
        full(lake, day, [])
        held(make_valid(engine, lake, AID, day), "batch:not_empty")


# the state


def test_the_state_is_the_first_that_holds() -> None:
    assert STATES == ("missing", "incomplete", "rejected", "stale", "ok")
    assert state_of(None, 7, is_rejected=True, is_incomplete=True) == "missing"
    assert state_of(9, 7, is_rejected=True, is_incomplete=True) == "incomplete"
    assert state_of(9, 7, is_rejected=True) == "rejected"
    assert state_of(9, 7, is_rejected=False) == "stale"
    assert state_of(7, 7, is_rejected=False) == "ok"


def test_a_file_that_was_refused_is_rejected_and_its_failure_says_why(
    engine: Engine, lake: Lake
) -> None:
    full(lake, D1, many(30))
    make_valid(engine, lake, AID, D1)
    message = (
        "civil_affairs/temporary_aid, 2026-11-02: the file is damaged; have the department write it"
        " anew"
    )
    failure = {
        "kind": "permanent",
        "reason": "damaged_file",
        "message": message,
        "refused": "temporary_aid_20261102.csv",
    }
    lake.write_note("raw", AID.table, D2, {"batches": [], "failure": failure})
    ledger = make_valid(engine, lake, AID, D2)
    assert (ledger["state"], ledger["rejection"]["rule"]) == ("rejected", "read:damaged_file")
    assert ledger["rejection"]["next_step"] == "have the department write it anew"
    # the folder is looked at anew every day: a file that was taken away is none that is refused
    lake.write_note("raw", AID.table, D3, {"batches": [], "failure": None})
    assert make_valid(engine, lake, AID, D3)["state"] == "ok"


LINKED = """
select department, records, 5::bigint as linked, 0::bigint as unregistered, 0::bigint as ambiguous,
    0::bigint as unidentifiable,
    1.0::decimal(7, 6) as match_rate, 0.0::decimal(7, 6) as false_link_rate, null::bigint as placed,
    null::bigint as unplaced
from (values ('civil_affairs', 'temporary_aid')) as t (department, records)
"""


def test_the_status_says_what_to_do_and_the_indicators_ask_for_its_age(
    engine: Engine, lake: Lake
) -> None:
    full(lake, D1, many(30), note_lines={"title": 2, "total": 1}, behind=4)
    first = make_valid(engine, lake, AID, D1)
    far = date(2026, 11, 20)
    batch = full(lake, far, many(3))
    late = make_valid(engine, lake, AID, far)
    columns = (
        "state, age_days, notes, behind_window, rejected_batch, rejected_on, rejected_rule,"
        " rejected_rows, next_step"
    )
    rows, ages = {}, [(AID.department, AID.records, AID.stale_after_days)]
    for ledger in (first, late):
        engine.view("linkage_quality", LINKED)
        engine.from_arrow("source_ledger", ledger_table([ledger]))
        engine.table("source_status", render("household/source_status"))
        engine.view("source_state", render("household/source_state", allowed_ages=ages))
        (state,) = engine.rows("select state from source_state")
        rows[ledger["as_of"]] = (engine.rows(f"select {columns} from source_status")[0], state[0])
    assert rows[D1.isoformat()] == (("ok", 0, 3, 4, None, None, None, None, None), "ok")
    told, state = rows[far.isoformat()]
    assert told[:8] == ("rejected", 19, None, None, batch, far, "batch:withdrawn_share", 27)
    assert f"BATCH={batch}" in told[8]
    assert state == "stale"  # its lamps are held as those of any old source
    names = [column for column, _ in engine.columns("select * from source_status")]
    assert names[-10:] == [
        "placed", "unplaced", "notes", "behind_window", "left_lying",
        "rejected_batch", "rejected_on", "rejected_rule", "rejected_rows", "next_step",
    ]  # fmt: skip
