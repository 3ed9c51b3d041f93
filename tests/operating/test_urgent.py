"""The urgent sensor (绿色通道): a new report or loss runs today once; nothing else
does; never two runs at once.
"""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
import yaml

from expectations.contract import contract_for
from pipelines.automation import sensors
from pipelines.automation.sensors import urgent_result, urgent_sensor
from resources.lake import Lake
from resources.runtime.lock import RunLocked, run_lock
from resources.settings import ROOT, Settings, load_settings
from tests.extraction.gateway import Gateway, error
from tests.operating.conftest import NOW, TODAY, YESTERDAY

REPORTS, LOSSES = "citizen_reports/reports", "emergency_management/losses"


def row(records: str, key: str, at: datetime, op: str = "U") -> dict[str, Any]:
    contract = contract_for(records)
    empty = {field.physical_name: None for field in contract.fields}
    updated_at = contract.by_role("updated_at").physical_name
    return {"_op": op, **empty, contract.record_key.physical_name: key, updated_at: at.isoformat()}


@pytest.fixture
def synced(settings: Settings, gateway: Gateway) -> Settings:
    """Yesterday's state holds report r-1 and no loss."""
    gateway.rows[REPORTS] = [row("reports", "r-1", NOW - timedelta(days=2))]
    gateway.rows[LOSSES] = []
    for records, keys in (("reports", ["r-1"]), ("losses", [])):
        state(
            settings,
            records,
            keys,
            datetime.combine(YESTERDAY, datetime.max.time(), NOW.tzinfo),
            YESTERDAY,
        )
    return settings


def state(settings: Settings, records: str, keys: list[str], until: datetime, day: Any) -> None:
    """What a run leaves in the lake."""
    contract, lake = contract_for(records), Lake(settings.lake)
    lake.write_note("ledger", contract.table, day, {"watermark": until.isoformat()})
    folder = lake.table("valid", contract.table) / f"as_of={day}" / "county=000000"
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        pa.table({contract.record_key.name: pa.array(keys, pa.string())}), folder / "part-0.parquet"
    )


def runs(result: dg.SensorResult) -> list[str | None]:
    return [request.partition_key for request in result.run_requests or []]


def test_nothing_new_is_no_run(synced: Settings) -> None:
    result = urgent_result(synced, None, NOW)
    assert runs(result) == []
    assert "reports: 0 new" in str(result.skip_reason)


@pytest.mark.parametrize(("path", "records"), [(REPORTS, "reports"), (LOSSES, "losses")])
def test_a_new_row_runs_today_once(
    synced: Settings, gateway: Gateway, path: str, records: str
) -> None:
    quiet = urgent_result(synced, None, NOW)
    gateway.rows[path].append(row(records, "n-1", NOW + timedelta(seconds=20)))
    later = NOW + timedelta(minutes=1)
    result = urgent_result(synced, quiet.cursor, later)
    assert runs(result) == [TODAY.isoformat()]
    assert (result.run_requests or [])[0].tags["yihu/cause"] == f"urgent: 1 new {records}"
    # while its run has not read it, within the overlap, and after that
    for minutes in (2, 5, 30):
        result = urgent_result(synced, result.cursor, NOW + timedelta(minutes=minutes))
        assert runs(result) == []


def test_what_a_run_has_read_is_no_news_even_without_a_cursor(
    synced: Settings, gateway: Gateway
) -> None:
    gateway.rows[REPORTS].append(row("reports", "n-1", NOW - timedelta(minutes=5)))
    assert runs(urgent_result(synced, None, NOW)) == [TODAY.isoformat()]
    state(synced, "reports", ["r-1", "n-1"], NOW, TODAY)
    assert runs(urgent_result(synced, None, NOW + timedelta(minutes=1))) == []


def test_a_changed_or_withdrawn_row_is_not_urgent(synced: Settings, gateway: Gateway) -> None:
    gateway.rows[REPORTS] = [row("reports", "r-1", NOW), row("reports", "gone", NOW, "D")]
    assert runs(urgent_result(synced, None, NOW + timedelta(seconds=1))) == []


def test_a_row_committed_late_is_seen(synced: Settings, gateway: Gateway) -> None:
    quiet = urgent_result(synced, None, NOW)
    gateway.rows[REPORTS].append(row("reports", "late", NOW - timedelta(minutes=3)))
    assert runs(urgent_result(synced, quiet.cursor, NOW + timedelta(minutes=1))) == [
        TODAY.isoformat()
    ]


def test_a_gateway_that_is_down_is_said_and_asked_again(synced: Settings, gateway: Gateway) -> None:
    quiet = urgent_result(synced, None, NOW)
    gateway.rows[REPORTS].append(row("reports", "n-1", NOW))
    gateway.fault = lambda asked, reply: error(401, 40100)
    down = urgent_result(synced, quiet.cursor, NOW + timedelta(minutes=1))
    assert runs(down) == []
    assert "refuses the signature" in str(down.skip_reason)
    assert "612429197001011234" not in str(down.skip_reason)
    gateway.fault = None
    assert runs(urgent_result(synced, down.cursor, NOW + timedelta(minutes=2))) == [
        TODAY.isoformat()
    ]


def test_before_the_first_sync_there_is_nothing_urgent(settings: Settings) -> None:
    assert "never read" in str(urgent_result(settings, None, NOW).skip_reason)


def test_rows_of_a_front_end_database(
    synced: Settings, environment: dict[str, str], tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'front.db'}"
    contract = contract_for("reports")
    names = [field.physical_name for field in contract.fields]
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for table in ("citizen_reports__reports", "emergency_management__losses"):
            columns = [f.physical_name for f in contract_for(table.partition("__")[2]).fields]
            connection.exec_driver_sql(
                f"create table {table} ({', '.join(f'{c} text' for c in columns)})"
            )
    settings = load_settings({**environment, "YIHU_FORM": "sql", "YIHU_FRONT_DB_URL": url})
    quiet = urgent_result(settings, None, NOW)
    assert runs(quiet) == []
    with engine.begin() as connection:
        values = [row("reports", "n-1", NOW)[name] for name in names]
        connection.exec_driver_sql(
            f"insert into citizen_reports__reports values ({', '.join('?' * len(names))})",
            tuple(values),
        )
    engine.dispose()
    assert runs(urgent_result(settings, quiet.cursor, NOW + timedelta(minutes=1))) == [
        TODAY.isoformat()
    ]


def test_while_a_run_goes_on_none_is_asked_for(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(
        sensors, "urgent_result", lambda *_: pytest.fail("the departments were asked")
    )
    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.DagsterRun(
            job_name="daily_sync",
            run_id="5f6a2a53-0000-4000-8000-000000000000",
            status=dg.DagsterRunStatus.STARTED,
        )
        instance.add_run(run)
        with run_lock(load_settings().home):
            result = urgent_sensor(dg.build_sensor_context(instance, cursor='{"kept": 1}'))
    assert isinstance(result, dg.SensorResult)
    assert result.cursor == '{"kept": 1}'
    assert "goes on" in str(result.skip_reason)


HOLD = """
import sys, time
from pathlib import Path
from resources.runtime.lock import run_lock
home, log = map(Path, sys.argv[1:])
with run_lock(home, wait_seconds=10):
    log.open("a").write("in ")
    time.sleep(0.3)
    log.open("a").write("out ")
"""


def test_no_two_runs_at_once_whoever_starts_them(tmp_path: Path) -> None:
    """The daemon starts one at a time; a run waits in `RunContext` for the lock; `make sync` says
    so and ends.
    """
    configured = [
        yaml.safe_load((ROOT / name / "dagster.yaml").read_text())
        for name in (".", "dagster-on-sqlite", "dagster-on-postgres")
    ]
    assert [c["concurrency"]["runs"]["max_concurrent_runs"] for c in configured] == [1, 1, 1]
    assert all(c["run_coordinator"]["class"] == "QueuedRunCoordinator" for c in configured)
    log = tmp_path / "log"
    processes = [
        subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path), str(log)], cwd=ROOT)
        for _ in range(2)
    ]
    while not log.exists():
        time.sleep(0.01)
    with pytest.raises(RunLocked, match="another sync is running"), run_lock(tmp_path):
        pass
    for process in processes:
        assert process.wait(20) == 0
    assert log.read_text().split() == ["in", "out", "in", "out"]
