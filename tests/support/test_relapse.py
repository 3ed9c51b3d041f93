"""Lamps are carried as spans from day to day; who was cleared and came back is told from them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pytest

from resources.engines.duckdb import Engine
from tests.following.county import Village
from tests.making import FLAGS, HOUSEHOLDS, make, remember
from tests.support.county import SupportCounty, read_day
from tests.support.reading import shifted

LAST = date(2028, 2, 29)
Lamps = dict[date, dict[str, tuple[str, bool]]]


def light(engine: Engine, lamps: dict[str, tuple[str, bool]]) -> None:
    """These lamps are the day's."""
    rows = [
        {"household_id": home, "level": level, "is_held": held}
        for home, (level, held) in sorted(lamps.items())
    ]
    kinds = [("household_id", pa.string()), ("level", pa.string()), ("is_held", pa.bool_())]
    engine.from_arrow("warning_flag", pa.Table.from_pylist(rows, pa.schema(kinds)))


def carry(engine: Engine, lamps: Lamps) -> None:
    """Day after day, the spans of these lamps."""
    for day in sorted(lamps):
        light(engine, lamps[day])
        make(engine, ["lamp_span"], day)
        remember(engine, day, ["lamp_span"])


@pytest.fixture(scope="module", params=[1, 2, 3])
def random_days(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, SupportCounty, Any, Lamps]]:
    engine = Engine(tmp_path_factory.mktemp("relapse") / "tmp")
    county = SupportCounty(request.param, LAST, 60)
    reading = read_day(county, engine)
    chance = random.Random(request.param)
    homes = sorted(reading.household)
    days = {LAST, *(LAST - timedelta(days=chance.randint(1, 950)) for _ in range(20))}
    level: dict[str, tuple[str, bool]] = dict.fromkeys(homes, ("green", False))
    lamps: Lamps = {}
    for day in sorted(days):
        for home in homes:
            if chance.random() < 0.2:
                level[home] = chance.choice(
                    [("red", False), ("red", True), ("yellow", False), ("green", False)]
                )
        lamps[day] = {home: level[home] for home in homes if chance.random() < 0.95}
    carry(engine, lamps)
    light(engine, lamps[LAST])
    make(engine, ["lamp_span", "relapse"], LAST)
    yield engine, county, reading, lamps
    engine.close()


def test_a_span_tells_the_lamp_of_each_day(
    random_days: tuple[Engine, SupportCounty, Any, Lamps],
) -> None:
    engine, _, _, lamps = random_days
    for day, lit in lamps.items():
        told = engine.rows(
            f"select household_id, level, is_held from lamp_span where from_on <= date '{day}'"
            f" and coalesce(until_on, date '9999-12-31') >= date '{day}'"
        )
        assert {home: (level, held) for home, level, held in told} == lit
    starts = engine.rows("select distinct from_on from lamp_span")
    assert {on for (on,) in starts} <= set(lamps)


def test_relapses_are_as_the_pages_say(
    random_days: tuple[Engine, SupportCounty, Any, Lamps],
) -> None:
    engine, _, reading, lamps = random_days
    found = engine.rows("select household_id, cleared_on, red_on, days from relapse")
    assert len(found) == len(set(found)) > 2
    assert set(found) == reading.relapse(lamps)


@pytest.fixture
def village(engine: Engine) -> Village:
    county = Village()
    county.home("back")
    county.register(engine)
    make(engine, (*HOUSEHOLDS, *FLAGS), LAST)
    return county


def cleared(county: Village, engine: Engine, on: date, **later: Any) -> None:
    county.rows["cases"] = [
        {"case_id": "c1", "record_id": "c1", "household_id": "back", "monitor_class": "2",
         "risk_types": "job", "stage": 8, "discovered_on": date(2025, 1, 1), "cleared_on": on}
    ]  # fmt: skip
    if later:
        county.rows["cases"].append(
            {"case_id": "c2", "record_id": "c2", "household_id": "back", "monitor_class": "2",
             "risk_types": "job", "stage": 1, **later}
        )  # fmt: skip
    county.register(engine)


RED, HELD, GREEN = ("red", False), ("red", True), ("green", False)


CLEARED = date(2026, 8, 31)
LAST_DAY = (date(2027, 8, 31) - CLEARED).days


@pytest.mark.parametrize(
    ("days_after", "levels", "expected"),
    [
        ([0, 40], [GREEN, RED], 40),
        ([-3, 40], [GREEN, RED], 40),
        ([0, 40], [RED, RED], None),
        ([0, 30, 40], [RED, GREEN, RED], None),
        ([0, 40], [HELD, RED], None),
        ([0, 40], [GREEN, HELD], None),
        ([0, 30, 40], [GREEN, HELD, RED], 40),
        ([40], [RED], None),
        ([0, LAST_DAY], [GREEN, RED], LAST_DAY),
        ([0, LAST_DAY + 1], [GREEN, RED], None),
    ],
    ids=[
        *("green, then red", "the newest day before counts", "red when cleared"),
        *("red when cleared, red again", "held when cleared", "held later", "held, then red"),
        *("no lamp known when cleared", "on the last day of the year", "a day too late"),
    ],
)
def test_a_lamp_that_turns_red(
    engine: Engine,
    village: Village,
    days_after: list[int],
    levels: list[tuple[str, bool]],
    expected: int | None,
) -> None:
    cleared(village, engine, CLEARED)
    days = [CLEARED + timedelta(days=n) for n in days_after]
    lamps = {day: {"back": level} for day, level in zip(days, levels, strict=True)}
    lamps[LAST] = {"back": GREEN}
    carry(engine, lamps)
    light(engine, lamps[LAST])
    make(engine, ["lamp_span", "relapse"], LAST)
    told = engine.rows("select days from relapse")
    assert told == ([] if expected is None else [(expected,)])


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ({"discovered_on": date(2027, 3, 2)}, [(date(2027, 3, 2),)]),
        ({"discovered_on": date(2027, 3, 3)}, []),
        ({"discovered_on": date(2026, 3, 2)}, []),
        ({"discovered_on": date(2026, 5, 1), "rejected_on": date(2026, 6, 1)}, []),
        ({"discovered_on": date(2026, 5, 1), "rejected_on": date(2028, 6, 1)},
         [(date(2026, 5, 1),)]),
    ],
    ids=["last day", "too late", "the same day", "rejected", "rejected later"],
)  # fmt: skip
def test_a_new_case(
    engine: Engine, village: Village, later: dict[str, Any], expected: list[tuple[date]]
) -> None:
    cleared(village, engine, date(2026, 3, 2), **later)
    make(engine, ["lamp_span", "relapse"], LAST)
    assert engine.rows("select red_on from relapse") == expected


@pytest.mark.parametrize(
    ("on", "is_watched"),
    [
        (date(2027, 8, 31), True),
        (date(2027, 8, 28), False),
        (date(2027, 8, 29), True),
        (date(2028, 2, 29), True),
        (date(2028, 3, 1), False),
    ],
)
def test_the_watch_list_is_six_months_long(
    engine: Engine, village: Village, on: date, is_watched: bool
) -> None:
    """31 August and six months is the last of February."""
    cleared(village, engine, on)
    make(engine, ["watch"], LAST)
    told = engine.rows("select cleared_on, until from watch")
    assert told == ([(on, shifted(on, 6))] if is_watched else [])


def test_spans_are_kept_for_three_years_and_a_month(engine: Engine, village: Village) -> None:
    old = {date(2024, 11, 1): {"back": RED}, date(2024, 12, 1): {"back": GREEN}}
    carry(engine, {**old, date(2025, 2, 28): {"back": RED}, LAST: {"back": RED}})
    light(engine, {"back": RED})
    make(engine, ["lamp_span"], LAST)
    assert engine.rows("select level, from_on, until_on from lamp_span order by from_on") == [
        ("red", date(2025, 2, 28), None)
    ]


def test_nothing_is_told_without_the_cases(engine: Engine, village: Village) -> None:
    cleared(village, engine, date(2028, 1, 1))
    village.states["cases"] = "missing"
    village.register(engine)
    make(engine, ["lamp_span", "relapse", "watch"], LAST)
    assert (
        engine.scalar("select (select count(*) from relapse) + (select count(*) from watch)") == 0
    )
