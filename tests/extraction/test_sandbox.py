"""The client against the sandbox's own gateway: each of its faults, and a chain of days against one
pull.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from expectations.contract import Contract, contract_for
from resources.departments import DayRead, Departments, RetryPolicy
from resources.lake import Lake
from resources.settings import SHANGHAI, Settings
from sandbox.county import County
from sandbox.faults import API_FAULTS, Fault, FaultPlan
from sandbox.gateway import start
from tests.extraction.gateway import KEY, SID

DAY = date(2026, 11, 10)
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=SHANGHAI)
PATIENT = RetryPolicy(
    read_timeout=1.0,
    drip_after=0.5,
    drip_rate=1e6,
    attempts=3,
    first_wait=0.01,
    longest_wait=0.05,
    page_rows=400,
)
PERMANENT = {"401": "unauthorised", "clock_skew": "unauthorised", "404": "not_found"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, FaultPlan]]:
    """The URL of a small county's gateway, and the plan of its faults."""
    plan = FaultPlan()
    server, url = start(County(tmp_path_factory.mktemp("county"), 400).make(), SID, KEY, plan)
    yield url, plan
    server.shutdown()
    server.server_close()


@pytest.fixture
def plan(served: tuple[str, FaultPlan]) -> FaultPlan:
    served[1].faults.clear()
    served[1].happened.clear()
    return served[1]


@pytest.fixture
def ours(settings: Settings, served: tuple[str, FaultPlan], plan: FaultPlan) -> Settings:
    return dataclasses.replace(settings, gateway_url=served[0], form="api")


@pytest.fixture
def enrolments() -> Contract:
    return contract_for("enrolments")


def rows(lake: Lake, read: DayRead) -> list[str]:
    assert read.failure is None, str(read.failure)
    folder = lake.table("raw", read.table)
    pages = [folder / batch.batch_id / name for batch in read.batches for name in batch.files]
    return [
        json.dumps(row, sort_keys=True)
        for page in pages
        for row in json.loads(page.read_bytes())["data"]["rows"]
    ]


@pytest.mark.parametrize("fault", [fault for fault in API_FAULTS if fault not in PERMANENT])
@pytest.mark.parametrize("page", [1, 2])
def test_each_passing_fault(
    fault: str,
    page: int,
    plan: FaultPlan,
    ours: Settings,
    lake: Lake,
    enrolments: Contract,
    tmp_path: Path,
) -> None:
    other = Lake(tmp_path / "straight")
    straight = rows(other, Departments(ours, other, PATIENT).read_day(enrolments, DAY, NOW))
    plan.faults.append(Fault("enrolments", fault, page, 1))
    assert rows(lake, Departments(ours, lake, PATIENT).read_day(enrolments, DAY, NOW)) == straight
    assert len(plan.happened) == 1
    assert len(straight) > 400


@pytest.mark.parametrize("fault", [fault for fault in API_FAULTS if fault != "cursor_lost"])
def test_each_lasting_fault(
    fault: str, plan: FaultPlan, ours: Settings, lake: Lake, enrolments: Contract
) -> None:
    plan.faults.append(Fault("enrolments", fault, 0, -1))
    read = Departments(ours, lake, dataclasses.replace(PATIENT, budget=4.0)).read_day(
        enrolments, DAY, NOW
    )
    assert read.failure is not None
    assert read.failure.kind == ("permanent" if fault in PERMANENT else "transient")
    assert read.failure.reason == PERMANENT.get(fault, read.failure.reason)
    assert len(plan.happened) <= 40  # three windows at most
    plan.faults.clear()
    healed = Departments(ours, lake, PATIENT).read_day(enrolments, DAY, NOW)
    assert healed.status == "read"
    assert len(rows(lake, healed)) == healed.batches[0].total


def test_a_chain_of_days_is_one_pull(ours: Settings, tmp_path: Path, enrolments: Contract) -> None:
    """The latest version of each record over ten days of increments is what one pull on the last
    day brings.
    """
    chain = Lake(tmp_path / "chain")
    latest: dict[str, str] = {}
    key = enrolments.record_key.physical_name
    for ordinal in range(10):
        day = DAY + timedelta(days=ordinal - 9)
        read = Departments(ours, chain, PATIENT).read_day(enrolments, day, NOW)
        latest |= {json.loads(row)[key]: row for row in rows(chain, read)}
        batch = read.batches[-1]
        chain.write_note(
            "ledger",
            enrolments.table,
            day,
            {"batch_id": batch.batch_id, "watermark": batch.until, "rejected": None},
        )
        assert ordinal == 0 or batch.since is not None
    once = Lake(tmp_path / "once")
    pulled = rows(once, Departments(ours, once, PATIENT).read_day(enrolments, DAY, NOW))
    assert sorted(latest.values()) == sorted(pulled)
