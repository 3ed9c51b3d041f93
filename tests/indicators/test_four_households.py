"""The four households of the design have exactly the points and scores that it gives them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from resources.engines.duckdb import Engine
from tests.indicators.four import AS_OF, four_households
from tests.making import make_lamps

EXPECTED: dict[str, dict[str, Any]] = {
    "xu": {
        "points": {
            "R01": 20,
            "R02": 12,
            "R03": 4,
            "cap:income": -10,
            "R04": 22,
            "R05": 8,
            "R07": 8,
            "cap:medical": -10,
            "R16": 24,
            "R21": 8,
            "R24": 10,
        }
        | {"S06": -2, "S08": -1, "S09": -1, "S11": -1, "S18": -2},
        "flag": ("red", 89, 96, 7, True, ["R16", "R04", "R01"]),
    },
    "jiang": {
        "points": {
            "R01": 20,
            "R04": 16,
            "R05": 8,
            "R07": 8,
            "cap:medical": -4,
            "R22": 4,
            "R30": 4,
            "S01": -2,
            "S08": -1,
            "S09": -1,
            "S12": -1,
            "S14": -1,
        },
        "flag": ("red", 50, 56, 6, False, ["R01", "R04", "R05"]),
    },
    "near": {
        "points": {"R01": 16, "S01": -2, "S08": -1},
        "flag": ("green", 13, 16, 3, False, ["R01"]),
    },
    "well": {
        "points": {"R04": 16, "S01": -4, "S05": -4, "S08": -1, "offset": 5},
        "flag": ("green", 12, 16, 4, False, ["R04"]),
    },
}


@pytest.fixture
def built(engine: Engine) -> Engine:
    four_households().register(engine)
    make_lamps(engine, AS_OF)
    return engine


@pytest.mark.parametrize("household", EXPECTED)
def test_points_and_score(built: Engine, household: str) -> None:
    expected = EXPECTED[household]
    points = dict(
        built.rows("select code, points from warning_reason where household_id = ?", [household])
    )
    assert points == {code: Decimal(p) for code, p in expected["points"].items()}
    level, score, raw, offset, hard, reasons = expected["flag"]
    flag = built.rows(
        "select level, score, raw_points, offset_points, is_hard, reasons, is_held, coverage,"
        " red_since from warning_flag where household_id = ?",
        [household],
    )[0]
    assert flag == (
        level,
        score,
        raw,
        offset,
        hard,
        reasons,
        False,
        Decimal(1),
        AS_OF if level == "red" else None,
    )


def test_evidence(built: Engine) -> None:
    reasons = {
        code: (value, threshold, department, records, evidence)
        for code, value, threshold, department, records, evidence in built.rows(
            "select code, value, threshold, department, records, evidence from warning_reason where"
            " household_id = 'xu'"
        )
    }
    settlement = built.scalar(
        "select record_id from matched_health_insurance__settlements where member_id = 'xu-head'"
    )
    scheme = built.scalar("select record_id from matched_civil_affairs__assistance")
    assert reasons["R04"] == (
        "22000.00",
        ">= 2 * T (T = 10000.00)",
        "health_insurance",
        "settlements",
        [settlement, "xu", scheme],
    )
    assert reasons["R01"][4] == ["xu", "xu-daughter", "xu-head", "xu-son", "xu-wife", settlement]
    assert reasons["R16"][:4] == ("2", "= 2", "emergency_management", "losses")
    assert reasons["cap:income"][:4] == ("36.00", "at most 26.00", None, None)
