"""A snapshot of every asset: a change of the graph is reviewed as a diff of `asset_specs.json`.

After a change that is meant: `uv run python -m tests.house.test_asset_specs` writes it anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dagster as dg

from expectations.contract import load_contracts
from pipelines.definitions import build_defs
from resources.settings import ROOT

SNAPSHOT = Path(__file__).with_name("asset_specs.json")


def snapshot() -> dict[str, Any]:
    """Key, dependencies, group, checks, owners, kinds, partitions and files of every asset; jobs
    and schedules.
    """
    defs = build_defs()
    graph = defs.resolve_asset_graph()
    assets = {}
    for spec in sorted(defs.resolve_all_asset_specs(), key=lambda s: s.key.to_user_string()):
        references = spec.metadata["dagster/code_references"].code_references
        assets[spec.key.to_user_string()] = {
            "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
            "group": spec.group_name,
            "owners": list(spec.owners),
            "kinds": sorted(spec.kinds),
            "checks": sorted(
                key.name for key in graph.asset_check_keys if key.asset_key == spec.key
            ),
            "partitions": type(spec.partitions_def).__name__,
            "files": sorted(str(Path(r.file_path).relative_to(ROOT)) for r in references),
        }
    schedules = {
        s.name: s.cron_schedule
        for s in defs.schedules or []
        if isinstance(s, dg.ScheduleDefinition)
    }
    return {"assets": assets, "schedules": schedules}


def test_the_graph_is_as_reviewed() -> None:
    assert snapshot() == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_every_asset_says_what_it_is() -> None:
    for spec in build_defs().resolve_all_asset_specs():
        assert spec.description, spec.key
        assert spec.owners, spec.key
        assert spec.group_name, spec.key
        assert spec.kinds, spec.key
        for reference in spec.metadata["dagster/code_references"].code_references:
            assert Path(reference.file_path).exists(), reference.file_path


def test_three_assets_a_contract() -> None:
    keys = {spec.key.to_user_string() for spec in build_defs().resolve_all_asset_specs()}
    for contract in load_contracts():
        assert {f"{layer}_{contract.table}" for layer in ("raw", "valid", "matched")} <= keys


if __name__ == "__main__":
    SNAPSHOT.write_text(
        json.dumps(snapshot(), ensure_ascii=False, indent=1, sort_keys=True) + "\n",
        encoding="utf-8",
    )
