"""A plain reading of the rules about payments, jobs, loans and measures (X71 to X76).

Belongs here: those six, for `reading.Reading`. Not here: what the others ask of a day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

Row = dict[str, Any]
Evidence = Iterable[tuple[str, str]]


def ends_of_months(day: date, count: int) -> list[tuple[date, date]]:
    """First and last day of the last months that are over, the newest first."""
    found: list[tuple[date, date]] = []
    last = (day + timedelta(days=1)).replace(day=1) - timedelta(days=1)
    for _ in range(count):
        found.append((last.replace(day=1), last))
        last = last.replace(day=1) - timedelta(days=1)
    return found


class Helped:
    """What `Reading` is built on, and the six rules."""

    day: date
    rows: dict[str, list[Row]]
    members: dict[str, Row]
    died: dict[str, date]
    deaths: dict[str, list[Row]]
    is_active: set[str]
    homes: list[str]
    registered: dict[str, Row]
    indicators: Any

    def home_of(self, member: str) -> str:
        return str(self.members[member]["household_id"])

    def paid(self) -> list[Row]:
        """Payments of state paid to any member."""
        return [
            row
            for row in self.rows.get("payments", [])
            if row["member_id"] in self.members
            and row["state"] == "paid"
            and row["paid_on"] <= self.day
        ]

    @staticmethod
    def month(row: Row) -> str:
        return str(row.get("month") or f"{row['paid_on']:%Y%m}")

    def x71(self) -> Any:
        late: dict[str, list[Row]] = defaultdict(list)
        for row in self.paid():
            died = self.died.get(row["member_id"])
            if died is None or row["scheme"] not in (
                *("dibao", "tekun", "edge", "living", "nursing"),
            ):
                continue
            after = (
                row["month"] > f"{died:%Y%m}"
                if row.get("month")
                else (row["paid_on"] - died).days > 60
            )
            if after:
                late[row["member_id"]].append(row)
        for member, rows in late.items():
            if sum(row["amount"] for row in rows) > 0:
                evidence = [("payments", row["record_id"]) for row in rows]
                told = [("deaths", row["record_id"]) for row in self.deaths[member]]
                yield self.home_of(member), member, [*evidence, *told]

    def x72(self) -> Any:
        spans = ends_of_months(self.day, 5)
        found: dict[str, list[str]] = defaultdict(list)
        for place in range(3):
            first, last = spans[place]
            earliest = spans[place + 2][0]
            del first
            for scheme in ("dibao", "tekun", "edge"):
                of_month: dict[str, list[Row]] = defaultdict(list)
                for row in self.paid():
                    if row["scheme"] == scheme and self.month(row) == f"{last:%Y%m}":
                        of_month[self.home_of(row["member_id"])].append(row)
                for home, rows in of_month.items():
                    if home not in self.homes or sum(row["amount"] for row in rows) <= 0:
                        continue
                    awards = [
                        a
                        for a in self.rows.get("assistance", [])
                        if a["scheme"] == scheme
                        and a["member_id"] in self.members
                        and self.home_of(a["member_id"]) == home
                        and a["started_on"] <= last
                        and (a.get("ended_on") is None or a["ended_on"] >= earliest)
                    ]
                    if not awards:
                        found[home] += [row["record_id"] for row in rows]
        for home, ids in found.items():
            yield home, None, [("payments", record) for record in ids]

    def x73(self) -> Any:
        months = ends_of_months(self.day, 2)
        names = {f"{last:%Y%m}" for _, last in months}
        days = [
            first + timedelta(days=n)
            for first, last in months
            for n in range((last - first).days + 1)
        ]
        found: dict[str, set[str]] = defaultdict(set)
        for scheme in ("dibao", "tekun"):
            awards: dict[str, list[Row]] = defaultdict(list)
            for a in self.rows.get("assistance", []):
                if a["scheme"] == scheme and a["member_id"] in self.members:
                    awards[self.home_of(a["member_id"])].append(a)
            covered = {
                home
                for home, rows in awards.items()
                if all(
                    any(
                        a["started_on"] <= on and (a.get("ended_on") is None or a["ended_on"] >= on)
                        for a in rows
                    )
                    for on in days
                )
            }
            paid: dict[str, list[Row]] = defaultdict(list)
            for row in self.paid():
                if row["scheme"] == scheme and self.month(row) in names:
                    paid[self.home_of(row["member_id"])].append(row)
            county = {home: self.county_of(home) for home in covered}
            for home in covered & set(self.homes):
                theirs = [other for other in covered if county[other] == county[home]]
                told = [other for other in theirs if paid[other]]
                if 2 * len(told) < len(theirs) or sum(r["amount"] for r in paid[home]) > 0:
                    continue
                found[home] |= {
                    a["record_id"]
                    for a in awards[home]
                    if a["started_on"] <= days[-1]
                    and max(days) >= a["started_on"]
                    and (a.get("ended_on") is None or a["ended_on"] >= min(days))
                }
        for home, ids in found.items():
            yield home, None, [("assistance", record) for record in ids]

    def county_of(self, home: str) -> str | None:
        row = self.registered.get(home)
        return None if row is None else str(row["area_code"])[:6]

    def x74(self) -> Any:
        jobs: dict[str, list[str]] = defaultdict(list)
        for row in self.rows.get("employment", []):
            ended = row.get("ended_on")
            if (self.day - row["started_on"]).days >= 60 and (ended is None or ended >= self.day):
                jobs[row["member_id"]].append(row["record_id"])
        for member, ids in jobs.items():
            if member in self.is_active and self.members[member].get("working_now") is False:
                evidence = [("employment", record) for record in ids]
                yield self.home_of(member), member, [("members", member), *evidence]

    def x75(self) -> Any:
        loans: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows.get("loans", []):
            if row["member_id"] in self.members and row["issued_on"] <= self.day:
                loans[self.home_of(row["member_id"])].append(row)
        for home in self.homes:
            said = self.registered.get(home, {}).get("microcredit")
            overdue = [row for row in loans[home] if row["status"] == "overdue"]
            of_active = [row for row in overdue if row["member_id"] in self.is_active]
            if said in ("0", "1") and of_active:
                shown = of_active
            elif said == "2" and not overdue:
                shown = loans[home]
            else:
                continue
            yield home, None, [("households", home), *(("loans", r["record_id"]) for r in shown)]

    def x76(self) -> Any:
        for home in self.homes:
            said = self.registered.get(home, {}).get("measures_count")
            standing = [
                row
                for row in self.rows.get("measures", [])
                if row["household_id"] == home
                and row["status"] == "in_force"
                and row["started_on"] <= self.day
                and (row.get("ended_on") is None or row["ended_on"] >= self.day)
            ]
            if said is not None and said != len(standing):
                evidence = [("measures", row["record_id"]) for row in standing]
                yield home, None, [("households", home), *evidence]
