"""A nineteenth record type by its contract file alone: the one that `docs/add-a-source.md` walks
through.
"""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from expectations.contract import CONTRACTS, Contract, load_contracts
from resources.engines.duckdb import Engine
from resources.lake import Lake
from tests.validation.batches import Row, state, stored, write_batch
from tests.validation.rows import id_number
from warehouse.asof import make_valid

PAGE = Path(__file__).parents[2] / "docs" / "add-a-source.md"
D1, D2 = date(2026, 11, 1), date(2026, 11, 2)


@pytest.fixture
def contracts(tmp_path: Path) -> tuple[Contract, ...]:
    """All contracts, and the page's beside them in a folder of its own."""
    folder = tmp_path / "contracts"
    shutil.copytree(CONTRACTS, folder)
    text = PAGE.read_text(encoding="utf-8")
    path, block = re.search(
        r"`expectations/contracts/(\S+)`:\n\n```yaml\n(.*?)```", text, re.DOTALL
    ).groups()  # type: ignore[union-attr]
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_text(block, encoding="utf-8")
    return load_contracts(folder)


def pupil(n: int, **more: object) -> Row:
    return {
        "attendance_id": f"p{n:02d}", "id_number": id_number(n), "name": "某某", "month": "202610",
        "stage": "junior", "days_due": 20,
        "days_absent": 1, "fee_amount": 12.5, "updated_at": "2026-11-01T09:00:00+08:00", **more,
    }  # fmt: skip


def test_it_is_found(contracts: tuple[Contract, ...]) -> None:
    assert len(contracts) == len(load_contracts()) + 1
    contract = next(c for c in contracts if c.records == "attendance")
    assert (contract.table, contract.record_key.name, contract.stale_after_days) == (
        "education__attendance",
        "attendance_id",
        45,
    )


def test_it_lands_is_validated_and_merged(
    engine: Engine, lake: Lake, contracts: tuple[Contract, ...]
) -> None:
    contract = next(c for c in contracts if c.records == "attendance")
    broken = pupil(98, days_absent=30), pupil(99, month="2026-10")
    write_batch(lake, contract, D1, [*(pupil(n) for n in range(60)), *broken])
    ledger = make_valid(engine, lake, contract, D1)
    assert ledger["today"] == {
        "received": 62,
        "accepted": 60,
        "unchanged": 0,
        "superseded": 0,
        "withdrawn": 0,
        "quarantined": 2,
    }
    later = "2026-11-02T09:00:00+08:00"
    write_batch(
        lake,
        contract,
        D2,
        [pupil(0, updated_at=later, days_absent=2), pupil(1, updated_at=later, _op="D")],
        since=later,
    )
    ledger = make_valid(engine, lake, contract, D2)
    assert (ledger["in_force"], ledger["state"]) == (59, "ok")
    assert state(engine, lake, contract, D2, "attendance_id, days_absent, fee_amount::varchar")[
        :2
    ] == [
        ("p00", 2, "12.50"),
        ("p02", 1, "12.50"),
    ]
    assert stored(
        engine, lake, "quarantine", contract, D2, "select record_key, rules from t order by 1"
    ) == [
        ("p98", ["sum:days"]),
        ("p99", ["pattern:month"]),
    ]
