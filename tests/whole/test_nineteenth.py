"""A nineteenth record type by its contract file alone: its assets, checks, tables and dictionary appear, and a day runs.

The contract is the one that `docs/add-a-source.md` walks through, so that the page is proved too.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pytest
import sqlalchemy as sa

from expectations.contract import CONTRACTS, Contract, load_contracts
from pipelines.definitions import build_defs
from pipelines.environment import prepare
from resources.server import warehouse_server
from resources.settings import ROOT, load_settings
from sandbox.county import County
from tests.whole.days import Offices, at_home, in_force, ledger, offices, quarantined
from warehouse.dictionary import dictionary

pytestmark = pytest.mark.long

DAY = date(2026, 11, 16)
PAGE = ROOT / "docs" / "add-a-source.md"
PUPILS = 40
STATUS = "select in_force, linked, quarantined, state from yihu.source_status where records = 'attendance'"


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Contract, ...]:
    """The repository's contracts, and the page's beside them in a folder of their own; its department delivers by file."""
    folder = tmp_path_factory.mktemp("nineteenth") / "contracts"
    shutil.copytree(CONTRACTS, folder)
    found = re.search(r"`expectations/contracts/(\S+)`:\n\n```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    path, block = found.groups()
    (folder / path).parent.mkdir()
    (folder / path).write_text(block.replace("value: api", "value: file"), encoding="utf-8")
    return load_contracts(folder)


@pytest.fixture(scope="module")
def attendance(contracts: tuple[Contract, ...]) -> Contract:
    return next(contract for contract in contracts if contract.records == "attendance")


@pytest.fixture(scope="module")
def defs(contracts: tuple[Contract, ...]) -> dg.Definitions:
    return build_defs(contracts=contracts)


@dataclass(frozen=True)
class Ran:
    """A home that ran one day with nineteen record types."""

    home: Path
    result: dg.ExecuteInProcessResult
    status: tuple[object, ...]


def deliver(departments: Offices, contract: Contract) -> None:
    """The bureau's file: forty pupils of the register, one of them absent for longer than there were days."""
    known = departments.county.connection().execute(
        f"select number, name from read_parquet('{departments.county.home}/truth/people.parquet') where member_id is not null order by person"
    )
    lines = [",".join(f.physical_name for f in contract.fields)]
    for n, (number, name) in enumerate(known.fetchmany(PUPILS)):
        absent = 99 if n == 7 else n % 3
        lines.append(f"p{n:03d},{number},{name},202611,junior,20,{absent},12.50,2026-11-16T09:00:00+08:00")
    path = departments.drop / contract.department / f"{contract.records}_{DAY:%Y%m%d}.csv"
    path.parent.mkdir()
    path.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")
    path.with_name(f"{path.name}.sha256").write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")


@pytest.fixture(scope="module")
def ran(lively: County, defs: dg.Definitions, attendance: Contract) -> Iterator[Ran]:
    place = tempfile.TemporaryDirectory(prefix="yihu-bureau-")
    folder = Path(place.name)
    home = folder / "home"
    with place, offices(lively, folder / "offices") as departments, at_home(home, **departments.settings):
        departments.bring_to(DAY)
        deliver(departments, attendance)
        prepare(load_settings())
        with warehouse_server(home) as server, dg.DagsterInstance.get() as instance:
            result = defs.resolve_job_def("daily_sync").execute_in_process(partition_key=DAY.isoformat(), instance=instance)
            engine = server.engine("yihu_reader")
            with engine.connect() as connection:
                status = tuple(connection.execute(sa.text(STATUS)).one())
            engine.dispose()
        yield Ran(home, result, status)


def test_its_assets_and_checks_appear(defs: dg.Definitions) -> None:
    before = build_defs()
    new = {key.to_user_string() for key in defs.resolve_all_asset_keys()} - {
        key.to_user_string() for key in before.resolve_all_asset_keys()
    }
    assert new == {f"{layer}_education__attendance" for layer in ("raw", "valid", "matched")}
    checks = {key.name for key in defs.resolve_asset_graph().asset_check_keys if "attendance" in key.asset_key.to_user_string()}
    assert checks == {"read", "suite_ran", "critical_rules", "warning_rules", "conservation", "fresh"}


def test_its_place_in_the_dictionary(contracts: tuple[Contract, ...]) -> None:
    assert "### education.attendance" in dictionary(contracts)
    assert "### education.attendance" not in dictionary()


def test_a_day_runs_with_it(ran: Ran, attendance: Contract) -> None:
    assert ran.result.success
    assert ran.status == (PUPILS - 1, ran.status[1], 1, "ok")
    assert int(str(ran.status[1])) >= PUPILS - 4  # some of the register's numbers are ambiguous or were changed
    assert len(in_force(ran.home, attendance, DAY)) == PUPILS - 1
    assert quarantined(ran.home, attendance, DAY) == {"p007"}
    broken = [rule["rule"] for rule in ledger(ran.home, attendance, DAY)["rules"] if not rule["passed"] and rule["severity"] == "critical"]
    assert broken == ["sum:days"]


def test_what_is_matched_holds_no_identity(ran: Ran) -> None:
    files = list((ran.home / "lake" / "matched" / "education__attendance" / f"as_of={DAY}").rglob("*.parquet"))
    assert len(files) == 1
    columns = {row[0] for row in duckdb.sql(f"describe select * from '{files[0]}'").fetchall()}
    assert {"record_id", "person_key", "household_id", "outcome", "days_absent", "fee_amount"} <= columns
    assert not {"id_number", "name"} & columns
