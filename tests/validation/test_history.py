"""A chain of increments and one full pull give the same rows; a day replayed gives the same
bytes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.contract import contract_for
from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.validation.batches import Row, days, state, stored, write_batch
from tests.validation.test_asof import PARTS, aid
from warehouse.asof import make_valid

AID = contract_for("temporary_aid")
DAYS = days(date(2026, 11, 1), 5)


@dataclass(frozen=True)
class Version:
    """One version of a record at the department: when it says it changed, when it was really
    committed.
    """

    key: str
    updated_at: datetime
    committed_at: datetime
    amount: int
    op: str

    @property
    def row(self) -> Row:
        return aid(
            self.key, f"{self.updated_at.isoformat()}+08:00", amount=self.amount, _op=self.op
        )


@st.composite
def histories(draw: st.DrawFn) -> list[Version]:
    """Updates, withdrawals and returns of a few records; some committed late, within the overlap of
    a day.
    """
    versions = []
    start = datetime(2026, 11, 1)
    for _ in range(draw(st.integers(1, 14))):
        updated = start + timedelta(hours=draw(st.integers(0, 24 * 5 - 1)))
        late = timedelta(hours=draw(st.sampled_from([0, 0, 0, 6, 23])))
        op = draw(st.sampled_from(["U", "U", "U", "D"]))
        versions.append(
            Version(
                draw(st.sampled_from("abcd")), updated, updated + late, draw(st.integers(1, 99)), op
            )
        )
    unique = {(version.key, version.updated_at): version for version in versions}
    return list(unique.values())


def answer(
    history: Sequence[Version], since: datetime | None, until: datetime, asked_at: datetime
) -> list[Version]:
    """The exchange platform's answer for a window: of each record the latest version by `until`, if
    it falls after `since`.
    """
    latest: dict[str, Version] = {}
    for version in sorted(history, key=lambda v: v.updated_at):
        if version.updated_at <= until and version.committed_at <= asked_at:
            latest[version.key] = version
    found = [v for v in latest.values() if since is None or v.updated_at > since]
    return sorted(found, key=lambda v: (v.updated_at, v.key))


def end_of(day: date) -> datetime:
    return datetime.combine(day, datetime.max.time())


def pull(
    engine: Engine,
    lake: Lake,
    history: Sequence[Version],
    day: date,
    asked_at: datetime,
    watermark: str | None,
) -> dict[str, Any]:
    since = (
        datetime.fromisoformat(watermark).replace(tzinfo=None) - timedelta(days=AID.overlap_days)
        if watermark
        else None
    )
    rows = [version.row for version in answer(history, since, end_of(day), asked_at)]
    write_batch(lake, AID, day, rows, since=since.isoformat() + "+08:00" if since else None)
    ledger = make_valid(engine, lake, AID, day)
    if ledger["rejection"]:
        # an empty first answer is not believed, until a second day says the same
        assert (rows, since, ledger["today"], ledger["state"]) == ([], None, None, "missing")
        return ledger
    assert ledger["today"]["received"] == sum(ledger["today"][part] for part in PARTS)
    assert (
        ledger["in_force"]
        == ledger["in_force_before"] + ledger["new_keys"] - ledger["withdrawn_keys"]
    )
    return ledger


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(history=histories(), pulled=st.sets(st.sampled_from(DAYS[:-1])))
def test_a_chain_of_increments_is_one_full_pull(history: list[Version], pulled: set[date]) -> None:
    """Whatever days were missed: the last one catches up, and late commits within the overlap are
    not lost.
    """
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder) / "spill", threads=1)
        chain, full = Lake(Path(folder) / "chain"), Lake(Path(folder) / "full")
        watermark = None
        last_pull = max(pulled, default=None)
        for day in sorted(pulled | {DAYS[-1]}):
            # A run after midnight: what is committed later is for the next run; the last one asks
            # when all is known.
            asked_at = (
                end_of(day)
                if day == last_pull or day in pulled
                else end_of(day) + timedelta(days=2)
            )
            watermark = pull(engine, chain, history, day, asked_at, watermark)["watermark"]
        pull(engine, full, history, DAYS[-1], end_of(DAYS[-1]) + timedelta(days=2), None)
        columns = "* exclude (_batch_id, _arrived_on)"
        assert state(engine, chain, AID, DAYS[-1], columns) == state(
            engine, full, AID, DAYS[-1], columns
        )
        engine.close()


def content(lake: Lake, day: date) -> dict[str, bytes]:
    return {
        str(file.relative_to(lake.root)): file.read_bytes()
        for layer in ("valid", "withdrawn", "quarantine")
        for file in sorted((lake.folder(layer, AID.table, day) or lake.root).rglob("*.parquet"))
    }


def test_a_day_run_again_gives_the_same_bytes(engine: Engine, lake: Lake) -> None:
    later = "2026-11-02T10:00:00+08:00"
    write_batch(lake, AID, DAYS[0], [aid(f"a{n}") for n in range(200)])
    make_valid(engine, lake, AID, DAYS[0])
    changes = [aid(f"a{n}", later, amount=n, _op="D" if n % 7 == 0 else "U") for n in range(50)] + [
        aid("x", later, amount=None)
    ]
    write_batch(lake, AID, DAYS[1], changes, since=later)
    first = make_valid(engine, lake, AID, DAYS[1])
    before = content(lake, DAYS[1])
    assert make_valid(engine, lake, AID, DAYS[1]) == first
    assert content(lake, DAYS[1]) == before
    assert len(before) == 3
    for landed in lake.table("raw", AID.table).glob("*/rows.parquet"):
        landed.unlink()
    assert make_valid(engine, lake, AID, DAYS[1]) == first
    assert content(lake, DAYS[1]) == before


def test_a_provisional_day_merges_every_batch_of_it(engine: Engine, lake: Lake) -> None:
    day = DAYS[0]
    write_batch(lake, AID, day, [aid("a1"), aid("a2")])
    make_valid(engine, lake, AID, day)
    later = "2026-11-01T20:00:00+08:00"
    batch = write_batch(
        lake,
        AID,
        day,
        [aid("a1"), aid("a2", later, amount=3), aid("a3", later)],
        number=2,
        since="2026-10-31T00:00:00+08:00",
    )
    ledger = make_valid(engine, lake, AID, day)
    assert ledger["today"] == {
        "received": 5,
        "accepted": 4,
        "unchanged": 1,
        "superseded": 0,
        "withdrawn": 0,
        "quarantined": 0,
    }
    assert (ledger["batch_id"], ledger["in_force"], ledger["new_keys"]) == (batch, 3, 3)
    assert state(engine, lake, AID, day, "aid_id, amount::varchar") == [
        ("a1", "500.25"),
        ("a2", "3.00"),
        ("a3", "500.25"),
    ]
    assert stored(engine, lake, "quarantine", AID, day, "select count(*) from t") == [(0,)]
