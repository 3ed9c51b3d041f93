"""The lamps: each household's score and level, and the reasons that sum to it.

Belongs here: what is made of what. Not here: points (`warehouse/rules`), how they add up (`warehouse.scoring`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import dagster as dg

from assets.by_county import made_by_county
from assets.household import use_inputs
from assets.shown import lamps_by_town
from assets.tables import Table, counted, tables_asset
from expectations.contract import Contract
from resources.house import House
from warehouse import scoring
from warehouse.model import model_path
from warehouse.scoring_rules import load_rules

COUNTY = "substr(area_code, 1, 6)"
NO_PREVIOUS = (
    "select null::varchar as household_id, null::varchar as level, null::decimal(6,2) as score, null::date as red_since, "
    "null::varchar[] as _red_codes, null::date as _as_of where false"
)
"""The flags before the first day."""

FLAGS = (
    Table(
        "warning_reason",
        "A row for each indicator that gave or took points, and for what caps, offset, floor and limit changed; they sum to the score.",
        scoring.ORDER["warning_reason"],
        model_path("flags/warning_reason"),
        county=COUNTY,
        checks=(
            (
                "reasons_sum_to_score",
                "The points of every household's reasons sum to its score.",
                counted(
                    "warning_reason",
                    "reasons_sum_to_score",
                    "select count(*) from warning_flag as f left join (select household_id, sum(points) as points from warning_reason "
                    "group by household_id) as r using (household_id) where coalesce(r.points, 0) <> f.score",
                ),
            ),
        ),
    ),
    Table(
        "warning_flag",
        "Each household's lamp: red above 30 points, yellow above 15, green otherwise; held where a source is missing.",
        scoring.ORDER["warning_flag"],
        model_path("flags/warning_flag"),
        county=COUNTY,
        checks=(
            (
                "every_household_has_a_lamp",
                "As many lamps as households.",
                counted(
                    "warning_flag",
                    "every_household_has_a_lamp",
                    "select abs((select count(*) from warning_flag) - (select count(*) from household))",
                ),
            ),
        ),
        shown=lamps_by_town,
    ),
)


def assets(contracts: Sequence[Contract]) -> list[dg.AssetsDefinition]:
    """The step that scores every household."""

    def make_flags(house: House, as_of: date) -> None:
        if made_by_county(house, contracts, as_of, "warning_flag"):
            return
        use_inputs(house, contracts, as_of)
        for table in ("household", "household_indicator"):
            house.use(table, as_of)
        if house.use_previous("warning_flag", as_of) is None:
            house.engine.view("previous_warning_flag", NO_PREVIOUS)
        scoring.build_flags(house.engine, as_of, load_rules(as_of))

    matched = [f"matched_{contract.table}" for contract in contracts]
    return [tables_asset("flags", "flags", ["household", "household_indicator", "person", *matched], FLAGS, make_flags)]
