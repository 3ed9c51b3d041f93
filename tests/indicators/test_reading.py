"""The SQL models and a plain-Python reading of the catalogue agree on every value, status and
point.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest

from resources.engines.duckdb import Engine
from tests.indicators.county import County
from tests.indicators.lamps import read_county, read_lamp
from tests.indicators.reading import CODES, rounded
from tests.making import make_lamps, standing
from warehouse.catalogue import indicators_by_code

CASES = [
    (1, date(2026, 11, 19), {}),
    (2, date(2026, 2, 28), {"settlements": "stale", "deaths": "stale"}),
    (
        3,
        date(2028, 2, 29),
        {"retrofits": "missing", "disability_subsidies": "missing", "households": "stale"},
    ),
    (4, date(2026, 3, 31), {"settlements": "missing", "members": "stale"}),
    (5, date(2023, 1, 1), {"enrolments": "missing", "assistance": "stale"}),
    (6, date(2026, 4, 1), {"dwellings": "stale", "reports": "missing"}),
    (7, date(2026, 11, 24), {}),
    (7, date(2026, 11, 25), {}),
    (8, date(2027, 2, 1), {"households": "stale", "certificates": "stale"}),
    (9, date(2026, 12, 31), {"assistance": "missing", "enrolments": "stale"}),
]


LAMP = "reasons, level, is_held, is_hard, score, raw_points, offset_points, coverage"


def _plain(value: Any) -> Any:
    return (
        Fraction(value)
        if isinstance(value, (int, Decimal)) and not isinstance(value, bool)
        else value
    )


@pytest.mark.parametrize(("seed", "day", "states"), CASES)
def test_every_value_status_and_point(
    engine: Engine, seed: int, day: date, states: dict[str, str]
) -> None:
    county = County(seed, day, 200)
    county.facts.states.update(states)
    before = _before(engine, county)
    county.facts.register(engine)
    make_lamps(engine, day)
    line = Fraction(8800) if day >= date(2024, 3, 14) else Fraction(6000)
    expected = read_county(county.facts, day, line, Fraction(5600))

    columns = [indicators_by_code()[code].column for code in CODES]
    rows = engine.rows(
        f"select household_id, missing, stale, not_applicable, {', '.join(columns)} from"
        " household_indicator"
    )
    points = {
        (h, c): p for h, c, p in engine.rows("select household_id, code, points from scored_point")
    }
    flags = {h: rest for h, *rest in engine.rows(f"select household_id, {LAMP} from warning_flag")}
    assert {row[0] for row in rows} == set(expected)
    wrong: list[tuple[Any, ...]] = []
    for household, missing, stale, not_applicable, *values in rows:
        for code, value in zip(CODES, values, strict=True):
            status = (
                "missing"
                if code in missing
                else (
                    "stale"
                    if code in stale
                    else "not_applicable"
                    if code in not_applicable
                    else "ok"
                )
            )
            want = expected[household][code]
            got = (_plain(value), status, Fraction(points.get((household, code), 0)))
            if got != (_plain(want.value), want.status, want.points):
                wrong.append((household, code, got, want))
        known = sum(r.status in ("ok", "not_applicable") for r in expected[household].values())
        lamp = read_lamp(
            expected[household], county.facts.states, before.get(household, ("none", []))
        )
        risks = sorted(
            (-expected[household][code].points, code)
            for code in CODES
            if code[0] == "R" and expected[household][code].points
        )
        top = [code for _, code in risks[:3]]
        shown = tuple(_plain(v) for v in flags[household])
        if shown != (
            top,
            lamp.level,
            lamp.is_held,
            lamp.is_hard,
            lamp.score,
            lamp.raw,
            lamp.offset,
            rounded(Fraction(known, 72), 4),
        ):
            wrong.append((household, "lamp", shown, lamp))
    assert not wrong, "\n".join(map(str, wrong[:20]))


def _before(engine: Engine, county: County) -> dict[str, tuple[str, list[str]]]:
    """Flags of the day before, drawn: which households were red, and by what."""
    drawn = {row["household_id"]: county.lamp_before() for row in county.facts.rows["households"]}
    columns = {
        "household_id": pa.string(),
        "level": pa.string(),
        "_red_codes": pa.list_(pa.string()),
    }
    rows = [
        {"household_id": household, "level": level, "_red_codes": codes}
        for household, (level, codes) in drawn.items()
    ]
    engine.from_arrow(
        "yesterday", pa.Table.from_pylist(rows, schema=pa.schema(list(columns.items())))
    )
    engine.view("warning_flag_before", "select *, date '2020-01-01' as red_since from yesterday")
    standing(engine).kept["warning_flag", date(2020, 1, 1)] = "warning_flag_before"
    return drawn


def test_the_random_county_reaches_every_indicator() -> None:
    """Every indicator that can earn points earns some: agreement means something."""
    results = [
        r
        for seed, day, _ in CASES[:2]
        for r in read_county(
            County(seed, day, 200).facts, day, Fraction(8800), Fraction(5600)
        ).values()
    ]
    never = [code for code in CODES[24:] if not any(r[code].points for r in results)]
    assert never == []
