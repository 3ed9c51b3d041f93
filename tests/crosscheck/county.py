"""A random county whose departments contradict each other at every border of every rule.

Belongs here: facts. Not here: what follows from them (`reading`).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from tests.indicators.county import County as Indicators
from tests.indicators.facts import Row

DIFFICULTIES = (
    *("illness", "schooling", "disability", "disaster", "accident", "business", "job", "labour"),
    *("housing", "water", "other"),
)
WAITING = (
    *("enrolments", "certificates", "disability_subsidies", "assistance", "settlements"),
    *("deaths", "losses", "dwellings", "retrofits", "reports", "casualties", "relief"),
    *("serious_illnesses", "chronic_followups"),
)


class County(Indicators):
    """The indicators' random county, with cases, relations and dates of both sides besides."""

    def __init__(self, seed: int, day: date, households: int) -> None:
        super().__init__(seed, day, households)
        for row in self.facts.rows["households"]:
            self._register(row)
            for _ in range(self.random.choice([0, 0, 1, 1, 2])):
                self._case(row["household_id"])
            self._persons(row["household_id"])
        self._vary()
        self._more_doubt()

    def near(self, *days: int) -> date:
        """A day at a border so many days ago, or anywhere in two years."""
        if days and self.chance(0.6):
            return self.ago(self.random.choice(days) + self.random.choice([-1, 0, 1]))
        return self.day - timedelta(days=self.random.randint(-5, 730))

    def _register(self, row: Row) -> None:
        r = self.random
        if self.chance(0.15):
            row["farmland_mu"] = self.maybe(Decimal(r.choice(["100", "100.01", "99.99", "3"])))
            row["forest_mu"] = self.maybe(Decimal(r.choice(["500", "500.01", "12"])))
        if self.chance(0.2):
            row["wage_income"] = Decimal(r.choice(["0", "3000", "2999.99", "360000.01", "360000"]))
        if self.chance(0.3):
            row["measures_count"] = 0
        if self.chance(0.3):
            row["last_visit_on"] = self.near(30, 35, 60)
        self.posts = self.chance(0.06)
        self.is_able, self.is_calm = self.chance(0.2), self.chance(0.3)

    def _persons(self, household: str) -> None:
        rows = [r for r in self.facts.rows["members"] if r["household_id"] == household]
        for row in rows:
            self._person(row)
            if self.posts:
                row["public_post"] = True
            if self.is_able:
                row["labour_class"] = self.random.choice("12")
            if self.is_calm:
                row |= {"student_status": "0", "dropout": False, "worked_before": False}
                self._is_at_work(row)
        if self.is_calm:
            members = {row["member_id"] for row in rows}
            for records in ("settlements", "serious_illnesses", "chronic_followups", "losses"):
                for record in self.facts.rows[records]:
                    if record["member_id"] in members:
                        record["member_id"] = record["household_id"] = None
                        record["outcome"] = "unidentifiable"

    def _is_at_work(self, row: Row) -> None:
        row["working_now"] = self.maybe(self.chance(0.5), 0.1)

    def _person(self, row: Row) -> None:
        r = self.random
        row["relation"] = r.choice(["01", "01", "02", "03", "03", "04", "05", "06", None])
        if row["member_id"].endswith("-0") and self.chance(0.7):
            row["relation"] = "01"
        elif row["relation"] == "01" and self.chance(0.8):
            row["relation"] = "03"
        row["updated_at"] = datetime.combine(self.near(364, 365, 366), time(23, 59))
        if row["work_months"] is not None and self.chance(0.3):
            row["work_months"] = r.choice([0, 1, 3, 5, 6, 12])
        if self.chance(0.1):
            row["student_status"] = r.choice(["0", "2", None])
            row["dropout"] = r.choice([True, False, None])
        if self.chance(0.04):
            spine = next(p for p in self.facts.persons if p["member_id"] == row["member_id"])
            spine["id_state"] = "conflict"

    def _case(self, household: str) -> None:
        r = self.random
        dates: dict[str, Any] = {"discovered_on": self.near(364, 365, 366)}
        at = dates["discovered_on"]
        for step in ("recorded", "assisted", "cleared"):
            at = at + timedelta(days=r.choice([0, 1, 29, 30, 31, 90, 179, 180, 181]))
            dates[f"{step}_on"] = self.maybe(at, 0.35)
        kind: str = r.choice(["cleared", "fresh", "fresh", "assisted", "any"])
        stage: int | None = None
        if kind == "cleared" and self.chance(0.7):
            dates["cleared_on"] = self.near(364, 365, 366)
        if kind in ("fresh", "assisted"):
            dates["cleared_on"] = None
        if kind == "fresh":
            stage = r.choice([1, 4, 6])
            dates |= {"discovered_on": self.near(364, 365, 10, 20), "assisted_on": None}
        if kind == "assisted":
            stage, dates["assisted_on"] = 7, self.maybe(self.near(29, 30, 31, 40), 0.1)
        if self.chance(0.1):
            dates["rejected_on"] = self.near(0)
        risks = r.sample(DIFFICULTIES, r.choice([1, 2, 5, 5]))
        number = len(self.facts.rows["cases"]) + 1
        self.facts.rows["cases"].append(
            {
                "case_id": f"c{number:04d}",
                "record_id": f"c{number:04d}",
                "household_id": household,
                "monitor_class": r.choice("0123"),
                "risk_types": r.choice([",", ", "]).join(risks),
                "stage": stage or r.choice([1, 4, 6, 7, 8]),
                "clearance": r.choice([None, "self", "natural"]),
                "outcome": "linked" if self.chance(0.95) else "unregistered",
                **dates,
            }
        )

    def _vary(self) -> None:
        r, rows = self.random, self.facts.rows
        for row in rows["enrolments"]:
            row["insurance_type"] = r.choice(["310", "390"])
        for row in list(rows["enrolments"]):
            if row["member_id"] and self.chance(0.1):
                self.facts.add(
                    "enrolments",
                    row["member_id"],
                    year=row["year"],
                    status=r.choice("11112"),
                    insurance_type=r.choice(["310", "390"]),
                )
        for row in rows["assistance"]:
            row["insured_persons"] = r.choice([None, 1, 1, 2, 3, 6])
            if row["member_id"] and self.chance(0.3):
                scheme = r.choice(["dibao", "tekun", "edge", "rigid"])
                again = {"scheme": scheme, "started_on": self.near(60), "insured_persons": 1}
                self.later.append(("assistance", row["member_id"], again))
        for records, member, fields in self.later:
            self.facts.add(records, member, **fields)
        for row in rows["certificates"]:
            row["category"] = r.choice("1234567")
        for row in rows["casualties"]:
            row["delivered_outcome"] = r.choice(["death", "death", "missing", "serious_injury"])
            if self.chance(0.3):
                row["occurred_on"] = self.near(29, 30, 31)
        for row in rows["deaths"]:
            if self.chance(0.5):
                row["died_on"] = self.near(29, 30, 31, 89, 90, 91, 365, 400)
        for row in rows["settlements"]:
            if not row.get("reverses_id"):
                row["medical_type"] = r.choice(["11", "13", "14", "21", "41", "52"])
        for member in [m["member_id"] for m in rows["members"] if self.chance(0.2)]:
            closed = self.near(89, 90, 91, 0)
            self.facts.add(
                "reports",
                member,
                status=r.choice(["closed", "closed", "open"]),
                reported_at=datetime.combine(closed - timedelta(days=3), time(8)),
                closed_at=self.maybe(datetime.combine(closed, time(23, 30)), 0.05),
                channel="form",
                difficulty=r.choice([*DIFFICULTIES, "housing", "housing", "water", "schooling"]),
            )
        self._houses()

    def _houses(self) -> None:
        """Dwellings that were mended, or fell, before they were looked at."""
        r, rows = self.random, self.facts.rows
        for member in [m["member_id"] for m in rows["members"] if self.chance(0.08)]:
            appraised = self.near(10, 100)
            there: dict[str, Any] = {"occupied": self.chance(0.9), "appraised_on": appraised}
            dwelling = self.facts.add("dwellings", member, grade=r.choice("ABCD"), **there)
            border = appraised + timedelta(days=r.choice([-1, 0, 1, -200]))
            if self.chance(0.5):
                began: dict[str, Any] = {
                    "dwelling_id": dwelling,
                    "approved_on": border - timedelta(days=90),
                }
                self.facts.add("retrofits", member, finished_on=self.maybe(border, 0.2), **began)
            else:
                fell: dict[str, Any] = {
                    "house_damage": r.choice("1233"),
                    "loss_yuan": Decimal(1000),
                }
                self.facts.add("losses", member, occurred_on=border, hazard="flood", **fell)

    later: list[tuple[str, str, dict[str, Any]]]

    def _household(self, name: str) -> None:
        self.later = getattr(self, "later", [])
        super()._household(name)

    def _more_doubt(self) -> None:
        members = [row["member_id"] for row in self.facts.rows["members"]]
        for records in WAITING:
            for _ in range(2):
                asked = self.random.sample(members, self.random.choice([1, 2]))
                self.facts.waits(records, *asked)
