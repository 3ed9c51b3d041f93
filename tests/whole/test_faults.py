"""A day on which much goes wrong, in every form: the run publishes, says so, and the next good day
loses and doubles nothing.

The fault matrix proper, fault by fault, is in `tests/extraction`; `docs/faults.md` has both.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from expectations.contract import contract_for, load_contracts
from pipelines.environment import prepare
from resources.server import warehouse_server
from resources.settings import load_settings
from sandbox.county import County
from sandbox.drop import write_file
from sandbox.faults import Fault
from sandbox.frontdb import spoil
from tests.whole.conftest import FEW, Ranged, pipelines
from tests.whole.days import (
    PSEUDONYM,
    Offices,
    at_home,
    in_force,
    ledger,
    offices,
    quarantined,
    run_valid,
)
from tests.whole.sweep import holds, text_of, written

pytestmark = pytest.mark.long

GOOD, BAD, NEXT = date(2026, 11, 13), date(2026, 11, 18), date(2026, 11, 19)
FILED, CASES = date(2026, 11, 17), date(2026, 11, 16)
WHY = "checked by telephone with the federation"

PASSING = (
    Fault("settlements", "500"),
    Fault("enrolments", "truncated"),
    Fault("assistance", "repeated_page"),
    Fault("deaths", "reset"),
    Fault("temporary_aid", "cursor_lost"),
)
LASTING = (Fault("reports", "404", times=-1), Fault("losses", "wrong_total", times=-1))
FAILS = {
    "reports": ("permanent", "not_found"),
    "losses": ("transient", "wrong_total"),
    "serious_illnesses": ("permanent", None),
}
"""What cannot be read, and why; None is any reason."""
REJECTED = ("members", "dwellings", "certificates")
STALE = ("members", "reports", "losses")
"""Five days old, where one, two or three are allowed; of these `members` was rejected, which its
state says first.
"""


@dataclass(frozen=True)
class Faulty:
    """A home after the bad day, after its repair and after the next day; and one that met no
    fault.
    """

    home: Path
    straight: Path
    county: County
    printed: str
    status: int
    states: dict[str, tuple[str, int]]
    releases: int
    failed_checks: set[tuple[str, str]]
    ledgers: dict[str, dict[str, Any]]
    """Of the bad day, before its repair."""
    rows: dict[str, dict[str, tuple[Any, ...]]]
    gate: str


def path_of(departments: Offices, records: str, day: date) -> Path:
    contract = contract_for(records)
    return (
        departments.drop
        / contract.department
        / f"{records}_{day:%Y%m%d}.{contract.server['format']}"
    )


def bad_certificates(departments: Offices) -> None:
    """The federation's file of `FILED`: one row in eight has a code that is none."""
    contract = contract_for("certificates")
    newest = max((departments.drop / contract.department).glob("certificates_*.csv"))
    column = next(i for i, f in enumerate(contract.fields) if f.codes)
    lines = [line.split(b",") for line in newest.read_bytes().split(b"\r\n") if line]
    for line in lines[1::8]:
        line[column] = b"?"
    path = path_of(departments, "certificates", FILED)
    path.write_bytes(b"\r\n".join(b",".join(line) for line in lines) + b"\r\n")
    path.with_name(f"{path.name}.sha256").write_text(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
    )


def spoilt(departments: Offices) -> None:
    departments.plan.faults += [*PASSING, *LASTING]
    write_file(
        departments.county,
        contract_for("cases"),
        CASES,
        path_of(departments, "cases", CASES),
        "wrong_checksum",
    )
    write_file(
        departments.county,
        contract_for("dwellings"),
        FILED,
        path_of(departments, "dwellings", FILED),
        "changed_header",
    )
    bad_certificates(departments)
    spoil(departments.front, contract_for("members"), "missing_column")
    spoil(departments.front, contract_for("serious_illnesses"), "missing_table")


def mended(departments: Offices) -> None:
    departments.plan.faults.clear()
    write_file(
        departments.county, contract_for("cases"), CASES, path_of(departments, "cases", CASES)
    )
    write_file(
        departments.county,
        contract_for("dwellings"),
        FILED,
        path_of(departments, "dwellings", FILED),
    )
    departments.bring_to(BAD)


def failed_checks(home: Path) -> set[tuple[str, str]]:
    """Check and record type of every check that failed in the newest run, as the UI shows them."""
    with at_home(home):
        prepare(load_settings())
        with dg.DagsterInstance.get() as instance:
            run = instance.get_runs(limit=1)[0]
            assert run.status == dg.DagsterRunStatus.SUCCESS
            found = instance.all_logs(
                run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
            )
    results = [
        entry.dagster_event.asset_check_evaluation_data
        for entry in found
        if entry.dagster_event is not None
    ]
    return {
        (r.check_name, r.asset_key.to_user_string().rsplit("__", 1)[-1])
        for r in results
        if not r.passed
    }


@pytest.fixture(scope="module")
def faulty(ranged: Ranged) -> Iterator[Faulty]:
    place = tempfile.TemporaryDirectory(prefix="yihu-faults-")
    folder = Path(place.name)
    home, straight = folder / "home", folder / "straight"
    county = County(ranged.home / "sandbox", FEW, 20260101).make()
    with place, offices(county, folder / "offices") as departments:
        settings = {**departments.settings, "YIHU_PSEUDONYM_KEY": PSEUDONYM}
        departments.bring_to(GOOD)
        for each in (home, straight):
            run_valid(each, departments.settings, GOOD)
        departments.bring_to(BAD)
        spoilt(departments)
        done = pipelines(home, "sync", **settings, YIHU_AS_OF=BAD.isoformat())
        states, releases = published(home)
        ledgers = {c.records: ledger(home, c, BAD) for c in load_contracts()}
        rows = {c.records: in_force(home, c, BAD) for c in load_contracts()}
        checks = failed_checks(home)
        mended(departments)
        batch = str(ledgers["certificates"]["rejected"]["batch_id"])
        opened = pipelines(
            home,
            "open-gate",
            "--records",
            "certificates",
            "--batch",
            batch,
            "--by",
            "Zhou",
            "--why",
            WHY,
            **settings,
        )
        run_valid(home, departments.settings, BAD)
        run_valid(straight, departments.settings, BAD)
        departments.bring_to(NEXT)
        for each in (home, straight):
            run_valid(each, departments.settings, NEXT)
        printed = done.stdout + done.stderr
        yield Faulty(
            home,
            straight,
            county,
            printed,
            done.returncode,
            states,
            releases,
            checks,
            ledgers,
            rows,
            opened.stdout + opened.stderr,
        )


def published(home: Path) -> tuple[dict[str, tuple[str, int]], int]:
    """State and age of every source, and how many releases the bad day has."""
    with warehouse_server(home) as server:
        engine = server.engine("yihu_reader")
        with engine.connect() as connection:
            states = connection.execute(
                sa.text("select records, state, age_days from yihu.source_status")
            ).all()
            releases = connection.execute(
                sa.text("select count(*) from yihu.release where as_of = :day"), {"day": BAD}
            ).scalar_one()
        engine.dispose()
    return {row.records: (row.state, row.age_days) for row in states}, int(releases)


def test_the_run_publishes_and_ends_well(faulty: Faulty) -> None:
    assert faulty.status == 0, faulty.printed[-3000:]
    assert faulty.releases == 1
    assert "Traceback" not in faulty.printed


def test_what_passes_by_itself_is_asked_again(faulty: Faulty) -> None:
    for fault in PASSING:
        note = faulty.ledgers[fault.records]
        assert (note["failure"], note["rejected"], note["age_days"]) == (None, None, 0), fault


def test_what_cannot_be_read_is_recorded_and_carried_forward(faulty: Faulty) -> None:
    failures = {
        records: note["failure"] for records, note in faulty.ledgers.items() if note["failure"]
    }
    assert set(failures) == set(FAILS)
    for records, (kind, reason) in FAILS.items():
        assert failures[records]["kind"] == kind
        assert reason in (None, failures[records]["reason"]), failures[records]
        assert faulty.rows[records] == in_force(faulty.home, contract_for(records), GOOD), records


def test_what_is_rejected_is_carried_forward(faulty: Faulty) -> None:
    assert {records for records, note in faulty.ledgers.items() if note["rejected"]} == set(
        REJECTED
    )
    for records in REJECTED:
        assert faulty.rows[records] == in_force(faulty.home, contract_for(records), GOOD), records
    for records in (
        "members",
        "dwellings",
    ):  # the column that is missing, or called otherwise, is named
        said = faulty.ledgers[records]["rejected"]["reasons"]
        assert any(contract_for(records).fields[-2].physical_name in reason for reason in said), (
            said
        )


def test_a_file_that_is_not_whole_is_left_for_next_time(faulty: Faulty) -> None:
    note = faulty.ledgers["cases"]
    assert (note["failure"], note["rejected"]) == (None, None)
    assert note["extract_date"] < CASES.isoformat()
    assert ledger(faulty.home, contract_for("cases"), NEXT)["extract_date"] == CASES.isoformat()


def test_sources_age_and_turn_stale(faulty: Faulty) -> None:
    assert {records for records, (state, _) in faulty.states.items() if state == "stale"} == {
        "reports",
        "losses",
    }
    assert {faulty.states[records] for records in STALE} == {("stale", 5), ("rejected", 5)}
    assert {records for records, (state, _) in faulty.states.items() if state == "rejected"} >= set(
        REJECTED
    )
    assert faulty.states["settlements"] == ("ok", 0)


def test_the_checks_say_so(faulty: Faulty) -> None:
    assert {records for check, records in faulty.failed_checks if check == "read"} == set(FAILS)
    assert {records for check, records in faulty.failed_checks if check == "fresh"} == set(STALE)
    assert {("critical_rules", records) for records in REJECTED} <= faulty.failed_checks
    assert not {check for check, _ in faulty.failed_checks} & {"conservation", "suite_ran", "audit"}


def test_nothing_is_lost_or_doubled_on_the_next_good_day(faulty: Faulty) -> None:
    for contract in load_contracts():
        if contract.records != "certificates":  # its gate was opened in one home only
            assert in_force(faulty.home, contract, NEXT) == in_force(
                faulty.straight, contract, NEXT
            ), contract.table
            assert quarantined(faulty.home, contract, NEXT) == quarantined(
                faulty.straight, contract, NEXT
            ), contract.table
            note = ledger(faulty.home, contract, NEXT)
            assert (note["failure"], note["rejected"], note["state"]) == (
                None,
                None,
                "ok",
            ), contract.table


def test_a_gate_that_a_person_opened_lets_the_good_rows_in(faulty: Faulty) -> None:
    contract = contract_for("certificates")
    assert "may pass, said Zhou" in faulty.gate
    note = ledger(faulty.home, contract, BAD)
    (batch,) = note["batches"]
    assert (batch["gate"]["who"], batch["gate"]["why"], batch["is_rejected"]) == (
        "Zhou",
        WHY,
        False,
    )
    assert note["rejected"] is None
    assert note["today"]["quarantined"] > 0.05 * note["today"]["received"]
    assert note["today"]["received"] == sum(
        note["today"][p]
        for p in ("accepted", "unchanged", "superseded", "withdrawn", "quarantined")
    )
    assert note["extract_date"] == FILED.isoformat()
    assert ledger(faulty.straight, contract, BAD)["rejected"] is not None


def test_no_identity_in_what_a_faulty_run_wrote_and_said(faulty: Faulty) -> None:
    numbers, names = faulty.county.identities()
    wanted = [*numbers, *(name for name in names if len(name) > 2)]
    assert len(wanted) > 1000
    assert not holds(faulty.printed + faulty.gate, wanted)
    files = list(written(faulty.home))
    assert any("dagster" in file.parts for file in files)
    text = "\n".join(
        text_of(file)
        for file in files
        if "county=" not in str(file) or "as_of=2026-11-18" in str(file)
    )
    assert not holds(text, wanted)
