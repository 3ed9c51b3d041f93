"""What of a batch's face is unusual against the faces before it:
a town that fell silent, a column that emptied, a number that jumped.

Belongs here: the comparison, in robust statistics. Not here: measuring a face (`face`), what is
told of it (`warned`).

Every measure is compared on a scale on which chance moves it equally far wherever it stands (square
root of counts, arcsine of shares, logarithm of values). From five runs on a finding is a robust z
of 6 and a change of 20%; with fewer it is a change of 50% against the last run, and one that chance
does not make.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

from warehouse.batch_profile import BatchProfile

RUNS = 8
ENOUGH = 5
Z, CHANGE = 6.0, 0.2
CHANGE_OF_FEW, CHANCE_OF_FEW = 0.5, 4.0
EXPECTED_FROM = 20.0
"""Rows that a town must be expected to have before it is looked at."""
TO_SPREAD = 1.4826
"""The median distance from the median, times this, is a normal distribution's standard deviation.
"""
CODES_NOISE, EDGE_NOISE, MIDDLE_FLOOR = 0.5, 0.5, 0.035

Scale = Callable[[float], float]


@dataclass(frozen=True)
class Finding:
    """One thing that is unusual: a name that stays the same from day to day, and what to say,
    with the expected range.
    """

    key: str
    said: str


@dataclass(frozen=True)
class Kind:
    """How one kind of measure is compared: its scale and back, what a change is,
    how it is written.
    """

    there: Scale
    back: Scale
    change: Callable[[float, float], float]
    show: Callable[[float], str]


def _relative(now: float, usual: float) -> float:
    return abs(now - usual) / abs(usual) if usual else math.inf if now else 0.0


def _signed(scale: Scale) -> Scale:
    return lambda value: math.copysign(scale(abs(value)), value)


COUNT = Kind(
    lambda x: 2 * math.sqrt(x + 0.375),
    lambda y: max(0.0, y / 2) ** 2 - 0.375,
    _relative,
    lambda x: f"{max(0.0, x):.0f}",
)
SHARE = Kind(
    lambda p: 2 * math.asin(math.sqrt(p)),
    lambda y: math.sin(min(max(y, 0.0), math.pi) / 2) ** 2,
    # what is left of a column is what counts: from 1% empty to 2% nothing has happened
    lambda now, usual: _relative(1 - now, 1 - usual),
    lambda p: f"{p:.0%}",
)
CODES = Kind(float, float, _relative, lambda x: f"{max(0.0, x):.0f}")
NUMBER = Kind(_signed(math.log1p), _signed(math.expm1), _relative, lambda x: f"{x:.4g}")
DAYS = Kind(
    _signed(lambda d: math.log1p(d / 30)),
    _signed(lambda y: 30 * math.expm1(y)),
    _relative,
    lambda x: f"{x:+.0f} days",
)


def unusual(
    face: BatchProfile, before: Sequence[tuple[date, BatchProfile]], day: date
) -> list[Finding]:
    """What is unusual in the face of a batch of `day`; `before`: days and faces of the runs that it
    is compared with, newest last.
    """
    if not face["rows"] or not before:
        return []
    return [*_towns(face, [earlier for _, earlier in before]), *_columns(face, before, day)]


def _towns(face: BatchProfile, before: Sequence[BatchProfile]) -> Iterator[Finding]:
    """Rows by town, with the whole county's ups and downs taken out: those are the volume rule's.

    A run whose rows nobody could place yet (there was no register) says nothing of towns.
    """
    before = [f for f in before if f["towns"] or not f["rows"]]
    if not before:
        return
    towns = sorted({town for f in (face, *before) for town in f["towns"]})
    first = {town: median(f["towns"].get(town, 0) for f in before) for town in towns}
    runs = [{town: f["towns"].get(town, 0) / _level(f, first) for town in towns} for f in before]
    usual = {town: median(run[town] for run in runs) for town in towns}
    level = _level(face, usual)
    looked_at = {
        town: [run[town] * level for run in runs]
        for town in towns
        if usual[town] * level >= EXPECTED_FROM
    }
    spreads = {
        town: max(1.0, _spread([COUNT.there(rows) for rows in earlier]))
        for town, earlier in looked_at.items()
    }
    for town, earlier in looked_at.items():
        # eight runs say little about one town's spread: it is drawn towards that of all towns
        noise = math.sqrt(spreads[town] * median(spreads.values()))
        yield from _judged(
            COUNT,
            f"town:{town}",
            f"rows of town {town}",
            face["towns"].get(town, 0),
            earlier,
            noise,
            is_known=True,
        )


def _level(face: BatchProfile, usual: dict[str, float]) -> float:
    """How much of a usual run this one is:
    the median over its towns, so that a town that is silent does not count.
    """
    shares = [
        face["towns"].get(town, 0) / rows for town, rows in usual.items() if rows >= EXPECTED_FROM
    ]
    total = sum(usual.values())
    return (
        (median(shares) if shares else 0.0)
        or (sum(face["towns"].values()) / total if total else 0.0)
        or 1.0
    )


def _columns(
    face: BatchProfile, before: Sequence[tuple[date, BatchProfile]], day: date
) -> Iterator[Finding]:
    for name, now in face["columns"].items():
        runs = [
            (on, f["rows"], f["columns"][name])
            for on, f in before
            if name in f["columns"] and f["rows"] >= EXPECTED_FROM
        ]
        if not runs or face["rows"] < EXPECTED_FROM:
            continue
        earlier = [run for _, _, run in runs]
        noise = 1 / math.sqrt(face["rows"])
        yield from _judged(
            SHARE,
            f"{name}:empty",
            f"column {name}, empty",
            now["empty"],
            [e["empty"] for e in earlier],
            noise,
        )
        yield from _judged(
            SHARE,
            f"{name}:unknown",
            f"column {name}, unknown words",
            now["unknown"],
            [e["unknown"] for e in earlier],
            noise,
        )
        yield from _values(name, now, runs, day)


def _values(
    name: str, now: dict[str, Any], runs: Sequence[tuple[date, int, dict[str, Any]]], day: date
) -> Iterator[Finding]:
    """Codes, edges and middle of a column, as far as both have them."""
    for measure in ("codes", "middle", "smallest", "largest"):
        told = f"column {name}, {'different codes' if measure == 'codes' else measure + ' value'}"
        earlier = [
            (on, run[measure])
            for on, _, run in runs
            if measure in run and _is_comparable(measure, run, now)
        ]
        if measure not in now or not earlier:
            continue
        if isinstance(now[measure], str):
            dates = [_days(value, on) for on, value in earlier]
            yield from _judged(
                DAYS,
                f"{name}:{measure}",
                f"{told} against its day",
                _days(now[measure], day),
                dates,
                EDGE_NOISE,
            )
            continue
        kind = CODES if measure == "codes" else NUMBER
        noise = {
            "codes": CODES_NOISE,
            "middle": max(MIDDLE_FLOOR, 1.25 / math.sqrt(now.get("behind", 1))),
        }.get(measure, EDGE_NOISE)
        yield from _judged(
            kind, f"{name}:{measure}", told, now[measure], [value for _, value in earlier], noise
        )


def _is_comparable(measure: str, earlier: dict[str, Any], now: dict[str, Any]) -> bool:
    """An edge of numbers says something beside one of its own sign: at 0 a column ends by itself,
    and whether a few rows are negative (reversals) is chance; so is the other edge of a column that
    is nearly always 0."""
    if (
        measure not in ("smallest", "largest")
        or measure not in now
        or isinstance(now[measure], str)
    ):
        return True
    return "middle" in earlier and "middle" in now and bool(earlier[measure] * now[measure] > 0)


def _days(text: str, day: date) -> float:
    return float((date.fromisoformat(text) - day).days)


def _spread(scaled: Sequence[float]) -> float:
    """The robust standard deviation of values on their scale."""
    centre = median(scaled)
    return TO_SPREAD * median(abs(value - centre) for value in scaled)


def _judged(
    kind: Kind,
    key: str,
    told: str,
    now: float,
    before: Sequence[float],
    noise: float,
    *,
    is_known: bool = False,
) -> Iterator[Finding]:
    """The finding, where there is one; `noise`: how far chance alone moves the measure on its
    scale, which is all where the spread `is_known`."""
    scaled, place = [kind.there(value) for value in before], kind.there(now)
    if len(before) >= ENOUGH:
        centre = median(scaled)
        reach, least = Z * (noise if is_known else max(noise, _spread(scaled))), CHANGE
    else:
        centre, least = scaled[-1], CHANGE_OF_FEW
        reach = CHANCE_OF_FEW * noise * math.sqrt(2)
    if abs(place - centre) >= reach and kind.change(now, kind.back(centre)) >= least:
        low, high = (kind.show(kind.back(centre + way * reach)) for way in (-1, 1))
        yield Finding(key, f"{told}: {kind.show(now)}, expected {low} to {high}")
