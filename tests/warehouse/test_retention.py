"""What is past its time goes, and what something rests on stays: 130 days of a small lake, batches,
releases and runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipelines.automation.retention import Part, Pruning
from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.settings import Retention, Settings, load_settings
from tests.warehouse.conftest import Warehouse

NOW = date(2026, 11, 20)
DAYS = [NOW - timedelta(days=n) for n in range(130, 0, -1)]
LAMPS, STATE = ("flags", "warning_flag"), ("valid", "housing__dwellings")
QUARANTINE, MATCHED = ("quarantine", STATE[1]), ("matched", STATE[1])
QUEUE = ("household", "review_queue")
KEPT = Retention(raw_months=2, lake_days=40)
OLD, OPEN, ASKED, HELD, NEW = (
    f"dwellings-{day}-01" for day in ("20260801", "20260802", "20260803", "20260804", "20261101")
)


def rows(n: int) -> str:
    return (
        f"select i as record_id, i + {n} * (i % 100 = {n} % 100)::int as value from range(400) t(i)"
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = load_settings({"YIHU_HOME": str(tmp_path / "home")})
    return replace(found, retention=KEPT)


@pytest.fixture
def lake(settings: Settings, engine: Engine) -> Lake:
    made = Lake(settings.lake)
    for n, day in enumerate(DAYS):
        for table in (LAMPS, STATE):
            made.write(engine, *table, day, rows(n), "record_id", key=("record_id",))
    last, empty = DAYS[-1], "select null::varchar as batch_id, 1 as _row where false"
    made.write(engine, *QUARANTINE, last, f"select '{OPEN}' as batch_id, 1 as _row", "1")
    made.write(engine, *QUARANTINE, DAYS[0], empty, "1")
    made.write(engine, *QUEUE, last, "select 'dwellings' as records, 'r1' as record_id", "1")
    arrived = "select 'r1' as record_id, date '2026-08-03' as _arrived_on"
    made.write(engine, *MATCHED, last, arrived, "1")
    made.write_note("ledger", STATE[1], last, {"batch_id": NEW})
    for batch in (OLD, OPEN, ASKED, HELD, NEW):
        folder = made.table("raw", STATE[1]) / batch
        folder.mkdir(parents=True)
        (folder / "page-00001.json").write_text("x" * 1000)
    return made


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def given_up(
    settings: Settings,
    engine: Engine,
    lake: Lake,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
) -> dict[str, Part]:
    found = Pruning(settings, engine, lake, warehouse.engine(), instance, NOW, 30)
    parts = {}
    for part in found.parts():
        part.give_up()
        parts[part.name] = part
    return parts


def batches(lake: Lake) -> list[str]:
    return sorted(path.name for path in lake.table("raw", STATE[1]).iterdir())


def test_days_past_their_time_go_but_month_ends(
    settings: Settings,
    engine: Engine,
    lake: Lake,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
) -> None:
    digests = {day: lake.digest(engine, *STATE, day) for day in DAYS}
    parts = given_up(settings, engine, lake, warehouse, instance)
    since = DAYS[-1] - timedelta(days=40)
    ends = [day for day in DAYS if (day + timedelta(days=1)).day == 1 and day < since]
    assert lake.days(*STATE) == lake.days(*LAMPS) == [*ends, *(d for d in DAYS if d >= since)]
    assert len(ends) == 3
    assert {day: lake.digest(engine, *STATE, day) for day in lake.days(*STATE)} == {
        day: digests[day] for day in lake.days(*STATE)
    }
    for n, day in enumerate(DAYS):
        if day in lake.days(*STATE):
            kept = lake.relation(*STATE, day)
            assert engine.rows(f"(select * from {kept} except {rows(n)})") == []
    assert "days" in parts["lake"].said
    assert (parts["lake"].freed or 0) > 10_000
    assert lake.days(*QUARANTINE) == [DAYS[-1]]
    assert lake.kept_since() == since


def test_what_something_open_rests_on_stays(
    settings: Settings,
    engine: Engine,
    lake: Lake,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
) -> None:
    held = ((date(2026, 8, 4), date(2026, 8, 4)),)
    under_hold = replace(settings, retention=replace(KEPT, legal_hold=held))
    given_up(under_hold, engine, lake, warehouse, instance)
    assert batches(lake) == [OPEN, ASKED, HELD, NEW]
    assert date(2026, 8, 4) in lake.days(*STATE)
    given_up(settings, engine, lake, warehouse, instance)
    assert batches(lake) == [OPEN, ASKED, NEW]
    assert date(2026, 8, 4) not in lake.days(*STATE)


def test_the_day_of_a_kept_release_stays(
    settings: Settings,
    engine: Engine,
    lake: Lake,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
) -> None:
    kept = date(2026, 9, 17)
    warehouse.publish(kept, households=60)
    given_up(settings, engine, lake, warehouse, instance)
    assert kept in lake.days(*STATE)  # the last of its month, and the current release


def test_a_house_that_stood_still_has_its_last_days(
    settings: Settings,
    engine: Engine,
    lake: Lake,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
) -> None:
    later = Pruning(
        settings, engine, lake, warehouse.engine(), instance, NOW + timedelta(days=700), 30
    )
    for part in later.parts():
        part.give_up()
    assert [day for day in DAYS if day >= DAYS[-1] - timedelta(days=40)] == lake.days(*STATE)[-41:]


def test_the_newest_run_of_each_job_stays(
    settings: Settings,
    engine: Engine,
    lake: Lake,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
) -> None:
    for job, count in (("daily_sync", 3), ("weekly_statistics_job", 1)):
        for _ in range(count):
            instance.add_run(dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.SUCCESS))
    aged = replace(settings, retention=replace(KEPT, event_days=-1000))
    parts = given_up(aged, engine, lake, warehouse, instance)
    assert parts["runs"].said.startswith("2 of Dagster's runs")
    assert sorted(run.job_name for run in instance.get_runs()) == [
        "daily_sync", "weekly_statistics_job"
    ]  # fmt: skip
