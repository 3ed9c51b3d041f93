"""A plain reading of who helps, with what, and was it enough, household by household, in Python:
what the SQL models are compared with.

Belongs here: `reckoned.md` and `support.md` as they are written. Nothing is imported from
`warehouse`. What other tests hold (indicators, lamps, points, the household's row) is taken as it
is stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.indicators.facts import Facts, Row

Rows = set[tuple[Any, ...]]

DEVELOPMENT = {"industry", "employment", "finance", "skills", "public_post"}
NEEDS = {
    "income": {"industry", "employment", "finance", "protection"},
    "medical": {"health", "protection"},
    "disability": {"health", "protection"},
    "housing": {"housing", "protection"},
    "disaster": {"housing", "protection"},
    "education": {"education"},
    "employment": {"employment", "skills", "public_post", "industry"},
    "water": {"water"},
}
DOMAIN = {
    **dict.fromkeys(("R01", "R02", "R03"), "income"),
    **dict.fromkeys(("R04", "R05", "R06", "R07", "R08", "R09", "R10"), "medical"),
    **dict.fromkeys(("R11", "R12", "R13"), "disability"),
    **dict.fromkeys(("R14", "R15", "R16"), "housing"),
    "R17": "water",
    **dict.fromkeys(("R18", "R19"), "education"),
    **dict.fromkeys(("R20", "R21", "R22", "R23"), "employment"),
    **dict.fromkeys(("R24", "R25", "R26"), "disaster"),
    **dict.fromkeys(("R27", "R28", "R29", "R30"), "assistance"),
}
FUNDS = (
    *("total_fee", "in_scope", "pooled_paid", "critical_illness_paid", "medical_aid_paid"),
    *("personal_paid", "fund_paid"),
)


def shifted(day: date, months: int) -> date:
    """The same day so many months later, or the last of a shorter month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError(day)


def cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def rate(part: Decimal, whole: Decimal) -> Decimal | None:
    if not whole:
        return None
    return (part / whole).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def total(values: Iterable[Decimal | None]) -> Decimal | None:
    """Skips empties; 0 without a row, null where all are empty."""
    listed = list(values)
    known = [value for value in listed if value is not None]
    return sum(known, Decimal(0)) if known or not listed else None


@dataclass
class Reading:
    """A day: facts, what is stored of each household, and which record types were read."""

    facts: Facts
    day: date
    household: dict[str, Row]
    """`household` by its number."""
    indicator: dict[str, Row]
    level: dict[str, str]
    points: dict[str, set[str]]
    """The risks that give a household points today."""
    shells_count: bool
    members: list[Row] = field(init=False)

    def __post_init__(self) -> None:
        self.start = shifted(self.day, -12)
        merged = {p["member_id"] for p in self.facts.persons if p["status"] == "2"}
        born = {p["member_id"]: p["birth_on"] for p in self.facts.persons}
        died = defaultdict(list)
        for death in self.linked("deaths"):
            if death["died_on"] <= self.day:
                died[death["member_id"]].append(death["died_on"])
        self.members = []
        for row in self.facts.rows["members"]:
            is_linked = row.get("outcome", "linked") == "linked"
            if not (is_linked or self.shells_count) or row["status"] not in ("1", "3"):
                continue
            if row["member_id"] in merged:
                continue
            deaths = died.get(row["member_id"], [])
            self.members.append(
                {
                    **row,
                    "active": row["status"] == "1" and not deaths,
                    "died_in_window": any(on > self.start for on in deaths),
                    "age": self._age(born[row["member_id"]]),
                }
            )
        self.home = {m["member_id"]: m["household_id"] for m in self.members}
        self.active = {m["member_id"]: m for m in self.members if m["active"]}
        self.homes = [h for h, row in self.household.items() if row["member_count"] > 0]

    def _age(self, born: date | None) -> int | None:
        if born is None:
            return None
        return self.day.year - born.year - ((self.day.month, self.day.day) < (born.month, born.day))

    def linked(self, records: str) -> list[Row]:
        rows = self.facts.rows[records]
        return [row for row in rows if row.get("outcome", "linked") == "linked"]

    def is_read(self, records: str) -> bool:
        return self.facts.states.get(records, "missing") != "missing"

    def in_force(self, row: Row) -> bool:
        ended = row.get("ended_on")
        return row["started_on"] <= self.day and (ended is None or ended >= self.day)

    def waiting(self, records: str) -> tuple[set[str], set[str]]:
        """Members and households that are candidates of a waiting record."""
        keys = {key for q in self.facts.queue if q["records"] == records for key in q["candidates"]}
        asked = [p for p in self.facts.persons if p["person_key"] in keys]
        return {p["member_id"] for p in asked}, {p["household_id"] for p in asked}

    # who is who

    def is_lifted(self, home: str) -> bool:
        return self.indicator[home]["b10_household_type"] in ("2", "3")

    def is_monitored(self, home: str) -> bool:
        return self.indicator[home]["b11_monitor_class"] not in (None, "0")

    def schemes(self) -> dict[str, set[str]]:
        found = defaultdict(set)
        for row in self.linked("assistance"):
            if self.in_force(row) and row["member_id"] in self.home:
                found[self.home[row["member_id"]]].add(row["scheme"])
        return found

    # areas

    def counties(self) -> set[str]:
        codes = {row["area_code"] for row in self.household.values() if row["area_code"]}
        return {code[:6] for code in codes if not code.startswith("000000")}

    def areas_of(self, home: str) -> list[str]:
        code = self.household[home]["area_code"]
        counties = self.counties()
        is_known = bool(code) and not code.startswith("000000")
        if not code:
            code = (min(counties) if len(counties) == 1 else "000000") + "000000"
        levels = [code, code[:9], code[:6]]
        return [*levels, code[:4]] if len(counties) > 1 and is_known else levels

    def areas(self) -> dict[str, set[str]]:
        """The households with an active member of each area that has a row."""
        found: dict[str, set[str]] = {}
        for home, row in self.household.items():
            is_placed = bool(row["area_code"]) and not row["area_code"].endswith("000000")
            for area in self.areas_of(home):
                if is_placed:
                    found.setdefault(area, set())
                if home in self.homes:
                    found.setdefault(area, set()).add(home)
        return found

    def register_areas(self) -> set[str]:
        placed = [
            home
            for home, row in self.household.items()
            if row["area_code"] and not row["area_code"].endswith("000000")
        ]
        return {area for home in placed for area in self.areas_of(home)}

    # the views

    def responsibility(self) -> Rows:
        if not self.is_read("assignments"):
            return set()
        visits = [v for v in self.linked("visits") if v["visited_on"] <= self.day]
        first = date(self.day.year, 1 if self.day.month < 7 else 7, 1)
        found: Rows = set()
        since: dict[tuple[str, str, str], date] = {}
        for a in self.linked("assignments"):
            if self.in_force(a) and a["household_id"] in self.homes:
                key = (a["household_id"], a["officer_id"], a["duty"])
                since[key] = min(since.get(key, a["started_on"]), a["started_on"])
        register = {row["household_id"]: row for row in self.facts.rows["households"]}
        for (home, officer, duty), begun in since.items():
            own = [v["visited_on"] for v in visits if v["household_id"] == home
                   and v["officer_id"] == officer]  # fmt: skip
            seen = [v["visited_on"] for v in visits if v["household_id"] == home]
            if not self.is_read("visits"):
                told = register.get(home, {}).get("last_visit_on")
                seen = [told] if told and told <= self.day else []
            terms = [
                days
                for holds, days in (
                    (self.level[home] == "red", 7),
                    (self.is_monitored(home), 30),
                    (self.is_lifted(home), 90),
                )
                if holds
            ]
            due: date | None
            if terms:
                due = max(seen, default=begun) + timedelta(days=min(terms))
            else:
                halves = 12 if seen and max(seen) >= first else 6
                due = shifted(first, halves) - timedelta(days=1)
            if duty in ("leader", "centre"):
                due = None
            found.add((home, officer, duty, begun, max(own, default=None), due))
        return found

    def responsibility_gap(self) -> Rows:
        if not self.is_read("assignments"):
            return set()
        rows = self.responsibility()
        helped = defaultdict(set)
        for home, officer, duty, *_ in rows:
            if duty == "helper":
                helped[officer].add(home)
        found: Rows = set()
        for area, homes in self.areas().items():
            here = [row for row in rows if row[0] in homes]
            helpers = {row[1] for row in here if row[2] == "helper"}
            without = homes - {row[0] for row in here if row[2] == "helper"}
            above = {officer for officer in helpers if len(helped[officer]) > 15}
            found.add((area, len(homes), len(without), len({row[1] for row in here}), len(above)))
        return found

    def periods(self) -> list[tuple[str, date, date]]:
        monday = self.day - timedelta(days=self.day.weekday())
        found = []
        for back in range(13):
            first = monday - timedelta(days=7 * back)
            year, week, _ = first.isocalendar()
            found.append((f"{year}-W{week:02d}", first, first + timedelta(days=6)))
        year, half = self.day.year, 1 if self.day.month < 7 else 2
        for one in ((year, half), (year, 1) if half == 2 else (year - 1, 2)):
            first = date(one[0], 1 if one[1] == 1 else 7, 1)
            found.append((f"{one[0]}-H{one[1]}", first, shifted(first, 6) - timedelta(days=1)))
        return found

    def visit_coverage(self) -> Rows:
        if not self.is_read("visits"):
            return set()
        kinds = ("all", "routine", "screening", "campaign", "phone", "check")
        found: Rows = set()
        for area, homes in self.areas().items():
            for name, first, last in self.periods():
                until = min(last, self.day)
                for kind in kinds:
                    seen = [
                        v
                        for v in self.linked("visits")
                        if first <= v["visited_on"] <= until
                        and v["household_id"] in homes
                        and kind in ("all", v["kind"])
                    ]
                    visited = {v["household_id"] for v in seen}
                    with_find = {v["household_id"] for v in seen if v["found"] != "none"}
                    found.add((area, name, kind, len(homes), len(visited), len(with_find)))
        return found

    def measure_gap(self) -> Rows:
        found: Rows = set()
        register = {row["household_id"]: row for row in self.facts.rows["households"]}
        schemes, (_, undecided) = self.schemes(), self.waiting("assistance")
        for home in filter(self.is_monitored, self.homes):
            if not self.is_read("measures"):
                if register.get(home, {}).get("measures_count") == 0:
                    found.add((home, "no_measure"))
                continue
            kinds = {
                m["kind"]
                for m in self.linked("measures")
                if m["household_id"] == home and m["status"] == "in_force" and self.in_force(m)
            }
            if not kinds:
                found.add((home, "no_measure"))
                continue
            values = self.indicator[home]
            able = [values["b03_labour_count"], values["b04_weak_labour_count"]]
            if None not in able and sum(able) >= 1 and not kinds & DEVELOPMENT:
                found.add((home, "no_development"))
            if (
                values["r20_no_labour"]
                and "protection" not in kinds
                and not schemes.get(home, set()) & {"dibao", "tekun"}
                and home not in undecided
            ):
                found.add((home, "no_protection"))
            needs = {DOMAIN[code] for code in self.points.get(home, set())}
            if any(not kinds & NEEDS[need] for need in needs if need in NEEDS):
                found.add((home, "not_to_need"))
        return found

    def zero_employment(self) -> Rows:
        found: Rows = set()
        working = {
            e["member_id"] for e in self.linked("employment") if e["member_id"] and self.in_force(e)
        }
        undecided, _ = self.waiting("employment")
        for home in self.homes:
            of_home = [m for m in self.active.values() if m["household_id"] == home]
            able = [
                m
                for m in of_home
                if m.get("labour_class") in ("1", "2")
                and m["age"] is not None
                and 16 <= m["age"] <= 59
                and m.get("student_status") in (None, "0")
            ]
            given = all(
                m.get(name) is not None for m in able for name in ("working_now", "public_post")
            )
            idle = not any(
                m.get("working_now")
                or m.get("public_post")
                or m["member_id"] in working
                or m["member_id"] in undecided
                for m in of_home
            )
            relocated = self.indicator[home]["b12_relocated"] is True
            counts = relocated or self.is_lifted(home) or self.is_monitored(home)
            if able and given and idle and counts:
                found.add((home, len(able), relocated))
        return found

    def special_group(self) -> Rows:
        found: Rows = set()
        schemes = self.schemes()
        for home in self.homes:
            i = self.indicator[home]
            people = [m for m in self.active.values() if m["household_id"] == home]
            size = i["b01_household_size"]
            for scheme in ("dibao", "tekun", "edge"):
                if scheme in schemes.get(home, set()):
                    found.add((home, scheme, size))
            for group, column in (
                ("disabled_severe", "r11_severe_disability_count"),
                ("ill", "r07_serious_illness_count"),
                ("bereaved", "r29_breadwinner_death"),
            ):
                if (i[column] or 0) >= 1:
                    found.add((home, group, i[column]))
            if all(m["age"] is not None and m["age"] >= 60 for m in people):
                found.add((home, "old_alone", size))
            keeps = any(
                m["age"] is None
                or (16 <= m["age"] <= 59 and m.get("labour_class") in ("1", "2", "3", None))
                for m in people
            )
            if (i["b07_child_count"] or 0) >= 1 and not keeps:
                found.add((home, "children_alone", i["b07_child_count"]))
            if i["b12_relocated"]:
                found.add((home, "relocated", size))
            if i["r22_single_earner"]:
                found.add((home, "one_earner", size))
        return found

    def populations(self) -> dict[str, set[str]]:
        schemes = self.schemes()
        found = {
            "everybody": set(self.homes),
            "lifted": {home for home in self.homes if self.is_lifted(home)},
            "monitored": {home for home in self.homes if self.is_monitored(home)},
            "assisted": {home for home in self.homes if schemes.get(home)},
        }
        groups = (
            *("dibao", "tekun", "edge", "disabled_severe", "ill", "old_alone"),
            *("children_alone", "relocated", "one_earner", "bereaved"),
        )
        needs = {
            **{code: {"assistance"} for code in ("assisted", "dibao", "tekun", "edge")},
            "disabled_severe": {"certificates"},
            "ill": {"serious_illnesses"},
            "bereaved": {"deaths"},
        }
        for group in groups:
            found[group] = {home for home, code, _ in self.special_group() if code == group}
        return {
            code: homes
            for code, homes in found.items()
            if all(map(self.is_read, needs.get(code, set())))
        }

    def net_settlements(self) -> list[Row]:
        rows = {row["record_id"]: row for row in self.facts.rows["settlements"]}

        def origin(row: Row) -> str | None:
            while row.get("reverses_id"):
                if row["reverses_id"] not in rows:
                    return None
                row = rows[row["reverses_id"]]
            return str(row["record_id"])

        taken = defaultdict(list)
        for row in rows.values():
            if row.get("reverses_id") and row["settled_at"].date() <= self.day:
                taken[origin(row)].append(row)
        found = []
        for row in rows.values():
            on = row["settled_at"].date()
            if row.get("reverses_id") or not self.start < on <= self.day:
                continue
            if row.get("outcome", "linked") != "linked" or row["member_id"] not in self.home:
                continue
            member = next(m for m in self.members if m["member_id"] == row["member_id"])
            if not (member["active"] or member["died_in_window"]):
                continue
            net: Row = {"member_id": row["member_id"], "inpatient": row["medical_type"] == "21"}
            for fund in FUNDS:
                parts = [row.get(fund), *(r.get(fund) for r in taken[row["record_id"]])]
                net[fund] = None if None in parts else sum(parts)
            if net["total_fee"] > 0:
                found.append(net)
        return found

    def medical_ledger(self) -> Rows:
        if not self.is_read("settlements"):
            return set()
        net, found = self.net_settlements(), set()
        for area, homes in self.areas().items():
            for population, of_it in self.populations().items():
                here = [n for n in net if self.home[n["member_id"]] in homes & of_it]
                stays = [n for n in here if n["inpatient"]]
                paid = total(n["fund_paid"] for n in stays) or Decimal(0)
                scope = total(n["in_scope"] for n in stays) or Decimal(0)
                sums = [total(n[fund] for n in here) for fund in FUNDS]
                persons = len({n["member_id"] for n in here})
                found.add(
                    (area, population, persons, len(stays), *sums, paid, scope, rate(paid, scope))
                )
        return found

    def support_received(self) -> Rows:
        if not self.is_read("payments"):
            return set()
        paid: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for p in self.linked("payments"):
            if (
                p["member_id"] in self.home
                and p["state"] == "paid"
                and self.start < p["paid_on"] <= self.day
            ):
                paid[self.home[p["member_id"]], p["scheme"]].append(p)
        awards = self._awards()
        found: Rows = set()
        for home, scheme in {*paid, *awards}:
            if home not in self.homes:
                continue
            rows = paid[home, scheme]
            given = [p for p in rows if p["amount"] > 0]
            awarded = total(awards.get((home, scheme), []))
            if scheme in ("dibao", "tekun", "edge") and None in awards.get((home, scheme), []):
                awarded = None
            source = {
                **dict.fromkeys(("dibao", "tekun", "edge"), "assistance"),
                **dict.fromkeys(("living", "nursing"), "disability_subsidies"),
                "temporary_aid": "temporary_aid",
                "student_aid": "student_aid",
            }.get(scheme)
            if source is None or not self.is_read(source):
                awarded = None
            found.add(
                (
                    home,
                    scheme,
                    total(p["amount"] for p in rows),
                    awarded,
                    len(given),
                    max((p["paid_on"] for p in given), default=None),
                )
            )
        return found

    def _awards(self) -> dict[tuple[str, str], list[Decimal | None]]:
        months = []
        for back in range(13):
            first = shifted(self.day.replace(day=1), -back)
            last = shifted(first, 1) - timedelta(days=1)
            if first > self.start and last <= self.day:
                months.append((first, last))
        found: dict[tuple[str, str], list[Decimal | None]] = defaultdict(list)
        for row in self.linked("assistance"):
            if row["member_id"] not in self.home or row["scheme"] == "rigid":
                continue
            home = self.home[row["member_id"]]
            for first, last in months:
                ended = row.get("ended_on")
                if row["started_on"] <= first and (ended is None or ended >= last):
                    found[home, row["scheme"]].append(row.get("monthly_amount"))
        names = {f"{first:%Y%m}" for first, _ in months}
        for row in self.linked("disability_subsidies"):
            if row["member_id"] in self.active and row["month"] in names:
                found[self.home[row["member_id"]], row["subsidy"]].append(row["amount"])
        for row in self.linked("temporary_aid"):
            if row["member_id"] in self.home and self.start < row["paid_on"] <= self.day:
                found[self.home[row["member_id"]], "temporary_aid"].append(row["amount"])
        for row in self.linked("student_aid"):
            year, half = row["term"].split("-")
            begins = date(int(year), 3 if half == "1" else 9, 1)
            paid_on = row.get("paid_on")
            counts = begins if paid_on is None else paid_on
            if row["member_id"] in self.home and self.start < counts <= self.day:
                found[self.home[row["member_id"]], "student_aid"].append(row["amount"])
        return found

    def asset_ledger(self) -> Rows:
        if not self.is_read("assets"):
            return set()
        assets = {row["asset_id"]: row for row in self.facts.rows["assets"]}
        dividends = [
            d for d in self.facts.rows["dividends"] if self.start < d["paid_on"] <= self.day
        ]
        found: Rows = set()
        for area in self.register_areas():
            for category in ("all", "operating", "public", "household"):
                here = {
                    key: a
                    for key, a in assets.items()
                    if a["area_code"].startswith(area) and category in ("all", a["category"])
                }
                given = [d for d in dividends if d["asset_id"] in here]
                got = {
                    self.home[d["member_id"]]
                    for d in given
                    if d["amount"] > 0
                    and d.get("outcome", "linked") == "linked"
                    and d["member_id"] in self.home
                }
                late = [
                    a
                    for a in here.values()
                    if a.get("accepted_on")
                    and shifted(a["accepted_on"], 3) < self.day
                    and a["state"] != "disposed"
                    and (a.get("transferred_on") is None or a["transferred_on"] > self.day)
                ]
                found.add(
                    (
                        area,
                        category,
                        len(here),
                        total(a["original_value"] for a in here.values()),
                        len([a for a in here.values() if a.get("owner_level") is None]),
                        len(late),
                        len([a for a in here.values() if a["state"] == "idle"]),
                        total(a.get("annual_income") for a in here.values()),
                        total(d["amount"] for d in given if d["round"] == 2),
                        len(got & set(self.homes)),
                    )
                )
        return found

    def relapse(self, lamps: dict[date, dict[str, tuple[str, bool]]]) -> Rows:
        """`lamps`: the level of each household, and whether it was held, by day; today's too."""
        if not self.is_read("cases"):
            return set()
        found: Rows = set()
        cases = [
            c
            for c in self.linked("cases")
            if c["household_id"] in self.homes and c["discovered_on"] <= self.day
        ]
        for case in cases:
            home, on = case["household_id"], case.get("cleared_on")
            if on is None or not shifted(self.day, -24) < on <= self.day:
                continue
            until = shifted(on, 12)
            came = [
                c["discovered_on"]
                for c in cases
                if c["household_id"] == home
                and on < c["discovered_on"] <= until
                and not (c.get("rejected_on") and c["rejected_on"] <= self.day)
            ]
            seen = [day for day in lamps if day <= on and home in lamps[day]]
            if seen and lamps[max(seen)][home][0] != "red":
                came += [
                    day
                    for day in lamps
                    if on < day <= until and lamps[day].get(home) == ("red", False)
                ]
            if came:
                found.add((home, on, min(came), (min(came) - on).days))
        return found

    def watch(self) -> Rows:
        if not self.is_read("cases"):
            return set()
        newest: dict[str, date] = {}
        for case in self.linked("cases"):
            home, on = case["household_id"], case.get("cleared_on")
            if home in self.homes and case["discovered_on"] <= self.day and on and on <= self.day:
                newest[home] = max(on, newest.get(home, on))
        return {
            (home, on, shifted(on, 6)) for home, on in newest.items() if self.day <= shifted(on, 6)
        }
