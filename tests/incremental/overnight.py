"""What happens to a county of facts overnight: records come, change, go, are tied otherwise;
households split, merge, move, lose their row.

Belongs here: changes at random, from a seed. Not here: making days of them (`days`).
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

from tests.indicators.facts import Facts, Row

BY_HOUSEHOLD = ("households", "members")


class Overnight:
    """Changes facts at random, all from one seed."""

    def __init__(self, facts: Facts, seed: int) -> None:
        self.facts, self.random = facts, random.Random(seed)
        self._next = 0

    def happen(self, times: int) -> list[str]:
        """So many things happen; says which."""
        kinds = [
            self.change_a_field,
            self.change_a_date,
            self.record_goes,
            self.record_comes,
            self.record_is_anothers,
            self.link_is_doubted,
            self.member_moves,
            self.household_splits,
            self.households_merge,
            self.row_goes,
            self.row_comes,
            self.birthday_is_corrected,
            self.member_is_merged,
            self.question_goes,
            self.question_comes,
            self.dwelling_is_anothers,
            self.reversal_is_anothers,
            self.area_changes,
            self.member_comes,
            self.member_goes,
        ]
        told: list[str] = []
        for _ in range(times):
            kind = self.random.choice(kinds)
            kind()
            told.append(kind.__name__)
        return told

    def types(self) -> list[str]:
        return [t for t, rows in self.facts.rows.items() if rows and t not in BY_HOUSEHOLD]

    def a_record(self, of: str | None = None) -> Row | None:
        rows = self.facts.rows.get(of or self.random.choice(self.types()), [])
        return self.random.choice(rows) if rows else None

    def a_member(self) -> Row:
        return self.random.choice(self.facts.rows["members"])

    def change_a_field(self) -> None:
        records = self.random.choice([*self.types(), "households", "members", "members"])
        rows = self.facts.rows[records]
        row, other = self.random.choice(rows), self.random.choice(rows)
        kept = ("record_id", "member_id", "household_id", "outcome", "area_code")
        fields = [f for f in other if f not in kept and not f.endswith("_id")]
        if fields:
            field = self.random.choice(fields)
            row[field] = other[field]

    def change_a_date(self) -> None:
        row = self.a_record()
        dates = [f for f, value in (row or {}).items() if isinstance(value, date)]
        if row and dates:
            row[self.random.choice(dates)] += timedelta(days=self.random.choice([-400, -1, 1, 30]))

    def record_goes(self) -> None:
        rows = self.facts.rows[self.random.choice(self.types())]
        rows.remove(self.random.choice(rows))

    def record_comes(self) -> None:
        records = self.random.choice(self.types())
        row = dict(self.random.choice(self.facts.rows[records]))
        self._next += 1
        member = self.a_member()
        row |= {
            "record_id": f"new-{self._next}-{records}",
            "member_id": member["member_id"],
            "household_id": member["household_id"],
            "outcome": "linked",
        }
        self.facts.rows[records].append(row)

    def record_is_anothers(self) -> None:
        row, member = self.a_record(), self.a_member()
        if row:
            row |= {
                "member_id": member["member_id"],
                "household_id": member["household_id"],
                "outcome": "linked",
            }

    def link_is_doubted(self) -> None:
        records = self.random.choice(["enrolments", "certificates", "assistance", "settlements"])
        row = self.a_record(records)
        if row:
            row |= {"outcome": "ambiguous", "member_id": None, "household_id": None}
            self.facts.ask(records, row["record_id"], self.a_member()["member_id"])
            self._questions_once()

    def _questions_once(self) -> None:
        self.facts.queue[:] = {q["queue_id"]: q for q in self.facts.queue}.values()

    def _move(self, member: Row, household: str) -> None:
        """A member, the person and every record that is linked to it."""
        for rows in (*self.facts.rows.values(), self.facts.persons):
            for row in rows:
                if row.get("member_id") == member["member_id"]:
                    row["household_id"] = household

    def member_moves(self) -> None:
        self._move(self.a_member(), self.a_household()["household_id"])

    def a_household(self) -> Row:
        return self.random.choice(self.facts.rows["households"])

    def household_splits(self) -> None:
        old = self.a_household()
        self._next += 1
        self.facts.rows["households"].append(
            {**old, "household_id": f"split-{self._next}", "record_id": f"split-{self._next}"}
        )
        theirs = self.members_of(old["household_id"])
        for member in theirs[: len(theirs) // 2]:
            self._move(member, f"split-{self._next}")

    def members_of(self, household: str) -> list[Row]:
        return [m for m in self.facts.rows["members"] if m["household_id"] == household]

    def households_merge(self) -> None:
        gone, into = self.a_household(), self.a_household()
        if gone is not into:
            for member in self.members_of(gone["household_id"]):
                self._move(member, into["household_id"])
            self.facts.rows["households"].remove(gone)

    def row_goes(self) -> None:
        """The household is a shell, where members are there."""
        if len(self.facts.rows["households"]) > 3:
            self._outcome_of(self.facts.rows["households"].pop(0)["household_id"])

    def row_comes(self) -> None:
        there = {h["household_id"] for h in self.facts.rows["households"]}
        shells = sorted({m["household_id"] for m in self.facts.rows["members"]} - there)
        if shells:
            household = self.random.choice(shells)
            like = {**self.a_household(), "household_id": household, "record_id": household}
            self.facts.rows["households"].append(like)
            self._outcome_of(household)

    def _outcome_of(self, household: str) -> None:
        there = {h["household_id"] for h in self.facts.rows["households"]}
        for member in self.members_of(household):
            member["outcome"] = "linked" if household in there else "unregistered"

    def a_person(self) -> Row:
        return self.random.choice(self.facts.persons)

    def birthday_is_corrected(self) -> None:
        self.a_person()["birth_on"] = self.a_person()["birth_on"]

    def member_is_merged(self) -> None:
        person = self.a_person()
        person["status"] = "1" if person["status"] == "2" else "2"

    def question_goes(self) -> None:
        if self.facts.queue:
            self.facts.queue.remove(self.random.choice(self.facts.queue))

    def question_comes(self) -> None:
        records = self.random.choice(["enrolments", "certificates", "disability_subsidies"])
        row = self.a_record(records)
        if row and row["outcome"] != "linked":
            self.facts.ask(records, row["record_id"], self.a_member()["member_id"])
            self._questions_once()

    def dwelling_is_anothers(self) -> None:
        retrofit, dwelling = self.a_record("retrofits"), self.a_record("dwellings")
        if retrofit and dwelling:
            retrofit["dwelling_id"] = dwelling["record_id"]

    def reversal_is_anothers(self) -> None:
        reversals = [s for s in self.facts.rows["settlements"] if s.get("reverses_id")]
        original = self.a_record("settlements")
        if reversals and original and not original.get("reverses_id"):
            self.random.choice(reversals)["reverses_id"] = original["record_id"]

    def area_changes(self) -> None:
        self.a_household()["area_code"] = self.a_household().get("area_code")

    def member_comes(self) -> None:
        self._next += 1
        like = {
            key: value
            for key, value in self.a_member().items()
            if key not in ("member_id", "household_id", "record_id", "relation", "status")
        }
        self.facts.member(
            self.a_household()["household_id"],
            f"new-{self._next}",
            self.a_person()["birth_on"],
            **{str(key): value for key, value in like.items()},
        )

    def member_goes(self) -> None:
        member = self.a_member()
        self.facts.rows["members"].remove(member)
        self.facts.persons[:] = [
            p for p in self.facts.persons if p["member_id"] != member["member_id"]
        ]
        for records in self.types():
            for row in self.facts.rows[records]:
                if row.get("member_id") == member["member_id"]:
                    nobody: dict[str, Any] = {"member_id": None, "household_id": None}
                    row |= {"outcome": "unregistered", **nobody}
