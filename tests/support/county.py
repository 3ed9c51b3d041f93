"""A random county with everything that the optional record types say: who is responsible, visits,
measures, payments, aid, jobs, assets, dividends, cases.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from resources.engines.duckdb import Engine
from tests.indicators.county import County
from tests.making import FLAGS, HOUSEHOLDS, make
from tests.support.reading import Reading

VILLAGES = (
    *("610921100201", "610921100202", "610921101201", "610921101202"),
    *("610922100201", "420115001002"),
)
OFFICERS = ("G1", "G2", "G3", "G4")
MEASURES = (
    *("industry", "employment", "finance", "skills", "public_post", "education", "health"),
    *("housing", "water", "protection", "society"),
)
SCHEMES = (
    *("dibao", "tekun", "edge", "temporary_aid", "living", "nursing", "student_aid"),
    *("medical_aid", "premium", "other"),
)
PUBLISHED = (
    *("responsibility", "responsibility_gap", "visit_coverage", "measure_gap"),
    *("support_received", "medical_ledger", "zero_employment", "special_group"),
    *("asset_ledger", "relapse", "watch"),
)
CARRIED = ("lamp_span", "support_standing")
"""What a day hands on to the next."""


class SupportCounty(County):
    """`households` random households, and what is known of who helps them."""

    def __init__(self, seed: int, day: date, households: int) -> None:
        super().__init__(seed, day, households)
        self.border = self.random.choice([30, 90, 183])
        for row in self.facts.rows["households"]:
            row["area_code"] = self.random.choice(VILLAGES)
        for row in self.facts.rows["assistance"]:
            row["monthly_amount"] = self.maybe(Decimal(self.random.choice([270, 360, 460])))
        for row in self.facts.rows["settlements"]:
            sign = -1 if row.get("reverses_id") else 1
            for fund in ("pooled_paid", "medical_aid_paid"):
                row[fund] = self.maybe(Decimal(sign * self.random.randint(0, 500)), 0.2)
        self._idle()
        homes = [row["household_id"] for row in self.facts.rows["households"]]
        for home in [*homes, *(f"shell{n}" for n in range(6)), "gone"]:
            self._of_household(home, "unregistered" if home == "gone" else "linked")
        for member in [row["member_id"] for row in self.facts.rows["members"]]:
            self._of_member(member)
        self._assets()

    def _idle(self) -> None:
        """In a third of the households nobody works, as far as is known."""
        born = {row["member_id"]: row for row in self.facts.persons}
        for row in self.facts.rows["members"]:
            if int(row["household_id"][-1]) % 3:
                continue
            row["working_now"] = row["public_post"] = self.maybe(False, 0.05)
            if self.chance(0.5):
                row["labour_class"], row["student_status"] = "1", self.random.choice(["0", None])
                years = self.random.choice([15, 16, 30, 59, 60])
                born[row["member_id"]]["birth_on"] = self.ago(years * 365 + years // 4 + 1)

    def _row(self, records: str, home: str, outcome: str, **fields: Any) -> None:
        number = f"{records[:2]}{len(self.facts.rows[records]):05d}"
        key = {"assignments": "assignment_id", "visits": "visit_id", "measures": "measure_id",
               "cases": "case_id"}[records]  # fmt: skip
        self.facts.rows[records].append(
            {key: number, "record_id": number, "household_id": home, "outcome": outcome, **fields}
        )

    def _span(self, back: int = 500) -> dict[str, Any]:
        return {"started_on": self.when(back), "ended_on": self.maybe(self.when(200), 0.7)}

    def _of_household(self, home: str, outcome: str) -> None:
        r = self.random
        for duty in ("helper", "helper", "grid", "team", "leader", "centre"):
            if self.chance(0.4):
                officer = r.choice([OFFICERS[0], *OFFICERS])
                self._row("assignments", home, outcome, officer_id=officer, officer_name="某干部",
                          duty=duty, **self._span())  # fmt: skip
        for _ in range(r.choice([0, 0, 1, 2, 6])):
            self._row(
                "visits", home, outcome, officer_id=r.choice(OFFICERS),
                visited_on=self.when(250, self.ago(90), self.ago(183)),
                kind=r.choice(["routine", "screening", "campaign", "phone", "check"]),
                found=r.choice(["none", "none", "illness", "job,housing"]),
            )  # fmt: skip
        for _ in range(r.choice([0, 0, 1, 2, 3])):
            self._row(
                "measures", home, outcome, kind=r.choice(MEASURES),
                status=r.choice(["in_force", "in_force", "in_force", "planned", "done"]),
                **self._span(),
            )  # fmt: skip
        for _ in range(r.choice([0, 0, 0, 1, 2])):
            found = self.when(900, self.year_ago)
            self._row(
                "cases", home, outcome, monitor_class="2", risk_types="illness", stage=8,
                discovered_on=found,
                cleared_on=self.maybe(found + timedelta(days=r.randint(0, 400)), 0.3),
                rejected_on=self.maybe(self.when(300), 0.8),
            )  # fmt: skip

    def _of_member(self, member: str) -> None:
        r, add = self.random, self.facts.add
        for _ in range(r.choice([0, 0, 1, 4])):
            paid = self.when(500, self.year_ago, self.ago(20), self.ago(50), self.ago(80))
            add(
                "payments", member, scheme=r.choice(SCHEMES),
                amount=r.choice([Decimal(-80), Decimal(0), Decimal("80.55"), Decimal(360)]),
                month=self.maybe(f"{paid - timedelta(days=r.choice([0, 31])):%Y%m}", 0.3),
                paid_on=paid, state=r.choice(["paid", "paid", "returned"]),
                **self.link(),
            )  # fmt: skip
        if self.chance(0.2):
            add("loans", member, amount=Decimal(5000), balance=Decimal(5000),
                issued_on=self.when(900), due_on=self.ago(10),
                status=r.choice(["in_use", "overdue", "overdue", "repaid"]),
                **self.link())  # fmt: skip
        if self.chance(0.15):
            add("student_aid", member, term=f"{self.day.year - r.randint(0, 2)}-{r.choice('12')}",
                stage="2", amount=Decimal(625), paid_on=self.maybe(self.when(500, self.year_ago)),
                **self.link())  # fmt: skip
        if self.chance(0.1):
            add("temporary_aid", member, aid_type="other", amount=Decimal(500),
                paid_on=self.when(500, self.year_ago), **self.link())  # fmt: skip
        if self.chance(0.15):
            job = add("employment", member, place="county", kind="enterprise",
                      **self._span(), **self.link())  # fmt: skip
            row = self.facts.rows["employment"][-1]
            if row["outcome"] != "linked" and self.chance(0.7):
                others = [m["member_id"] for m in self.facts.rows["members"]]
                self.facts.ask("employment", job, member, r.choice(others))

    def _assets(self) -> None:
        r = self.random
        for number in range(40):
            village = r.choice([*VILLAGES, "610921100000", "610921000000", "610999100201"])
            accepted = self.maybe(self.when(400, self.ago(92), self.ago(89)))
            self.facts.rows["assets"].append(
                {
                    "asset_id": f"A{number}", "record_id": f"A{number}", "name": "厂房",
                    "category": r.choice(["operating", "public", "household"]),
                    "area_code": village, "fund_source": "finance",
                    "original_value": Decimal(r.randint(0, 10**6)),
                    "owner_level": self.maybe("village", 0.2), "accepted_on": accepted,
                    "transferred_on": self.maybe(self.when(100), 0.4),
                    "state": r.choice(["in_use", "in_use", "idle", "lost", "disposed"]),
                    "annual_income": self.maybe(Decimal(r.randint(0, 9000)), 0.4),
                    "outcome": "placed" if village in VILLAGES else "unplaced",
                }
            )  # fmt: skip
        members = [row["member_id"] for row in self.facts.rows["members"]]
        for _ in range(120):
            self.facts.add(
                "dividends", r.choice(members), asset_id=f"A{r.randint(0, 42)}",
                round=r.choice([2, 2, 3]), amount=r.choice([Decimal(0), Decimal(100), Decimal(-5)]),
                paid_on=self.when(500, self.year_ago), **self.link(),
            )  # fmt: skip


def read_day(county: SupportCounty, engine: Engine) -> Reading:
    """Makes the day's tables on the engine, and the plain reading of them."""
    county.facts.register(engine)
    make(engine, (*HOUSEHOLDS, *FLAGS, *CARRIED, *PUBLISHED), county.day)
    points: dict[str, set[str]] = {}
    risks = "select household_id, code from warning_reason where code like 'R%' and points > 0"
    for home, code in engine.rows(risks):
        points.setdefault(home, set()).add(code)
    return Reading(
        facts=county.facts,
        day=county.day,
        household=by_household(engine, "household"),
        indicator=by_household(engine, "household_indicator"),
        level={h: row["level"] for h, row in by_household(engine, "warning_flag").items()},
        points=points,
        shells_count=county.day >= date(2026, 11, 25),
    )


def by_household(engine: Engine, table: str) -> dict[str, dict[str, Any]]:
    """The rows of a table by household."""
    rows = engine.arrow(f"select * from {table}").read_all().to_pylist()
    return {row["household_id"]: row for row in rows}
