"""Every rule of the contradictions is found exactly where a plain reading of the pages finds it."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from resources.engines.duckdb import Engine
from tests.crosscheck.county import County
from tests.crosscheck.reading import Found, Reading
from tests.indicators.facts import Facts
from tests.making import HOUSEHOLDS, make
from warehouse.crosscheck_rules import load_crosscheck
from warehouse.scoring_rules import load_rules

SHELLS_FROM = date(2026, 11, 25)


def rows_of(engine: Engine) -> set[Found]:
    """What the models found."""
    select = "select code, household_id, member_id, record_ids, other_record_ids from contradiction"
    return {
        (code, home, member, tuple(own), tuple(others))
        for code, home, member, own, others in engine.rows(select)
    }


def reading_of(engine: Engine, facts: Facts, day: date) -> Reading:
    """A plain reading over the stored indicators."""
    rules = load_rules(day)
    columns = [name for name, _ in engine.columns("select * from household_indicator")]
    values = engine.rows("select * from household_indicator")
    indicators = {
        row["household_id"]: row for row in (dict(zip(columns, v, strict=True)) for v in values)
    }
    standards = dict(rules.dibao_standard)

    def standard(area: str | None) -> Decimal | None:
        code = area or ""
        return standards.get(code[:6], standards.get(code[:2]))

    dumped = {code: rule.model_dump() for code, rule in load_crosscheck(day).rules.items()}
    return Reading(facts, day, indicators, standard, dumped, is_undoubted=day >= SHELLS_FROM)


SEEDS = [(1, date(2026, 11, 19), 250), (2, date(2026, 11, 30), 250), (3, date(2027, 3, 31), 120)]


@pytest.mark.parametrize(("seed", "day", "households"), SEEDS)
def test_the_models_find_what_a_plain_reading_finds(
    seed: int, day: date, households: int, tmp_path: Path
) -> None:
    facts = County(seed, day, households).facts
    engine = Engine(tmp_path)
    facts.register(engine)
    make(engine, [*HOUSEHOLDS, "contradiction"], day)
    expected, made = reading_of(engine, facts, day).found(), rows_of(engine)
    engine.close()
    wrong = Counter(row[0] for row in expected ^ made)
    differing = [sorted(row for row in expected ^ made if row[0] == code)[:4] for code in wrong]
    assert not wrong, f"{dict(wrong)}: {differing[:3]}"
    print(f"{len(made)} contradictions of {len({row[0] for row in made})} rules agree")
