"""A plain reading of a reason's evidence: the records of all that an indicator counted, as flags.md ("Explained") has it.

Belongs here: which records each of the 48 scored codes counts. Not here: their values (`reading`). Nothing is imported from
`warehouse`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from tests.indicators.facts import Row
from tests.indicators.reading import Household, Result, sources_of

Records = dict[str, list[Row]]
"""Rows by record type."""
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
    ids = {m["member_id"] for m in h.uninsured()}
    return {"enrolments": [e for e in h.enrolments() if e["member_id"] in ids], "members": h.uninsured()}


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
    pays = [m for m in h.active if m.get("education_self_pay") is not None and Fraction(m["education_self_pay"]) == most]
    studies = [m for m in h.active if m.get("student_status") in ("3", "4")]
    return {"members": list({m["member_id"]: m for m in pays + studies}.values())}


def _lost_earners(h: Household) -> Records:
    return {"deaths": [d for d in h.of("deaths", h.lost_earners()) if h.in_year(d["died_on"])], "members": h.lost_earners()}


def _stands(h: Household, damage: str) -> Records:
    standing = [x for x in h.losses() if h.stands(x["occurred_on"], x.get("resolved_on"))]
    return {"losses": [x for x in standing if x["house_damage"] == damage]}


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
    "R10": lambda h, v: {"chronic_followups": [f for f in h.of("chronic_followups", h.active) if f["disease"] == "severe_mental"]},
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
    "R24": lambda h, v: {"losses": [x for x in h.losses() if h.in_year(x["occurred_on"])], **_own(h)},
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
    "S08": lambda h, v: {"enrolments": [e for e in h.enrolments() if e["status"] == "1"]},
    "S09": lambda h, v: _settled([s for s in h.settlements() if s["critical_illness_paid"]]),
    "S10": lambda h, v: _subsidies(h, set(h.subsidies())),
    "S11": lambda h, v: {"chronic_followups": h.of("chronic_followups", h.active)},
    "S12": lambda h, v: {"dwellings": h.dwellings()},
    "S13": lambda h, v: _rehoused(h),
    "S14": lambda h, v: _members(h, "pension"),
    "S15": lambda h, v: {**_own(h), **_settled(h.settlements())},
    "S16": lambda h, v: _own(h),
    "S17": lambda h, v: _own(h),
    "S18": lambda h, v: _own(h),
}


def counted(h: Household, results: Mapping[str, Result], code: str) -> list[tuple[str, Row]]:
    """Record type and row of everything that the indicator counted: its first source first, then the others, then by record id."""
    listed = sources_of(code)
    rows = [(records, row) for records, found in COUNTED[code](h, results).items() for row in found]
    return sorted(rows, key=lambda r: (listed.index(r[0]) if r[0] in listed else len(listed), r[0], r[1]["record_id"]))


def evidence(h: Household, results: Mapping[str, Result], code: str) -> list[str]:
    """The record ids that a reason shows."""
    return [row["record_id"] for _, row in counted(h, results, code)][:AT_MOST]
