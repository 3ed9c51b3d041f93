"""The score: reasons that sum to it, more risk that never lowers it, netting, rounding, shells."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.engines.duckdb import Engine
from tests.indicators.county import County
from tests.indicators.facts import Facts
from tests.indicators.four import AS_OF, HOUSEHOLD, MEMBER, four_households
from tests.making import forget, make_lamps
from warehouse.catalogue import load_indicators
from warehouse.indicators import months_before


def build(engine: Engine, facts: Facts, day: date = AS_OF) -> None:
    facts.register(engine)
    make_lamps(engine, day)


ORPHANS = """
    select count(*) from matched_health_insurance__settlements as s
        left join settlement_reversal as r on r.record_id = s.record_id
    where s.reverses_id is not null and r.record_id is null
"""
SHELLS = "select count(*), count(*) filter (is_shell) from register_household"


def _small(**household: Any) -> Facts:
    facts = Facts()
    facts.household(
        "h",
        **{
            **HOUSEHOLD,
            "wage_income": Decimal(30000),
            "previous_net_income": Decimal(30000),
            **household,
        },
    )
    facts.member("h", "m", date(1980, 1, 1), **{**MEMBER, "relation": "01", "labour_class": "1"})
    return facts


def _values(engine: Engine, *columns: str) -> tuple[Any, ...]:
    return engine.rows(
        f"select {', '.join(columns)} from household_indicator where household_id = 'h'"
    )[0]


SUMS = """
    select f.household_id from warning_flag as f left join warning_reason as r using (household_id)
    group by f.household_id, f.score having coalesce(sum(r.points), 0) <> f.score
"""
WORSEN = {
    "illness": lambda f, m: f.add("serious_illnesses", m, status="1", diagnosed_on=AS_OF),
    "mental": lambda f, m: f.add("chronic_followups", m, disease="severe_mental", signed=False),
    "disability": lambda f, m: f.add(
        "certificates", m, level="1", status="1", issued_on=AS_OF, category="4"
    ),
    "dangerous": lambda f, m: f.add("dwellings", m, grade="D", occupied=True, appraised_on=AS_OF),
    "overdue": lambda f, m: f.add(
        "retrofits", m, dwelling_id="not known", approved_on=AS_OF - timedelta(days=200)
    ),
    "damage": lambda f, m: f.add(
        "losses",
        m,
        house_damage="1",
        loss_amount=Decimal(1),
        loss_yuan=Decimal(10000),
        occurred_on=AS_OF - timedelta(days=3),
    ),
    "casualty": lambda f, m: f.add("casualties", m, occurred_on=AS_OF),
    "relief": lambda f, m: f.add("relief", m, listed_on=AS_OF),
    "edge": lambda f, m: f.add("assistance", m, scheme="edge", started_on=AS_OF),
    "report": lambda f, m: f.add("reports", m, status="open", reported_at=datetime(2026, 10, 1)),
    "hospital": lambda f, m: f.settlement(
        m,
        datetime(2026, 10, 1),
        total_fee=Decimal(30000),
        in_scope=Decimal(25000),
        fund_paid=Decimal(5000),
        personal_paid=Decimal(25000),
    ),
}


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), data=st.data())
def test_more_risk_never_lowers_raw_and_reasons_sum_to_the_score(
    tmp_path_factory: Any, seed: int, data: st.DataObject
) -> None:
    engine = Engine(Path(tmp_path_factory.mktemp("risk")))
    facts = County(seed, AS_OF, 60).facts
    build(engine, facts)
    assert engine.rows(SUMS) == []
    before = dict(engine.rows("select household_id, raw_points from warning_flag"))
    members = [m["member_id"] for m in facts.rows["members"] if m["status"] == "1"]
    kinds = data.draw(st.lists(st.sampled_from(sorted(WORSEN)), min_size=1, max_size=4))
    for member in members:
        for kind in kinds:
            WORSEN[kind](facts, member)
    build(engine, facts)
    assert engine.rows(SUMS) == []
    after = dict(engine.rows("select household_id, raw_points from warning_flag"))
    assert [h for h in before if after[h] < before[h]] == []
    assert any(after[h] > before[h] for h in before)
    engine.close()


def test_limit_and_floor_are_reasons(engine: Engine) -> None:
    everything = _small(wage_income=Decimal(0), water_safe=False)
    for kind in WORSEN.values():
        kind(everything, "m")
    everything.rows["members"][0].update(dropout=True, labour_class="5", worked_before=True)
    everything.rows["losses"][0]["house_damage"] = "3"
    build(engine, everything)
    score, raw, offset = engine.rows("select score, raw_points, offset_points from warning_flag")[0]
    assert raw - offset > 100
    assert score == 100
    assert engine.scalar("select points from warning_reason where code = 'limit'") == 100 - (
        raw - offset
    )
    assert engine.rows(SUMS) == []

    build(engine, _small(water_safe=False))
    score, raw, offset, level, hard = engine.rows(
        "select score, raw_points, offset_points, level, is_hard from warning_flag"
    )[0]
    assert (score, level, hard) == (31, "red", True)
    assert (
        engine.scalar("select points from warning_reason where code = 'floor'")
        == 31 - (raw - offset)
        > 0
    )
    assert engine.rows(SUMS) == []


@pytest.mark.parametrize(
    ("chain", "left"),
    [
        ([], "60.00"),
        ([("2026-11-19", -60)], None),
        ([("2026-11-20", -60)], "60.00"),
        ([("2026-10-02", -60), ("2026-10-03", 60)], "60.00"),
        ([("2026-10-02", -60), ("2026-11-20", 60)], None),
        ([("2026-11-20", -60), ("2026-10-03", 60), ("2026-10-04", -100)], "20.00"),
        ([("2026-10-02", -25)], "35.00"),
        ([("2026-10-02", -90)], None),
    ],
)
def test_netting(engine: Engine, chain: list[tuple[str, int]], left: str | None) -> None:
    """Each entry reverses the one before; a reversal's own person does not matter."""
    facts = _small()
    name = facts.settlement(
        "m",
        datetime(2026, 10, 1),
        **dict.fromkeys(["total_fee", "personal_paid", "in_scope"], Decimal(60)),
    )
    for day, amount in chain:
        amounts = dict.fromkeys(["total_fee", "personal_paid", "in_scope"], Decimal(amount))
        name = facts.settlement(
            None, datetime.fromisoformat(f"{day}T23:59:59"), reverses_id=name, **amounts
        )
    facts.settlement("m", datetime(2026, 10, 1), reverses_id="nothing known", total_fee=Decimal(-5))
    build(engine, facts)
    assert engine.scalar(ORPHANS) == 1, "dropped"
    paid = Decimal(left or 0)
    assert _values(
        engine, "r04_personal_medical_max", "b21_eligible_self_pay", "r09_inpatient_count"
    ) == (paid, paid, 1 if left else 0)


def test_a_reversal_counts_at_its_originals_day(engine: Engine) -> None:
    facts = _small()
    old = facts.settlement(
        "m", datetime(2025, 11, 19, 23, 59), total_fee=Decimal(60), personal_paid=Decimal(60)
    )
    facts.settlement(
        "m",
        datetime(2026, 1, 1),
        reverses_id=old,
        total_fee=Decimal(-60),
        personal_paid=Decimal(-60),
    )
    facts.settlement("m", datetime(2025, 11, 20), total_fee=Decimal(7), personal_paid=Decimal(7))
    build(engine, facts)
    assert _values(engine, "r04_personal_medical_max") == (Decimal(7),)


def test_the_dead_of_the_year_count_in_medical_cost(engine: Engine) -> None:
    facts = _small()
    for name, died in (("late", date(2026, 3, 1)), ("long-dead", date(2025, 11, 19))):
        facts.member("h", name, date(1950, 1, 1), **{**MEMBER, "labour_class": "1"})
        facts.add("deaths", name, died_on=died)
        facts.settlement(
            name,
            datetime(2026, 2, 1),
            total_fee=Decimal(11000),
            personal_paid=Decimal(11000 if name == "late" else 90000),
        )
    build(engine, facts)
    names = (
        "b01_household_size",
        "r04_personal_medical_max",
        "r29_breadwinner_death",
        "b19_net_income",
    )
    assert _values(engine, *names) == (1, Decimal(11000), 1, Decimal(30000))


@pytest.mark.parametrize(
    ("wage", "previous", "drop"),
    [
        ("19999.50", "40000.00", "0.5000"),  # 0.5000125
        ("19998.00", "40000.00", "0.5001"),  # 0.50005, half away from zero
        ("28002.00", "40000.00", "0.3000"),  # 0.29995, half away from zero
        ("28002.01", "40000.00", "0.2999"),
        ("50000.00", "40000.00", "0.0000"),
        ("-90000000.00", "0.01", "99999999.9999"),  # what the column holds at most
    ],
)
def test_rounded_once_when_stored(engine: Engine, wage: str, previous: str, drop: str) -> None:
    facts = _small(wage_income=Decimal(wage), previous_net_income=Decimal(previous))
    build(engine, facts)
    assert _values(engine, "r02_income_drop") == (Decimal(drop),)


def test_formulas_read_the_stored_value(engine: Engine) -> None:
    """-100.01 / 2 = -50.005, stored as -50.01 (away from zero)."""
    facts = _small(wage_income=Decimal("-100.01"))
    facts.member("h", "n", date(1980, 1, 1), **MEMBER)
    build(engine, facts)
    assert _values(engine, "b20_net_income_per_capita", "b24_line_ratio") == (
        Decimal("-50.01"),
        Decimal("-0.0057"),
    )


def test_exactly_thirty_is_not_red(engine: Engine) -> None:
    facts = _small(wage_income=Decimal("8800"), previous_net_income=Decimal("8800"))  # R01 6
    facts.rows["members"][0].update(worked_before=True)  # R21 8
    WORSEN["casualty"](facts, "m")  # R25 12
    WORSEN["report"](facts, "m")  # R30 8; R06 uninsured 5
    build(engine, facts)
    score = engine.scalar("select score from warning_flag")
    codes = dict(engine.rows("select code, points from warning_reason"))
    assert codes == {"R01": 6, "R21": 8, "R25": 12, "R30": 8, "R06": 5}
    assert score == 39
    facts.states.update(enrolments="missing", members="ok")
    facts.rows["reports"][0]["reported_at"] = datetime(2026, 11, 19, 8)
    build(engine, facts)
    assert engine.rows("select score, level, is_held from warning_flag") == [(30, "yellow", False)]


def test_nobody_there(engine: Engine) -> None:
    """Without an active member: B01 = 0, everything else not applicable, score 0, level none; a
    shell is like that.
    """
    facts = _small()
    facts.rows["members"][0]["status"] = "3"
    facts.add("relief", "m", listed_on=AS_OF)
    facts.household("empty")
    facts.member("shell", "s", date(1980, 1, 1), outcome="unregistered", **MEMBER)
    facts.states["relief"] = "missing"
    build(engine, facts)
    assert engine.rows(SHELLS) == [(3, 1)]
    codes = [i.code for i in load_indicators()]
    rows = engine.rows(
        "select b01_household_size, missing, stale, not_applicable, coverage from"
        " household_indicator"
    )
    assert rows == [(0, [], [], codes[1:], 1)] * 3
    flags = engine.rows("select household_id, level, score, area_code from warning_flag order by 1")
    assert flags == [
        ("empty", "none", 0, "610921100201"),
        ("h", "none", 0, "610921100201"),
        ("shell", "none", 0, None),
    ]
    names = engine.rows(
        "select household_id, household_type, member_count, village_name from household order by 1"
    )
    assert names[1] == ("h", "1", 0, "城关第一村")
    assert names[2] == ("shell", None, 0, "")


def test_only_eight_record_types(engine: Engine) -> None:
    """What was never read is missing and earns nothing; the rest stands."""
    facts = four_households()
    here = {
        "households",
        "members",
        "settlements",
        "enrolments",
        "certificates",
        "assistance",
        "dwellings",
        "losses",
    }
    for records in facts.states:
        if records not in here:
            facts.states[records] = "missing"
            facts.rows[records] = []
    build(engine, facts)
    points = dict(
        engine.rows(
            "select code, points from warning_reason where household_id = 'xu' and points > 0"
        )
    )
    assert points == {
        "R01": 20,
        "R02": 12,
        "R03": 4,
        "R04": 22,
        "R05": 8,
        "R16": 24,
        "R21": 8,
        "R24": 10,
    }
    (missing,) = engine.rows("select missing from household_indicator where household_id = 'xu'")[0]
    expected = [i.code for i in load_indicators() if not set(i.sources) <= here]
    assert missing == expected


def test_household_and_members(engine: Engine) -> None:
    facts = four_households()
    facts.rows["households"][0]["area_code"] = "610921999888"
    facts.persons[1]["id_state"] = "conflict"
    facts.add("deaths", "jiang-mother", died_on=AS_OF)
    facts.member("jiang", "jiang-twice", is_merged=True, **MEMBER)
    build(engine, facts)
    columns = (
        "household_id, head_name_masked, monitor_class, member_count, village_name, town_name,"
        " has_conflict, town_code"
    )
    rows = {row[0]: row[1:] for row in engine.rows(f"select {columns} from household")}
    assert rows["xu"] == ("徐*", "0", 4, "610921999888", "610921999", True, "610921999")
    assert rows["jiang"] == ("徐*", "0", 4, "城关第一村", "城关镇", False, "610921100")
    members = {
        m: rest
        for m, *rest in engine.rows(
            "select member_id, age_band, status, identity_state, area_code from household_member"
        )
    }
    assert members["jiang-mother"] == ["60-79", "3", "established", "610921100201"]
    assert members["xu-son"] == ["6-15", "1", "established", "610921999888"]
    assert members["xu-wife"][2] == "conflict"
    assert members["jiang-twice"][1] == "2", "merged away by stewards: not a member here any more"


def test_the_same_day_twice_is_the_same(engine: Engine) -> None:
    facts = County(7, AS_OF, 60).facts
    seen = []
    for _ in range(2):
        build(engine, facts)
        seen.append(
            [
                engine.rows(f"select * from {t} order by 1, 4")
                for t in ("household_indicator", "warning_flag", "warning_reason")
            ]
        )
        forget(engine)
    assert seen[0] == seen[1]


def test_months_before() -> None:
    assert months_before(date(2028, 2, 29), 12) == date(2027, 2, 28)
    assert months_before(date(2026, 3, 31), 1) == date(2026, 2, 28)
    assert months_before(date(2026, 1, 15), 2) == date(2025, 11, 15)
    assert months_before(date(2026, 12, 31), 60) == date(2021, 12, 31)
