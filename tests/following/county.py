"""Small counties made by hand, day after day, through indicators, lamps and what follows them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from resources.engines.duckdb import Engine
from tests.indicators.facts import Facts
from tests.indicators.four import AS_OF, HOUSEHOLD, MEMBER
from tests.making import FLAGS, FOLLOWING, HOUSEHOLDS, make, remember
from warehouse.following_rules import FollowingRules
from warehouse.graph.registry import order_of

__all__ = ["AS_OF", "Village", "follow", "later", "rows"]

TOWN = "610921100"


class Village(Facts):
    """Facts with households that are well unless a test says otherwise."""

    def home(
        self, name: str, *people: dict[str, Any], area: str = f"{TOWN}201", **fields: Any
    ) -> str:
        """A household with one insured, working member unless `people` says who is there; `fields`
        are the register's.
        """
        well = {
            **HOUSEHOLD,
            "wage_income": Decimal(60000),
            "previous_net_income": Decimal(60000),
            "water_safe": True,
        }
        self.household(name, area_code=area, **{**well, **fields})
        for number, person in enumerate(people or ({},), 1):
            work = {
                "labour_class": "1",
                "working_now": True,
                "worked_before": True,
                "work_months": 12,
            }
            self.insure(
                self.member(
                    name, f"{name}-{number}", date(1985, 3, 1), **{**MEMBER, **work, **person}
                )
            )
        return name

    def change(self, name: str, **fields: Any) -> None:
        """The register now says this of a household."""
        self.rows["households"] = [
            {**h, **fields} if h["household_id"] == name else h for h in self.rows["households"]
        ]

    def leave(self, name: str) -> None:
        """The household is no longer in the register, with all its members."""
        for records in ("households", "members"):
            self.rows[records] = [row for row in self.rows[records] if row["household_id"] != name]

    def case(self, case_id: str, household_id: str, stage: int, **days_ago: int) -> None:
        """A case of monitoring; `days_ago` gives each date of a stage that was reached."""
        dates = {f"{name}_on": AS_OF - timedelta(days=ago) for name, ago in days_ago.items()}
        self.rows["cases"].append(
            {
                "case_id": case_id,
                "record_id": case_id,
                "household_id": household_id,
                "monitor_class": "2",
                "risk_types": "illness,job",
                "stage": stage,
                **dates,
            }
        )


def later(engine: Engine, as_of: date) -> None:
    """What was made becomes the day before."""
    remember(engine, as_of)


def follow(
    engine: Engine, facts: Facts, as_of: date = AS_OF, rules: FollowingRules | None = None
) -> None:
    """The whole day: values, lamps, and what follows."""
    facts.register(engine)
    make(engine, (*HOUSEHOLDS, *FLAGS, *FOLLOWING), as_of, following=rules)


def rows(
    engine: Engine, table: str, columns: str = "*", where: str = "true"
) -> list[tuple[Any, ...]]:
    """Rows in the table's own order."""
    return engine.rows(f"select {columns} from {table} where {where} order by {order_of(table)}")
