"""A plain reading of the points and of the score, and of a whole county: `reading` gives the
values.

Belongs here: the points of `indicators.csv` and "Score" of flags.md, as they are written. Nothing
is imported from `warehouse`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from tests.indicators.facts import Facts, Row
from tests.indicators.reading import (
    CODES,
    DOUBTED_FROM,
    MISSING,
    NOT_APPLICABLE,
    RATIO,
    YUAN,
    CountyFacts,
    Household,
    Result,
    Value,
    money,
    read_assistance,
    read_basic,
    read_disability,
    read_housing,
    read_income,
    read_medical,
    read_work,
    rounded,
    sources_of,
)

HARD = {"R14": "CD", "R16": "23"}
DOMAINS = {
    "income": ("R01 R02 R03", 26),
    "medical": ("R04 R05 R06 R07 R08 R09 R10", 28),
    "disability": ("R11 R12 R13", 12),
    "housing": ("R14 R15 R16 R17", 24),
    "education": ("R18 R19", 20),
    "employment": ("R20 R21 R22 R23", 14),
    "disaster": ("R24 R25 R26", 20),
    "assistance": ("R27 R28 R29 R30", 16),
}


def first(value: Any, *steps: tuple[Callable[[Any], bool], int]) -> int:
    return next((points for holds, points in steps if holds(value)), 0)


def at_least(*steps: tuple[float | Fraction, int]) -> Callable[[Any], int]:
    return lambda x: next((points for limit, points in steps if x >= Fraction(str(limit))), 0)


def points_of(h: Household, v: dict[str, Value], code: str) -> int:
    x = v[code]
    if code == "R01":
        return first(
            x,
            (lambda r: r < Fraction(8, 10), 20),
            (lambda r: r < 1, 16),
            (lambda r: r < Fraction(12, 10), 6),
        )
    if code == "R04":
        supported = h.row["household_type"] in ("2", "3") or v["B11"] != "0" or bool(h.schemes())
        t = 10000 if supported else 26000
        return at_least((2 * t, 22), (t, 16), (t // 2, 7))(x)
    if code in ("R06", "R07", "R11"):
        one, more = {"R06": (5, 8), "R07": (8, 10), "R11": (6, 9)}[code]
        return one if x == 1 else more if x >= 2 else 0
    if code == "R14":
        return {"D": 24, "C": 20}.get(x, 0)
    if code == "R16":
        return {"3": 24, "2": 24, "1": 10}.get(x, 0)
    if code == "R19":
        return 6 if x > 10000 else 5 if v["B09"] not in (MISSING, 0, 1) else 0
    if code == "R21":
        return 8 if x == 1 else 4 if x > 0 else 0
    if code == "R23":
        previous = money(h.row.get("previous_business_net"))
        return 5 if x < 0 or (previous is not None and previous > 0 and x <= previous / 2) else 0
    if code == "R30":
        return 8 if x > 15 else 4
    if code in ("S01", "S02"):
        return (x if x < 2 else 2) * (2 if code == "S01" else 1)
    if code == "S09":
        return 1 if x > 0 else 0
    if code == "S18":
        visit = h.row.get("last_visit_on")
        recent = visit is not None and timedelta(0) <= h.day - visit <= timedelta(days=30)
        return 2 if x >= 2 and recent else 1 if x >= 1 else 0
    if code in ("S11",):
        return 1 if x == 1 else 0
    flags = {"R17": 20, "R20": 8, "R22": 4, "R26": 4, "R27": 6, "R28": 6}
    flags |= {"S06": 2, "S08": 1, "S10": 1, "S12": 1, "S13": 1, "S16": 1, "S17": 1}
    if code in flags:
        return flags[code] if x else 0
    steps: dict[str, tuple[tuple[float, int], ...]] = {
        "R02": ((0.5, 12), (0.3, 6)),
        "R03": ((0.7, 4),),
        "R05": ((0.4, 8), (0.2, 4)),
        "R08": ((1, 2),),
        "R09": ((4, 3),),
        "R10": ((1, 4),),
        "R12": ((2, 4),),
        "R13": ((1, 3),),
        "R15": ((1, 5),),
        "R18": ((1, 20),),
        "R24": ((0.5, 10), (0.2, 5)),
        "R25": ((1, 12),),
        "R29": ((1, 12),),
        "S03": ((1, 1),),
        "S04": ((3, 2),),
        "S05": ((2, 4), (1.5, 2)),
        "S07": ((0.8, 2),),
        "S14": ((1, 1),),
        "S15": ((0.5, 2),),
    }
    return at_least(*steps[code])(x)


def stored(code: str, value: Value) -> Value:
    if value in (MISSING, NOT_APPLICABLE) or code not in YUAN | RATIO:
        return value
    return rounded(Fraction(value), 2 if code in YUAN else 4)


def read_household(h: Household) -> dict[str, Result]:
    if not h.active:
        nothing = {code: Result(None, NOT_APPLICABLE) for code in CODES}
        return {**nothing, "B01": Result(0, h.facts.states["members"])}
    v = read_basic(h)
    for read in (
        read_income,
        read_medical,
        read_disability,
        read_housing,
        read_work,
        read_assistance,
    ):
        read(h, v)
    v = {code: stored(code, v[code]) for code in CODES}
    if h.is_shell:
        v |= dict.fromkeys((code for code in CODES if "households" in sources_of(code)), MISSING)
    results: dict[str, Result] = {}
    for code in CODES:
        states = {h.facts.states[records] for records in sources_of(code)}
        if "missing" in states:
            v[code] = MISSING
        if v[code] in (MISSING, NOT_APPLICABLE):
            results[code] = Result(None, v[code])
        else:
            results[code] = Result(v[code], "stale" if "stale" in states else "ok")
    for code in CODES[24:]:
        if results[code].status in ("ok", "stale"):
            results[code].points = Fraction(points_of(h, v, code))
    return results


def read_households(
    facts: Facts,
    day: date,
    line: Fraction | None,
    dibao_standard: Fraction | None,
) -> dict[str, Household]:
    """The facts that count for each household; line and standard are those of the province 61."""
    deaths: dict[str, list[date]] = {}
    for d in facts.rows["deaths"]:
        if d.get("outcome", "linked") == "linked" and d["died_on"] <= day:
            deaths.setdefault(d["member_id"], []).append(d["died_on"])
    births = {p["member_id"]: p["birth_on"] for p in facts.persons}
    merged = {p["member_id"] for p in facts.persons if p["status"] == "2"}
    known = CountyFacts(facts, day)
    registered = {h["household_id"]: h for h in facts.rows["households"]}
    members: dict[str, list[Row]] = {household: [] for household in registered}
    for m in facts.rows["members"]:
        members.setdefault(m["household_id"], []).append(m)
    nothing = {"household_type": None, "monitor_class": None}
    found = {}
    for household, everybody in members.items():
        is_shell = household not in registered
        row = registered.get(household, nothing)
        mine = [m for m in everybody if m["status"] in ("1", "3")]
        mine = [m for m in mine if m["member_id"] not in merged]
        if is_shell and day < DOUBTED_FROM:
            mine = []
        active = [m for m in mine if m["status"] == "1" and m["member_id"] not in deaths]
        is_here = row.get("area_code", "61").startswith("61")
        standards = (line, dibao_standard) if is_here else (None, None)
        of_day = (known, day, births, deaths)
        found[household] = Household(
            row, active, mine, everybody, *of_day, *standards, is_shell=is_shell
        )
    return found


def read_county(
    facts: Facts,
    day: date,
    line: Fraction | None,
    dibao_standard: Fraction | None,
) -> dict[str, dict[str, Result]]:
    """Value, status and points of every indicator of every household."""
    households = read_households(facts, day, line, dibao_standard)
    return {household: read_household(h) for household, h in households.items()}


@dataclass
class Lamp:
    raw: Fraction
    offset: Fraction
    score: Fraction
    is_hard: bool
    level: str
    is_held: bool = False


def is_held(results: dict[str, Result], states: dict[str, str], codes: Iterable[str]) -> bool:
    """Whether what made a household red (`codes`, when it was last red by score) cannot be seen
    today.
    """
    return any(
        results[code].status == "missing"
        or any(states[records] != "ok" for records in sources_of(code))
        for code in codes
    )


def read_lamp(
    results: dict[str, Result], states: dict[str, str], before: tuple[str, list[str]] = ("none", [])
) -> Lamp:
    """Score and level of one household; `before`: its level the day before, and the codes that made
    it red.
    """
    if results["B01"].value == 0:
        return Lamp(Fraction(0), Fraction(0), Fraction(0), False, "none")
    raw = sum(
        (
            min(Fraction(cap), sum((results[c].points for c in codes.split()), Fraction(0)))
            for codes, cap in DOMAINS.values()
        ),
        Fraction(0),
    )
    resilience = sum((results[code].points for code in CODES if code.startswith("S")), Fraction(0))
    offset = min(Fraction(10), resilience, rounded(raw / 4, 2))
    hard = (
        any(
            results[code].value is not None and str(results[code].value) in letters
            for code, letters in HARD.items()
        )
        or results["R17"].points > 0
        or results["R18"].points > 0
    )
    score = min(Fraction(100), raw - offset)
    score = max(score, Fraction(31)) if hard else score
    if score <= 30 and before[0] == "red" and is_held(results, states, before[1]):
        return Lamp(raw, offset, score, hard, "red", True)
    return Lamp(
        raw, offset, score, hard, "red" if score > 30 else "yellow" if score > 15 else "green"
    )
