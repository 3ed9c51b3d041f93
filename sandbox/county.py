"""The county: made once under a home folder, then asked for any day.

Belongs here: making, reusing, reading by day. Not here: serving it (`gateway`, `drop`, `frontdb`).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import sys
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from expectations.contract import Contract, contract_for
from expectations.engine import parquet
from sandbox import (
    agreeing,
    days,
    delivery,
    hardship,
    health,
    planting,
    supervision,
    support,
    visits,
    welfare,
)
from sandbox.draft import Draft, drawn_anew, with_one_known
from sandbox.economy import County as Drawn
from sandbox.economy import draw_county
from sandbox.golden import MEMBERS, write_golden
from sandbox.people import draw_people
from sandbox.rates import ErrorRates
from sandbox.shapes import SHAPES
from sandbox.truth import truth_on

_Draw = Callable[[np.random.Generator, Drawn, ErrorRates], Draft]
DRAWN: tuple[tuple[str, _Draw], ...] = (
    ("enrolments", health.draw_enrolments),
    ("settlements", health.draw_settlements),
    ("serious_illnesses", health.draw_serious_illnesses),
    ("chronic_followups", health.draw_chronic_followups),
    ("certificates", welfare.draw_certificates),
    ("assistance", welfare.draw_assistance),
    ("temporary_aid", welfare.draw_temporary_aid),
    ("deaths", welfare.draw_deaths),
    ("dwellings", hardship.draw_dwellings),
    ("losses", hardship.draw_losses),
    ("casualties", hardship.draw_casualties),
    ("relief", hardship.draw_relief),
    ("reports", hardship.draw_reports),
    ("cases", hardship.draw_cases),
    ("field_results", visits.draw_field_results),
    ("issues", supervision.draw_issues),
    ("verdicts", supervision.draw_verdicts),
    ("assignments", support.draw_assignments),
    ("visits", support.draw_visits),
    ("measures", support.draw_measures),
    ("loans", support.draw_loans),
    ("employment", support.draw_employment),
    ("student_aid", support.draw_student_aid),
    ("assets", support.draw_assets),
    ("disputes", support.draw_disputes),
)
"""Record types that are drawn from people and households alone, in a fixed order."""

KEPT = ("certificates", "dwellings", "assistance", "temporary_aid", "student_aid", "assets")
"""Those that others are drawn from."""

EDITION = 2
_HERE = Path(__file__).parent
PARTS = ("base", "planted", "truth")
"""The folders of a county; whatever else lies in its home is not its own."""


def code_version() -> str:
    """Changes with whatever decides what the county looks like."""
    served = {
        "__init__",
        "__main__",
        "gateway",
        "render",
        "faults",
        "drop",
        "office",
        "sheet",
        "frontdb",
        "truth",
    }
    files = sorted(path for path in _HERE.glob("*.py") if path.stem not in served)
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


@dataclass
class County:
    """A synthetic county under `home`.

    A day is a function of (seed, day): ask for any, in any order.
    """

    home: Path
    households: int = 104_000
    seed: int = 1
    rates: ErrorRates = field(default_factory=ErrorRates)
    say: Callable[[str], None] | None = None
    """Where progress lines go."""
    edition: int | None = None
    """None: as the county that is there, the newest for a new one. In the first one departments
    contradict each other all over; since the second they agree but for what is planted.
    """

    def __post_init__(self) -> None:
        self.home = Path(self.home)
        self._local = threading.local()

    def _tell(self, line: str) -> None:
        if self.say is not None:
            self.say(line)

    def _edition(self) -> int:
        note = self.home / "county.json"
        if self.edition is not None:
            return self.edition
        if not note.exists():
            return EDITION
        return int(json.loads(note.read_text(encoding="utf-8")).get("edition", 1))

    @property
    def _fingerprint(self) -> dict[str, str | int]:
        return {
            "seed": self.seed,
            "households": self.households,
            "rates": self.rates.key(),
            "code": code_version(),
            "edition": self._edition(),
        }

    @property
    def mark(self) -> str:
        """What tells this county from another, for those who keep something made of it."""
        return hashlib.sha256(repr(self._fingerprint).encode()).hexdigest()[:32]

    def is_made(self) -> bool:
        note = self.home / "county.json"
        return note.exists() and json.loads(note.read_text(encoding="utf-8")) == self._fingerprint

    def make(self) -> County:
        """Makes the county unless the same one is there already; returns it. Others who make it
        wait.
        """
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.home.chmod(0o700)
        with (self.home / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return self._make()

    def _make(self) -> County:
        if self.is_made():
            self._tell(
                f"sandbox: county of {self.households:,} households is there (seed {self.seed})"
            )
            return self
        begun = time.monotonic()
        self._tell(f"sandbox: making a county of {self.households:,} households (seed {self.seed})")
        work = self.home / f".{uuid.uuid4().hex[:8]}.tmp"
        for folder in (work, *(work / part for part in PARTS)):
            folder.mkdir(mode=0o700)
        try:
            self._fill(work)
            made = json.dumps(self._fingerprint)
            # the note goes first and comes last: a county half replaced is made anew
            (self.home / "county.json").unlink(missing_ok=True)
            for part in PARTS:
                shutil.rmtree(self.home / part, ignore_errors=True)
                (work / part).rename(self.home / part)
            (work / "county.json").write_text(made, encoding="utf-8")
            (work / "county.json").replace(self.home / "county.json")
        finally:
            shutil.rmtree(work, ignore_errors=True)
        self._tell(f"sandbox: made in {time.monotonic() - begun:.1f} s")
        return self

    def _fill(self, home: Path) -> None:
        people = draw_people(self.seed, self.households, self.rates)
        drawn = draw_county(self.seed, people, self.households)
        agrees = self._edition() > 1
        drawn = agreeing.agreed_register(drawn) if agrees else drawn
        made = planting.planted(
            np.random.default_rng([self.seed, 800]),
            drawn,
            self.rates.contradictions if agrees else 0,
        )
        people = planting.with_deaths(people, made)
        drawn = replace(drawn, people=people)
        told = planting.in_register(drawn, made)
        assistance = agreeing.agreed_assistance(drawn, self._draw("assistance", drawn))
        cases = agreeing.agreed_cases(self._draw("cases", drawn))
        self._tell(f"sandbox: {people.registered:,} people drawn")
        with days.connect(self.seed) as connection:
            rows = delivery.register_rows(np.random.default_rng([self.seed, 4]), drawn, self.rates)
            conflicts = np.zeros(len(people.name), bool)
            conflicts[rows["person"][rows["how"] == "conflict"]] = True
            delivery.load_people(connection, people, conflicts)
            delivery.deliver_households(
                *(connection, told, contract_for("households"), self.rates, home),
                clears_on=agreeing.clears_on(drawn, cases) if agrees else None,
            )
            delivery.deliver_members(
                *(connection, told, rows, contract_for("members"), self.rates, home),
                agrees=agrees,
            )
            kept: dict[str, Draft] = {}
            for index, (records, _) in enumerate(DRAWN):
                draft = self._draw(records, drawn)
                if agrees:
                    rng = np.random.default_rng([self.seed, 900 + index])
                    draft = agreeing.agreed(draft, rng, drawn, assistance)
                    draft = planting.in_draft(draft, drawn, made)
                draft = with_one_known(draft, people)
                delivery.deliver(
                    connection, contract_for(records, with_drafts=True), draft, self.rates, home
                )
                self._tell(f"sandbox: {records} {len(draft):,}")
                if records in KEPT:
                    kept[records] = draft
            rng = np.random.default_rng([self.seed, 50])
            subsidies = welfare.draw_disability_subsidies(
                rng, drawn, self.rates, kept["certificates"]
            )
            if agrees:
                subsidies = agreeing.agreed_subsidies(drawn, subsidies, kept)
                subsidies = planting.in_draft(subsidies, drawn, made)
            delivery.deliver(
                connection, contract_for("disability_subsidies"), subsidies, self.rates, home
            )
            retrofits = hardship.draw_retrofits(rng, drawn, self.rates, kept["dwellings"])
            if not len(retrofits):
                retrofits = drawn_anew(
                    hardship.draw_retrofits,
                    [self.seed, 50, 1],
                    drawn,
                    self.rates,
                    kept["dwellings"],
                )
            retrofits = with_one_known(retrofits, people)
            if agrees:
                retrofits = planting.in_retrofits(retrofits, drawn, made, kept["dwellings"])
            delivery.deliver(connection, contract_for("retrofits"), retrofits, self.rates, home)
            kept["disability_subsidies"] = subsidies
            rng = np.random.default_rng([self.seed, 51])
            for draft in (
                support.draw_dividends(rng, drawn, self.rates, kept["assets"]),
                support.draw_payments(rng, drawn, self.rates, kept),
            ):
                contract = contract_for(draft.records, with_drafts=True)
                delivery.deliver(connection, contract, draft, self.rates, home)
                self._tell(f"sandbox: {draft.records} {len(draft):,}")
            for records in SHAPES:
                write_golden(
                    connection,
                    contract_for(records, with_drafts=True),
                    home / "planted" / f"{records}.parquet",
                )
            delivery.write(
                connection,
                "select person, member_id, household_id, id as number, id_before as number_before,"
                " name from people order by person",
                home / "truth" / "people.parquet",
            )
            delivery.write_planted(connection, made.truth, home)

    def _draw(self, records: str, drawn: Drawn) -> Draft:
        """The records of a type as they are drawn, whatever was drawn before."""
        (index,) = (index for index, (name, _) in enumerate(DRAWN) if name == records)
        return drawn_anew(DRAWN[index][1], [self.seed, 10 + index], drawn, self.rates)

    def connection(self) -> duckdb.DuckDBPyConnection:
        """This thread's connection, with the sandbox's macros."""
        if not hasattr(self._local, "connection"):
            connection = days.connect(self.seed)
            days.late_macro(connection, self.rates)
            self._local.connection = connection
        found: duckdb.DuckDBPyConnection = self._local.connection
        return found

    def contract(self, records: str) -> Contract:
        return contract_for(records, with_drafts=True)

    def state(self, records: str, until: datetime, since: datetime | None = None) -> str:
        """A SELECT of the latest versions by `until` written after `since`, by logical names; see
        `days.state_sql`.
        """
        base, planted = (
            self.home / "base" / f"{records}.parquet",
            self.home / "planted" / f"{records}.parquet",
        )
        return days.state_sql(self.contract(records), base, planted, self.rates, until, since)

    def rows(self, records: str, until: datetime, since: datetime | None = None) -> pa.Table:
        """The same as an Arrow table by physical names, in order of `updated_at`, then key; with
        `_op` and `_broken`.
        """
        contract = self.contract(records)
        names = ", ".join(f'"{f.name}" as "{f.physical_name}"' for f in contract.fields)
        order = f'order by updated_at, "{contract.record_key.name}"'
        select = f"select {names}, _op, _broken from ({self.state(records, until, since)}) {order}"
        return self.connection().execute(select).to_arrow_table()

    def truth(
        self, records: str, until: datetime | None = None, register_until: datetime | None = None
    ) -> pa.Table:
        """Whom each record is about; with `until` also where matching must put it then:
        `truth.truth_on`.
        """
        if until is not None:
            return truth_on(self, records, until, register_until)
        return (
            self.connection()
            .execute(f"from {parquet(self.home / 'truth' / f'{records}.parquet')}")
            .to_arrow_table()
        )

    def identities(self) -> tuple[set[str], set[str]]:
        """Every ID number and every full name of the county, planted ones and strangers included:
        for sweeps.
        """
        people = self.home / "truth" / "people.parquet"
        rows = (
            self.connection()
            .execute(f"select number, number_before, name from {parquet(people)}")
            .fetchall()
        )
        numbers = (
            {row[0] for row in rows}
            | {row[1] for row in rows}
            | {member.number for member in MEMBERS}
        )
        return numbers, {row[2] for row in rows} | {member.name for member in MEMBERS}


def say_to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
