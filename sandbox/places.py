"""Hanyin county (610921 汉阴县): its ten towns and 156 villages.

Belongs here: area codes. Not here: who lives there (`people`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

TOWNS = {
    "610921100": ("城关镇", 26),
    "610921101": ("涧池镇", 22),
    "610921102": ("蒲溪镇", 17),
    "610921103": ("平梁镇", 20),
    "610921104": ("双乳镇", 9),
    "610921105": ("铁佛寺镇", 13),
    "610921107": ("漩涡镇", 17),
    "610921108": ("汉阳镇", 15),
    "610921110": ("双河口镇", 9),
    "610921112": ("观音河镇", 8),
}
"""Name and number of villages by town code."""
VILLAGES = tuple(
    f"{town}{200 + number:03d}"
    for town, (_, count) in TOWNS.items()
    for number in range(1, count + 1)
)


def draw_villages(rng: np.random.Generator, count: int) -> npt.NDArray[np.str_]:
    """The 12-digit area code of each household; villages differ in size."""
    weights = 0.5 + np.random.default_rng(610921).random(len(VILLAGES))
    return np.array(VILLAGES)[rng.choice(len(VILLAGES), count, p=weights / weights.sum())]
