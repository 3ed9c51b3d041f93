"""What an operator sees of a day in the UI, beside row counts:
lamps by town, match rates over days, the quarantine by rule.

Belongs here: metadata that a run gives an asset: figures that the UI draws over time, and pictures.
Nothing in them tells of a person. Not here: drawing (`pictures`), what is counted for the warehouse
(`warehouse`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import dagster as dg

from assets.charts.svg import as_markdown, bars, figures, lines
from resources.runtime.context import RunContext
from warehouse.graph.inputs import released_day
from warehouse.indicators import area_select
from warehouse.layouts import across
from warehouse.quarantine import list_quarantine

Shown = dict[str, Any]

RED = "#c0392b"
LEVELS = ("red", "yellow", "green", "none")
LAMPS = """
select coalesce(a.area_name, f.town_code, 'no town known') as town,
    count(*) filter (where level = 'red') as red,
    count(*) filter (where level = 'yellow') as yellow,
    count(*) filter (where level = 'green') as green,
    count(*) filter (where level = 'none') as without_lamp,
    count(*) filter (where is_held) as held
from warning_flag as f left join ({area}) as a on a.area_code = f.town_code
group by 1 order by red desc, yellow desc, town
"""
RATES = """
select h.department || ' ' || h.records as source, h.as_of, round(100 * h.match_rate, 2) as rate,
    h.in_force
from (
    select department, records, as_of, match_rate, in_force from linkage_quality_history
    union all select department, records, as_of, match_rate, in_force from linkage_quality
) as h order by source, h.as_of
"""
SOURCES = """
select
    department || ' ' || records, state, age_days, received, quarantined, in_force,
    round(100 * match_rate, 2), rejected_batch, rejected_on, rejected_rule, rejected_rows, next_step
from source_status
order by case state when 'ok' then 1 else 0 end, department, records
"""


TASKS = """
select department, count(*) filter (where closed_on is null) as open,
    count(*) filter (where closed_on is null and due_on < {as_of}) as overdue,
    count(*) filter (where opened_on = {as_of}) as opened,
    count(*) filter (where closed_on = {as_of}) as closed
from follow_up_task group by 1 order by open desc, 1
"""


def _picture(title: str, svg: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Shown:
    return {
        "picture": dg.MetadataValue.md(as_markdown(svg, title)),
        "figures": dg.MetadataValue.md(figures(header, rows)),
    }


def lamps_by_town(house: RunContext, as_of: date) -> Shown:
    """How many lamps of each level (over time), and the red ones by town."""
    rows = house.engine.rows(LAMPS.format(area=area_select()))
    title = f"Red lamps by town 红灯, {as_of}"
    svg = bars(title, [(str(row[0]), float(row[1])) for row in rows], colour=RED)
    counts = {level: sum(int(row[place]) for row in rows) for place, level in enumerate(LEVELS, 1)}
    held = sum(int(row[5]) for row in rows)
    return {**counts, "held": held, **_picture(title, svg, ("town", *LEVELS, "held"), rows)}


def compared_with(house: RunContext, as_of: date) -> Shown:
    """The day that changes are counted from, and what to say where it is of another layout."""
    before = released_day(house.runner.inputs, "warning_flag", as_of)
    if before is None:
        return {"compared_on": "no earlier day"}
    return {"compared_on": before.isoformat(), **layouts_apart(house, before, as_of)}


def layouts_apart(house: RunContext, before: date, as_of: date) -> Shown:
    """What a comparison of two days has to say; nothing within one layout."""
    said = across(house.made_in(before), house.moment(as_of).layout)
    return {"layouts": said} if said else {}


def tasks_by_department(house: RunContext, as_of: date) -> Shown:
    """How many tasks are open, overdue, opened and closed today (over time), and whose they are."""
    rows = house.engine.rows(TASKS.format(as_of=f"date '{as_of}'"))
    title = f"Open tasks by department 任务清单, {as_of}"
    svg = bars(title, [(str(row[0]), float(row[1])) for row in rows])
    header = ("department", "open", "overdue", "opened", "closed")
    totals = {
        name: sum(int(row[place]) for row in rows) for place, name in enumerate(header) if place
    }
    return {**totals, **_picture(title, svg, header, rows)}


def match_rates(house: RunContext, as_of: date) -> Shown:
    """Today's match rates, and those of the last days as far as the lake has them."""
    rows = house.engine.rows(RATES)
    days = sorted({day for _, day, _, _ in rows})
    by_source: dict[str, dict[date, Any]] = {}
    for source, day, rate, _ in rows:
        by_source.setdefault(str(source), {})[day] = rate
    table = [[source, *(rates.get(day) for day in days)] for source, rates in by_source.items()]
    title = f"Match rate 匹配率 over the last days, % linked, {as_of}"
    rates = [
        (source, None if found.get(as_of) is None else float(found[as_of]))
        for source, found in by_source.items()
    ]
    drawn = [
        (source, [None if rates.get(day) is None else float(rates[day]) for day in days])
        for source, rates in by_source.items()
    ]
    svg = lines(title, [f"{day:%m-%d}" for day in days], drawn, " %")
    linked = [(rate, source) for source, rate in rates if rate is not None]
    lowest = {"lowest match rate, %": min(linked)[0], "lowest is": min(linked)[1]} if linked else {}
    return {**lowest, **_picture(title, svg, ("source", *(str(day) for day in days)), table)}


def sources_and_quarantine(house: RunContext, as_of: date) -> Shown:
    """Which sources are not well, and what is in quarantine, by rule."""
    lines = list_quarantine(house.engine, house.lake, house.contracts(), as_of)
    title = f"Rows in quarantine 隔离区 by rule, {as_of}"
    shown = sorted(lines, key=lambda line: (-line.rows, line.records, line.rule))
    svg = bars(title, [(f"{line.records} {line.rule}", float(line.rows)) for line in shown[:25]])
    rows = [
        (f"{line.records} {line.rule}", line.rows, line.first_seen_on, line.times_seen)
        for line in shown
    ]
    header = ("rule", "rows", "since", "seen at most")
    sources = house.engine.rows(SOURCES)
    counts = ("source", "state", "days old", "received", "quarantined", "in force", "match rate, %")
    names = (*counts, "rejected batch", "of", "rule", "rows", "what to do")
    return {
        "rejected": sum(1 for row in sources if row[9] is not None),
        "stale": sum(1 for row in sources if row[1] == "stale"),
        "missing": sum(1 for row in sources if row[1] == "missing"),
        "in quarantine": sum(line.rows for line in lines),
        "sources": dg.MetadataValue.md(figures(names, sources)),
        **_picture(title, svg, header, rows),
    }
