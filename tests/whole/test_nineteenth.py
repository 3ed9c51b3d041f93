"""A nineteenth record type by its contract file alone: its assets, checks, tables and dictionary
appear, and a day runs.

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
from typing import Any

import dagster as dg
import duckdb
import pytest
import sqlalchemy as sa

from expectations.contract import CONTRACTS, Contract, load_contracts
from pipelines.definitions import build_defs
from pipelines.environment import prepare
from resources.lake import Lake
from resources.server import warehouse_server
from resources.settings import ROOT, load_settings
from sandbox import frontdb
from sandbox.county import County
from tests.extraction.gateway import KEY, SID, Gateway, serving
from tests.whole.days import Offices, at_home, in_force, ledger, offices, quarantined
from tests.whole.plans import every_pair
from warehouse.dictionary import dictionary

DAY = date(2026, 11, 16)
PAGE = ROOT / "docs" / "add-a-source.md"
PUPILS = 40
STATUS = (
    "select in_force, linked, quarantined, state from yihu.source_status where records ="
    " 'attendance'"
)


def nineteen(folder: Path, form: str) -> tuple[Contract, ...]:
    """The repository's contracts, and the page's beside them in a folder of their own; its
    department delivers in that form.
    """
    shutil.copytree(CONTRACTS, folder)
    found = re.search(
        r"`expectations/contracts/(\S+)`:\n\n```yaml\n(.*?)```",
        PAGE.read_text(encoding="utf-8"),
        re.DOTALL,
    )
    assert found is not None
    path, block = found.groups()
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_text(block.replace("value: api", f"value: {form}"), encoding="utf-8")
    return load_contracts(folder)


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Contract, ...]:
    """With the contract as it stands on the page: by API."""
    return nineteen(tmp_path_factory.mktemp("nineteenth") / "contracts", "api")


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
    every_pair: list[tuple[str, str]]


def pupils(county: County, contract: Contract) -> list[dict[str, Any]]:
    """Forty pupils of the register by the bureau's column names, one of them absent for longer than
    there were days.
    """
    known = county.connection().execute(
        f"select number, name from read_parquet('{county.home}/truth/people.parquet') where"
        " member_id is not null order by person"
    )
    names = [f.physical_name for f in contract.fields]
    rows = [
        [
            f"p{n:03d}",
            number,
            name,
            "202611",
            "junior",
            20,
            99 if n == 7 else n % 3,
            12.5,
            "2026-11-16T09:00:00+08:00",
        ]
        for n, (number, name) in enumerate(known.fetchmany(PUPILS))
    ]
    return [dict(zip(names, row, strict=True)) for row in rows]


def deliver(departments: Offices, contract: Contract) -> None:
    """The bureau's file."""
    rows = pupils(departments.county, contract)
    lines = [",".join(map(str, row)) for row in (rows[0], *(row.values() for row in rows))]
    path = departments.drop / contract.department / f"{contract.records}_{DAY:%Y%m%d}.csv"
    path.parent.mkdir()
    path.write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")
    path.with_name(f"{path.name}.sha256").write_text(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
    )


@dataclass(frozen=True)
class Flowed:
    """A home after a day of the assets that the new record type needs, and no others."""

    home: Path
    result: dg.ExecuteInProcessResult
    every_pair: list[tuple[str, str]]


@pytest.fixture(scope="module")
def flowed(lively: County, defs: dg.Definitions, attendance: Contract) -> Iterator[Flowed]:
    """The register from its front-end database, the pupils from a gateway that knows them and
    nothing else.
    """
    place = tempfile.TemporaryDirectory(prefix="yihu-pupils-")
    folder = Path(place.name)
    with place, serving(Gateway()) as gateway:
        gateway.updated_at = attendance.by_role("updated_at").physical_name
        gateway.rows["education/attendance"] = [
            {"_op": "U", **row} for row in pupils(lively, attendance)
        ]
        front = f"sqlite:///{folder / 'front.sqlite'}"
        frontdb.load(lively, front, DAY)
        settings = {
            "YIHU_GATEWAY_URL": gateway.url,
            "YIHU_GATEWAY_SID": SID,
            "YIHU_GATEWAY_KEY": KEY.decode(),
            "YIHU_FRONT_DB_URL": front,
        }
        wanted = (
            dg.AssetSelection.assets("matched_education__attendance")
            .upstream()
            .required_multi_asset_neighbors()
            .resolve(defs.resolve_asset_graph())
        )
        with (
            at_home(folder / "home", **settings),
            dg.DagsterInstance.ephemeral() as instance,
            every_pair(pytest.MonkeyPatch()) as found,
        ):
            job = defs.resolve_job_def("daily_sync")
            result = job.execute_in_process(
                partition_key=DAY.isoformat(), asset_selection=sorted(wanted), instance=instance
            )
        yield Flowed(folder / "home", result, found)


@pytest.fixture(scope="module")
def ran(lively: County, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """A whole day, to its release; the bureau delivers by file."""
    contracts = nineteen(tmp_path_factory.mktemp("bureau") / "contracts", "file")
    defs, attendance = (
        build_defs(contracts=contracts),
        next(c for c in contracts if c.records == "attendance"),
    )
    place = tempfile.TemporaryDirectory(prefix="yihu-bureau-")
    folder = Path(place.name)
    home = folder / "home"
    with (
        place,
        offices(lively, folder / "offices") as departments,
        at_home(home, **departments.settings),
    ):
        departments.bring_to(DAY)
        deliver(departments, attendance)
        prepare(load_settings())
        with warehouse_server(home) as server, dg.DagsterInstance.get() as instance:
            with every_pair(pytest.MonkeyPatch()) as found:
                result = defs.resolve_job_def("daily_sync").execute_in_process(
                    partition_key=DAY.isoformat(), instance=instance
                )
            engine = server.engine("yihu_reader")
            with engine.connect() as connection:
                status = tuple(connection.execute(sa.text(STATUS)).one())
            engine.dispose()
        yield Ran(home, result, status, found)


def test_its_assets_and_checks_appear(defs: dg.Definitions) -> None:
    before = build_defs()
    new = {key.to_user_string() for key in defs.resolve_all_asset_keys()} - {
        key.to_user_string() for key in before.resolve_all_asset_keys()
    }
    assert new == {f"{layer}_education__attendance" for layer in ("raw", "valid", "matched")}
    checks = {
        key.name
        for key in defs.resolve_asset_graph().asset_check_keys
        if "attendance" in key.asset_key.to_user_string()
    }
    assert checks == {
        "read",
        "suite_ran",
        "critical_rules",
        "warning_rules",
        "conservation",
        "fresh",
    }


def test_its_place_in_the_dictionary(contracts: tuple[Contract, ...]) -> None:
    assert "### education.attendance" in dictionary(contracts)
    assert "### education.attendance" not in dictionary()


def what_came_of_it(home: Path, attendance: Contract) -> None:
    assert len(in_force(home, attendance, DAY)) == PUPILS - 1
    assert quarantined(home, attendance, DAY) == {"p007"}
    broken = [
        rule["rule"]
        for rule in ledger(home, attendance, DAY)["rules"]
        if not rule["passed"] and rule["severity"] == "critical"
    ]
    assert broken == ["sum:days"]


@pytest.mark.slow
def test_its_rows_flow_from_its_source_to_their_households(
    flowed: Flowed, attendance: Contract
) -> None:
    assert flowed.result.success
    checks = {
        check.check_name: check.passed
        for check in flowed.result.get_asset_check_evaluations()
        if "attendance" in str(check.asset_key)
    }
    assert {name for name, passed in checks.items() if not passed} == {"critical_rules"}
    what_came_of_it(flowed.home, attendance)
    matched = Lake(flowed.home / "lake").relation("matched", "education__attendance", DAY)
    linked, households = duckdb.sql(
        f"select count(*) filter (outcome = 'linked'), count(household_id) from {matched}"
    ).fetchall()[0]
    assert (
        linked == households >= PUPILS - 4
    )  # some of the register's numbers are ambiguous or were changed
    columns = {row[0] for row in duckdb.sql(f"describe select * from {matched}").fetchall()}
    assert {
        "record_id",
        "person_key",
        "household_id",
        "outcome",
        "days_absent",
        "fee_amount",
    } <= columns
    assert not {"id_number", "name"} & columns


@pytest.mark.slow
def test_no_statement_looks_at_every_pair_of_rows(flowed: Flowed) -> None:
    assert flowed.every_pair == []


@pytest.mark.long
def test_no_statement_of_a_whole_day_does_either(ran: Ran) -> None:
    assert ran.every_pair == []


@pytest.mark.long
def test_a_whole_day_runs_with_it(ran: Ran, attendance: Contract) -> None:
    assert ran.result.success
    assert ran.status == (PUPILS - 1, ran.status[1], 1, "ok")
    assert int(str(ran.status[1])) >= PUPILS - 4
    what_came_of_it(ran.home, attendance)
