"""The lamps: each household's score and level, and the reasons that sum to it.

Belongs here: the assets, and what must hold of them. Not here: points (`warehouse/rules`), how they
add up (`models/flags`).
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from assets.charts.of_the_day import lamps_by_town
from assets.tables import Table, counted, tables_asset, with_others
from expectations.contract import Contract

FLAGS = (
    Table(
        "warning_reason",
        "A row for each indicator that gave or took points, and for what caps, offset, floor and"
        " limit changed; they sum to the score.",
        checks=(
            (
                "reasons_sum_to_score",
                "The points of every household's reasons sum to its score.",
                counted(
                    "warning_reason",
                    "reasons_sum_to_score",
                    "select count(*) from warning_flag as f left join (select household_id,"
                    " sum(points) as points from warning_reason group by household_id) as r using"
                    " (household_id) where coalesce(r.points, 0) <> f.score",
                ),
            ),
        ),
    ),
    Table(
        "warning_flag",
        "Each household's lamp: red above 30 points, yellow above 15, green otherwise; held where a"
        " source is missing.",
        checks=(
            (
                "every_household_has_a_lamp",
                "As many lamps as households.",
                counted(
                    "warning_flag",
                    "every_household_has_a_lamp",
                    "select abs((select count(*) from warning_flag) - (select count(*) from"
                    " household))",
                ),
            ),
        ),
        shown=lamps_by_town,
    ),
)


def assets(contracts: Sequence[Contract]) -> list[dg.AssetsDefinition]:
    """The step that scores every household."""
    return [tables_asset("flags", "flags", with_others("flags", FLAGS), contracts)]
