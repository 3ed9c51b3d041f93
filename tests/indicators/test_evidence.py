"""The evidence of every scored code is what its indicator counted, by a plain reading in Python."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from resources.engines.duckdb import Engine
from tests.indicators.county import County
from tests.indicators.evidence import AT_MOST, Difference, differing
from tests.indicators.facts import ARRIVED, Facts
from tests.indicators.reading import CODES
from tests.making import make_lamps

SCORED = CODES[24:]
DAYS = (date(2026, 11, 26), date(2026, 3, 31))
"""Under rules that leave out what waits, and under the first."""


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


@dataclass
class Compared:
    """Of random counties rich in edges: what differs, and how many reasons there are by code."""

    wrong: list[Difference] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    longest: int = 0
    """The most records that a reason shows."""


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Compared:
    made = Compared()
    for seed, day in enumerate(DAYS, 11):
        engine = Engine(tmp_path_factory.mktemp("evidence"))
        facts = County(seed, day, 250).facts
        many_bills(facts, day)
        arrive(facts, seed)
        facts.register(engine)
        make_lamps(engine, day)
        wrong, counts = differing(engine, facts, day)
        made.wrong += wrong
        made.counts += counts
        shown = engine.scalar("select max(len(evidence)) from warning_reason")
        made.longest = max(made.longest, int(shown))
        engine.close()
    return made


@pytest.mark.parametrize("code", SCORED)
def test_evidence_is_what_was_counted(compared: Compared, code: str) -> None:
    of_code = compared.counts[code]
    assert of_code, f"no household has points by {code}: nothing was compared"
    mine = [row for row in compared.wrong if row[1] == code]
    assert not mine, f"{len(mine)} of {of_code}: " + "\n".join(map(str, mine[:5]))


def test_evidence_is_cut(compared: Compared) -> None:
    """Some reason counted more records than it shows."""
    assert compared.longest == AT_MOST
