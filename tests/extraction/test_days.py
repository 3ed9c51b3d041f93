"""A day of one record type: what is asked for, what stands already, what a failure leaves."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from expectations.contract import Contract, load_contracts
from expectations.gate import open_gate
from resources.departments import Departments, SourceError, preflight
from resources.lake import Lake
from resources.settings import SHANGHAI, Settings
from tests.extraction.conftest import NOW, QUICK, D, accept
from tests.extraction.gateway import Gateway, Reply, error, serving
from tests.extraction.test_api import PATH, held, rows

NEXT = D + timedelta(days=1)


@pytest.fixture(autouse=True)
def county(gateway: Gateway) -> None:
    gateway.rows[PATH] = rows()


def test_the_first_read_asks_for_everything(
    gateway: Gateway, departments: Departments, contract: Contract
) -> None:
    read = departments.read_day(contract, D, NOW)
    assert gateway.asked[0].parameters == {
        "until": "2026-11-10T23:59:59.999999+08:00",
        "limit": "10",
    }
    batch = read.batches[0]
    assert (batch.batch_id, batch.since, batch.delivery) == (
        "deaths-20261110-01",
        None,
        "incremental",
    )


def test_the_next_starts_an_overlap_earlier(
    gateway: Gateway, departments: Departments, contract: Contract, lake: Lake
) -> None:
    first = departments.read_day(contract, D, NOW)
    accept(lake, contract, D, first.batches[0])
    # committed late, with a time of the day before
    gateway.rows[PATH].append(
        {**rows(1)[0], "death_id": "late", "updated_at": "2026-11-10T20:00:00+08:00"}
    )
    second = departments.read_day(contract, D + timedelta(days=4), NOW)
    assert second.batches[0].since == "2026-11-09T23:59:59.999999+08:00"
    assert second.batches[0].until == "2026-11-14T23:59:59.999999+08:00"
    assert held(lake, second) == ["late"]


def test_files_in_full_are_increments_by_the_api(
    departments: Departments, contract: Contract, lake: Lake
) -> None:
    """The platform names withdrawals itself: nothing is asked for twice because files would come
    whole.
    """
    full = dataclasses.replace(contract, delivery="full")
    first = departments.read_day(full, D, NOW)
    accept(lake, full, D, first.batches[0])
    read = departments.read_day(full, NEXT, NOW)
    assert (first.batches[0].since, first.batches[0].delivery) == (None, "incremental")
    assert (read.batches[0].since, read.batches[0].delivery) == (
        "2026-11-09T23:59:59.999999+08:00",
        "incremental",
    )


def test_a_closed_day_is_not_asked_again(
    gateway: Gateway, settings: Settings, lake: Lake, contract: Contract
) -> None:
    departments = Departments(settings, lake, QUICK)
    first = departments.read_day(contract, D, NOW)
    accept(lake, contract, D, first.batches[0])
    second = departments.read_day(contract, NEXT, NOW)
    off = Departments(dataclasses.replace(settings, gateway_url="http://127.0.0.1:9"), lake, QUICK)
    asked = len(gateway.asked)
    for day, read in ((D, first), (NEXT, second)):
        again = off.read_day(contract, day, NOW)
        assert (again.status, again.batches, again.requests) == ("reused", read.batches, 0)
    assert len(gateway.asked) == asked


def test_a_batch_without_its_pointer_is_found_again(
    gateway: Gateway, departments: Departments, contract: Contract, lake: Lake
) -> None:
    """Killed after the batch was put into place, before the day pointed at it."""
    first = departments.read_day(contract, D, NOW)
    (lake.table("raw", contract.table) / f"as_of={D}.json").unlink()
    asked = len(gateway.asked)
    again = departments.read_day(contract, D, NOW)
    assert (again.status, again.batches) == ("reused", first.batches)
    assert len(gateway.asked) == asked
    assert (lake.read_note("raw", contract.table, D) or {})["batches"] == ["deaths-20261110-01"]


def test_today_is_always_read_again(departments: Departments, contract: Contract) -> None:
    morning = datetime(D.year, D.month, D.day, 9, tzinfo=SHANGHAI)
    first = departments.read_day(contract, D, morning)
    second = departments.read_day(contract, D, morning + timedelta(hours=3))
    after = departments.read_day(contract, D, morning + timedelta(days=1))
    assert [r.batches[0].batch_id for r in (first, second, after)] == [
        f"deaths-20261110-0{n}" for n in (1, 2, 3)
    ]
    assert [r.batches[0].until[11:19] for r in (first, second, after)] == [
        "09:00:00",
        "12:00:00",
        "23:59:59",
    ]
    assert departments.read_day(contract, D, morning + timedelta(days=1)).status == "reused"


def test_a_failure_leaves_what_the_day_had(
    gateway: Gateway, departments: Departments, contract: Contract, lake: Lake
) -> None:
    morning = datetime(D.year, D.month, D.day, 9, tzinfo=SHANGHAI)
    first = departments.read_day(contract, D, morning)
    gateway.fault = lambda a, p: error(500, 50000)
    failed = departments.read_day(contract, D, NOW)
    assert (failed.status, failed.batches) == ("failed", first.batches)
    pointer = lake.read_note("raw", contract.table, D) or {}
    assert pointer["batches"] == ["deaths-20261110-01"]
    assert pointer["failure"]["kind"] == "transient"
    gateway.fault = None
    healed = departments.read_day(contract, D, NOW)
    assert (healed.status, healed.batches[0].batch_id) == ("read", "deaths-20261110-02")
    assert (lake.read_note("raw", contract.table, D) or {})["failure"] is None


def test_a_rejected_batch_is_read_again(
    gateway: Gateway, settings: Settings, lake: Lake, contract: Contract
) -> None:
    departments = Departments(settings, lake, QUICK)
    first = departments.read_day(contract, D, NOW)
    lake.write_note(
        "ledger",
        contract.table,
        D,
        {"batch_id": None, "watermark": None, "rejected": {"batch_id": first.batches[0].batch_id}},
    )
    same = departments.read_day(contract, D, NOW)
    assert (same.status, same.batches) == ("reused", first.batches)
    assert same.requests > 0
    gateway.rows[PATH].pop()
    corrected = departments.read_day(contract, D, NOW)
    assert (corrected.status, corrected.batches[0].batch_id) == ("read", "deaths-20261110-02")
    open_gate(lake.root, contract.table, "deaths-20261110-01", "Wang", "checked by telephone")
    assert departments.read_day(contract, D, NOW).requests == 0


def test_a_batch_that_leaves_a_gap_is_not_reused(
    gateway: Gateway, departments: Departments, contract: Contract, lake: Lake
) -> None:
    """The state before lost a day since (its batch was rejected on a replay): the increment upon it
    would leave a hole.
    """
    accept(lake, contract, D, departments.read_day(contract, D, NOW).batches[0])
    departments.read_day(contract, NEXT, NOW)
    ledger = {"batch_id": None, "watermark": "2026-11-05T23:59:59.999999+08:00", "rejected": None}
    lake.write_note("ledger", contract.table, D, ledger)
    again = departments.read_day(contract, NEXT, NOW)
    assert (again.status, again.batches[0].since) == ("read", "2026-11-04T23:59:59.999999+08:00")


def test_several_at_once(gateway: Gateway, settings: Settings, lake: Lake) -> None:
    contracts = [c for c in load_contracts() if c.server["form"] == "api"]
    for contract in contracts:
        if contract.records != "losses":
            gateway.rows[f"{contract.department}/{contract.records}"] = []
    departments = Departments(settings, lake, QUICK)
    departments.prefetch(contracts, D, NOW)
    reads = {c.records: departments.read_day(c, D, NOW) for c in contracts}
    departments.close()
    assert {name for name, read in reads.items() if read.status == "failed"} == {"losses"}
    # an empty first answer is asked for twice
    assert len(gateway.asked) == 2 * len(contracts) - 1


def test_a_form_without_its_settings(settings: Settings, lake: Lake, contract: Contract) -> None:
    read = Departments(dataclasses.replace(settings, gateway_url=None), lake, QUICK).read_day(
        contract, D, NOW
    )
    assert read.failure is not None
    assert (read.failure.kind, read.failure.reason) == ("permanent", "not_configured")
    assert "YIHU_GATEWAY_URL" in str(read.failure)


# before a run


def test_preflight_asks_once(
    gateway: Gateway, settings: Settings, lake: Lake, contract: Contract
) -> None:
    preflight(settings, [contract], D, NOW)
    assert len(gateway.asked) == 1
    assert gateway.asked[0].parameters["limit"] == "1"


def test_preflight_asks_nothing_for_days_that_stand(
    settings: Settings, departments: Departments, contract: Contract
) -> None:
    departments.read_day(contract, D, NOW)
    preflight(dataclasses.replace(settings, gateway_url="http://127.0.0.1:9"), [contract], D, NOW)


def test_preflight_wrong_key(
    gateway: Gateway, settings: Settings, tmp_path: Path, contract: Contract
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("another key")
    with pytest.raises(SourceError, match=r"refuses the signature \(401\).*YIHU_GATEWAY_KEY"):
        preflight(dataclasses.replace(settings, gateway_key_file=wrong), [contract], D, NOW)


def test_preflight_unreachable(settings: Settings, contract: Contract) -> None:
    with serving(Gateway()) as gone:
        url = gone.url
    with pytest.raises(SourceError, match="cannot be reached; check YIHU_GATEWAY_URL"):
        preflight(dataclasses.replace(settings, gateway_url=url), [contract], D, NOW)


def test_preflight_login_page(gateway: Gateway, settings: Settings, contract: Contract) -> None:
    gateway.fault = lambda a, p: Reply(200, b"<html>", {"Content-Type": "text/html"})
    with pytest.raises(SourceError, match="a web page came instead of data"):
        preflight(settings, [contract], D, NOW)


def test_one_departments_trouble_stops_no_run(gateway: Gateway, settings: Settings) -> None:
    contracts = [c for c in load_contracts() if c.server["form"] == "api"]
    gateway.rows = {f"{c.department}/{c.records}": [] for c in contracts}
    gateway.fault = lambda a, p: (
        error(401, 40100) if a.path.startswith("/citizen_reports") else None
    )
    preflight(settings, contracts, D, NOW)
    gateway.fault = lambda a, p: error(503, 50300)
    preflight(settings, contracts, D, NOW)


def test_days_are_those_of_shanghai(departments: Departments, contract: Contract) -> None:
    """At 16:30 UTC the next day has begun."""
    now = datetime.fromisoformat("2026-11-10T16:30:00+00:00")
    assert (
        departments.read_day(contract, date(2026, 11, 10), now).batches[0].until
        == "2026-11-10T23:59:59.999999+08:00"
    )
    assert (
        departments.read_day(contract, date(2026, 11, 11), now).batches[0].until
        == "2026-11-11T00:30:00.000000+08:00"
    )
