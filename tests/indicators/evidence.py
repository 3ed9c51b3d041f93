"""A plain reading of a reason's evidence: the records of all that an indicator counted, as flags.md
("Explained") has it.

Belongs here: which records each of the 48 scored codes counts. Not here: their values (`reading`).
Nothing is imported from `warehouse`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from resources.engines.duckdb import Engine
from tests.indicators.facts import ARRIVED, Facts, Row
from tests.indicators.lamps import read_household, read_households
from tests.indicators.reading import Household, Result, sources_of

Records = dict[str, list[Row]]
"""Rows by record type."""
Difference = tuple[str, str, Any, Any]
"""Household, code, what is shown and what the plain reading has."""
REASONS = """
    select household_id, code, evidence, evidence_on
    from warning_reason
    where department is not null
"""
AT_MOST = 20


def _own(h: Household) -> Records:
    return {"households": [h.row]}


def _members(h: Household, field: str) -> Records:
    return {"members": [m for m in h.active if m.get(field)]}


def _settled(settlements: list[Row]) -> Records:
    """Originals with what reversed them."""
    return {"settlements": [r for s in settlements for r in s["records"]]}


def _largest_payer(h: Household) -> list[Row]:
    by_member: dict[str, Fraction] = {}
    for s in h.settlements():
        by_member[s["member_id"]] = by_member.get(s["member_id"], Fraction(0)) + s["personal_paid"]
    payer = min(by_member, key=lambda member: (-by_member[member], member), default=None)
    return [s for s in h.settlements() if s["member_id"] == payer]


def _line(h: Household) -> Records:
    return {**_own(h), "members": h.active, **_settled(h.settlements())}


def _uninsured(h: Household) -> Records:
    members = h.uninsured()
    ids = {m["member_id"] for m in members}
    return {"enrolments": [e for e in h.enrolments() if e["member_id"] in ids], "members": members}


def _subsidies(h: Household, of: set[tuple[str, str]]) -> Records:
    """Certificates of who is meant, what they were paid, and the dibao that entitles."""
    subsidies, whose = h.subsidies(), {member for member, _ in of}
    return {
        "certificates": [c for member in whose for c in h.certificates()[member]],
        "disability_subsidies": [p for pair in of for p in subsidies[pair]],
        "assistance": [r for r in h.assistance() if r["scheme"] == "dibao"],
    }


def _schemes(h: Household, *schemes: str) -> Records:
    return {"assistance": [r for r in h.assistance() if r["scheme"] in schemes]}


def _burden(h: Household, most: Fraction) -> Records:
    """Who pays most, and who studies beyond compulsory school (B09)."""
    pays = [m for m in h.active if m.get("education_self_pay") == most]
    studies = [m for m in h.active if m.get("student_status") in ("3", "4")]
    return {"members": list({m["member_id"]: m for m in pays + studies}.values())}


def _lost_earners(h: Household) -> Records:
    members = h.lost_earners()
    deaths = [d for d in h.of("deaths", members) if h.in_year(d["died_on"])]
    return {"deaths": deaths, "members": members}


def _stands(h: Household, damage: str) -> Records:
    standing = [x for x in h.losses() if h.stands(x["occurred_on"], x.get("resolved_on"))]
    return {"losses": [x for x in standing if x["house_damage"] == damage]}


def _lost(h: Household) -> Records:
    return {"losses": [x for x in h.losses() if h.in_year(x["occurred_on"])]}


def _chronic(h: Household, disease: str | None = None) -> Records:
    rows = h.of("chronic_followups", h.active)
    return {"chronic_followups": [f for f in rows if disease in (None, f["disease"])]}


def _insuring(h: Household) -> Records:
    judged = {m["member_id"] for m in h.judged()}
    insuring = [e for e in h.enrolments() if e["status"] == "1"]
    return {"enrolments": [e for e in insuring if e["member_id"] in judged]}


def _rehoused(h: Household) -> Records:
    done = [r for r in h.retrofits() if h.finished(r)]
    return {"retrofits": done, **(_own(h) if h.row.get("relocated") else {})}


COUNTED: dict[str, Callable[[Household, Mapping[str, Result]], Records]] = {
    "R01": lambda h, v: _line(h),
    "R02": lambda h, v: _own(h),
    "R03": lambda h, v: _own(h),
    "R04": lambda h, v: {**_settled(_largest_payer(h)), **_own(h), "assistance": h.assistance()},
    "R05": lambda h, v: {**_settled(h.settlements()), **_own(h)},
    "R06": lambda h, v: _uninsured(h),
    "R07": lambda h, v: {"serious_illnesses": h.illnesses()},
    "R08": lambda h, v: {"chronic_followups": h.chronic_gaps()},
    "R09": lambda h, v: _settled([s for s in h.settlements() if s["medical_type"] == "21"]),
    "R10": lambda h, v: _chronic(h, "severe_mental"),
    "R11": lambda h, v: {"certificates": h.severe()},
    "R12": lambda h, v: {"certificates": [c for cs in h.certificates().values() for c in cs]},
    "R13": lambda h, v: _subsidies(h, h.unpaid()),
    "R14": lambda h, v: {"dwellings": [d for d in h.dwellings() if d["grade"] == v["R14"].value]},
    "R15": lambda h, v: {"retrofits": [r for r in h.retrofits() if h.overdue(r)]},
    "R16": lambda h, v: _stands(h, v["R16"].value),
    "R17": lambda h, v: _own(h),
    "R18": lambda h, v: _members(h, "dropout"),
    "R19": lambda h, v: _burden(h, v["R19"].value),
    "R20": lambda h, v: {"members": h.active},
    "R21": lambda h, v: _members(h, "worked_before"),
    "R22": lambda h, v: {**_members(h, "working_now"), **_own(h)},
    "R23": lambda h, v: _own(h),
    "R24": lambda h, v: {**_lost(h), **_own(h)},
    "R25": lambda h, v: {"casualties": h.casualties()},
    "R26": lambda h, v: {"relief": h.relief()},
    "R27": lambda h, v: _schemes(h, "edge", "rigid"),
    "R28": lambda h, v: {"assistance": h.assistance(), **_own(h), "members": h.active},
    "R29": lambda h, v: _lost_earners(h),
    "R30": lambda h, v: {"reports": h.reports()},
    "S01": lambda h, v: {"members": h.stable_workers()},
    "S02": lambda h, v: _members(h, "public_post"),
    "S03": lambda h, v: {"members": [m for m in h.active if m.get("labour_class") == "2"]},
    "S04": lambda h, v: _own(h),
    "S05": lambda h, v: _line(h),
    "S06": lambda h, v: _schemes(h, "dibao", "tekun"),
    "S07": lambda h, v: _settled(h.settlements()),
    "S08": lambda h, v: _insuring(h),
    "S09": lambda h, v: _settled([s for s in h.settlements() if s["critical_illness_paid"]]),
    "S10": lambda h, v: _subsidies(h, set(h.subsidies())),
    "S11": lambda h, v: _chronic(h),
    "S12": lambda h, v: {"dwellings": h.dwellings()},
    "S13": lambda h, v: _rehoused(h),
    "S14": lambda h, v: _members(h, "pension"),
    "S15": lambda h, v: {**_own(h), **_settled(h.settlements())},
    "S16": lambda h, v: _own(h),
    "S17": lambda h, v: _own(h),
    "S18": lambda h, v: _own(h),
}


def counted(h: Household, results: Mapping[str, Result], code: str) -> list[tuple[str, Row]]:
    """Record type and row of everything that the indicator counted, in the order of its sources.

    Types that it does not list come last; within a type rows stand by record id.
    """
    listed = sources_of(code)
    rows = [(records, row) for records, found in COUNTED[code](h, results).items() for row in found]

    def place(counted: tuple[str, Row]) -> tuple[int, str, str]:
        records, row = counted
        among = listed.index(records) if records in listed else len(listed)
        return among, records, row["record_id"]

    return sorted(rows, key=place)


def evidence(h: Household, results: Mapping[str, Result], code: str) -> list[str]:
    """The record ids that a reason shows."""
    return [row["record_id"] for _, row in counted(h, results, code)][:AT_MOST]


def differing(engine: Engine, facts: Facts, day: date) -> tuple[list[Difference], Counter[str]]:
    """Reasons whose evidence is another than by the plain reading, and how many there are by
    code.
    """
    households = read_households(facts, day, Fraction(8800), Fraction(5600))
    results: dict[str, dict[str, Result]] = {}
    wrong, counts = list[Difference](), Counter[str]()
    for household, code, ids, on in engine.rows(REASONS):
        h = households[household]
        if household not in results:
            results[household] = read_household(h)
        v = results[household]
        arrived = [row.get("_arrived_on", ARRIVED) for _, row in counted(h, v, code)]
        want = (evidence(h, v, code), max(arrived, default=None))
        counts[code] += 1
        if (ids, on) != want:
            wrong.append((household, code, (ids, on), want))
    return wrong, counts
