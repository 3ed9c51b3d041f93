"""Who helps, with what, and was it enough: responsibility, visits, measures, money, assets, groups.

Belongs here: the assets, and that they add up. Not here: how they are made (`models/support`), the
rules (`warehouse/rules`).
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from assets.tables import Table, counted, tables_asset, with_others
from expectations.contract import Contract
from warehouse.schema.lake import declared

COVERAGE_OFF = """
with level as (
    select length(area_code) as digits, period, kind, sum(households) as households,
        sum(visited) as visited, sum(found) as found
    from visit_coverage where length(area_code) in (6, 9) group by 1, 2, 3
)
select count(*) from level as c
join level as t on t.period = c.period and t.kind = c.kind and c.digits = 6 and t.digits = 9
where (c.households, c.visited, c.found) is distinct from (t.households, t.visited, t.found)
"""
SPANS_OFF = """
select abs((select count(*) from lamp_span where until_on is null)
    - (select count(*) from warning_flag))
"""


def _kept(name: str, *checks: tuple[str, str, str]) -> Table:
    return Table(
        name,
        declared()[name].meaning,
        checks=tuple((check, says, counted(name, check, sql)) for check, says, sql in checks),
    )


SUPPORT = (
    _kept(
        "lamp_span",
        ("every_lamp_has_a_span", "As many open spans as lamps.", SPANS_OFF),
    ),
    _kept("support_standing"),
    _kept(
        "visit_coverage",
        ("adds_up", "Towns add up to counties, in every period and kind.", COVERAGE_OFF),
    ),
)


def assets(contracts: Sequence[Contract]) -> list[dg.AssetsDefinition]:
    """The step that makes them."""
    return [tables_asset("support", "support", with_others("support", SUPPORT), contracts)]
