"""The evidence of every scored code is what its indicator counted, by a plain reading in Python."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from resources.engine import Engine
from tests.indicators.county import County
from tests.indicators.evidence import AT_MOST, counted, evidence
from tests.indicators.facts import ARRIVED, Facts
from tests.indicators.lamps import read_household, read_households
from tests.indicators.reading import CODES
from tests.making import make_lamps

SCORED = CODES[24:]
DAYS = (date(2026, 11, 19), date(2026, 3, 31))
Compared = tuple[str, str, Any, Any]


def differing(engine: Engine, facts: Facts, day: date, line: int, standard: int) -> tuple[list[Compared], Counter[str]]:
    """Reasons whose evidence is another than by the plain reading; how many there are of each code."""
    households = read_households(facts, day, Fraction(line), Fraction(standard))
    shown = engine.rows("select household_id, code, evidence, evidence_on from warning_reason where department is not null")
    results = {household: read_household(households[household]) for household in {row[0] for row in shown}}
    wrong: list[Compared] = []
    for household, code, ids, on in shown:
        h, v = households[household], results[household]
        newest = max((row.get("_arrived_on", ARRIVED) for _, row in counted(h, v, code)), default=None)
        if (ids, on) != (want := (evidence(h, v, code), newest)):
            wrong.append((household, code, (ids, on), want))
    return wrong, Counter(code for _, code, _, _ in shown)


def arrive(facts: Facts, seed: int) -> None:
    """Every record on a day of its own."""
    drawn = random.Random(seed)
    for rows in facts.rows.values():
        for row in rows:
            row["_arrived_on"] = ARRIVED - timedelta(days=drawn.randint(0, 300))


def many_bills(facts: Facts, day: date) -> None:
    """A household with more records than a reason shows."""
    facts.household("ill", wage_income=Decimal(20000), transfer_income=Decimal(0))
    member = facts.member("ill", "ill-1", date(1980, 1, 1))
    for back in range(AT_MOST + 5):
        paid = {"total_fee": Decimal(1000), "personal_paid": Decimal(1000)}
        facts.settlement(member, datetime.combine(day - timedelta(days=back), time(9)), **paid)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Compared], Counter[str], int]:
    """Of random counties rich in edges: what differs, reasons by code, the most records that a reason counted."""
    wrong, counts, longest = list[Compared](), Counter[str](), 0
    for seed, day in enumerate(DAYS, 11):
        engine = Engine(tmp_path_factory.mktemp("evidence"))
        facts = County(seed, day, 250).facts
        many_bills(facts, day)
        arrive(facts, seed)
        facts.register(engine)
        make_lamps(engine, day)
        more_wrong, more = differing(engine, facts, day, 8800, 5600)
        longest = max(longest, *(len(ids) for (ids,) in engine.rows("select evidence from warning_reason")))
        engine.close()
        wrong, counts = wrong + more_wrong, counts + more
    return wrong, counts, longest


@pytest.mark.parametrize("code", SCORED)
def test_evidence_is_what_was_counted(compared: tuple[list[Compared], Counter[str], int], code: str) -> None:
    wrong, counts, _ = compared
    assert counts[code], f"no household has points by {code}: nothing was compared"
    mine = [row for row in wrong if row[1] == code]
    assert not mine, f"{len(mine)} of {counts[code]}: " + "\n".join(map(str, mine[:5]))


def test_evidence_is_cut(compared: tuple[list[Compared], Counter[str], int]) -> None:
    """Some reason counted more records than it shows."""
    assert compared[2] == AT_MOST
