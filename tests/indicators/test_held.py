"""A lamp is held where what made it red cannot be seen: over days, and whatever source is gone."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from resources.engines.duckdb import Engine
from tests.indicators.county import County
from tests.indicators.facts import Facts
from tests.indicators.four import AS_OF, four_households
from tests.making import forget, make_lamps, remember, standing

Lamps = dict[str, tuple[Any, ...]]


def light(engine: Engine, facts: Facts, day: date, keep: bool = True) -> Lamps:
    """The lamps of a day: level, score, held, red since, red codes; they are the next call's day
    before.
    """
    facts.register(engine)
    make_lamps(engine, day)
    if keep:
        remember(engine, day)
    rows = engine.rows(
        "select household_id, level, score, is_held, red_since, _red_codes from warning_flag"
    )
    return {household: tuple(rest) for household, *rest in rows}


def _without(facts: Facts, *records: str, state: str = "missing") -> Facts:
    for name in records:
        facts.states[name] = state
        if state == "missing":
            facts.rows[name] = []
    return facts


def test_over_days(engine: Engine) -> None:
    forget(engine)
    days = [AS_OF + timedelta(days=n) for n in range(7)]
    first = light(engine, four_households(), days[0])
    assert first["jiang"][:4] == ("red", Decimal(50), False, days[0])
    assert first["jiang"][4] == ["R01", "R04", "R05", "R07", "R22", "R30"]

    gone = light(engine, _without(four_households(), "settlements"), days[1])
    # R01, R04, R05 cannot be seen: 8 + 4 + 4 - offset are left, as computed
    assert gone["jiang"][0:4] == ("red", gone["jiang"][1], True, days[0])
    assert gone["jiang"][1] <= 30
    assert gone["jiang"][4] == first["jiang"][4]
    assert gone["near"][0] == "green"

    still = light(engine, _without(four_households(), "settlements"), days[2])
    assert still["jiang"][0] == "red"
    assert still["jiang"][2]
    assert still["jiang"][3] == days[0]

    healed = four_households()
    healed.rows["settlements"] = []
    cleared = light(engine, healed, days[3])
    assert cleared["jiang"][0] in ("yellow", "green")
    assert cleared["jiang"][2:] == (False, None, [])

    again = light(engine, four_households(), days[4])
    assert again["jiang"][0] == "red"
    assert again["jiang"][3] == days[4]

    healed.states["settlements"] = "stale"
    assert light(engine, healed, days[5])["jiang"][:4] == (
        "red",
        cleared["jiang"][1],
        True,
        days[4],
    )


def test_an_unrelated_source_holds_nothing(engine: Engine) -> None:
    forget(engine)
    light(engine, four_households(), AS_OF)
    healed = _without(four_households(), "relief", "casualties")
    healed.rows["settlements"] = []
    assert light(engine, healed, AS_OF + timedelta(days=1))["jiang"][0] != "red"


def test_an_indicator_that_is_missing_holds(engine: Engine) -> None:
    forget(engine)
    light(engine, four_households(), AS_OF)
    emptied = four_households()
    emptied.rows["settlements"] = []
    jiang = next(h for h in emptied.rows["households"] if h["household_id"] == "jiang")
    jiang["transfer_income"] = None
    assert light(engine, emptied, AS_OF + timedelta(days=1))["jiang"][0::2][:2] == ("red", True)


def test_who_died_out_is_not_held(engine: Engine) -> None:
    forget(engine)
    light(engine, four_households(), AS_OF)
    empty = _without(four_households(), "settlements")
    empty.rows["members"] = [
        {**m, "status": "2"} if m["household_id"] == "jiang" else m for m in empty.rows["members"]
    ]
    assert light(engine, empty, AS_OF + timedelta(days=1))["jiang"] == ("none", 0, False, None, [])


# Without deaths the dead count as active again, without dwellings a retrofit goes to its owner, and
# without the register there is nobody: these change what other record types say, so a lamp may
# change with them.
CAN_GO = [
    "settlements",
    "enrolments",
    "certificates",
    "assistance",
    "disability_subsidies",
    "retrofits",
    "losses",
    "casualties",
    "relief",
    "serious_illnesses",
    "chronic_followups",
    "reports",
]


@settings(max_examples=6, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    gone=st.sets(st.sampled_from(CAN_GO), min_size=1, max_size=4),
    state=st.sampled_from(["missing", "stale"]),
)
def test_a_missing_source_never_clears_a_lamp(
    tmp_path_factory: Any, seed: int, gone: set[str], state: str
) -> None:
    engine = Engine(Path(tmp_path_factory.mktemp("held")))
    forget(engine)
    before = light(engine, County(seed, AS_OF, 60).facts, AS_OF)
    kept = standing(
        engine
    ).kept  # the same day, but for what went: as if it had been the day before
    standing(engine).kept = {
        (table, day - timedelta(days=1)): copy for (table, day), copy in kept.items()
    }
    facts = County(seed, AS_OF, 60).facts
    for name in gone:
        facts.states[name] = state
        facts.rows[name] = []
    after = light(engine, facts, AS_OF)
    red = {household for household, lamp in before.items() if lamp[0] == "red"}
    assert red
    assert red <= {household for household, lamp in after.items() if lamp[0] == "red"}
    engine.close()
