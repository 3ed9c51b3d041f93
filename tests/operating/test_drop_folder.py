"""The drop-folder sensor: the same file twice runs once, a corrected one again, a growing one is
left and said.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import dagster as dg
import pytest

from expectations.contract import contract_for
from pipelines.automation.sensors import drop_folder_requests, drop_folder_sensor
from resources.departments import Departments
from resources.lake import Lake
from resources.settings import Settings
from tests.operating.conftest import NOW, TODAY, YESTERDAY, Drop

FILE = "disability_federation/certificates_20261101.csv"
HEADER = ",".join(f.physical_name for f in contract_for("certificates").fields) + "\n"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read(settings: Settings) -> None:
    """What a run does with the folder."""
    departments = Departments(settings, Lake(settings.lake))
    day = departments.read_day(contract_for("certificates"), YESTERDAY, NOW)
    assert day.failure is None, day.failure


def test_a_new_file_runs_yesterday_once(settings: Settings, drop: Drop) -> None:
    path = drop(FILE, HEADER)
    requests, _, cursor = drop_folder_requests(settings, None, NOW)
    assert [(r.run_key, r.partition_key) for r in requests] == [
        (f"disability_federation:20261101:{sha256(path)}", YESTERDAY.isoformat())
    ]
    # the run has not read it yet, and the sensor looks again
    assert drop_folder_requests(settings, cursor, NOW)[0] == []
    # a sensor whose cursor was lost gives the same run key, which Dagster runs once
    assert drop_folder_requests(settings, None, NOW)[0][0].run_key == requests[0].run_key


def test_what_a_run_has_read_is_not_run_for(settings: Settings, drop: Drop) -> None:
    drop(FILE, HEADER)
    read(settings)
    assert drop_folder_requests(settings, None, NOW)[0] == []


def test_a_corrected_file_runs_again(settings: Settings, drop: Drop) -> None:
    drop(FILE, HEADER)
    first, _, cursor = drop_folder_requests(settings, None, NOW)
    read(settings)
    path = drop(FILE, HEADER.replace("\n", "\r\n"))
    again, _, cursor = drop_folder_requests(settings, cursor, NOW)
    assert [r.run_key for r in again] == [f"disability_federation:20261101:{sha256(path)}"]
    assert again[0].run_key != first[0].run_key
    assert drop_folder_requests(settings, cursor, NOW)[0] == []


def test_a_day_that_stands_is_left_alone_and_today_runs(settings: Settings, drop: Drop) -> None:
    drop(FILE, HEADER)
    read(settings)
    drop(FILE, HEADER.replace("\n", "\r\n"))
    requests, _, _ = drop_folder_requests(settings, None, NOW)
    assert [r.partition_key for r in requests] == [TODAY.isoformat()]


def test_a_rejected_extract_is_mended_in_its_own_day(settings: Settings, drop: Drop) -> None:
    drop(FILE, HEADER)
    read(settings)
    ledger = {
        "rejected": {"batch_id": "certificates-20261101-01", "reasons": ["too many bad rows"]},
        "extract_date": None,
    }
    Lake(settings.lake).write_note(
        "ledger", "disability_federation__certificates", YESTERDAY, ledger
    )
    drop(FILE, HEADER.replace("\n", "\r\n"))
    requests, _, _ = drop_folder_requests(settings, None, NOW)
    assert [r.partition_key for r in requests] == [YESTERDAY.isoformat()]


def test_a_file_of_today_runs_today(settings: Settings, drop: Drop) -> None:
    drop(f"disability_federation/certificates_{TODAY:%Y%m%d}.csv", HEADER)
    assert [r.partition_key for r in drop_folder_requests(settings, None, NOW)[0]] == [
        TODAY.isoformat()
    ]


@pytest.mark.parametrize(
    ("checksum", "said"), [(None, "no .sha256"), ("0" * 64, "another content")]
)
def test_a_file_that_is_not_whole_is_left_and_said(
    settings: Settings, drop: Drop, checksum: str | None, said: str
) -> None:
    drop(FILE, HEADER, checksum)
    requests, notes, cursor = drop_folder_requests(settings, None, NOW)
    assert requests == []
    assert said in notes[0]
    assert FILE in notes[0]
    drop(FILE, HEADER)
    assert len(drop_folder_requests(settings, cursor, NOW)[0]) == 1


def test_two_files_of_one_department_at_once_are_one_run(settings: Settings, drop: Drop) -> None:
    for records in ("dwellings", "retrofits"):
        drop(f"housing/{records}_20261001.xlsx", records)
    requests, _, cursor = drop_folder_requests(settings, None, NOW)
    assert len(requests) == 1
    assert "dwellings" in requests[0].tags["yihu/cause"]
    assert "retrofits" in requests[0].tags["yihu/cause"]
    assert drop_folder_requests(settings, cursor, NOW)[0] == []


def test_a_large_file_is_not_read_again_each_time(
    settings: Settings, drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(FILE, HEADER)
    _, _, cursor = drop_folder_requests(settings, None, NOW)
    monkeypatch.setattr(
        "pipelines.automation.sensors.sha256_of", lambda path: pytest.fail(f"{path} was read again")
    )
    drop_folder_requests(settings, cursor, NOW)


def test_the_sensor_itself(
    environment: dict[str, str], drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.ephemeral() as instance:
        quiet = drop_folder_sensor(dg.build_sensor_context(instance))
        assert isinstance(quiet, dg.SensorResult)
        assert quiet.skip_reason is not None
        drop(FILE, HEADER)
        found = drop_folder_sensor(dg.build_sensor_context(instance, cursor=quiet.cursor))
    assert isinstance(found, dg.SensorResult)
    assert len(found.run_requests or []) == 1
    assert json.loads(str(found.cursor))["asked"].keys() == {FILE}
