"""A gateway, a lake and settings of one's own for each test."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from expectations.contract import Contract, contract_for
from resources.departments import Departments, RetryPolicy
from resources.lake import Lake
from resources.settings import SHANGHAI, Settings, load_settings
from tests.conftest import Show
from tests.extraction import matrix
from tests.extraction.gateway import KEY, SID, Gateway, serving

D = date(2026, 11, 10)
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=SHANGHAI)

QUICK = RetryPolicy(
    connect_timeout=1.0,
    read_timeout=1.0,
    page_deadline=1.0,
    drip_after=0.3,
    attempts=3,
    windows=3,
    budget=5.0,
    first_wait=0.01,
    longest_wait=0.05,
    page_rows=10,
)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with serving(Gateway()) as gateway:
        yield gateway


@pytest.fixture
def settings(tmp_path: Path, gateway: Gateway) -> Settings:
    drop = tmp_path / "drop"
    drop.mkdir()
    return load_settings(
        {
            "YIHU_HOME": str(tmp_path / "home"),
            "YIHU_GATEWAY_URL": gateway.url,
            "YIHU_GATEWAY_SID": SID,
            "YIHU_GATEWAY_KEY": KEY.decode(),
            "YIHU_DROP_DIR": str(drop),
            "YIHU_FRONT_DB_URL": f"sqlite:///{tmp_path / 'front.db'}",
        }
    )


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return Lake(settings.lake)


@pytest.fixture
def departments(settings: Settings, lake: Lake) -> Departments:
    return Departments(settings, lake, QUICK)


@pytest.fixture
def contract() -> Contract:
    """An API record type with few fields."""
    return contract_for("deaths")


def as_form(contract: Contract, form: str, **server: object) -> Contract:
    """The same record type, delivered in another form."""
    return dataclasses.replace(contract, server={"form": form, **server})


def accept(lake: Lake, contract: Contract, day: date, batch: Any, **note: object) -> None:
    """What the validation of a day would write of it."""
    ledger = {
        "batch_id": batch.batch_id,
        "extract_date": batch.extract_date,
        "watermark": batch.until,
        "rejected": None,
    }
    lake.write_note("ledger", contract.table, day, {**ledger, **note})


@pytest.fixture(autouse=True)
def seen_fault(show: Show) -> Iterator[None]:
    """What a test saw of the fault matrix is printed at the end."""
    before = set(matrix.observed)
    yield
    new = sorted(set(matrix.observed) - before)
    if new:
        show(
            "fault matrix",
            "\n".join(
                f"{form:<5} {fault:<40} {matrix.observed[form, fault]}" for form, fault in new
            ),
        )
