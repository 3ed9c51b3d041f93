"""Who is entitled to what, who is just above a line, and what is not known: as a plain reading of
the pages has it, and as the examples of the rule file say.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from resources.engines.duckdb import Engine
from tests.crosscheck.county import County
from tests.crosscheck.entitled import Entitled, share
from tests.crosscheck.test_rules import reading_of
from tests.indicators.facts import Facts
from tests.making import FLAGS, HOUSEHOLDS, make
from warehouse.catalogue import RULES
from warehouse.entitlement_rules import Example, load_entitlements, read_entitlements

MADE = (
    *("contradiction", "entitlement_standing", "entitlement", "entitlement_edge"),
    *("known_gap", "known_gap_share"),
)
STATES: tuple[dict[str, str], ...] = (
    {},
    {"relief": "missing", "temporary_aid": "stale", "assistance": "stale"},
    {"certificates": "missing", "settlements": "stale", "enrolments": "missing"},
)


@pytest.mark.parametrize(("seed", "states"), list(enumerate(STATES)))
def test_the_models_say_what_a_plain_reading_says(
    seed: int, states: dict[str, str], tmp_path: Path
) -> None:
    day = date(2026, 11, 30)
    facts = County(40 + seed, day, 220).facts
    facts.states |= states
    engine = Engine(tmp_path)
    facts.register(engine)
    make(engine, [*HOUSEHOLDS, *FLAGS, *MADE], day)
    expected = Entitled(reading_of(engine, facts, day), facts.states)
    _agrees_on_lines(engine, expected)
    _agrees_on_edges(engine, expected)
    _agrees_on_gaps(engine, expected)
    engine.close()


def _agrees_on_lines(engine: Engine, expected: Entitled) -> None:
    select = "select scheme, household_id, member_id, state, facts from entitlement"
    made, wanted = set(engine.rows(select)), set(expected.lines())
    wrong = Counter(line[0] for line in made ^ wanted)
    assert not wrong, f"{dict(wrong)}: {sorted(made ^ wanted, key=str)[:6]}"
    assert len(wanted) > 200
    ids = engine.rows("select entitlement_id, household_id, scheme, member_id from entitlement")
    assert all(name == f"{home}|{scheme}|{member or ''}" for name, home, scheme, member in ids)
    assert engine.scalar("select count(*) from entitlement where (state = 'gap') <> (gap_at ="
                         " 'awarded') or basis <> '依据待核'") == 0  # fmt: skip


def _agrees_on_edges(engine: Engine, expected: Entitled) -> None:
    rows = engine.rows("select area_code, scheme, households from entitlement_edge")
    counted = expected.edges()
    assert {(area, scheme): n for area, scheme, n in rows if len(area) > 4} == dict(counted)


def _agrees_on_gaps(engine: Engine, expected: Entitled) -> None:
    levels = dict(engine.rows("select household_id, level from warning_flag"))
    due = expected.due(levels)
    gaps = set(engine.rows("select household_id, records from known_gap"))
    assert gaps == {key for key, is_there in due.items() if not is_there}
    whole: Counter[tuple[str, str]] = Counter()
    there: Counter[tuple[str, str]] = Counter()
    for (home, records), is_there in due.items():
        for area in expected.areas(home):
            whole[area, records] += 1
            there[area, records] += is_there
    for area, records, due_count, there_count, part in engine.rows(
        "select area_code, records, due, there, share from known_gap_share"
    ):
        if len(area) > 4:
            key = (area, records)
            assert (due_count, there_count) == (whole[key], there[key]), key
            assert part == share(there_count, due_count)


# the rule file's own examples

DAY = date(2026, 11, 30)
FILES = sorted(RULES.glob("entitlements-*.yaml"))
EXAMPLES = [example for path in FILES for example in read_entitlements(path).examples]


@pytest.mark.parametrize("example", EXAMPLES, ids=[e.name for e in EXAMPLES])
def test_an_example_of_the_rules_comes_out_as_it_says(example: Example, tmp_path: Path) -> None:
    facts = _facts_of(example)
    engine = Engine(tmp_path)
    facts.register(engine)
    make(engine, [*HOUSEHOLDS, *FLAGS, *MADE], DAY)
    made = dict(engine.rows("select scheme, max(state) from entitlement group by scheme"))
    engine.close()
    assert {scheme: made.get(scheme, "none") for scheme in example.states} == example.states


def _facts_of(example: Example) -> Facts:
    """One household of one grown member, but for what the example says."""
    facts = Facts()
    household: dict[str, Any] = {
        "wage_income": 30000, "transfer_income": 0, "water_safe": True, **example.household
    }  # fmt: skip
    facts.household("h", **household)
    grown = {"birth_on": date(1980, 1, 1), "relation": "01", "labour_class": "1",
             "student_status": "0", "working_now": True, "work_months": 10}  # fmt: skip
    for number, said in enumerate(example.members or ({},)):
        facts.member("h", f"m{number}", **{**grown, **said})
    for said in example.records:
        row: dict[str, Any] = {name: _dated(name, value) for name, value in said.items()}
        records, waits, of = row.pop("records"), row.pop("waits", False), row.pop("member", "m0")
        if waits:
            facts.waits(records, of, **row)
        else:
            facts.add(records, of, **row)
    return facts


def _dated(name: str, value: Any) -> Any:
    """Days back from the day, where it is the name of a day."""
    is_day = name.endswith("_on") and isinstance(value, int)
    return DAY - timedelta(days=value) if is_day else value


def test_a_line_is_no_law_until_somebody_has_checked_its_paragraph() -> None:
    scheme = load_entitlements(DAY).schemes["dibao"]
    entered = {"words": "家庭人均收入低于当地低保标准", "source": "某办法第九条"}
    for more, said in (
        ({}, "依据待核"),
        ({"checked_by": "民政局"}, "依据待核"),
        (
            {"checked_by": "民政局", "checked_on": DAY},
            "家庭人均收入低于当地低保标准（某办法第九条）",
        ),
    ):
        basis = type(scheme).model_validate(
            {**scheme.model_dump(exclude={"basis"}), "basis": entered | more}
        )
        assert basis.said == said
