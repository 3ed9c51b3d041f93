"""A plain reading of the rules of contradictions, rule by rule, from matched rows and the stored
indicators: written from the pages, not from the SQL.

Belongs here: what must be found. Not here: days before (`test_days`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tests.crosscheck.helped import Helped
from tests.indicators.facts import Facts, Row
from tests.indicators.reading import year_before

REGISTER = "rural_revitalisation"
DEPARTMENT = {
    "households": REGISTER,
    "members": REGISTER,
    "cases": "monitoring",
    "dwellings": "housing",
    "retrofits": "housing",
    "losses": "emergency_management",
    "casualties": "emergency_management",
    "reports": "citizen_reports",
    "enrolments": "health_insurance",
    "settlements": "health_insurance",
    "assistance": "civil_affairs",
    "disability_subsidies": "civil_affairs",
    "deaths": "civil_affairs",
    "certificates": "disability_federation",
    "payments": "finance",
    "employment": "human_resources",
    "loans": REGISTER,
    "measures": REGISTER,
}
Evidence = Iterable[tuple[str, str]]
"""Record type and record id."""
Found = tuple[str, str, str | None, tuple[str, ...], tuple[str, ...]]
"""Code, household, member, the owner's records, all others'."""


def day_of(value: date | datetime | None) -> date | None:
    return value.date() if isinstance(value, datetime) else value


def month_of(value: date) -> str:
    return f"{value:%Y%m}"


def months_back(value: date, back: int) -> date:
    """The first of the month so many months earlier."""
    index = value.year * 12 + value.month - 1 - back
    return date(index // 12, index % 12 + 1, 1)


class Reading(Helped):
    """Everything that the rules ask of one day."""

    def __init__(
        self,
        facts: Facts,
        day: date,
        indicators: Mapping[str, Row],
        standard: Callable[[str | None], Decimal | None],
        rules: Mapping[str, Row],
        is_undoubted: bool = False,
    ) -> None:
        """`indicators`: the stored values by household, with the columns' names;
        `standard`: the dibao standard of an area; `rules`: rows of the rules' table;
        `is_undoubted`: shells are computed, and what waits is not absent.
        """
        self.is_undoubted = is_undoubted
        self.facts, self.day, self.indicators = facts, day, indicators
        self.standard, self.rules = standard, rules
        self.window = year_before(day)
        self.rows = {
            records: [row for row in rows if row.get("outcome", "linked") == "linked"]
            for records, rows in facts.rows.items()
        }
        spine = {person["member_id"]: person for person in facts.persons}
        self.registered = {row["household_id"]: row for row in facts.rows["households"]}
        members = facts.rows["members"]
        self.spine = spine
        self.members = {
            row["member_id"]: row
            for row in members
            if row["status"] in ("1", "3")
            and spine[row["member_id"]]["status"] != "2"
            and (row.get("outcome", "linked") == "linked" or is_undoubted)
        }
        self.every_row: dict[str, list[Row]] = defaultdict(list)
        for row in members:
            self.every_row[row["household_id"]].append(row)
        self.deaths = self._by_member("deaths", lambda row: row["died_on"] <= day)
        self.died = {
            member: max(row["died_on"] for row in rows) for member, rows in self.deaths.items()
        }
        self.active: dict[str, list[Row]] = defaultdict(list)
        for row in self.members.values():
            if row["status"] == "1" and row["member_id"] not in self.died:
                self.active[row["household_id"]].append(row)
        self.is_active = {row["member_id"] for rows in self.active.values() for row in rows}
        self.homes = [home for home in indicators if self.active.get(home)]
        self.case = {home: self._case(home) for home in self.homes}
        self.in_force = self._in_force()
        self.retrofits = self._retrofits()

    # facts

    def _by_member(self, records: str, holds: Callable[[Row], bool]) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows.get(records, []):
            if row["member_id"] is not None and holds(row):
                found[row["member_id"]].append(row)
        return found

    def of_household(self, records: str, home: str, active: bool = False) -> list[Row]:
        """Rows linked to any member of the household, or to an active one."""
        return [
            row
            for row in self.rows.get(records, [])
            if row["member_id"] in self.members
            and self.members[row["member_id"]]["household_id"] == home
            and (not active or row["member_id"] in self.is_active)
        ]

    def age(self, row: Row) -> int | None:
        born = self.spine[row["member_id"]]["birth_on"]
        if born is None:
            return None
        return self.day.year - born.year - ((self.day.month, self.day.day) < (born.month, born.day))

    def born(self, row: Row) -> date | None:
        return self.spine[row["member_id"]]["birth_on"]

    def _case(self, home: str) -> Row | None:
        cases = [
            row
            for row in self.rows.get("cases", [])
            if row["household_id"] == home and row["discovered_on"] <= self.day
        ]
        if not cases:
            return None
        row = dict(max(cases, key=lambda case: (case["discovered_on"], case["record_id"])))
        for name in ("recorded_on", "assisted_on", "cleared_on", "rejected_on"):
            if row.get(name) is not None and row[name] > self.day:
                row[name] = None
            row.setdefault(name, None)
        row["cleared"] = row["cleared_on"] is not None or row["stage"] == 8
        row["open"] = not row["cleared"] and row["rejected_on"] is None
        row["recorded"] = row["recorded_on"] is not None
        row["in_window"] = row["cleared_on"] is not None and row["cleared_on"] > self.window
        row["new"] = (
            row["open"]
            and row["discovered_on"] > self.window
            and row["assisted_on"] is None
            and row["stage"] < 7
        )
        row["risks"] = [risk.strip() for risk in row["risk_types"].split(",")]
        return row

    def _in_force(self) -> list[Row]:
        return [
            row
            for row in self.rows.get("assistance", [])
            if row["member_id"] in self.members
            and row["started_on"] <= self.day
            and (row.get("ended_on") is None or row["ended_on"] >= self.day)
        ]

    def schemes(self, home: str) -> list[Row]:
        return [
            row for row in self.in_force if self.members[row["member_id"]]["household_id"] == home
        ]

    def _retrofits(self) -> list[Row]:
        """With the household where each counts, and finished only where that is past."""
        dwellings = {row["record_id"]: row["member_id"] for row in self.rows.get("dwellings", [])}
        found = []
        for row in self.facts.rows.get("retrofits", []):
            outcome = row.get("outcome", "linked")
            owner = row["member_id"] if outcome == "linked" else None
            dwelling = dwellings.get(row.get("dwelling_id"))
            member = dwelling or owner
            counts = outcome != "ambiguous" or (self.is_undoubted and dwelling is not None)
            if not counts or member is None or row["approved_on"] > self.day:
                continue
            if member in self.members:
                finished = row.get("finished_on")
                found.append(
                    {
                        **row,
                        "home": self.members[member]["household_id"],
                        "finished_on": finished if finished and finished <= self.day else None,
                    }
                )
        return found

    def dwellings(self, home: str) -> list[Row]:
        return [r for r in self.of_household("dwellings", home) if r["appraised_on"] <= self.day]

    def lived_in(self, home: str) -> list[Row]:
        """Those that R14 counts."""
        found = []
        for row in self.dwellings(home):
            ends = [
                r["finished_on"]
                for r in self.retrofits
                if r["dwelling_id"] == row["record_id"] and r["finished_on"]
            ]
            if row["occupied"] and not (ends and max(ends) >= row["appraised_on"]):
                found.append(row)
        return found

    def worst(self, home: str) -> list[Row]:
        rows = self.lived_in(home)
        return [row for row in rows if row["grade"] == max(r["grade"] for r in rows)]

    def unresolved(self, home: str, grades: str) -> list[Row]:
        return [
            row
            for row in self.of_household("losses", home)
            if row["occurred_on"] <= self.day
            and (row.get("resolved_on") is None or row["resolved_on"] >= self.day)
            and row["house_damage"] in grades
        ]

    def uninsured(self, home: str) -> list[str]:
        """Whom R06 counts."""
        spring = (self.day.month, self.day.day) <= (3, 31)
        years = {self.day.year, self.day.year - 1} if spring else {self.day.year}
        insured = {
            row["member_id"]
            for row in self.rows.get("enrolments", [])
            if row["status"] == "1" and row["year"] in years
        }
        waiting = self.waiting("enrolments") if self.is_undoubted else set()
        return [
            row["member_id"]
            for row in self.active[home]
            if self.born(row) is not None
            and row["member_id"] not in insured
            and row["member_id"] not in waiting
        ]

    def waiting(self, records: str) -> set[str]:
        """Members of any status that are a candidate of a waiting record of the type."""
        keys = {
            key
            for row in self.facts.queue
            if row["records"] == records
            for key in row["candidates"]
        }
        return {p["member_id"] for p in self.facts.persons if p["person_key"] in keys}

    def certificates(self, member: str) -> list[Row]:
        """Valid ones, the latest issued first."""
        rows = [
            row
            for row in self.rows.get("certificates", [])
            if row["member_id"] == member
            and row["status"] == "1"
            and row["issued_on"] <= self.day
            and (row.get("expires_on") is None or row["expires_on"] >= self.day)
        ]
        at = datetime(2026, 11, 1, 8)
        return sorted(
            rows,
            key=lambda r: (r["issued_on"], r.get("updated_at", at), r["record_id"]),
            reverse=True,
        )

    def subsidies(self, member: str, *kinds: str) -> list[Row]:
        months = {month_of(months_back(self.day, back)) for back in range(3)}
        return [
            row
            for row in self.rows.get("disability_subsidies", [])
            if row["member_id"] == member
            and row["month"] in months
            and (not kinds or row["subsidy"] in kinds)
        ]

    def left_of(self, original: Row) -> Decimal:
        """What is left of a settlement after the reversals that lead to it."""
        total, reached = original["total_fee"], {original["record_id"]}
        waiting = [original["record_id"]]
        while waiting:
            name = waiting.pop()
            for row in self.facts.rows["settlements"]:
                if row.get("reverses_id") == name and row["record_id"] not in reached:
                    reached.add(row["record_id"])
                    waiting.append(row["record_id"])
                    if row["settled_at"].date() <= self.day:
                        total += row["total_fee"]
        return total

    # what must be found

    def found(self) -> set[Found]:
        """Every contradiction of the day, in doubt none."""
        made: set[Found] = set()
        for code in sorted(self.rules):
            rule = self.rules[code]
            if any(self.facts.states.get(records) != "ok" for records in rule["sources"]):
                continue
            more = not set(rule["sources"]) <= {"households", "cases"}
            for home, member, evidence in getattr(self, code.lower())():
                if self._in_doubt(rule["sources"], more, home, member):
                    continue
                sides: dict[bool, set[str]] = {True: set(), False: set()}
                for records, record_id in evidence:
                    if records == "households" and record_id not in self.registered:
                        continue
                    sides[DEPARTMENT[records] == rule["owner"]].add(record_id)
                own, others = (tuple(sorted(sides[side])) for side in (True, False))
                made.add((code, home, member, own, others))
        return made

    def _in_doubt(self, sources: Iterable[str], more: bool, home: str, member: str | None) -> bool:
        conflict = {p["member_id"] for p in self.facts.persons if p["id_state"] == "conflict"}
        if member in conflict:
            return True
        if more and any(row["member_id"] in conflict for row in self.active[home]):
            return True
        asked = set[str]().union(*(self.waiting(records) for records in sources))
        return any(m in self.members and self.members[m]["household_id"] == home for m in asked)

    def of_active(
        self, holds: Callable[[Row, int | None], Any]
    ) -> Iterator[tuple[str, str, Evidence]]:
        for home, rows in self.active.items():
            for row in rows:
                if holds(row, self.age(row)):
                    yield home, row["member_id"], [("members", row["member_id"])]

    def of_homes(
        self,
        holds: Callable[[str, Row, Row], Any],
        evidence: Callable[[str], Evidence],
    ) -> Iterator[tuple[str, None, Evidence]]:
        """`holds` of household, register row and indicators."""
        for home in self.homes:
            if holds(home, self.registered.get(home, {}), self.indicators[home]):
                yield home, None, evidence(home)

    def house(self, home: str) -> Evidence:
        return [("households", home)]

    def with_case(self, home: str) -> Evidence:
        case = self.case[home]
        assert case is not None
        return [("cases", case["record_id"])]

    def case_and_house(self, home: str) -> Evidence:
        return [*self.with_case(home), *self.house(home)]

    def x01(self) -> Any:
        return self.of_active(
            lambda m, age: (
                age is not None
                and age >= 16
                and m["working_now"]
                and (
                    m["student_status"] in ("1", "2")
                    or (m["student_status"] == "3" and (m["work_months"] or 0) >= 6)
                )
            )
        )

    def x02(self) -> Any:
        return self.of_active(
            lambda m, age: (
                age is not None and age < 16 and (m["working_now"] or (m["work_months"] or 0) > 0)
            )
        )

    def x03(self) -> Any:
        return self.of_active(
            lambda m, age: age is not None and age < 16 and m["labour_class"] in tuple("1234")
        )

    def x04(self) -> Any:
        return self.of_active(
            lambda m, age: m["public_post"] and age is not None and (age < 16 or age >= 70)
        )

    def x05(self) -> Any:
        return self.of_active(
            lambda m, age: (
                age is not None
                and age >= 65
                and m["labour_class"] in ("1", "2")
                and m["working_now"] is False
            )
        )

    def _unable(self, m: Row, age: int | None) -> bool:
        return (
            age is not None
            and age >= 16
            and m["labour_class"] in ("4", "5")
            and m["student_status"] in ("0", None)
        )

    def x06(self) -> Any:
        return self.of_active(lambda m, age: self._unable(m, age) and m["working_now"])

    def x07(self) -> Any:
        return self.of_active(
            lambda m, age: (
                self._unable(m, age) and (m["work_months"] or 0) >= 6 and not m["working_now"]
            )
        )

    def x08(self) -> Any:
        posts = {home: [m for m in rows if m["public_post"]] for home, rows in self.active.items()}
        for home, rows in posts.items():
            if len(rows) >= 3:
                yield home, None, [("members", m["member_id"]) for m in rows]

    def x09(self) -> Any:
        for home, rows in self.active.items():
            heads = [m for m in rows if m["relation"] == "01"]
            if len(heads) > 1:
                yield home, None, [("members", m["member_id"]) for m in heads]
            elif not heads and any(m["relation"] is not None for m in rows):
                yield home, None, self.house(home)

    def x10(self) -> Any:
        for home, rows in self.active.items():
            heads = [m for m in rows if m["relation"] == "01"]
            if len(heads) != 1 or self.born(heads[0]) is None:
                continue
            head = self.born(heads[0])
            assert head is not None
            for m in rows:
                born = self.born(m)
                if born is not None and (
                    (m["relation"] == "03" and born <= head)
                    or (m["relation"] == "04" and born >= head)
                ):
                    both = [("members", m["member_id"]), ("members", heads[0]["member_id"])]
                    yield home, m["member_id"], both

    def x11(self) -> Any:
        return self.of_homes(
            lambda home, h, i: (h.get("farmland_mu") or 0) > 100 or (h.get("forest_mu") or 0) > 500,
            self.house,
        )

    def x12(self) -> Any:
        def worked(home: str) -> list[tuple[str, str]]:
            return [
                ("members", m["member_id"])
                for m in self.active[home]
                if (m["work_months"] or 0) >= 6
            ]

        return self.of_homes(
            lambda home, h, i: h.get("wage_income") == 0 and worked(home),
            lambda home: [*self.house(home), *worked(home)],
        )

    def x13(self) -> Any:
        fields = ("working_now", "public_post", "work_months")

        def holds(home: str, h: Row, i: Row) -> bool:
            if not (h.get("wage_income") or 0) > 0:
                return False
            rows = self.active[home]
            if any(all(m[f] is None for m in rows) for f in fields):
                return False
            return not any(m[f] for m in self.every_row[home] for f in fields)

        return self.of_homes(holds, self.house)

    def x14(self) -> Any:
        def holds(home: str, h: Row, i: Row) -> bool:
            rows = self.active[home]
            wage = h.get("wage_income")
            if wage is None or any(m["working_now"] and m["work_months"] is None for m in rows):
                return False
            months = sum(m["work_months"] or 0 for m in rows)
            return months > 0 and (wage < 300 * months or wage > 30000 * months)

        return self.of_homes(
            holds,
            lambda home: [
                *self.house(home),
                *(("members", m["member_id"]) for m in self.active[home] if m["work_months"]),
            ],
        )

    def x15(self) -> Any:
        return self.of_active(lambda m, age: m["dropout"] and m["student_status"] == "2")

    def x16(self) -> Any:
        return self.of_active(
            lambda m, age: (
                age is not None
                and 7 <= age <= 14
                and m["student_status"] == "0"
                and not m["dropout"]
            )
        )

    def x17(self) -> Any:
        return self.of_homes(
            lambda home, h, i: (
                h.get("microcredit") in ("1", "2")
                and h.get("household_type") == "1"
                and h.get("monitor_class") == "0"
            ),
            self.house,
        )

    def x18(self) -> Any:
        return self.of_homes(
            lambda home, h, i: (
                (i["b11_monitor_class"] == "1" and h.get("household_type") == "1")
                or (i["b11_monitor_class"] == "2" and h.get("household_type") in ("2", "3"))
            ),
            self.house,
        )

    def x21(self) -> Any:
        return self.of_homes(
            lambda home, h, i: (
                i["b11_monitor_class"] in ("1", "2", "3")
                and (c := self.case[home])
                and c["open"]
                and c["monitor_class"] != i["b11_monitor_class"]
            ),
            self.case_and_house,
        )

    def x22(self) -> Any:
        def holds(home: str, h: Row, i: Row) -> bool:
            c = self.case[home]
            if c is None:
                return False
            if c["cleared"]:
                return i["b11_monitor_class"] in ("1", "2", "3")
            return bool(h.get("monitor_cleared")) and c["open"] and c["recorded"]

        return self.of_homes(holds, self.case_and_house)

    def x23(self) -> Any:
        return self.of_homes(
            lambda home, h, i: (
                (c := self.case[home])
                and c["open"]
                and c["recorded"]
                and h.get("monitor_class") == "0"
            ),
            self.case_and_house,
        )

    def _cleared(
        self, holds: Callable[[str, Row], Any], evidence: Callable[[str], Evidence]
    ) -> Any:
        return self.of_homes(
            lambda home, h, i: (c := self.case[home]) and c["in_window"] and holds(home, i),
            lambda home: [*self.with_case(home), *evidence(home)],
        )

    def x24(self) -> Any:
        return self._cleared(
            lambda home, i: i["r14_dangerous_house"] in ("C", "D"),
            lambda home: [("dwellings", r["record_id"]) for r in self.worst(home)],
        )

    def x25(self) -> Any:
        return self._cleared(lambda home, i: i["r17_unsafe_water"], self.house)

    def _dropped_out(self, home: str) -> Evidence:
        return [("members", m["member_id"]) for m in self.active[home] if m["dropout"]]

    def x26(self) -> Any:
        return self._cleared(lambda home, i: (i["r18_dropout_count"] or 0) >= 1, self._dropped_out)

    def x27(self) -> Any:
        return self._cleared(
            lambda home, i: (i["r06_uninsured_count"] or 0) >= 1,
            lambda home: [("members", m) for m in self.uninsured(home)],
        )

    def x28(self) -> Any:
        return self._cleared(
            lambda home, i: i["b24_line_ratio"] is not None and i["b24_line_ratio"] < 1, self.house
        )

    def x29(self) -> Any:
        return self._cleared(
            lambda home, i: (
                i["r20_no_labour"]
                and not any(a["scheme"] in ("dibao", "tekun") for a in self.schemes(home))
            ),
            lambda home: [],
        )

    def x30(self) -> Any:
        return self._cleared(
            lambda home, i: i["r30_open_report"] is not None,
            lambda home: [
                ("reports", r["record_id"])
                for r in self.of_household("reports", home, active=True)
                if r["status"] == "open" and r["reported_at"].date() <= self.day
            ],
        )

    def x31(self) -> Any:
        return self._cleared(
            lambda home, i: i["r16_house_damage"] in ("2", "3"),
            lambda home: [
                ("losses", r["record_id"])
                for r in self.unresolved(home, self.indicators[home]["r16_house_damage"])
            ],
        )

    def x32(self) -> Any:
        def holds(home: str, i: Row) -> bool:
            c = self.case[home]
            assert c is not None
            return (
                c["recorded_on"] is not None
                and (c["cleared_on"] - c["recorded_on"]).days < 180
                and c.get("clearance") != "natural"
            )

        return self._cleared(holds, lambda home: [])

    def x35(self) -> Any:
        return self.of_homes(
            lambda home, h, i: (
                (c := self.case[home])
                and c["open"]
                and c["stage"] == 7
                and h.get("measures_count") == 0
            ),
            self.case_and_house,
        )

    def x36(self) -> Any:
        def holds(home: str, h: Row, i: Row) -> bool:
            c, seen = self.case[home], h.get("last_visit_on")
            if c is None or not c["open"] or c["stage"] != 7 or c["assisted_on"] is None:
                return False
            if seen is None or seen > self.day:
                return False
            return (self.day - c["assisted_on"]).days > 30 and seen < c["assisted_on"]

        return self.of_homes(holds, self.case_and_house)

    def _without_fact(
        self,
        risk: str,
        holds: Callable[[str, Row], Any],
        evidence: Callable[[str], Evidence] = lambda home: [],
    ) -> Any:
        return self.of_homes(
            lambda home, h, i: (
                (c := self.case[home]) and c["new"] and risk in c["risks"] and holds(home, i)
            ),
            lambda home: [*self.with_case(home), *evidence(home)],
        )

    def x37(self) -> Any:
        return self._without_fact(
            "illness",
            lambda home, i: (
                i["r04_personal_medical_max"] == 0
                and i["r07_serious_illness_count"] == 0
                and i["r09_inpatient_count"] == 0
                and not self.of_household("chronic_followups", home, active=True)
            ),
        )

    def x38(self) -> Any:
        return self._without_fact("disability", lambda home, i: i["r12_disabled_count"] == 0)

    def x39(self) -> Any:
        return self._without_fact(
            "schooling",
            lambda home, i: i["b08_student_count"] == 0 and i["r18_dropout_count"] == 0,
            self.house,
        )

    def x40(self) -> Any:
        return self._without_fact(
            "labour",
            lambda home, i: (
                i["b03_labour_count"] is not None
                and 2 * i["b03_labour_count"] > i["b01_household_size"]
            ),
            self.house,
        )

    def x41(self) -> Any:
        return self._without_fact(
            "housing",
            lambda home, i: (
                i["r14_dangerous_house"] in ("A", "B") and i["r16_house_damage"] in ("0", "1")
            ),
            lambda home: [("dwellings", r["record_id"]) for r in self.lived_in(home)],
        )

    def x42(self) -> Any:
        return self._without_fact(
            "water", lambda home, i: i["r17_unsafe_water"] is False, self.house
        )

    def x43(self) -> Any:
        return self._without_fact(
            "disaster",
            lambda home, i: (
                i["r24_disaster_loss_share"] == 0
                and i["r25_casualty_count"] == 0
                and i["r16_house_damage"] == "0"
                and i["r26_needs_relief"] is False
            ),
        )

    def x44(self) -> Any:
        return self._without_fact(
            "job",
            lambda home, i: i["r21_job_loss_share"] == 0 or "R21" in i["not_applicable"],
            self.house,
        )

    def x45(self) -> Any:
        for member in self.is_active:
            rows = [
                r
                for r in self.rows.get("enrolments", [])
                if r["member_id"] == member
                and r["status"] == "1"
                and r["year"] == self.day.year
                and r["insurance_type"] in ("310", "390")
            ]
            if {r["insurance_type"] for r in rows} == {"310", "390"}:
                yield self._home(member), member, [("enrolments", r["record_id"]) for r in rows]

    def _home(self, member: str) -> str:
        return str(self.members[member]["household_id"])

    def _deaths(self, member: str) -> Evidence:
        return [("deaths", row["record_id"]) for row in self.deaths[member]]

    def x46(self) -> Any:
        for member, row in self.members.items():
            ago = [(self.day - d["died_on"]).days for d in self.deaths.get(member, [])]
            if row["status"] == "1" and any(days > 30 for days in ago):
                yield self._home(member), member, [("members", member), *self._deaths(member)]

    def _dead_applicants(self, holds: Callable[[Row, bool], bool]) -> Any:
        found: dict[str, list[Row]] = defaultdict(list)
        for award in self.in_force:
            member = award["member_id"]
            if member not in self.died or (self.day - self.died[member]).days <= 30:
                continue
            if holds(award, bool(self.active.get(self._home(member)))):
                found[member].append(award)
        for member, awards in found.items():
            records = [("assistance", award["record_id"]) for award in awards]
            yield self._home(member), member, [*records, *self._deaths(member)]

    def x47(self) -> Any:
        return self._dead_applicants(lambda a, lives: a.get("insured_persons") == 1 or not lives)

    def x64(self) -> Any:
        return self._dead_applicants(lambda a, lives: a.get("insured_persons") != 1 and lives)

    def x48(self) -> Any:
        for member, died in self.died.items():
            if member not in self.members:
                continue
            rows = [
                r
                for r in self.rows.get("disability_subsidies", [])
                if r["member_id"] == member and month_of(died) < r["month"] <= month_of(self.day)
            ]
            if sum(r["amount"] for r in rows) > 0:
                records = [("disability_subsidies", r["record_id"]) for r in rows]
                yield self._home(member), member, [*records, *self._deaths(member)]

    def x49(self) -> Any:
        found: dict[str, list[str]] = defaultdict(list)
        for row in self.rows.get("settlements", []):
            member, on = row["member_id"], row["settled_at"].date()
            if row.get("reverses_id") or member not in self.members or member not in self.died:
                continue
            allowed = 365 if row["medical_type"] in ("21", "52") else 30
            is_late = (on - self.died[member]).days > allowed
            if self.window < on <= self.day and is_late and self.left_of(row) > 0:
                found[member].append(row["record_id"])
        for member, ids in found.items():
            records = [("settlements", record) for record in ids]
            yield self._home(member), member, [*records, *self._deaths(member)]

    def x50(self) -> Any:
        for member in self.is_active:
            m = self.members[member]
            awards = [a for a in self.in_force if a["member_id"] == member]
            tekun = [a for a in awards if a["scheme"] == "tekun"]
            if tekun and m["working_now"] and (m["work_months"] or 0) >= 3:
                records = [("assistance", a["record_id"]) for a in tekun]
                yield self._home(member), member, [*records, ("members", member)]

    def x51(self) -> Any:
        for member in self.is_active:
            awards = [a for a in self.in_force if a["member_id"] == member]
            if len({a["scheme"] for a in awards}) >= 2:
                yield self._home(member), member, [("assistance", a["record_id"]) for a in awards]

    def x52(self) -> Any:
        def over(home: str) -> list[tuple[str, str]]:
            size = self.indicators[home]["b01_household_size"]
            return [
                ("assistance", a["record_id"])
                for a in self.schemes(home)
                if a["scheme"] == "dibao" and (a.get("insured_persons") or 0) > size
            ]

        return self.of_homes(
            lambda home, h, i: over(home), lambda home: [*over(home), *self.house(home)]
        )

    def x53(self) -> Any:
        def holds(home: str, h: Row, i: Row) -> bool:
            c, standard = self.case[home], self.standard(h.get("area_code"))
            return bool(
                (h.get("household_type") == "2" or i["b11_monitor_class"] in ("1", "2", "3"))
                and i["r20_no_labour"]
                and not self.schemes(home)
                and i["b20_net_income_per_capita"] is not None
                and standard is not None
                and i["b20_net_income_per_capita"] < Decimal("1.5") * standard
                and not (c and c["in_window"])
            )

        return self.of_homes(holds, self.house)

    def x54(self) -> Any:
        for member in self.is_active:
            m, held = self.members[member], self.certificates(member)
            if not held or m["labour_class"] not in ("1", "2"):
                continue
            if held[0]["level"] in ("1", "2") and held[0]["category"] not in ("1", "2", "3"):
                both = [("members", member), ("certificates", held[0]["record_id"])]
                yield self._home(member), member, both

    def x55(self) -> Any:
        for member in self.is_active:
            rows = self.subsidies(member)
            if sum(r["amount"] for r in rows) > 0 and not self.certificates(member):
                records = [("disability_subsidies", r["record_id"]) for r in rows]
                yield self._home(member), member, records

    def x56(self) -> Any:
        first = months_back(self.day, 2)
        for member in self.is_active:
            rows, home = self.subsidies(member, "living"), self._home(member)
            entitled = [
                a
                for a in self.of_household("assistance", home)
                if a["scheme"] in ("dibao", "edge")
                and a["started_on"] <= self.day
                and (a.get("ended_on") is None or a["ended_on"] >= first)
            ]
            if sum(r["amount"] for r in rows) > 0 and not entitled:
                yield home, member, [("disability_subsidies", r["record_id"]) for r in rows]

    def x57(self) -> Any:
        def dibao(home: str) -> list[tuple[str, str]]:
            return [
                ("assistance", a["record_id"]) for a in self.schemes(home) if a["scheme"] == "dibao"
            ]

        def holds(home: str, h: Row, i: Row) -> bool:
            income, standard = i["b20_net_income_per_capita"], self.standard(h.get("area_code"))
            if income is None or standard is None:
                return False
            return bool(dibao(home)) and income > 2 * standard

        return self.of_homes(holds, lambda home: [*dibao(home), *self.house(home)])

    def x58(self) -> Any:
        for home in self.homes:
            evidence: list[tuple[str, str]] = []
            for row in self.dwellings(home):
                finished = [
                    r
                    for r in self.retrofits
                    if r["dwelling_id"] == row["record_id"] and r["finished_on"] is not None
                ]
                if (
                    row["occupied"]
                    and row["grade"] in ("C", "D")
                    and any(r["finished_on"] < row["appraised_on"] for r in finished)
                ):
                    evidence.append(("dwellings", row["record_id"]))
                    evidence += [("retrofits", r["record_id"]) for r in finished]
            if evidence:
                yield home, None, evidence

    def x59(self) -> Any:
        for home in self.homes:
            fallen, rows = self.unresolved(home, "3"), self.dwellings(home)
            if self.indicators[home]["r16_house_damage"] != "3" or len(rows) != 1 or not fallen:
                continue
            row = rows[0]
            newest = max(r["occurred_on"] for r in fallen)
            if row["occupied"] and row["grade"] in ("A", "B") and row["appraised_on"] >= newest:
                losses = [("losses", r["record_id"]) for r in fallen]
                yield home, None, [("dwellings", row["record_id"]), *losses]

    def x60(self) -> Any:
        for home in self.homes:
            i, evidence = self.indicators[home], set[tuple[str, str]]()
            for report in self.of_household("reports", home, active=True):
                closed = day_of(report.get("closed_at"))
                if report["status"] != "closed" or report["reported_at"].date() > self.day:
                    continue
                if closed is None or not 0 <= (self.day - closed).days <= 90:
                    continue
                stands = set[tuple[str, str]]()
                if report["difficulty"] == "housing" and i["r14_dangerous_house"] in ("C", "D"):
                    stands |= {("dwellings", r["record_id"]) for r in self.worst(home)}
                if report["difficulty"] == "housing" and i["r16_house_damage"] in ("2", "3"):
                    losses = self.unresolved(home, i["r16_house_damage"])
                    stands |= {("losses", r["record_id"]) for r in losses}
                if report["difficulty"] == "water" and i["r17_unsafe_water"]:
                    stands |= set(self.house(home))
                if report["difficulty"] == "schooling" and (i["r18_dropout_count"] or 0) >= 1:
                    stands |= set(self._dropped_out(home))
                if stands:
                    evidence |= stands | {("reports", report["record_id"])}
            if evidence:
                yield home, None, evidence

    def x61(self) -> Any:
        for member, died in self.died.items():
            rows = [
                r
                for r in self.rows.get("enrolments", [])
                if r["member_id"] == member and r["status"] == "1" and r["year"] == self.day.year
            ]
            if member in self.members and rows and died.year < self.day.year:
                records = [("enrolments", r["record_id"]) for r in rows]
                yield self._home(member), member, [*records, *self._deaths(member)]

    def x62(self) -> Any:
        for member, died in self.died.items():
            held = self.certificates(member)
            if member in self.members and held and (self.day - died).days > 90:
                records = [("certificates", r["record_id"]) for r in held]
                yield self._home(member), member, [*records, *self._deaths(member)]

    def x63(self) -> Any:
        for member, row in self.members.items():
            written = row.get("updated_at", datetime(2026, 11, 1, 8)).date()
            is_late = self.window < written <= self.day
            if row["status"] == "3" and member not in self.died and is_late:
                yield self._home(member), member, [("members", member)]

    def x65(self) -> Any:
        def awards(home: str) -> list[tuple[str, str]]:
            return [
                ("assistance", a["record_id"])
                for a in self.schemes(home)
                if a["scheme"] in ("dibao", "tekun")
            ]

        return self.of_homes(
            lambda home, h, i: awards(home) and (i["r06_uninsured_count"] or 0) >= 1,
            lambda home: [*awards(home), *(("members", m) for m in self.uninsured(home))],
        )

    def x66(self) -> Any:
        return self.of_homes(
            lambda home, h, i: h.get("relocated") and i["r14_dangerous_house"] in ("C", "D"),
            lambda home: [
                *self.house(home),
                *(
                    ("dwellings", r["record_id"])
                    for r in self.lived_in(home)
                    if r["grade"] in ("C", "D")
                ),
            ],
        )

    def x67(self) -> Any:
        found: dict[str, list[str]] = defaultdict(list)
        for row in self.rows.get("casualties", []):
            member = row["member_id"]
            if member not in self.members or member in self.died:
                continue
            if row["delivered_outcome"] == "death" and (self.day - row["occurred_on"]).days > 30:
                found[member].append(row["record_id"])
        for member, ids in found.items():
            records = [("casualties", record) for record in ids]
            yield self._home(member), member, [*records, ("members", member)]
