"""The four rhythms
(weekly statistics, monthly screening, monthly accounting of incomes, quarterly supervision), and
what visits found, by quarter.

Belongs here: an asset per rhythm, its periods and its picture. Not here: what is counted
(`warehouse.periodic_reports`), when it runs (`pipelines.automation.periodic`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import dagster as dg

from assets.charts.of_the_day import layouts_apart
from assets.charts.svg import as_markdown, bars, figures, lines
from assets.described import TO_THE_SERVER, code_references
from assets.lineage import lineage_metadata
from resources.engines.duckdb import ComputeEngine
from resources.lake import NotInLake
from resources.runtime.context import RunContext
from resources.runtime.failures import failure
from warehouse.graph import registry
from warehouse.graph.heads import Kind
from warehouse.graph.inputs import earlier_day
from warehouse.indicators import area_select
from warehouse.migrations.run import upgrade
from warehouse.model import model_path
from warehouse.periodic_reports import PERIODIC_REPORTS, PeriodicReport
from warehouse.publication import PublicationError
from warehouse.publication.periods import publish_period

GROUP = "rhythms"
START, ZONE = "2024-01-01", "Asia/Shanghai"
MONTHLY = dg.MonthlyPartitionsDefinition(start_date=START, timezone=ZONE, end_offset=1)
QUARTERLY = dg.TimeWindowPartitionsDefinition(
    cron_schedule="0 0 1 1,4,7,10 *", start=START, timezone=ZONE, fmt="%Y-%m-%d", end_offset=1
)
PERIODS: Mapping[str, dg.TimeWindowPartitionsDefinition] = {
    "weekly_statistics": dg.WeeklyPartitionsDefinition(
        start_date=START, timezone=ZONE, day_offset=1, end_offset=1
    ),
    "monthly_screening": MONTHLY,
    "income_accounting": MONTHLY,
    "quarterly_supervision": QUARTERLY,
    "flag_accuracy": QUARTERLY,
}
"""A partition is a period, named by its first day; the one that is not over may be asked for."""


@dataclass(frozen=True)
class Picture:
    """What a rhythm shows: the columns of a query, the second of which is drawn."""

    title: str
    header: tuple[str, ...]
    sql: str
    unit: str = ""
    curves: int = 0
    """How many columns after the first are drawn as lines over it; 0: the second is drawn as bars.
    """


AREA_NAMES = "left join ({area}) as a on a.area_code = r.area_code"
PICTURES: Mapping[str, Picture] = {
    "weekly_statistics": Picture(
        "Red lamps by town 红灯",
        (
            "town",
            "red",
            "newly red",
            "no longer red",
            "open tasks",
            "overdue tasks",
            "visits due",
            "chronic overdue",
        ),
        "select coalesce(a.area_name, r.area_code), red, newly_red, no_longer_red, open_tasks,"
        f" overdue_tasks, visits_due, chronic_overdue from weekly_statistics as r {AREA_NAMES}"
        " where area_level = 'town' order by r.area_code",
    ),
    "monthly_screening": Picture(
        "Households on each department's list 筛查",
        ("list", "households", "new"),
        "select concat(department, ' ', code), count(*), count(*) filter (where is_new) from"
        " monthly_screening group by 1 order by 1",
    ),
    "income_accounting": Picture(
        "Net income per head by town 人均纯收入",
        ("town", "yuan per head", "households", "growth", "against the county"),
        "select coalesce(a.area_name, r.area_code), income_per_head, households, growth_rate,"
        f" growth_against_county from income_accounting as r {AREA_NAMES} where area_level = 'town'"
        " and household_type = 'all' order by r.area_code",
        " yuan",
    ),
    "flag_accuracy": Picture(
        "False alarms 误报 and misses 漏报, were lamps red above",
        (
            "score",
            "false alarms / flagged",
            "missed / risks found",
            "red households",
            "visited",
            "flagged",
        ),
        "select concat('above ', value), false_alarm_rate, miss_rate, red_households, visited,"
        " flagged from flag_accuracy where area_level = 'county' and dimension = 'threshold' order"
        " by area_code, cast(value as integer)",
        curves=2,
    ),
    "quarterly_supervision": Picture(
        "Past their day, by who is late 逾期",
        ("who", "overdue", "open", "most days late"),
        "select concat(department, ' ', kind, case when kind = 'case' then concat(' ', item) else"
        " '' end), sum(overdue_count), sum(open_count), max(most_days_late) from"
        " quarterly_supervision where area_level = 'county' group by 1 order by 2 desc, 1",
    ),
}
TOWNS_OFF = (
    "select count(*) from (select substr(area_code, 1, 6) as county, sum(case when area_level ="
    " 'town' then {column} end) as towns, sum(case when area_level = 'county' then {column} end) as"
    " county_sum from {table} group by 1) where towns is distinct from county_sum"
)
CHECKS: Mapping[str, tuple[str, str, str]] = {
    "weekly_statistics": (
        "adds_up",
        "Towns add up to the county, and the county to the red lamps of the day.",
        (
            f"select ({TOWNS_OFF.format(column='red', table='weekly_statistics')}) + abs((select"
            " coalesce(sum(red), 0) from weekly_statistics where area_level = 'county') - (select"
            " count(*) from warning_flag where level = 'red'))"
        ),
    ),
    "monthly_screening": (
        "adds_up",
        "As many rows as the departments' lists of the day have.",
        "select abs((select count(*) from monthly_screening) - (select count(*) from verify_item))",
    ),
    "income_accounting": (
        "adds_up",
        "Towns add up to the county.",
        TOWNS_OFF.format(column="persons", table="income_accounting"),
    ),
    "quarterly_supervision": (
        "adds_up",
        "Towns add up to the county.",
        TOWNS_OFF.format(column="overdue_count", table="quarterly_supervision"),
    ),
    "flag_accuracy": (
        "adds_up",
        "Towns add up to the county.",
        TOWNS_OFF.format(column="visited", table="flag_accuracy"),
    ),
}


def day_of(house: RunContext, report: PeriodicReport, period_on: date) -> date:
    """The newest day of the period whose tables are all in the lake;
    raises `dg.Failure` where there is none.
    """
    days = [set(house.runner.inputs.days(table)) for table in report.inputs]
    within = [day for day in set.intersection(*days) if period_on <= day <= report.end(period_on)]
    if not within:
        needed = ", ".join(report.inputs)
        said = f"no day from {period_on} to {report.end(period_on)} has all of {needed} in the lake"
        missing = NotInLake(said, "run daily_sync for a day of the period, then this again")
        raise failure(missing, f"{report.name} {period_on}")
    return max(within)


def use_period(
    house: RunContext, report: PeriodicReport, period_on: date, as_of: date
) -> date | None:
    """Makes the rhythm's table on the engine, and reads what it is checked against;
    returns the day that it is compared with.
    """
    moment = report.moment(period_on, house.moment(as_of))
    if registry.reads(report.name, Kind.SEVERAL_DAYS):
        moment = replace(moment, flag_days=tuple(house.runner.inputs.days("warning_flag")))
        house.make(["field_visit"], moment)
        visited = house.engine.rows("select distinct flag_on from field_visit order by 1")
        moment = replace(moment, history=tuple(on for (on,) in visited))
    house.make([report.name], moment)
    for table in report.inputs:
        house.use(table, as_of)
    return (
        None
        if report.previous is None
        else earlier_day(house.runner.inputs, report.previous, period_on, moment.not_before)
    )


def drawn(title: str, picture: Picture, rows: Sequence[Sequence[Any]]) -> str:
    """Its bars, or its curves."""

    def number(value: Any) -> float | None:
        return None if value is None else float(value)

    if not picture.curves:
        return bars(title, [(str(row[0]), number(row[1])) for row in rows], picture.unit)
    curves = [
        (picture.header[place], [number(row[place]) for row in rows])
        for place in range(1, picture.curves + 1)
    ]
    return lines(title, [str(row[0]).removeprefix("above ") for row in rows], curves, picture.unit)


def shown(
    engine: ComputeEngine, report: PeriodicReport, period_on: date
) -> dict[str, dg.MetadataValue]:
    """The picture, and the figures in it."""
    picture = PICTURES[report.name]
    rows = engine.rows(picture.sql.format(area=area_select()))
    title = f"{picture.title}, {period_on}"
    svg = drawn(title, picture, rows)
    return {
        "picture": dg.MetadataValue.md(as_markdown(svg, title)),
        "figures": dg.MetadataValue.md(figures(picture.header, rows)),
    }


def rhythm_asset(report: PeriodicReport) -> dg.AssetsDefinition:
    """The asset of one rhythm: counts the period's newest day, writes the table, draws."""
    check, says, sql = CHECKS[report.name]

    @dg.asset(
        name=report.name,
        partitions_def=PERIODS[report.name],
        group_name=GROUP,
        owners=["team:yihu"],
        kinds={"duckdb", "postgres"},
        tags={"layer": GROUP},
        deps=list(report.inputs),
        description=(
            f"{report.view.meaning} One partition a period; the newest day of it that is in the"
            " lake is counted."
        ),
        metadata={
            "dagster/code_references": code_references(
                {"SQL": model_path(f"rhythms/{report.name}")}
            ),
            **lineage_metadata(report.name),
        },
        check_specs=[dg.AssetCheckSpec(check, asset=report.name, description=says)],
        retry_policy=TO_THE_SERVER,
    )
    def made(context: dg.AssetExecutionContext, house: RunContext) -> dg.MaterializeResult:
        period_on = date.fromisoformat(context.partition_key)
        as_of = day_of(house, report, period_on)
        compared_on = use_period(house, report, period_on, as_of)
        rows = int(house.engine.scalar(f'select count(*) from "{report.name}"'))
        off = int(house.engine.scalar(sql) or 0)
        write(house, report, period_on)
        context.log.info(f"{report.name} {period_on}: {rows:,} rows, counted on {as_of}")
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": rows,
                "counted_on": as_of.isoformat(),
                "compared_on": compared_on.isoformat() if compared_on else "no earlier day",
                **(layouts_apart(house, compared_on, as_of) if compared_on else {}),
                **shown(house.engine, report, period_on),
            },
            check_results=[
                dg.AssetCheckResult(check_name=check, passed=off == 0, metadata={"off": off})
            ],
        )

    return made


def write(house: RunContext, report: PeriodicReport, period_on: date) -> None:
    """Puts the period into the warehouse, in place of what it had of it."""
    engine = house.server.engine()
    try:
        upgrade(engine, house.server.passwords)
    finally:
        engine.dispose()
    try:
        publish_period(house.engine, house.server.url, report.view, report.name, period_on)
    except PublicationError as error:
        raise failure(error, f"{report.name} {period_on}") from None


def assets() -> list[dg.AssetsDefinition]:
    """One a rhythm."""
    return [rhythm_asset(report) for report in PERIODIC_REPORTS]
