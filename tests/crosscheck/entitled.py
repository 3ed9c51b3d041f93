"""A plain reading of the lines of entitlement, of what lies just above them, and of what is not
known: written from the pages, not from the SQL.

Belongs here: what must come out. Not here: days before (`test_days`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.crosscheck.reading import Reading
from tests.indicators.facts import Row

Known = bool | None
"""None: not known."""
BEYOND = {"dibao": "X57", "living": "X56"}
Line = tuple[str, str, str | None, str, str]
"""Scheme, household, member, state, facts."""


def both(*parts: Known) -> Known:
    return False if False in parts else None if None in parts else True


def either(*parts: Known) -> Known:
    return True if True in parts else None if None in parts else False


def yuan(value: Decimal | None) -> str:
    return "" if value is None else f"{value.quantize(Decimal('0.01'))}"


class Entitled:
    """What the reading of a day says of each line."""

    def __init__(self, reading: Reading, states: Mapping[str, str]) -> None:
        self.reading, self.states = reading, states
        self.day = reading.day
        self.asked = {
            (code, home, member)
            for code, home, member, *_ in reading.found()
            if all(states[records] == "ok" for records in reading.rules[code]["sources"])
        }
        self.conflict = {
            p["member_id"] for p in reading.facts.persons if p["id_state"] == "conflict"
        }
        self.waiting_members = {
            records: reading.waiting(records)
            for records in {row["records"] for row in reading.facts.queue}
        }
        homes = {p["member_id"]: p["household_id"] for p in reading.facts.persons}
        self.waiting_homes = {
            records: {homes[member] for member in members}
            for records, members in self.waiting_members.items()
        }

    # three values

    def looks_for(self, holds: bool, records: str, waits: bool) -> Known:
        if holds:
            return True
        return None if waits or self.states[records] == "missing" else False

    def has(self, holds: bool, records: str, waits: bool) -> Known:
        found = self.looks_for(holds, records, waits)
        return None if found is False and self.states[records] == "stale" else found

    def home_waits(self, records: str, home: str) -> bool:
        return home in self.waiting_homes.get(records, set())

    def member_waits(self, records: str, member: str) -> bool:
        return member in self.waiting_members.get(records, set())

    def value(self, home: str, column: str, holds: Callable[[Any], Any]) -> Known:
        """A condition on a stored value: not known where it is missing."""
        value = self.reading.indicators[home][column]
        if value is not None:
            return bool(holds(value))
        code = column.split("_")[0].upper()
        missing = code in self.reading.indicators[home]["missing"]
        return None if missing else False

    # parts

    def standard(self, home: str) -> Decimal | None:
        row = self.reading.registered.get(home)
        return self.reading.standard(
            row["area_code"] if row else self.reading.indicators[home]["area_code"]
        )

    def lifted(self, home: str) -> Known:
        return self.value(home, "b10_household_type", lambda v: v in ("2", "3"))

    def monitored(self, home: str) -> Known:
        return self.value(home, "b11_monitor_class", lambda v: v != "0")

    def on(self, home: str, *schemes: str, member: str | None = None) -> Known:
        held = any(not schemes or a["scheme"] in schemes for a in self.reading.schemes(home))
        waits = (
            self.home_waits("assistance", home)
            if member is None
            else self.member_waits("assistance", member)
        )
        return self.looks_for(held, "assistance", waits)

    def holds_scheme(self, home: str, *schemes: str) -> Known:
        held = any(not schemes or a["scheme"] in schemes for a in self.reading.schemes(home))
        return self.has(held, "assistance", self.home_waits("assistance", home))

    def group(self, home: str, assisted: Known) -> str:
        names = {"lifted": self.lifted(home), "monitored": self.monitored(home)}
        return next((n for n, v in (names | {"assisted": assisted}).items() if v is True), "")

    # lines

    def lines(self) -> Iterator[Line]:
        for home in self.reading.homes:
            for scheme, e, h, facts in self.of_household(home):
                yield from self.stated(scheme, home, None, e, h, facts)
            for row in self.reading.active[home]:
                for scheme, e, h, facts in self.of_member(home, row):
                    yield from self.stated(scheme, home, row["member_id"], e, h, facts)

    def stated(
        self, scheme: str, home: str, member: str | None, e: Known, h: Known, facts: str
    ) -> Iterator[Line]:
        persons = [member] if member else [m["member_id"] for m in self.reading.active[home]]
        if e is True and any(person in self.conflict for person in persons):
            e = None
        state = None
        if e is True:
            state = {True: "met", False: "gap", None: "unknown"}[h]
        elif e is None and h is not True:
            state = "unknown"
        elif e is False and h is True and (BEYOND.get(scheme), home, member) in self.asked:
            state = "beyond"
        if state:
            yield scheme, home, member, state, facts

    def of_household(self, home: str) -> Iterator[tuple[str, Known, Known, str]]:
        i, s = self.reading.indicators[home], self.standard(home)
        b20, rows = i["b20_net_income_per_capita"], self.reading.active[home]
        money = f"B20={yuan(b20)}; standard={yuan(s)}"
        poor = None if b20 is None or s is None else b20 < s
        tekun = self.on(home, "tekun")
        not_tekun = None if tekun is None else not tekun
        yield "dibao", both(poor, not_tekun), self.holds_scheme(home, "dibao"), money
        yield (
            "tekun",
            self._tekun(home, rows, s),
            self.holds_scheme(home, "dibao", "tekun"),
            f"B19={yuan(i['b19_net_income'])}; standard={yuan(s)}; B01={i['b01_household_size']}",
        )
        edge = None if b20 is None or s is None else s <= b20 < Decimal("1.5") * s
        yield "edge", edge, self.holds_scheme(home), money
        yield self._temporary_aid(home)
        grade = i["r14_dangerous_house"]
        dangerous = (
            grade in ("C", "D")
            if grade is not None
            else False
            if "R14" in i["not_applicable"]
            else None
        )
        assisted = self.on(home)
        helped = either(self.lifted(home), self.monitored(home), assisted)
        begun = [r for r in self.reading.retrofits if r["home"] == home and not r["finished_on"]]
        yield (
            "retrofit",
            both(dangerous, helped),
            self.has(bool(begun), "retrofits", self.home_waits("retrofits", home)),
            f"R14={grade or ''}; group={self.group(home, assisted)}",
        )
        old = [
            r
            for r in self.reading.unresolved(home, "23")
            if (self.day - r["occurred_on"]).days > 15
        ]
        yield (
            "relief",
            self.looks_for(bool(old), "losses", self.home_waits("losses", home)),
            self.has(bool(i["r26_needs_relief"]), "relief", self.home_waits("relief", home)),
            f"R16={i['r16_house_damage'] or ''}",
        )

    def _tekun(self, home: str, rows: Iterable[Row], standard: Decimal | None) -> Known:
        """Not where one is false, else not known."""
        i = self.reading.indicators[home]
        parts = [self.value(home, "r20_no_labour", bool)]
        if i["b19_net_income"] is not None and standard is not None:
            parts.append(i["b19_net_income"] < standard * i["b01_household_size"])
        for row in rows:
            parts.append(not row["working_now"])
            age = self.reading.age(row)
            waits = self.member_waits("certificates", row["member_id"])
            severe = self.looks_for(self._is_severe(row["member_id"]), "certificates", waits)
            parts.append(either(None if age is None else age < 16 or age >= 60, severe))
        return False if False in parts else None

    def _is_severe(self, member: str) -> bool:
        held = self.reading.certificates(member)
        return bool(held) and held[0]["level"] in ("1", "2")

    def _temporary_aid(self, home: str) -> tuple[str, Known, Known, str]:
        since = self.day - timedelta(days=90)
        r = self.reading
        events: list[tuple[date, int, str]] = []
        for member, rows in r.deaths.items():
            row = r.members.get(member)
            if row and row["household_id"] == home and row["labour_class"] in ("1", "2"):
                events += [(d["died_on"], 2, "death") for d in rows if d["died_on"] >= since]
        for row in r.of_household("casualties", home):
            if since <= row["occurred_on"] <= self.day:
                events.append((row["occurred_on"], 1, "casualty"))
        lost = [
            row["occurred_on"]
            for row in r.of_household("losses", home)
            if since <= row["occurred_on"] <= self.day
        ]
        half = self.value(home, "r24_disaster_loss_share", lambda v: v >= Decimal("0.5"))
        if half:
            events += [(on, 0, "loss") for on in lost]
        kinds = {kind for _, _, kind in events}
        e = either(
            self.looks_for("death" in kinds, "deaths", self.home_waits("deaths", home)),
            self.looks_for("casualty" in kinds, "casualties", self.home_waits("casualties", home)),
            both(half, self.looks_for(bool(lost), "losses", self.home_waits("losses", home))),
        )
        newest = max(events, default=(since, 0, ""))
        paid = [
            row
            for row in r.of_household("temporary_aid", home)
            if (newest[0] if e else since) <= row["paid_on"] <= self.day
        ]
        h = self.has(bool(paid), "temporary_aid", self.home_waits("temporary_aid", home))
        event, on = (newest[2], newest[0]) if e else ("", "")
        return "temporary_aid", e, h, f"event={event}; on={on}"

    def of_member(self, home: str, row: Row) -> Iterator[tuple[str, Known, Known, str]]:
        r, member = self.reading, row["member_id"]
        held = r.certificates(member)
        level = f"level={held[0]['level'] if held else ''}"
        waits = self.member_waits("certificates", member)
        for kind, e in (
            (
                "living",
                both(
                    self.looks_for(bool(held), "certificates", waits),
                    self.on(home, "dibao", member=member),
                ),
            ),
            ("nursing", self.looks_for(self._is_severe(member), "certificates", waits)),
        ):
            paid = sum(s["amount"] for s in r.subsidies(member, kind)) > 0
            waiting = self.member_waits("disability_subsidies", member)
            yield kind, e, self.has(paid, "disability_subsidies", waiting), level
        yield self._medical_aid(home, member)
        if self.states.get("student_aid", "missing") != "missing":
            yield self._student_aid(home, row)
        assisted = self.on(home, member=member)
        helped = either(self.lifted(home), self.monitored(home), assisted)
        spring = (self.day.month, self.day.day) <= (3, 31)
        years = {self.day.year, self.day.year - 1} if spring else {self.day.year}
        enrolled = any(
            e["member_id"] == member and e["status"] == "1" and e["year"] in years
            for e in r.rows.get("enrolments", [])
        )
        yield (
            "insured",
            both(r.born(row) is not None, helped),
            self.has(enrolled, "enrolments", self.member_waits("enrolments", member)),
            f"group={self.group(home, assisted)}",
        )

    def _student_aid(self, home: str, row: Row) -> tuple[str, Known, Known, str]:
        member, year = row["member_id"], self.day.year
        term = (
            f"{year}-2"
            if self.day.month >= 11
            else f"{year}-1"
            if self.day.month >= 5
            else f"{year - 1}-2"
        )
        had = [
            a
            for a in self.reading.rows.get("student_aid", [])
            if a["member_id"] == member and (a.get("paid_on") is None or a["paid_on"] <= self.day)
        ]
        e = both(
            row["student_status"] in ("1", "2", "3", "4"),
            either(
                self.monitored(home), self.value(home, "b10_household_type", lambda v: v == "2")
            ),
            None if self.day.month in (9, 10) and not had else True,
        )
        waits = self.member_waits("student_aid", member)
        h = self.has(any(a["term"] == term for a in had), "student_aid", waits)
        return "student_aid", e, h, f"student_status={row['student_status'] or ''}; term={term}"

    def _medical_aid(self, home: str, member: str) -> tuple[str, Known, Known, str]:
        r, i = self.reading, self.reading.indicators[home]
        supported = (
            i["b10_household_type"] in ("2", "3")
            or (i["b11_monitor_class"] is not None and i["b11_monitor_class"] != "0")
            or bool(r.schemes(home))
        )
        threshold = Decimal(10000 if supported else 26000)
        bills = [
            s
            for s in r.rows.get("settlements", [])
            if s["member_id"] == member
            and not s.get("reverses_id")
            and r.window < s["settled_at"].date() <= self.day
            and r.left_of(s) > 0
        ]
        paid = sum((self.net(s, "personal_paid") or Decimal(0) for s in bills), Decimal(0))
        aid = [self.net(s, "medical_aid_paid") for s in bills]
        waits = self.member_waits("settlements", member)
        e = both(
            self.looks_for(bool(bills) and paid >= threshold, "settlements", waits),
            either(self.monitored(home), self.on(home, member=member)),
        )
        unsaid = bool(bills) and all(a is None for a in aid)
        h = self.has(any(a and a > 0 for a in aid), "settlements", waits or unsaid)
        return "medical_aid", e, h, f"personal_paid={yuan(paid)}; T={yuan(threshold)}"

    def net(self, original: Row, amount: str) -> Decimal | None:
        """What is left of an amount; nothing known where a part of it is empty."""
        parts: list[Any] = [original.get(amount)]
        waiting, seen = [original["record_id"]], set[str]()
        while waiting:
            name = waiting.pop()
            for row in self.reading.facts.rows["settlements"]:
                if row.get("reverses_id") == name and row["record_id"] not in seen:
                    seen.add(row["record_id"])
                    waiting.append(row["record_id"])
                    if row["settled_at"].date() <= self.day:
                        parts.append(row.get(amount))
        return None if None in parts else sum(parts, Decimal(0))

    # areas

    def areas(self, home: str) -> set[str]:
        """Every area in which the household counts."""
        village = self.reading.indicators[home]["area_code"] or ""
        return {village[:6], village[:9], village[:12]}

    def edges(self) -> Counter[tuple[str, str]]:
        """Households just above a line, by area and line."""
        counted: Counter[tuple[str, str]] = Counter()
        for home in self.reading.homes:
            i, s = self.reading.indicators[home], self.standard(home)
            b20, b24 = i["b20_net_income_per_capita"], i["b24_line_ratio"]
            near = {
                "dibao": b20 is not None and s is not None and s <= b20 < Decimal("1.1") * s,
                "edge": b20 is not None
                and s is not None
                and Decimal("1.5") * s <= b20 < Decimal("1.1") * Decimal("1.5") * s,
                "line": b24 is not None and 1 <= b24 < Decimal("1.1"),
            }
            for scheme, is_near in near.items():
                for area in self.areas(home):
                    counted[area, scheme] += is_near
        return counted

    def due(self, levels: Mapping[str, str]) -> dict[tuple[str, str], bool]:
        """By household and record type that it should have rows in: whether it has."""
        r, found = self.reading, dict[tuple[str, str], bool]()
        told = [r.registered[home].get("last_visit_on") for home in r.homes if home in r.registered]
        seen = [on is not None and on <= self.day for on in told]
        tells_visits = bool(seen) and 2 * sum(seen) >= len(seen)
        entitled = self._by_r13()
        for home in r.homes:
            register = r.registered.get(home)
            found[home, "dwellings"] = bool(r.dwellings(home))
            found[home, "enrolments"] = bool(r.of_household("enrolments", home, active=True))
            if home in entitled:
                found[home, "disability_subsidies"] = all(
                    any(
                        s["member_id"] == member and s["month"] <= f"{self.day:%Y%m}"
                        for s in r.rows.get("disability_subsidies", [])
                    )
                    for member in entitled[home]
                )
            if register and register["monitor_class"] != "0":
                found[home, "cases"] = r.case[home] is not None
            if register and levels.get(home) == "red" and tells_visits:
                on = register.get("last_visit_on")
                found[home, "visits"] = on is not None and on <= self.day
        return {
            (home, records): there
            for (home, records), there in found.items()
            if self.states.get(records, "ok") != "missing" and not self.home_waits(records, home)
        }

    def _by_r13(self) -> dict[str, set[str]]:
        """Members entitled to a subsidy by R13's terms, by household."""
        r, found = self.reading, defaultdict[str, set[str]](set)
        for home in r.homes:
            dibao = any(a["scheme"] == "dibao" for a in r.schemes(home))
            for row in r.active[home]:
                member = row["member_id"]
                waits = r.is_undoubted and any(
                    self.member_waits(records, member)
                    for records in ("certificates", "disability_subsidies", "assistance")
                )
                if not waits and (self._is_severe(member) or (dibao and r.certificates(member))):
                    found[home].add(member)
        return dict(found)


def share(there: int, due: int) -> Decimal | None:
    if not due:
        return None
    return (Decimal(there) / Decimal(due)).quantize(Decimal("0.0001"), ROUND_HALF_UP)
