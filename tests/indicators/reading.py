"""A plain reading of the indicator catalogue, household by household, in Python: what the SQL
models are compared with.

Belongs here: `indicators.csv` and the conventions of flags.md, as they are written. Nothing is
imported from `warehouse`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from tests.indicators.facts import Facts, Row

MISSING, NOT_APPLICABLE = "missing", "not_applicable"
DOUBTED_FROM = date(2026, 11, 25)
"""From this day on what waits is not absent, and shells are computed."""
Value = Any
"""A Fraction, int, bool or str; or one of the two words above."""

SOURCES = {
    "members": "B01 B02 B03 B04 B05 B06 B07 B08 B09 R18 R19 R20 R21 S01 S02 S03 S14",
    "households": "B10 B11 B12 B13 B14 B15 B16 B17 B18 B19 B22 R02 R03 R17 R23 S04 S16 S17 S18",
    "households members": "B20",
    "settlements": "B21 R09 S07 S09",
    "households members settlements": "B23 B24 R01 S05",
    "settlements households assistance": "R04",
    "settlements households": "R05",
    "households settlements": "S15",
    "enrolments": "R06 S08",
    "serious_illnesses": "R07",
    "chronic_followups": "R08 R10 S11",
    "certificates": "R11 R12",
    "certificates disability_subsidies assistance": "R13 S10",
    "dwellings retrofits": "R14",
    "dwellings": "S12",
    "retrofits": "R15",
    "retrofits households": "S13",
    "losses": "R16",
    "losses households": "R24",
    "members households": "R22",
    "casualties": "R25",
    "relief": "R26",
    "assistance": "R27 S06",
    "assistance households members": "R28",
    "deaths members": "R29",
    "reports": "R30",
}
CODES = (
    [f"B{n:02d}" for n in range(1, 25)]
    + [f"R{n:02d}" for n in range(1, 31)]
    + [f"S{n:02d}" for n in range(1, 19)]
)
YUAN = {"B15", "B16", "B17", "B18", "B19", "B20", "B21", "B22", "B23", "R04", "R19", "R23", "S09"}
RATIO = {"B05", "B24", "R01", "R02", "R03", "R05", "R21", "R24", "S05", "S07", "S11", "S15"}


def sources_of(code: str) -> list[str]:
    return next(records for records, codes in SOURCES.items() if code in codes.split()).split()


def rounded(value: Fraction, digits: int) -> Fraction:
    """Halves away from zero."""
    scaled = abs(value) * 10**digits
    whole = scaled.numerator * 2 // scaled.denominator
    whole = (whole + 1) // 2
    return Fraction(whole if value >= 0 else -whole, 10**digits)


def year_before(day: date, years: int = 1) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def age(birth_on: date, day: date) -> int:
    return day.year - birth_on.year - ((day.month, day.day) < (birth_on.month, birth_on.day))


def money(value: Any) -> Fraction | None:
    return None if value is None else Fraction(value)


def all_of(*parts: bool | None) -> bool | None:
    if any(p is False for p in parts):
        return False
    return None if any(p is None for p in parts) else True


@dataclass
class Result:
    value: Value
    status: str
    points: Fraction = Fraction(0)


class CountyFacts:
    """A county's facts, looked up by whom they count for."""

    def __init__(self, facts: Facts, day: date) -> None:
        self.states = facts.states
        self._linked: dict[tuple[str, str], list[Row]] = {}
        for records, rows in facts.rows.items():
            for row in rows:
                if row.get("outcome", "linked") == "linked" and row.get("member_id") is not None:
                    self._linked.setdefault((records, row["member_id"]), []).append(row)
        self._originals: dict[str, list[Row]] = {}
        for original in netted(facts, day):
            self._originals.setdefault(original["member_id"], []).append(original)
        self._retrofits: dict[str, list[Row]] = {}
        dwellings = [d for d in facts.rows["dwellings"] if d.get("outcome", "linked") == "linked"]
        owners = {d["record_id"]: d["member_id"] for d in dwellings}
        for r in facts.rows["retrofits"]:
            outcome = r.get("outcome", "linked")
            whose = owners.get(r["dwelling_id"], r["member_id"] if outcome == "linked" else None)
            is_its = r["dwelling_id"] in owners and day >= DOUBTED_FROM
            is_placed = whose is not None and (outcome != "ambiguous" or is_its)
            if is_placed and r["approved_on"] <= day:
                self._retrofits.setdefault(whose, []).append(r)
        keys = {p["person_key"]: p["member_id"] for p in facts.persons}
        self.waiting: dict[str, set[str]] = {}
        """Members who are candidates of a record that waits, by record type."""
        for asked in facts.queue:
            of_type = self.waiting.setdefault(asked["records"], set())
            of_type.update(keys[key] for key in asked["candidates"] if key in keys)

    def of(self, records: str, members: Iterable[Row]) -> list[Row]:
        return [r for m in members for r in self._linked.get((records, m["member_id"]), [])]

    def originals(self, members: Iterable[Row]) -> list[Row]:
        return [s for m in members for s in self._originals.get(m["member_id"], [])]

    def retrofits(self, members: Iterable[Row]) -> list[Row]:
        return [r for m in members for r in self._retrofits.get(m["member_id"], [])]


@dataclass
class Household:
    """The facts that count for one household on a day."""

    row: Row
    active: list[Row]
    any: list[Row]
    everybody: list[Row]
    """Of whatever status."""
    facts: CountyFacts
    day: date
    births: dict[str, date | None]
    deaths: dict[str, list[date]]
    line: Fraction | None
    dibao_standard: Fraction | None
    is_shell: bool = False

    def waiting(self, *records: str) -> set[str]:
        """Members who are candidates of a waiting record of these types."""
        if self.day < DOUBTED_FROM:
            return set()
        return {member for one in records for member in self.facts.waiting.get(one, ())}

    def in_year(self, day: date) -> bool:
        return year_before(self.day) < day <= self.day

    def died_in_year(self, member: Row) -> bool:
        return any(self.in_year(d) for d in self.deaths.get(member["member_id"], []))

    def of(self, records: str, members: Iterable[Row]) -> list[Row]:
        return self.facts.of(records, members)

    def stands(self, begun: date, ended: date | None) -> bool:
        return begun <= self.day and (ended is None or ended >= self.day)

    def count(self, name: str, condition: Callable[[Any], bool]) -> Value:
        known = [m[name] for m in self.active if m.get(name) is not None]
        return sum(condition(v) for v in known) if known else MISSING

    def assistance(self) -> list[Row]:
        rows = self.of("assistance", self.any)
        return [r for r in rows if self.stands(r["started_on"], r.get("ended_on"))]

    def schemes(self) -> set[str]:
        return {r["scheme"] for r in self.assistance()}

    def settlements(self) -> list[Row]:
        died = [m for m in self.any if self.died_in_year(m)]
        whose = {m["member_id"]: m for m in self.active + died}
        rows = self.facts.originals(whose.values())
        return [s for s in rows if self.in_year(s["day"]) and s["total_fee"] > 0]

    def certificates(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for c in self.of("certificates", self.active):
            if c["status"] == "1" and self.stands(c["issued_on"], c.get("expires_on")):
                found.setdefault(c["member_id"], []).append(c)
        return found

    def severe(self) -> list[Row]:
        """The latest certificate of each member, where it is of level 1 or 2."""
        every = self.certificates().values()
        latest = [max(cs, key=lambda c: (c["issued_on"], c["record_id"])) for cs in every]
        return [c for c in latest if c["level"] in "12"]

    def subsidies(self) -> dict[tuple[str, str], list[Row]]:
        """Who is entitled to what, and the payments of the three months."""
        entitled = {(c["member_id"], "nursing") for c in self.severe()}
        if "dibao" in self.schemes():
            entitled |= {(m, "living") for m in self.certificates()}
        waiting = self.waiting("certificates", "disability_subsidies", "assistance")
        entitled = {(m, subsidy) for m, subsidy in entitled if m not in waiting}
        month = self.day.year * 12 + self.day.month - 1
        months = {f"{(month - back) // 12:04d}{(month - back) % 12 + 1:02d}" for back in range(3)}
        paid: dict[tuple[str, str], list[Row]] = {pair: [] for pair in entitled}
        for p in self.of("disability_subsidies", self.active):
            if p["month"] in months and (p["member_id"], p["subsidy"]) in paid:
                paid[p["member_id"], p["subsidy"]].append(p)
        return paid

    def unpaid(self) -> set[tuple[str, str]]:
        """Those of them of which nothing is left that was paid."""
        paid = {
            pair: sum(Fraction(payment["amount"]) for payment in payments)
            for pair, payments in self.subsidies().items()
        }  # fmt: skip
        return {pair for pair, amount in paid.items() if amount <= 0}

    def retrofits(self) -> list[Row]:
        return self.facts.retrofits(self.any)

    def finished(self, retrofit: Row) -> bool:
        return retrofit.get("finished_on") is not None and retrofit["finished_on"] <= self.day

    def dwellings(self) -> list[Row]:
        left = []
        for d in self.of("dwellings", self.any):
            done = [
                r
                for r in self.retrofits()
                if r["dwelling_id"] == d["record_id"] and self.finished(r)
            ]
            if (
                d["occupied"]
                and d["appraised_on"] <= self.day
                and not any(r["finished_on"] >= d["appraised_on"] for r in done)
            ):
                left.append(d)
        return left

    def overdue(self, retrofit: Row) -> bool:
        is_late = self.day - retrofit["approved_on"] > timedelta(days=180)
        return is_late and not self.finished(retrofit)

    def known(self) -> list[Row]:
        return [m for m in self.active if self.births[m["member_id"]] is not None]

    def enrolments(self) -> list[Row]:
        years = {self.day.year} | ({self.day.year - 1} if self.day.month <= 3 else set())
        return [e for e in self.of("enrolments", self.known()) if e["year"] in years]

    def uninsured(self) -> list[Row]:
        insured = {e["member_id"] for e in self.enrolments() if e["status"] == "1"}
        return [m for m in self.judged() if m["member_id"] not in insured]

    def judged(self) -> list[Row]:
        """Of the members with a known number those about whom no enrolment waits."""
        waiting = self.waiting("enrolments")
        return [m for m in self.known() if m["member_id"] not in waiting]

    def illnesses(self) -> list[Row]:
        rows = self.of("serious_illnesses", self.active)
        return [s for s in rows if s["status"] == "1" and s["diagnosed_on"] <= self.day]

    def chronic_gaps(self) -> list[Row]:
        def is_seen(f: Row) -> bool:
            seen = f.get("last_followup_on")
            return seen is not None and self.day - seen <= timedelta(days=100)

        rows = self.of("chronic_followups", self.active)
        return [f for f in rows if not f["signed"] or not is_seen(f)]

    def losses(self) -> list[Row]:
        return [x for x in self.of("losses", self.any) if x["occurred_on"] <= self.day]

    def casualties(self) -> list[Row]:
        return [c for c in self.of("casualties", self.any) if self.in_year(c["occurred_on"])]

    def relief(self) -> list[Row]:
        rows = self.of("relief", self.any)
        return [r for r in rows if self.stands(r["listed_on"], r.get("ended_on"))]

    def lost_earners(self) -> list[Row]:
        earners = [m for m in self.any if m.get("labour_class") in ("1", "2")]
        return [m for m in earners if self.died_in_year(m)]

    def reports(self) -> list[Row]:
        rows = self.of("reports", self.active)
        return [r for r in rows if r["status"] == "open" and r["reported_at"].date() <= self.day]

    def stable_workers(self) -> list[Row]:
        working = [m for m in self.active if m.get("working_now")]
        return [m for m in working if m.get("work_months") is not None and m["work_months"] >= 6]


def read_basic(h: Household) -> dict[str, Value]:
    v: dict[str, Value] = {"B01": len(h.active)}
    v["B02"] = h.count("resident_months", lambda x: x >= 6)
    v["B03"] = h.count("labour_class", lambda x: x in ("1", "2"))
    v["B04"] = h.count("labour_class", lambda x: x == "3")
    if v["B03"] == MISSING:
        v["B05"] = MISSING
    else:
        equivalents = Fraction(v["B03"]) + Fraction(v["B04"], 2)
        v["B05"] = NOT_APPLICABLE if equivalents == 0 else (v["B01"] - equivalents) / equivalents
    ages = [age(b, h.day) for m in h.active if (b := h.births[m["member_id"]]) is not None]
    v["B06"] = sum(a >= 60 for a in ages) if ages else MISSING
    v["B07"] = sum(a < 16 for a in ages) if ages else MISSING
    v["B08"] = h.count("student_status", lambda x: x != "0")
    v["B09"] = h.count("student_status", lambda x: x in ("3", "4"))
    row = h.row
    v["B10"] = row["household_type"]
    v["B11"] = "0" if row.get("monitor_cleared") else row["monitor_class"]
    given = {
        "B12": "relocated",
        "B13": "farmland_mu",
        "B14": "forest_mu",
        "B15": "wage_income",
        "B18": "transfer_income",
    }
    for code, name in given.items():
        v[code] = (
            MISSING
            if row.get(name) is None
            else row[name]
            if code == "B12"
            else Fraction(row[name])
        )
    v["B16"] = (money(row.get("business_income")) or 0) - (money(row.get("business_expense")) or 0)
    v["B17"] = money(row.get("property_income")) or Fraction(0)
    v["B22"] = money(row.get("claims_income")) or Fraction(0)
    v["B19"] = (
        MISSING if MISSING in (v["B15"], v["B18"]) else v["B15"] + v["B16"] + v["B17"] + v["B18"]
    )
    v["B20"] = MISSING if v["B19"] == MISSING else rounded(v["B19"] / v["B01"], 2)
    v["B21"] = sum(
        (max(Fraction(0), s["in_scope"] - s["fund_paid"]) for s in h.settlements()), Fraction(0)
    )
    v["B23"] = (
        MISSING if v["B19"] == MISSING else rounded((v["B19"] + v["B22"] - v["B21"]) / v["B01"], 2)
    )
    v["B24"] = MISSING if v["B23"] == MISSING or h.line is None else rounded(v["B23"] / h.line, 4)
    return v


def read_income(h: Household, v: dict[str, Value]) -> None:
    v["R01"] = v["S05"] = v["B24"]
    previous = money(h.row.get("previous_net_income"))
    if v["B19"] == MISSING or previous is None:
        v["R02"] = MISSING
    else:
        v["R02"] = max(Fraction(0), 1 - v["B19"] / previous) if previous > 0 else NOT_APPLICABLE
    if v["B19"] == MISSING:
        v["R03"] = v["S04"] = MISSING
    elif v["B19"] <= 0:
        v["R03"] = v["S04"] = NOT_APPLICABLE
    else:
        v["R03"] = v["B18"] / v["B19"]
        v["S04"] = sum(v[code] > v["B19"] / 10 for code in ("B15", "B16", "B17", "B18"))


def read_medical(h: Household, v: dict[str, Value]) -> None:
    settled = h.settlements()
    by_member: dict[str, Fraction] = {}
    for s in settled:
        by_member[s["member_id"]] = by_member.get(s["member_id"], Fraction(0)) + s["personal_paid"]
    v["R04"] = max(by_member.values(), default=Fraction(0))
    paid = sum(by_member.values(), Fraction(0))
    if v["B19"] == MISSING:
        v["R05"] = MISSING
    else:
        v["R05"] = paid / v["B19"] if v["B19"] > 0 else Fraction(paid > 0)
    v["R06"] = len(h.uninsured())
    judged = bool(h.judged())
    v["S08"] = judged and v["R06"] == 0 if h.known() else NOT_APPLICABLE
    v["R07"] = len({s["member_id"] for s in h.illnesses()})
    chronic = h.of("chronic_followups", h.active)
    v["R08"] = len({f["member_id"] for f in h.chronic_gaps()})
    v["R09"] = sum(s["medical_type"] == "21" for s in settled)
    v["R10"] = len({f["member_id"] for f in chronic if f["disease"] == "severe_mental"})
    v["S11"] = (
        Fraction(sum(f["signed"] for f in chronic), len(chronic)) if chronic else NOT_APPLICABLE
    )
    total = sum((s["total_fee"] for s in settled), Fraction(0))
    v["S07"] = (
        sum((s["fund_paid"] for s in settled), Fraction(0)) / total if total > 0 else NOT_APPLICABLE
    )
    critical = [s["critical_illness_paid"] for s in settled]
    v["S09"] = MISSING if None in critical else sum(critical, Fraction(0))
    v["S15"] = v["B22"] / v["B21"] if v["B21"] > 0 else NOT_APPLICABLE


def read_disability(h: Household, v: dict[str, Value]) -> None:
    v["R11"] = len(h.severe())
    v["R12"] = len(h.certificates())
    v["R13"] = len({member for member, _ in h.unpaid()})
    v["S10"] = bool(h.subsidies()) and not h.unpaid()


def read_housing(h: Household, v: dict[str, Value]) -> None:
    dwellings, retrofits = h.dwellings(), h.retrofits()
    v["R14"] = max((d["grade"] for d in dwellings), default=NOT_APPLICABLE)
    v["R15"] = sum(h.overdue(r) for r in retrofits)
    losses = h.losses()
    v["R16"] = max(
        (x["house_damage"] for x in losses if h.stands(x["occurred_on"], x.get("resolved_on"))),
        default="0",
    )
    safe = h.row.get("water_safe")
    v["R17"] = MISSING if safe is None else not safe
    far = year_before(h.day, 5)
    v["S12"] = (
        all(d["grade"] in "AB" and d["appraised_on"] >= far for d in dwellings)
        if dwellings
        else NOT_APPLICABLE
    )
    moved = h.row.get("relocated")
    done = any(h.finished(r) for r in retrofits)
    v["S13"] = True if done or moved else MISSING if moved is None else False
    lost = sum(
        (Fraction(x["loss_amount"]) * 10000 for x in losses if h.in_year(x["occurred_on"])),
        Fraction(0),
    )
    if v["B19"] == MISSING:
        v["R24"] = MISSING
    else:
        v["R24"] = lost / v["B19"] if v["B19"] > 0 else Fraction(lost > 0)


def read_work(h: Household, v: dict[str, Value]) -> None:
    v["R18"] = h.count("dropout", bool)
    pays = [
        Fraction(m["education_self_pay"])
        for m in h.active
        if m.get("education_self_pay") is not None
    ]
    v["R19"] = max(pays) if pays else MISSING
    v["R20"] = MISSING if v["B03"] == MISSING else v["B03"] + v["B04"] == 0
    before = [m for m in h.active if m.get("worked_before")]
    working = h.count("working_now", bool)
    if h.count("worked_before", bool) == MISSING or working == MISSING:
        v["R21"] = MISSING
    elif not before:
        v["R21"] = NOT_APPLICABLE
    else:
        v["R21"] = Fraction(sum(m.get("working_now") is False for m in before), len(before))
    net = None if v["B19"] == MISSING else v["B19"]
    one = None if working == MISSING else working == 1
    wages = None if net is None else v["B15"] >= Fraction(8, 10) * net
    single = all_of(one, None if net is None else net > 0, wages)
    v["R22"] = MISSING if single is None else single
    v["R23"] = v["B16"]
    is_unknown = MISSING in (working, h.count("work_months", bool))
    v["S01"] = MISSING if is_unknown else len(h.stable_workers())
    v["S02"] = h.count("public_post", bool)
    v["S03"] = h.count("labour_class", lambda x: x == "2")
    v["S14"] = h.count("pension", bool)


def read_assistance(h: Household, v: dict[str, Value]) -> None:
    v["R25"] = len({c["member_id"] for c in h.casualties()})
    v["R26"] = bool(h.relief())
    schemes = h.schemes()
    v["R27"] = bool(schemes & {"edge", "rigid"})
    v["S06"] = bool(schemes & {"dibao", "tekun"})
    low = None if v["B20"] == MISSING or h.dibao_standard is None else v["B20"] < h.dibao_standard
    waits = {m["member_id"] for m in h.everybody} & h.waiting("assistance")
    gap = all_of(low, not v["S06"], not waits)
    v["R28"] = MISSING if gap is None else gap
    v["R29"] = len(h.lost_earners())
    ages = [(h.day - r["reported_at"].date()).days for r in h.reports()]
    v["R30"] = max(ages, default=NOT_APPLICABLE)
    loan, link, measures = (
        h.row.get("microcredit"),
        h.row.get("cooperative_link"),
        h.row.get("measures_count"),
    )
    v["S16"] = MISSING if loan is None else loan == "1"
    v["S17"] = MISSING if link is None else link
    v["S18"] = MISSING if measures is None else measures


def netted(facts: Facts, day: date) -> list[Row]:
    """The originals, each with what is left of it after every reversal that leads to it."""
    rows = facts.rows["settlements"]
    children: dict[str, list[Row]] = {}
    for r in rows:
        if r.get("reverses_id") is not None:
            children.setdefault(r["reverses_id"], []).append(r)
    amounts = ("total_fee", "in_scope", "fund_paid", "critical_illness_paid", "personal_paid")
    originals = []
    for o in rows:
        if o.get("reverses_id") is not None or o.get("outcome", "linked") != "linked":
            continue
        family, seen = [o], [o]
        while seen:
            seen = [child for r in seen for child in children.get(r["record_id"], [])]
            family += [r for r in seen if r["settled_at"].date() <= day]
        net: Row = {
            a: (
                None
                if any(r[a] is None for r in family)
                else sum((Fraction(r[a]) for r in family), Fraction(0))
            )
            for a in amounts
        }
        net |= {name: o[name] for name in ("member_id", "medical_type")}
        originals.append({**net, "day": o["settled_at"].date(), "records": family})
    return originals
