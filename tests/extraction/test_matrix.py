"""The fault matrix: every fault that the sandbox's departments can have, in every form it applies
to, through to the state of the day.

Three days of one record type: a good one, one with the fault, and one after it has passed. At the
end the state is that of departments that never had a fault: nothing lost, nothing doubled.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from expectations.contract import Contract, contract_for
from resources.departments import DayRead, Departments, RetryPolicy
from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.settings import SHANGHAI, Settings, load_settings
from sandbox import frontdb
from sandbox.county import County
from sandbox.drop import checksum_path, file_name, write_file
from sandbox.faults import API_FAULTS, DATABASE_FAULTS, FILE_FAULTS, Fault, FaultPlan
from sandbox.gateway import start
from sandbox.rates import ErrorRates
from tests.conftest import Show
from tests.extraction.gateway import KEY, SID
from tests.extraction.matrix import MATRIX, Case
from warehouse.asof import make_valid

pytestmark = pytest.mark.slow

# weeks apart, so that few households have several pages of changes to tell
BEFORE, FAULTY, AFTER = date(2026, 9, 10), date(2026, 10, 8), date(2026, 11, 5)
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=SHANGHAI)
RECORDS = {"api": "enrolments", "csv": "certificates", "xlsx": "dwellings", "sql": "members"}
PATIENT = RetryPolicy(
    connect_timeout=1.0, read_timeout=0.6, drip_after=0.2, drip_rate=1e6, attempts=3,
    first_wait=0.01, longest_wait=0.02, budget=4.0,
    page_rows=10,
)  # fmt: skip


@dataclass
class Place:
    """The departments of a small county, a form each, and what the same days give without a
    fault.
    """

    county: County
    folder: Path
    url: str
    plan: FaultPlan
    engine: Engine

    def settings(self, form: str, home: Path) -> Settings:
        return load_settings(
            {
                "YIHU_HOME": str(home),
                "YIHU_FORM": {"csv": "file", "xlsx": "file"}.get(form, form),
                "YIHU_GATEWAY_URL": self.url,
                "YIHU_GATEWAY_SID": SID,
                "YIHU_GATEWAY_KEY": KEY.decode(),
                "YIHU_DROP_DIR": str(self.folder / "drop"),
                "YIHU_FRONT_DB_URL": self.front,
            }
        )

    @property
    def front(self) -> str:
        return f"sqlite:///{self.folder / 'front.sqlite'}"

    def file(self, contract: Contract, day: date) -> Path:
        return self.folder / "drop" / contract.department / file_name(contract, day)

    def bring_to(self, form: str, day: date, fault: str | None = None) -> None:
        """What the department of that form has on `day`, spoilt as `fault` spoils it."""
        contract = contract_for(RECORDS[form])
        if form == "sql":
            frontdb.load(self.county, self.front, day)
            if fault in DATABASE_FAULTS:
                frontdb.spoil(self.front, contract, fault)
        elif form in ("csv", "xlsx"):
            write_file(self.county, contract, day, self.file(contract, day), fault)

    def forget(self, form: str) -> None:
        """No day has come yet."""
        self.plan.faults.clear()
        for day in (BEFORE, FAULTY, AFTER):
            path = (
                self.file(contract_for(RECORDS[form]), day)
                if form in ("csv", "xlsx")
                else self.folder / "none"
            )
            path.unlink(missing_ok=True)
            checksum_path(path).unlink(missing_ok=True)

    def run(self, form: str, home: Path, day: date, **other: str) -> tuple[DayRead, dict[str, Any]]:
        settings = dataclasses.replace(self.settings(form, home), **other)
        contract, lake = contract_for(RECORDS[form]), Lake(settings.lake)
        read = Departments(settings, lake, PATIENT).read_day(contract, day, NOW)
        return read, make_valid(self.engine, lake, contract, day)

    def state(self, form: str, home: Path, day: date) -> list[tuple[Any, ...]]:
        """The rows in force, as delivered; not when they came, nor in which batch."""
        contract = contract_for(RECORDS[form])
        names = ", ".join(f'"{f.name}"' for f in contract.fields)
        rows = Lake(home / "lake").relation("valid", contract.table, day)
        return self.engine.rows(f"select {names} from {rows} order by 1")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("matrix")
    (folder / "drop").mkdir()
    county = County(
        folder / "county", 120, 6, ErrorRates(withdrawn=0.6, late=0.3, broken=0.004)
    ).make()
    plan = FaultPlan()
    server, url = start(county, SID, KEY, plan)
    engine = Engine(folder / "tmp")
    yield Place(county, folder, url, plan, engine)
    engine.close()
    server.shutdown()
    server.server_close()


@dataclass(frozen=True)
class Straight:
    """The three days of a form without a fault: the home after the first, and what each day came
    to.
    """

    first: Path
    requests: int
    states: dict[date, list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def straight(place: Place) -> Callable[[str], Straight]:
    made: dict[str, Straight] = {}

    def of(form: str) -> Straight:
        if form not in made:
            place.forget(form)
            home, first = place.folder / f"{form}-straight", place.folder / f"{form}-first"
            states, requests = {}, 0
            for day in (BEFORE, FAULTY, AFTER):
                place.bring_to(form, day)
                read, ledger = place.run(form, home, day)
                assert (read.failure, ledger["rejected"]) == (None, None)
                states[day] = place.state(form, home, day)
                requests = read.requests if day == FAULTY else requests
                if day == BEFORE:
                    shutil.copytree(home, first)
            assert states[BEFORE] != states[FAULTY] != states[AFTER]
            made[form] = Straight(first, requests, states)
        return made[form]

    return of


def outcome(read: DayRead, ledger: dict[str, Any], usual_requests: int) -> str:
    """What became of the fault, in the words of the matrix."""
    if read.failure is not None:
        return f"carried forward ({read.failure.kind})"
    if ledger["rejected"]:
        return "rejected"
    if read.notes and not read.batches:
        return "left for next time"
    more = read.requests - usual_requests
    return "read" if more == 0 else "resumed" if more == 1 else "begun anew"


@pytest.mark.parametrize("case", MATRIX, ids=str)
def test_a_fault(
    case: Case, place: Place, straight: Callable[[str], Straight], tmp_path: Path, show: Show
) -> None:
    wanted, home = straight(case.form), tmp_path / "home"
    shutil.copytree(wanted.first, home)
    place.forget(case.form)
    other: dict[str, Any] = {}
    if case.form == "api":
        place.plan.faults.append(
            Fault(RECORDS["api"], case.cause, 0 if case.lasts else 2, -1 if case.lasts else 1)
        )
    if case.cause == "down":
        other["front_db_url"] = frontdb.down_url()
    place.bring_to(case.form, FAULTY, case.cause)
    read, ledger = place.run(case.form, home, FAULTY, **other)
    seen = outcome(read, ledger, wanted.requests)
    show("fault matrix", case.line(seen))
    assert seen == case.outcome, read.failure or ledger["rejected"]
    is_in = seen in ("resumed", "begun anew", "read")
    assert place.state(case.form, home, FAULTY) == wanted.states[FAULTY if is_in else BEFORE]
    assert ledger["age_days"] == (0 if is_in else (FAULTY - BEFORE).days)
    # the day after, the fault has passed
    place.plan.faults.clear()
    place.bring_to(case.form, FAULTY if case.form in ("csv", "xlsx") else AFTER)
    place.bring_to(case.form, AFTER)
    read, ledger = place.run(case.form, home, AFTER)
    assert (read.failure, ledger["rejected"], ledger["age_days"]) == (None, None, 0)
    assert place.state(case.form, home, AFTER) == wanted.states[AFTER]


def test_every_fault_of_the_sandbox_is_in_the_matrix() -> None:
    causes = {form: {case.cause for case in MATRIX if case.form == form} for form in RECORDS}
    assert causes["api"] == set(API_FAULTS)
    assert causes["csv"] | causes["xlsx"] == set(FILE_FAULTS)
    assert causes["sql"] == {*DATABASE_FAULTS, "down"}
    assert {case.cause for case in MATRIX if case.form == "api" and case.lasts} == set(
        API_FAULTS
    ) - {"cursor_lost"}
