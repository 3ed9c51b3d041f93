"""A random county of matched facts, rich in edges: empty fields, reversals, deaths, dates at the
borders of every window.
"""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from tests.indicators.facts import Facts
from tests.indicators.reading import year_before


class County:
    """`households` random households around `day`, all from `seed`."""

    def __init__(self, seed: int, day: date, households: int) -> None:
        self.random = random.Random(seed)
        self.day = day
        self.facts = Facts()
        self.year_ago, self.five_years_ago = year_before(day), year_before(day, 5)
        self.dwelling, self.appraised = "unknown", day
        for number in range(households):
            self._household(f"h{number:04d}")
        for number in range(6):
            blank = {f for f in MEMBER_FIELDS if self.chance(0.06)}
            for member in [
                self._member(f"shell{number}", n, blank, outcome="unregistered")
                for n in range(1 + number % 3)
            ]:
                self._facts_of(member)
        self._ask()

    def _ask(self) -> None:
        """Some of what is not linked waits for a steward, with somebody of the same household, or
        anybody, as candidates.
        """
        members = self.facts.rows["members"]
        for records in (
            "enrolments",
            "certificates",
            "disability_subsidies",
            "assistance",
            "settlements",
        ):
            for row in self.facts.rows[records]:
                if row["member_id"] and row["outcome"] != "linked" and self.chance(0.6):
                    others = [
                        m["member_id"] for m in members if m["household_id"] == row["household_id"]
                    ]
                    asked = {self.random.choice(others), self.random.choice(members)["member_id"]}
                    self.facts.ask(
                        records,
                        row["record_id"],
                        *self.random.sample(sorted(asked), self.random.randint(1, len(asked))),
                    )

    def maybe(self, value: Any, empty: float = 0.08) -> Any:
        return None if self.random.random() < empty else value

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def when(self, back: int, *borders: date) -> date:
        """A day up to `back` days ago, as often one at `borders` or at the day itself."""
        if self.chance(0.5):
            return self.random.choice([self.day, *borders]) + timedelta(
                days=self.random.choice([-1, 0, 1])
            )
        return self.day - timedelta(days=self.random.randint(-20, back))

    def ago(self, days: int) -> date:
        return self.day - timedelta(days=days)

    def at(self, back: int) -> datetime:
        return datetime.combine(
            self.when(back, self.year_ago),
            self.random.choice([time(0, 0), time(23, 59, 59), time(12, 30)]),
        )

    def yuan(self, *choices: int) -> Decimal:
        if self.chance(0.3):
            return Decimal(self.random.choice(choices or (0,)))
        return Decimal(self.random.randint(0, 6_000_000)) / 100

    def link(self) -> dict[str, Any]:
        return (
            {}
            if self.chance(0.9)
            else {"outcome": self.random.choice(["unregistered", "ambiguous", "unidentifiable"])}
        )

    def lamp_before(self) -> tuple[str, list[str]]:
        """A level of the day before, and the codes that gave the points of the red."""
        level = self.random.choice(["red", "red", "yellow", "green"])
        codes = self.random.sample(
            [f"R{n:02d}" for n in range(1, 31)], self.random.choice([1, 1, 2, 4])
        )
        return level, sorted(codes) if level == "red" else []

    def _household(self, name: str) -> None:
        r = self.random
        wage = self.yuan(0, 8800, 26400)
        self.facts.household(
            name,
            area_code=r.choice(["610921100201"] * 9 + ["420115001002"]),
            household_type=r.choice("1123"),
            monitor_class=r.choice("00123"),
            monitor_cleared=self.maybe(self.chance(0.4), 0.2),
            relocated=self.maybe(self.chance(0.2)),
            farmland_mu=self.maybe(Decimal(r.randint(0, 2000)) / 100),
            forest_mu=self.maybe(Decimal(0)),
            water_safe=self.maybe(self.chance(0.9)),
            wage_income=self.maybe(wage, 0.05),
            business_income=self.maybe(self.yuan(0, 5000), 0.3),
            business_expense=self.maybe(self.yuan(0, 5000) * r.choice([0, 1, 5]), 0.3),
            property_income=self.maybe(self.yuan(0), 0.3),
            transfer_income=self.maybe(self.yuan(0, 1200), 0.05),
            claims_income=self.maybe(self.yuan(0), 0.3),
            previous_net_income=self.maybe(self.yuan(0, -100, 40000)),
            previous_business_net=self.maybe(self.yuan(0, -100, 3000)),
            microcredit=self.maybe(r.choice("012")),
            cooperative_link=self.maybe(self.chance(0.3)),
            measures_count=self.maybe(r.randint(0, 4)),
            last_visit_on=self.maybe(self.when(60, self.ago(30)), 0.2),
        )
        blank = {f for f in MEMBER_FIELDS if self.chance(0.06)}
        members = [self._member(name, n, blank) for n in range(r.choice([0, 1, 1, 2, 3, 4, 5]))]
        for member in members:
            self._facts_of(member)

    def _member(self, household: str, number: int, blank: set[str], outcome: str = "linked") -> str:
        r = self.random
        fields: dict[str, Any] = {
            "resident_months": r.randint(0, 12),
            "student_status": r.choice("000123344"),
            "dropout": self.chance(0.03),
            "labour_class": r.choice("123445"),
            "work_months": r.choice([0, 5, 6, 12]),
            "working_now": self.chance(0.4),
            "worked_before": self.chance(0.5),
            "public_post": self.chance(0.1),
            "pension": self.chance(0.2),
            "education_self_pay": r.choice(
                [Decimal(0), Decimal(10000), Decimal("10000.01"), Decimal(12000)]
            ),
        }
        fields = {
            name: None if name in blank else self.maybe(value, 0.1)
            for name, value in fields.items()
        }
        birthday = self.day + timedelta(days=r.choice([-1, 0, 1, 90, -200]))
        born = self.maybe(
            year_before(birthday, r.choice([0, 1, 5, 6, 15, 16, 17, 40, 59, 60, 61, 79, 80, 90])),
            0.15,
        )
        status = r.choice("111111123")
        return self.facts.member(
            household,
            f"{household}-{number}",
            born,
            status=status,
            is_merged=self.chance(0.03),
            outcome=outcome,
            **fields,
        )

    def _facts_of(self, member: str) -> None:
        r, add = self.random, self.facts.add
        self._settlements(member)
        self._welfare(member)
        for year in (self.day.year + 1, self.day.year, self.day.year - 1):
            if self.chance(0.6):
                add(
                    "enrolments",
                    member,
                    year=year,
                    status=r.choice("11112"),
                    insurance_type="390",
                    **self.link(),
                )
        for _ in range(r.choice([0, 0, 0, 0, 0, 0, 1, 2])):
            add("deaths", member, died_on=self.when(500, self.year_ago), **self.link())
        if self.chance(0.15):
            add(
                "serious_illnesses",
                member,
                status=r.choice("110"),
                diagnosed_on=self.when(800),
                disease_code="C50",
                **self.link(),
            )
        for disease in ("hypertension", "severe_mental"):
            if self.chance(0.15):
                seen = self.maybe(self.when(150, self.ago(100)), 0.2)
                add(
                    "chronic_followups",
                    member,
                    disease=disease,
                    signed=self.chance(0.7),
                    last_followup_on=seen,
                    **self.link(),
                )
        if self.chance(0.08):
            status = r.choice(["open", "open", "closed"])
            reported = datetime.combine(self.when(40, self.ago(15)), time(9))
            add(
                "reports",
                member,
                status=status,
                reported_at=reported,
                channel="form",
                difficulty="job",
                **self.link(),
            )
        if self.chance(0.08):
            add("casualties", member, occurred_on=self.when(500, self.year_ago), **self.link())
        if self.chance(0.08):
            add(
                "relief",
                member,
                listed_on=self.when(200),
                ended_on=self.maybe(self.when(100), 0.5),
                season="2026",
                **self.link(),
            )
        if self.chance(0.15):
            amount = Decimal(r.randint(0, 400)) / 100
            add(
                "losses",
                member,
                house_damage=r.choice("0001123"),
                loss_amount=amount,
                loss_yuan=amount * 10000,
                occurred_on=self.when(500, self.year_ago),
                resolved_on=self.maybe(self.when(100), 0.5),
                **self.link(),
            )
        self._housing(member)

    def _settlements(self, member: str) -> None:
        for _ in range(self.random.choice([0, 0, 1, 2, 5])):
            total = self.random.choice([0, 1, 100, *[self.random.randint(0, 3_000_000)] * 20])
            fund = total * self.random.choice([0, 50, 79, 80, 90]) // 100
            amounts: dict[str, Decimal | None] = {
                "total_fee": Decimal(total) / 100,
                "fund_paid": Decimal(fund) / 100,
                "personal_paid": Decimal(total - fund) / 100,
                "in_scope": Decimal(self.random.randint(0, total)) / 100,
                "critical_illness_paid": self.maybe(
                    Decimal(self.random.choice([0, 0, fund])) / 100, 0.05
                ),
            }
            original = self.facts.settlement(
                member,
                self.at(500),
                medical_type=self.random.choice(["21", "21", "11"]),
                **amounts,
                **self.link(),
            )
            if self.chance(0.2):
                self._reverse(member, original, amounts)

    def _reverse(self, member: str, original: str, amounts: dict[str, Decimal | None]) -> None:
        for share in self.random.choice(["1", "1", "0.5", "0.5 0.5", "1 1", "0.5 0.25"]).split():
            self._reverse_once(member, original, amounts, Decimal(share))

    def _reverse_once(
        self, member: str, original: str, amounts: dict[str, Decimal | None], share: Decimal
    ) -> None:
        taken = {
            name: None if a is None else -(a * share).quantize(Decimal("0.01"))
            for name, a in amounts.items()
        }
        reversal = self.facts.settlement(
            member, self.at(300), reverses_id=original, **taken, **self.link()
        )
        if self.chance(0.3):
            back = {name: None if a is None else -a for name, a in taken.items()}
            undone = self.facts.settlement(member, self.at(300), reverses_id=reversal, **back)
            if self.chance(0.5):
                self.facts.settlement(None, self.at(300), reverses_id=undone, **taken)
        if self.chance(0.1):
            self.facts.settlement(member, self.at(300), reverses_id="nowhere", **taken)

    def _welfare(self, member: str) -> None:
        r, add = self.random, self.facts.add
        if self.chance(0.12):
            scheme = r.choice(["dibao", "dibao", "tekun", "edge", "rigid"])
            add(
                "assistance",
                member,
                scheme=scheme,
                started_on=self.when(800),
                ended_on=self.maybe(self.when(200), 0.6),
                **self.link(),
            )
        for _ in range(r.choice([0, 0, 0, 1, 2])):
            add(
                "certificates",
                member,
                level=r.choice("1234"),
                category="4",
                status=r.choice("111123"),
                issued_on=self.when(2000),
                expires_on=self.maybe(self.when(100), 0.7),
                **self.link(),
            )
        for back in range(-1, 4):
            for subsidy in ("living", "nursing"):
                if self.chance(0.2):
                    month = self.day.year * 12 + self.day.month - 1 - back
                    amount = r.choice([Decimal(80), Decimal(80), Decimal(-80), Decimal(0)])
                    text = f"{month // 12:04d}{month % 12 + 1:02d}"
                    add(
                        "disability_subsidies",
                        member,
                        subsidy=subsidy,
                        month=text,
                        amount=amount,
                        **self.link(),
                    )

    def _housing(self, member: str) -> None:
        r, add = self.random, self.facts.add
        if self.chance(0.4):
            appraised = self.when(2200, self.five_years_ago)
            self.appraised = appraised
            grade = r.choice("AAABBCD")
            self.dwelling = add(
                "dwellings",
                member,
                grade=grade,
                occupied=self.chance(0.85),
                appraised_on=appraised,
                **self.link(),
            )
        if self.chance(0.2):
            finished = self.when(300, self.appraised, self.appraised)
            add(
                "retrofits",
                # of this owner's dwelling or of the last one before, which may be another
                # household's
                member,
                dwelling_id=r.choice([self.dwelling, self.dwelling, "unknown"]),
                approved_on=min(self.when(400, self.ago(180), self.ago(181)), finished),
                finished_on=self.maybe(finished, 0.4),
                outcome=r.choice(["linked", "linked", "linked", "unregistered", "ambiguous"]),
            )


MEMBER_FIELDS = (
    "resident_months",
    "student_status",
    "dropout",
    "labour_class",
    "work_months",
    "working_now",
    "worked_before",
    "public_post",
    "pension",
    "education_self_pay",
)
