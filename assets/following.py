"""What follows a lamp: changes, the departments' lists, tasks, cases, ledger, bulletin,
the household's card.

Belongs here: the assets, and that they add up. Not here: how they are made (`models/following`),
the rules (`warehouse/rules`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import dagster as dg

from assets.charts.of_the_day import compared_with, tasks_by_department
from assets.tables import Check, Table, counted, tables_asset, with_others
from expectations.contract import Contract
from resources.runtime.context import RunContext

CHANGES_ADD_UP = """
select case when (select count(*) from released_warning_flag) = 0 then 0 else abs(
    (select count(*) from warning_flag where level = 'red')
    - (select count(*) from released_warning_flag where level = 'red')
    - (select count(*) from flag_change where to_level = 'red')
    + (select count(*) from flag_change where from_level = 'red')) end
"""
STRAY_ITEMS = """
select count(*) from verify_item as v left join household as h using (household_id)
where h.household_id is null
"""
TASKS_LACKING = """
select count(*) from warning_reason as r join warning_flag as f using (household_id)
left join follow_up_task as t on t.household_id = r.household_id and t.code = r.code
    and t.closed_on is null
where f.level = 'red' and r.code like 'R%' and r.points > 0 and t.task_id is null
"""
CASES_LOST = """
select abs((select count(*) from case_progress)
    - (select count(*) from matched_monitoring__cases
        where outcome = 'linked' and discovered_on <= {as_of}))
"""
LEDGER_OFF = """
with lamp as (
    select count(*) as households, sum(h.member_count) as persons,
        count(*) filter (where f.level = 'red') as red,
        count(*) filter (where f.level = 'yellow') as yellow,
        count(*) filter (where f.level = 'green') as green
    from household as h join warning_flag as f using (household_id)
),
change as (
    select count(*) filter (where to_level = 'red') as newly_red,
        count(*) filter (where from_level = 'red') as no_longer_red
    from flag_change
),
cleared as (select count(distinct household_id) as households from case_progress where stage = 8),
ledger as (
    select area_level, sum(households) as households, sum(persons) as persons, sum(red) as red,
        sum(yellow) as yellow, sum(green) as green, sum(newly_red) as newly_red,
        sum(no_longer_red) as no_longer_red, sum(cleared_households) as cleared
    from area_ledger group by area_level
)
select count(*) from ledger as a, lamp as l, change as c, cleared as d
where (a.households, a.persons, a.red, a.yellow, a.green, a.newly_red, a.no_longer_red, a.cleared)
    is distinct from
        (l.households, l.persons, l.red, l.yellow, l.green, c.newly_red, c.no_longer_red,
        d.households)
"""
BULLETIN_OFF = """
with level as (
    select length(area_code) as digits, measure, sum(numerator) as numerator,
        sum(denominator) as denominator
    from bulletin group by 1, 2
),
lamp as (
    select count(*) filter (where level = 'red') as red,
        count(*) filter (where level <> 'none') as lit
    from warning_flag where area_code is not null
),
cases as (
    select count(*) filter (where stage = 8) as cleared, count(*) as recorded from case_progress
    where stage >= 6 and area_code is not null
)
select
    (select count(*) from level as c
        join level as t on t.measure = c.measure and c.digits = 6 and t.digits = 9
     where (c.numerator, c.denominator) is distinct from (t.numerator, t.denominator))
    + (select count(*) from level, lamp
        where measure = 'red_rate' and (numerator, denominator) is distinct from (red, lit))
    + (select count(*) from level, cases where measure = 'clearance_rate_households'
       and (coalesce(numerator, cleared), denominator) is distinct from (cleared, recorded))
"""


def _of_day(table: str, name: str, sql: str) -> Check:
    """A check whose SQL names the day."""

    def check(house: RunContext, as_of: date) -> dg.AssetCheckResult:
        return counted(table, name, sql.format(as_of=f"date '{as_of}'"))(house, as_of)

    return check


def _table(
    name: str,
    description: str,
    check: str,
    says: str,
    sql: str,
    shown: Callable[[RunContext, date], dict[str, Any]] | None = None,
) -> Table:
    return Table(
        name,
        description,
        checks=((check, says, _of_day(name, check, sql)),),
        shown=shown,
    )


FOLLOWING = (
    _table(
        "flag_change",
        "Who changed level since the last release, and which reasons came and went.",
        "changes_add_up",
        "Red before, newly red and no longer red add up to red.",
        CHANGES_ADD_UP,
        compared_with,
    ),
    _table(
        "verify_item",
        "Households on a department's list, whatever their score (核查清单).",
        "every_item_has_a_household",
        "Every item is of a household that is there.",
        STRAY_ITEMS,
    ),
    _table(
        "follow_up_task",
        "What each red household needs, and whose task it is (需求清单, 任务清单); the same task"
        " from day to day.",
        "every_reason_has_a_task",
        "Every risk that gives a red household points has an open task.",
        TASKS_LACKING,
        tasks_by_department,
    ),
    _table(
        "case_progress",
        "The eight stages of each monitored household, and what is overdue (监测对象).",
        "no_case_lost",
        "Every linked case is here.",
        CASES_LOST,
    ),
    _table(
        "area_ledger",
        "Counts per county, town and village (统计台账).",
        "adds_up",
        "At each level the counts add up to the households, lamps, changes and cases.",
        LEDGER_OFF,
    ),
    _table(
        "bulletin",
        "Rates and competition ranks per county and town (通报).",
        "adds_up",
        "Towns add up to counties, and both to the lamps and cases.",
        BULLETIN_OFF,
    ),
    _table(
        "household_card",
        "One household on one page, six lists (一卡一簿六清单).",
        "every_household_has_a_card",
        "As many cards as households.",
        "select abs((select count(*) from household_card) - (select count(*) from household))",
    ),
)


def assets(contracts: Sequence[Contract]) -> list[dg.AssetsDefinition]:
    """The step that makes the seven tables."""
    return [tables_asset("following", "follow_up", with_others("following", FOLLOWING), contracts)]
