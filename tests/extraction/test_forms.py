"""The same records by API, file and query land as the same typed rows."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
import sqlalchemy as sa

from expectations.contract import Contract, contract_for
from expectations.landing import land
from resources.departments import Departments
from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.settings import Settings
from tests.extraction.conftest import NOW, QUICK, D
from tests.extraction.gateway import Gateway
from tests.extraction.test_files import csv_bytes, put, xlsx_bytes
from tests.extraction.test_sql import make, some

COUNT = 50


@pytest.fixture
def members() -> Contract:
    return contract_for("members")


def landed(
    settings: Settings, engine: Engine, contract: Contract, form: str
) -> list[tuple[Any, ...]]:
    lake = Lake(settings.home / form)
    read = Departments(
        dataclasses.replace(settings, form=form.split("-")[0]), lake, QUICK
    ).read_day(contract, D, NOW)
    assert read.failure is None, str(read.failure)
    folder = lake.table("raw", contract.table) / read.batches[0].batch_id
    result = land(
        engine, contract, folder, json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    )
    assert result.row_count == COUNT
    assert result.drifts == ()
    assert (
        engine.scalar(
            f"select count(*) from read_parquet('{result.rows_path}') where len(_misfit) > 0"
        )
        == 0
    )
    return engine.rows(f"select * from read_parquet('{result.rows_path}') order by _row")


def test_three_forms_one_result(
    gateway: Gateway, settings: Settings, engine: Engine, members: Contract
) -> None:
    held = some(members, COUNT)
    at = members.by_role("updated_at").physical_name
    gateway.updated_at = at
    plain = [
        json.loads(
            json.dumps(
                row, default=lambda v: str(v).replace(" ", "T") if hasattr(v, "hour") else str(v)
            )
        )
        for row in held
    ]
    gateway.rows["rural_revitalisation/members"] = [
        {"_op": "U", **row, at: row[at] + "+08:00"} for row in plain
    ]
    front = sa.create_engine(str(settings.front_db_url))
    make(front, members, held)
    front.dispose()
    assert settings.drop_dir is not None
    folder = settings.drop_dir / "rural_revitalisation"
    folder.mkdir()
    yes_no = {True: "是", False: "否"}
    cells = [
        list(plain[0]),
        *([yes_no[v] if isinstance(v, bool) else str(v) for v in row.values()] for row in plain),
    ]
    by_api = landed(settings, engine, members, "api")
    assert landed(settings, engine, members, "sql") == by_api
    put(folder, "members_20261109.csv", csv_bytes(cells))
    assert landed(settings, engine, members, "file-csv") == by_api
    put(folder, "members_20261110.xlsx", xlsx_bytes(cells))
    assert landed(settings, engine, members, "file-xlsx") == by_api
