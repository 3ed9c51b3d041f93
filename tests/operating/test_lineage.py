"""Column lineage: what the UI and `docs/lineage.md` say is what the models as they are say."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import pytest

from assets.lineage import FILE, lineage_metadata
from expectations.contract import load_contracts
from pipelines.definitions import build_defs
from pipelines.development.lineage import columns_read, digest_of, make, record_day
from pipelines.development.lineage_page import PAGE, page

AGAIN = "uv run python -m pipelines.development.lineage"


@pytest.mark.slow
def test_the_file_is_of_the_models_as_they_are(tmp_path: Path) -> None:
    engine = record_day(tmp_path, load_contracts())
    digest = digest_of(engine)
    engine.close()
    assert digest == json.loads(FILE.read_text(encoding="utf-8"))["digest"], (
        f"a model, rule or contract changed: {AGAIN}"
    )


@pytest.mark.long
def test_the_file_is_what_sqlglot_reads() -> None:
    names = frozenset(
        key.to_user_string() for key in build_defs().resolve_asset_graph().get_all_asset_keys()
    )
    assert make(load_contracts(), names) == json.loads(FILE.read_text(encoding="utf-8")), AGAIN


def test_the_page_is_drawn_from_the_file() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(
        json.loads(FILE.read_text(encoding="utf-8"))["tables"]
    ), AGAIN


def sources(asset: str, column: str) -> set[tuple[str, str]]:
    lineage = lineage_metadata(asset)["dagster/column_lineage"]
    assert isinstance(lineage, dg.TableColumnLineage)
    return {
        (dep.asset_key.to_user_string(), dep.column_name) for dep in lineage.deps_by_column[column]
    }


def test_what_columns_come_from() -> None:
    ill = "matched_health_commission__serious_illnesses"
    assert {(ill, "status"), (ill, "diagnosed_on")} <= sources(
        "household_indicator", "r07_serious_illness_count"
    )
    assert ("household_indicator", "r17_unsafe_water") in sources("warning_flag", "score")
    assert ("warning_flag", "level") in sources("area_ledger", "red")
    assert sources("follow_up_task", "need") == {("warning_reason", "code")}
    assert sources("valid_housing__dwellings", "grade") == {("raw_housing__dwellings", "安全等级")}


def test_every_asset_made_by_a_model_says_it() -> None:
    made = {spec.key.to_user_string(): spec for spec in build_defs().resolve_all_asset_specs()}
    known = set(made)
    for name, spec in made.items():
        if name.startswith("raw_") or name == "release":
            continue
        lineage = spec.metadata["dagster/column_lineage"]
        value = lineage.value if isinstance(lineage, dg.MetadataValue) else lineage
        assert isinstance(value, dg.TableColumnLineage), name
        assert {
            dep.asset_key.to_user_string() for deps in value.deps_by_column.values() for dep in deps
        } <= known, name


def test_a_count_comes_from_what_decides_it_and_a_look_up_from_what_it_is_looked_up_by() -> None:
    schema = {"ill": ("household_id", "status"), "rule": ("code", "task")}
    counted = (
        "select household_id, count(*) as persons from ill where status = '1' group by household_id"
    )
    assert columns_read(counted, schema, frozenset())["persons"] == {("ill", "status")}
    looked_up = "select r.task from ill as i inner join rule as r on r.code = i.status"
    assert columns_read(looked_up, schema, frozenset({"rule"}))["task"] == {
        ("rule", "task"),
        ("ill", "status"),
    }
    assert columns_read(looked_up, schema, frozenset())["task"] == {("rule", "task")}
