"""Only a base register that was never read stops a run."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from expectations.contract import contract_for
from pipelines.definitions import build_defs
from resources.lake import Lake
from tests.whole.days import at_home, closed, ledger

pytestmark = pytest.mark.slow

DAY = date(2026, 11, 10)


def test_a_register_that_was_never_read_stops_the_run(tmp_path: Path) -> None:
    """No department has a file: the register's asset fails and says why; another source is carried
    forward, missing."""
    wanted = [contract_for(records) for records in ("households", "deaths")]
    keys = [
        dg.AssetKey(f"{layer}_{contract.table}")
        for contract in wanted
        for layer in ("raw", "valid", "matched")
    ] + [
        dg.AssetKey(["person"]),
        dg.AssetKey(["person_key_map"]),
    ]
    settings = closed(tmp_path) | {"YIHU_FORM": "file"}
    with at_home(tmp_path / "home", **settings), dg.DagsterInstance.ephemeral() as instance:
        job = build_defs().resolve_job_def("daily_sync")
        result = job.execute_in_process(
            partition_key=DAY.isoformat(),
            asset_selection=keys,
            instance=instance,
            raise_on_error=False,
        )
    assert not result.success
    failures = {event.step_key: event for event in result.get_step_failure_events()}
    assert set(failures) == {"make_person", "valid_rural_revitalisation__households"}
    failed = failures["valid_rural_revitalisation__households"]
    error = failed.step_failure_data.error
    assert error is not None
    said = error.to_string()
    assert "the base register's households were never read" in said
    assert "have the department deliver households_YYYYMMDD" in said
    assert ledger(tmp_path / "home", contract_for("deaths"), DAY)["state"] == "missing"
    assert Lake(tmp_path / "home" / "lake").days("matched", contract_for("deaths").table) == []
