"""A random county as its views of counts have it, and what somebody knows who has read what leaves
the house of it.

Belongs here: making the counts, and the integer programme over them. Not here: the exit
(`warehouse.schema.leaving`), the test.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_matrix

from warehouse.catalogue import DOMAINS

DAY, WEEK, MONTH, QUARTER = (
    date(2026, 11, 19),
    date(2026, 11, 16),
    date(2026, 11, 1),
    date(2026, 10, 1),
)
COUNTY = "610921"
NOWHERE = f"{COUNTY}000"
"""In no known town: where households are whose row of the register is out of force."""
LAMPS = ("red", "yellow", "green")
PARTS = (
    "held",
    "newly_red",
    "no_longer_red",
    *DOMAINS,
    "monitored_households",
    "cleared_households",
)
TYPES = ("1", "2", "3")
Row = dict[str, Any]
Cell = tuple[str, tuple[str, ...], str]
"""View, key, column."""
KEYS = {
    "area_ledger": ("area_code",),
    "bulletin": ("area_code", "measure"),
    "weekly_statistics": ("area_code",),
    "income_accounting": ("area_code", "household_type"),
    "quarterly_supervision": ("area_code", "department", "kind", "item"),
    "flag_accuracy": ("area_code", "dimension", "value"),
}

SPARSE = ("income_accounting", "quarterly_supervision", "flag_accuracy")
"""Views that have a row only where something was counted."""


def parent(code: str) -> str | None:
    return code[:-3] if len(code) > 6 else None


def _split(rng: random.Random, total: int, shares: Iterable[float]) -> list[int]:
    weights = list(shares)
    counts = [0] * len(weights)
    for place in rng.choices(range(len(weights)), weights, k=total):
        counts[place] += 1
    return counts


def _part(rng: random.Random, whole: int, share: float) -> int:
    return sum(rng.random() < share for _ in range(whole))


@dataclass
class County:
    """What is true of it, view by view; `tables` are rows as the views have them."""

    rng: random.Random
    tables: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    has_all_lamps: bool = False
    """Every household has a lamp, as whoever reads knows: so where everything was computed."""

    def make(self) -> County:
        rng = self.rng
        self.has_all_lamps = rng.random() < 0.5
        towns = [f"{COUNTY}{100 + town}" for town in range(rng.randint(1, 4))]
        villages = [
            f"{town}{1 + village:03}" for town in towns for village in range(rng.randint(1, 4))
        ]
        villages += [f"{COUNTY}000000"] if rng.random() < 0.3 else []
        share = rng.choice([0.02, 0.1, 0.3])
        for village in villages:
            self._village(
                village, rng.randint(1, 9) if rng.random() < 0.2 else rng.randint(10, 80), share
            )
        for digits in (9, 6):
            self._summed("area_ledger", digits)
        for town in sorted({village[:9] for village in villages}):
            self._week(town)
        for town in towns:
            self._town(town)
        if f"{NOWHERE}000" in villages and rng.random() < 0.5:  # where shells are computed
            self._bulletin(NOWHERE, self.ledger(NOWHERE))
        for view in KEYS:
            if view != "area_ledger":
                self._summed(view, 6)
        self._rates()
        return self

    def ledger(self, code: str) -> Row:
        return next(row for row in self.tables["area_ledger"] if row["area_code"] == code)

    def _village(self, code: str, households: int, share: float) -> None:
        rng = self.rng
        without = 0.0 if self.has_all_lamps else rng.choice([0.0, 0.05])
        red, yellow, green, _ = _split(rng, households, (share, share, 1.0, without))
        row: Row = {
            "area_code": code,
            "households": households,
            "red": red,
            "yellow": yellow,
            "green": green,
        }
        sizes = [rng.randint(1, 5) for _ in range(households)]
        row["persons"] = sum(sizes)
        row["held"], row["newly_red"] = _part(rng, red, 0.3), _part(rng, red, 0.2)
        row["no_longer_red"] = _part(rng, yellow + green, share / 3)
        row |= {domain: _part(rng, households, rng.choice([0.0, 0.05, 0.4])) for domain in DOMAINS}
        row["monitored_households"] = _part(rng, households, share)
        row["monitored_persons"] = sum(sizes[: row["monitored_households"]])
        row["cleared_households"] = _part(rng, households - row["monitored_households"], share)
        row["cleared_persons"] = sum(sizes[households - row["cleared_households"] :])
        self.tables["area_ledger"].append(row)

    def _bulletin(self, code: str, ledger: Row) -> None:
        rng = self.rng
        recorded = ledger["cleared_households"] + ledger["monitored_households"]
        for measure, numerator, denominator in (
            ("red_rate", ledger["red"], sum(ledger[lamp] for lamp in LAMPS)),
            (
                "insured_rate",
                _part(rng, ledger["persons"], rng.choice([0.9, 0.99])),
                ledger["persons"],
            ),
            (
                "support_rate",
                _part(rng, ledger["monitored_households"], 0.8),
                ledger["monitored_households"],
            ),
            ("clearance_rate_households", ledger["cleared_households"], recorded),
        ):
            self.tables["bulletin"].append(
                {
                    "area_code": code,
                    "measure": measure,
                    "numerator": numerator,
                    "denominator": denominator,
                }
            )

    def _town(self, code: str) -> None:
        rng, ledger = self.rng, self.ledger(code)
        self._bulletin(code, ledger)
        self._town_by_type(code, ledger)
        for item in ("R04", "R14"):
            if (opened := rng.choice([0, rng.randint(1, 8), rng.randint(5, 40)])) > 0:
                key = {"area_code": code, "department": "housing", "kind": "task", "item": item}
                late = rng.randint(0, opened)
                self.tables["quarterly_supervision"].append(
                    key
                    | {
                        "open_count": opened,
                        "overdue_count": late,
                        "most_days_late": rng.randint(1, 90) if late else None,
                    }
                )

    def _week(self, code: str) -> None:
        rng, ledger = self.rng, self.ledger(code)
        week: Row = {
            "area_code": code,
            **{name: ledger[name] for name in ("red", "yellow", "newly_red", "no_longer_red")},
        }
        week |= {
            name: rng.choice([rng.randint(0, 6), rng.randint(5, 60)])
            for name in ("opened_tasks", "visits_due", "chronic_overdue")
        }
        before = rng.randint(0, 30)
        week["closed_tasks"] = rng.randint(0, before)
        week["open_tasks"] = before + week["opened_tasks"] - week["closed_tasks"]
        week["overdue_tasks"] = rng.randint(0, week["open_tasks"])
        self.tables["weekly_statistics"].append(week)

    def _town_by_type(self, code: str, ledger: Row) -> None:
        rng = self.rng
        shares = (1.0, rng.choice([0.05, 0.6]), rng.choice([0.0, 0.1, 0.6]))
        known = _split(rng, _part(rng, ledger["households"], 0.95), shares)
        visited = _split(rng, _part(rng, ledger["households"], 0.5), shares)
        reds = _split(rng, ledger["red"], shares)
        totals: dict[str, Row] = {"income_accounting": {}, "flag_accuracy": {}}
        for kind, people, looked_at, red in zip(TYPES, known, visited, reds, strict=True):
            income: Row = {"households": people, "persons": people * 3 + rng.randint(0, people)}
            flagged = _part(rng, looked_at, 0.4)
            confirmed = _part(rng, flagged, 0.7)
            accuracy: Row = {
                "visited": looked_at,
                "flagged": flagged,
                "confirmed": confirmed,
                "false_alarms": flagged - confirmed,
            }
            accuracy |= {"missed": _part(rng, looked_at - flagged, 0.2), "red_households": red}
            for view, row, key in (
                ("income_accounting", income, {"household_type": kind}),
                ("flag_accuracy", accuracy, {"dimension": "household_type", "value": kind}),
            ):
                totals[view] = {
                    name: totals[view].get(name, 0) + value for name, value in row.items()
                }
                if any(row.values()):
                    self.tables[view].append({"area_code": code, **key, **row})
        self.tables["income_accounting"].append(
            {"area_code": code, "household_type": "all", **totals["income_accounting"]}
        )
        self.tables["flag_accuracy"].append(
            {"area_code": code, "dimension": "all", "value": "all", **totals["flag_accuracy"]}
        )

    def _summed(self, view: str, digits: int) -> None:
        sums: dict[tuple[str, ...], Row] = {}
        for row in [row for row in self.tables[view] if len(row["area_code"]) == digits + 3]:
            key = {name: row[name] for name in KEYS[view]} | {
                "area_code": row["area_code"][:digits]
            }
            whole = sums.setdefault(tuple(key.values()), dict(key))
            for name, value in row.items():
                if name not in key:
                    both = [part for part in (whole.get(name), value) if part is not None]
                    whole[name] = (
                        None if not both else max(both) if name == "most_days_late" else sum(both)
                    )
        self.tables[view] += sums.values()

    def _rates(self) -> None:
        for row in self.tables["bulletin"]:
            row["rate"] = (
                round(Fraction(row["numerator"], row["denominator"]), 4)
                if row["denominator"]
                else None
            )
        for row in self.tables["bulletin"]:
            alike = [
                other["rate"]
                for other in self.tables["bulletin"]
                if other["measure"] == row["measure"]
                and len(other["area_code"]) == len(row["area_code"]) and other["rate"] is not None
                and other["area_code"] != NOWHERE
            ]  # fmt: skip
            row["rank"] = (
                None
                if row["rate"] is None or row["area_code"] == NOWHERE
                else 1 + sum(rate < row["rate"] for rate in alike)
            )
            row["rate"] = None if row["rate"] is None else float(row["rate"])


@dataclass
class Reader:
    """Somebody who knows how the counts hang together, and has read what was published: an integer
    programme.
    """

    county: County
    published: Mapping[str, list[Row]]
    counts: Mapping[str, list[str]]

    def __post_init__(self) -> None:
        self.truth: dict[Cell, int] = {}
        self.shown: dict[Cell, int] = {}
        self.rules: list[tuple[dict[Cell, int], float, float]] = []
        for view, rows in self.county.tables.items():
            self.truth |= self._cells(view, rows)
        for view in SPARSE:
            self._not_there(view)
        for view, rows in self.published.items():
            self.shown |= self._cells(view, rows)
        for view in self.county.tables:
            self._hang_together(view)
        self._across()
        self.order = sorted(self.truth)
        self.place = {cell: place for place, cell in enumerate(self.order)}
        assert all(self.truth[cell] == value for cell, value in self.shown.items())

    def _cells(self, view: str, rows: Iterable[Row]) -> dict[Cell, int]:
        return {
            (view, tuple(str(row[name]) for name in KEYS[view]), column): int(row[column])
            for row in rows
            for column in self.counts[view]
            if row.get(column) is not None
        }

    def _not_there(self, view: str) -> None:
        """A row that is not published may be hidden or not be there at all: the reader cannot know,
        so it is 0 for sure to nobody.
        """
        towns = {
            str(row["area_code"])
            for row in self.county.tables["bulletin"]
            if len(row["area_code"]) == 9
        } - {NOWHERE}
        for key in {key for seen, key, _ in self.truth if seen == view}:
            for town in towns:
                for column in self.counts[view]:
                    self.truth.setdefault((view, (town, *key[1:]), column), 0)

    def _rule(self, terms: Mapping[Cell, int], low: float, high: float) -> None:
        there = {cell: factor for cell, factor in terms.items() if cell in self.truth}
        assert low <= sum(self.truth[cell] * factor for cell, factor in there.items()) <= high, (
            terms
        )
        self.rules.append((there, low, high))

    def _same(self, one: Cell, *others: Cell) -> None:
        if one in self.truth:
            self._rule({one: 1} | dict.fromkeys(others, -1), 0, 0)

    def _at_most(self, one: Cell, *others: Cell) -> None:
        if one in self.truth:
            self._rule({one: 1} | dict.fromkeys(others, -1), -np.inf, 0)

    def _hang_together(self, view: str) -> None:
        """A whole is the sum of its areas, and `all` of its types; a part is no more than its
        whole.
        """
        by_parent: dict[tuple[str, tuple[str, ...], str], list[Cell]] = defaultdict(list)
        for cell in [cell for cell in self.truth if cell[0] == view]:
            _, (area, *rest), column = cell
            if (above := parent(area)) is not None:
                by_parent[above, tuple(rest), column].append(cell)
        for (above, rest, column), cells in by_parent.items():
            self._same((view, (above, *rest), column), *cells)
        for view_, key, column in [cell for cell in self.truth if cell[0] == view]:
            if column != self.counts[view_][0]:
                continue
            self._row(view_, key)

    def _row(self, view: str, key: tuple[str, ...]) -> None:
        def at(column: str) -> Cell:
            return view, key, column

        if view == "area_ledger":
            without = 0.0 if self.county.has_all_lamps else -np.inf
            self._rule({at("households"): -1} | {at(lamp): 1 for lamp in LAMPS}, without, 0)
            for column in PARTS:
                self._at_most(
                    at(column), at("red") if column in ("held", "newly_red") else at("households")
                )
            for kind in ("monitored", "cleared"):
                self._at_most(at(f"{kind}_households"), at(f"{kind}_persons"))
                self._at_most(at(f"{kind}_persons"), at("persons"))
            self._at_most(at("households"), at("persons"))
        elif view == "bulletin":
            self._at_most(at("numerator"), at("denominator"))
        elif view == "weekly_statistics":
            self._at_most(at("overdue_tasks"), at("open_tasks"))
        elif view == "quarterly_supervision":
            self._at_most(at("overdue_count"), at("open_count"))
        elif view == "income_accounting":
            self._at_most(at("households"), at("persons"))
            if key[1] == "all":
                for column in ("households", "persons"):
                    self._same(at(column), *((view, (key[0], kind), column) for kind in TYPES))
        elif view == "flag_accuracy":
            self._same(at("flagged"), at("confirmed"), at("false_alarms"))
            self._rule({at("flagged"): 1, at("missed"): 1, at("visited"): -1}, -np.inf, 0)
            if key[1] == "all":
                for column in self.counts[view]:
                    self._same(
                        at(column),
                        *((view, (key[0], "household_type", kind), column) for kind in TYPES),
                    )

    def _across(self) -> None:
        """What two views count alike."""
        for area in {
            key[0] for view, key, _ in self.truth if view == "area_ledger" and len(key[0]) == 9
        }:
            ledger = {name: ("area_ledger", (area,), name) for name in self.counts["area_ledger"]}
            rate = {
                (measure, part): ("bulletin", (area, measure), part)
                for measure in (
                    "red_rate",
                    "insured_rate",
                    "support_rate",
                    "clearance_rate_households",
                )
                for part in ("numerator", "denominator")
            }
            self._same(rate["red_rate", "numerator"], ledger["red"])
            self._same(rate["red_rate", "denominator"], *(ledger[lamp] for lamp in LAMPS))
            self._same(rate["insured_rate", "denominator"], ledger["persons"])
            self._same(rate["support_rate", "denominator"], ledger["monitored_households"])
            self._same(rate["clearance_rate_households", "numerator"], ledger["cleared_households"])
            for name in ("red", "yellow", "newly_red", "no_longer_red"):
                self._same(("weekly_statistics", (area,), name), ledger[name])
            self._same(("flag_accuracy", (area, "all", "all"), "red_households"), ledger["red"])
            self._at_most(("income_accounting", (area, "all"), "households"), ledger["households"])
        self._by_rank()

    def _by_rank(self) -> None:
        """Who is ranked before another has the better rate, also where the rate is hidden and the
        denominator is not.
        """
        rows = [row for row in self.published.get("bulletin", []) if row["rank"] is not None]
        for one in rows:
            for other in rows:
                if (
                    one["measure"] != other["measure"]
                    or len(one["area_code"]) != len(other["area_code"])
                    or one["rank"] > other["rank"]
                ):
                    continue
                if one["denominator"] is None or other["denominator"] is None:
                    continue
                cells = [
                    ("bulletin", (row["area_code"], row["measure"]), "numerator")
                    for row in (one, other)
                ]
                # rates are rounded to four places
                slack = one["denominator"] * other["denominator"] * 1e-4
                factors = {cells[0]: other["denominator"], cells[1]: -one["denominator"]}
                if cells[0] != cells[1]:
                    self.rules.append(
                        (factors, -slack if one["rank"] == other["rank"] else -np.inf, slack)
                    )

    def recovered(self, rng: random.Random, at_most: int | None = None) -> list[Cell]:
        """The hidden counts that can have one value only; `at_most` so many are looked for."""
        open_cells = {cell for cell in self.truth if cell not in self.shown}
        for _ in range(8):
            if not open_cells:
                return []
            weights = {cell: rng.choice((-1.0, 1.0)) for cell in open_cells}
            open_cells -= self._differing(weights, open_cells)
        for cell in sorted(open_cells)[:at_most]:
            for sign in (1.0, -1.0):
                if cell in open_cells:
                    open_cells -= self._differing({cell: sign}, open_cells)
        return sorted(open_cells)[:at_most]

    def _differing(self, weights: Mapping[Cell, float], cells: set[Cell]) -> set[Cell]:
        """Which of the cells have another value than the true one in a solution that goes far in
        the direction of the weights.
        """
        goal = np.zeros(len(self.order))
        for cell, weight in weights.items():
            goal[self.place[cell]] = weight
        low = np.array([self.shown.get(cell, 0) for cell in self.order], dtype=float)
        high = np.array(
            [self.shown.get(cell, self.truth[cell] + 50) for cell in self.order], dtype=float
        )
        matrix = lil_matrix((len(self.rules), len(self.order)))
        for line, (terms, _, _) in enumerate(self.rules):
            for cell, factor in terms.items():
                matrix[line, self.place[cell]] = factor
        limits = LinearConstraint(
            matrix.tocsr(), [rule[1] for rule in self.rules], [rule[2] for rule in self.rules]
        )
        answer = milp(
            goal, constraints=limits, integrality=np.ones(len(self.order)), bounds=Bounds(low, high)
        )
        assert answer.x is not None, answer.message
        return {cell for cell in cells if round(answer.x[self.place[cell]]) != self.truth[cell]}
