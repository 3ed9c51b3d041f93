"""What visits find (入户核查): households in trouble and others, visited now and then, with known
truth.

Belongs here: drawing visits. The sandbox knows which household is in trouble (`economy.TROUBLES`),
and nothing of lamps: a visit finds a risk exactly where one is. Not here: errors (`delivery`).
"""

from __future__ import annotations

import numpy as np

from sandbox.draft import Draft, days_between, written
from sandbox.economy import County
from sandbox.people import PLANTED
from sandbox.rates import ErrorRates

FIRST, LAST = "2024-06-01", "2027-06-01"
VISITS_OF_TROUBLED, VISITS_OF_OTHERS = 10.0, 0.6
"""Visits of a household over these three years, on average."""


def draw_field_results(rng: np.random.Generator, county: County, rates: ErrorRates) -> Draft:
    """A row a visit; `ordinal` is the household's.

    `confirmed` where the household was known to the monitors (监测对象).
    """
    in_trouble = (county.trouble > 0) & (np.arange(county.count) >= PLANTED)
    visits = rng.poisson(np.where(in_trouble, VISITS_OF_TROUBLED, VISITS_OF_OTHERS))
    visits[:PLANTED] = 0
    which = np.repeat(np.arange(county.count), visits)
    known = county.household["monitor_class"][which] != "0"
    visited = days_between(rng, FIRST, LAST, len(which))
    result = np.where(
        in_trouble[which], np.where(known, "confirmed", "unflagged_risk"), "not_confirmed"
    )
    return Draft(
        "field_results",
        np.full(len(which), -1),
        written(rng, visited, 2),
        {"ordinal": which + 1, "visited_on": visited, "result": result},
    )
