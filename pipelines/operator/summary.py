"""What `make sync` ends with: the release, what changed, the state of every source,
how to look further.

Belongs here: asking the warehouse as its readers see it, and laying out the answer. Not here:
running (`sync`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from expectations.contract import load_contracts
from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.server import warehouse_server
from resources.settings import Settings
from warehouse.graph.registry import layer_and_folder
from warehouse.graph.under import MADE
from warehouse.known import county_known_from
from warehouse.layouts import across
from warehouse.ledger import STATES

SOURCES = (
    "select department, records, state, age_days, received, accepted, unchanged, superseded,"
    " withdrawn, quarantined, in_force, linked, match_rate, rejected_batch, rejected_on,"
    " rejected_rule, rejected_rows, next_step from {of_the_day} order by department, records"
)
COUNTS = (
    "age_days",
    "received",
    "accepted",
    "unchanged",
    "superseded",
    "withdrawn",
    "lacked",
    "quarantined",
    "in_force",
    "linked",
)
"""The columns of the table; `lacked`: keys in force that a full delivery did not have any more,
and that went with it.
"""
RELEASE = """
select release_id, as_of, is_provisional, households, red, yellow, rule_version,
    left(checksum, 12) as checksum, layout,
    (select r.as_of from ops.release as r join ops.current_release using (release_id)) as current
from ops.release where as_of = :as_of order by release_id desc limit 1
"""
BEFORE = (
    "select release_id, as_of, households, red, yellow, layout from ops.release"
    " where release_id < :release_id order by release_id desc limit 1"
)


def table(header: list[str], rows: list[list[str]]) -> str:
    """Columns aligned, the first two to the left, the others to the right."""
    widths = [max(len(line[i]) for line in [header, *rows]) for i in range(len(header))]
    lines = [
        "  ".join(
            cell.ljust(w) if i < 2 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in [header, *rows]
    ]
    return "\n".join(line.rstrip() for line in lines)


def number(value: Any) -> str:
    return "-" if value is None else f"{value:,}"


def share(value: Any) -> str:
    return "-" if value is None else f"{value:.2%}"


def _changed(now: int, before: int | None) -> str:
    return "" if before is None else f" ({now - before:+,})"


def print_summary(
    settings: Settings, as_of: date, seconds: float, *, is_verbose: bool = False
) -> None:
    """Prints the day's release as it stands in the warehouse, and the day's own sources."""
    with warehouse_server(settings.home, settings.warehouse_url) as server:
        engine = server.engine()
        with engine.connect() as connection:
            is_there = connection.scalar(sa.text("select to_regclass('ops.release')")) is not None
            release = (
                connection.execute(sa.text(RELEASE), {"as_of": as_of}).mappings().first()
                if is_there
                else None
            )
            before = None
            if release is not None:
                before = (
                    connection.execute(sa.text(BEFORE), {"release_id": release["release_id"]})
                    .mappings()
                    .first()
                )
        engine.dispose()
    print()
    if release is None:
        print(_not_published(Lake(settings.lake), as_of))
    else:
        made = (Lake(settings.lake).read_note(*MADE, as_of) or {}).get("touched")
        _print_release(dict(release), dict(before) if before else None, seconds, made)
    print("\n".join(anew(settings, as_of)), end="")
    sources, ledgers = _sources(settings, as_of), _ledgers(settings, as_of)
    if is_verbose:
        _print_table(sources, ledgers)
    else:
        print("\n".join(by_state(sources)))
    _print_what_to_do(sources, ledgers)
    print(
        'Query it:  echo "select level, count(*) from yihu.warning_flag group by 1" | make -s psql'
        " ROLE=yihu_reader"
    )
    print("Look at it: make ui (assets, checks, quarantine counts), make status (what to do next)")


def _not_published(lake: Lake, as_of: date) -> str:
    first = county_known_from(lake)
    if first is not None and as_of < first:
        said = f"{as_of} cannot be known: the register was first read for {first}"
        return f"{said}. It was computed in the lake and published nowhere."
    said = f"{as_of}: recomputed in the lake; a later day is current"
    return f"{said}, so the warehouse stands as it was."


LAMPS = """
select count(*) filter (where w.level is distinct from n.level),
    count(*) filter (where w.level = 'red'), count(*) filter (where n.level = 'red'),
    count(*) filter (where w.level = 'yellow'), count(*) filter (where n.level = 'yellow')
from {before} as w full join {now} as n on n.household_id = w.household_id
"""


def anew(settings: Settings, as_of: date) -> list[str]:
    """What a past day that was made again has that it had not: what differs, which later days rest
    on it as it was, and the one command that makes them.
    """
    lake, flag = Lake(settings.lake), layer_and_folder("warning_flag")
    line = lake.beside()
    if line is None or as_of not in line.made or lake.version(*flag, as_of) is None:
        return []
    seen = lake.seeing(as_of)
    differing = [
        f"{layer} {table}"
        for layer, table in sorted({*lake.tables(), *seen.tables()})
        if lake.version(layer, table, as_of) != seen.version(layer, table, as_of)
    ]
    engine = Engine(settings.home / "tmp")
    try:
        before, now = (lake_.relation(*flag, as_of) for lake_ in (lake, seen))
        lamps, *counts = engine.rows(LAMPS.format(before=before, now=now))[0]
    finally:
        engine.close()
    red, red_now, yellow, yellow_now = (number(count) for count in counts)
    above = [day for day in lake.days(*flag) if day > as_of and day not in line.made]
    rests = f"; {above[0]} to {above[-1]} rest on it as it was" if above else ""
    return [
        f"{as_of} came out otherwise than before: {number(lamps)} lamps differ (red {red} ->"
        f" {red_now}, yellow {yellow} -> {yellow_now}), {len(differing)} tables:"
        f" {_shortened(differing)}",
        f"It lies beside{rests}. All take their place with: make sync FROM={line.first}\n",
    ]


def _shortened(names: list[str], shown: int = 6) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def _sources(settings: Settings, as_of: date) -> list[dict[str, Any]]:
    """The day's own sources, as the lake has them: the warehouse may show another day."""
    engine, lake = Engine(settings.home / "tmp"), Lake(settings.lake).seeing(as_of)
    try:
        of_the_day = lake.relation(*layer_and_folder("source_status"), as_of)
        rows = engine.rows(SOURCES.format(of_the_day=of_the_day))
    finally:
        engine.close()
    names = SOURCES.partition(" from ")[0].removeprefix("select ").split(", ")
    return [dict(zip(names, row, strict=True)) for row in rows]


def by_state(sources: list[dict[str, Any]]) -> list[str]:
    """A line a state: how many sources, and which; of one that is late, how old it is."""
    lines: list[str] = []
    for state in STATES:
        of_state = [source for source in sources if source["state"] == state]
        named = ", ".join(
            f"{source['records']}{_age(source) if state != 'ok' else ''}" for source in of_state
        )
        if of_state:
            lines.append(f"  {'sources' if not lines else '':<7}  {len(of_state)} {state}: {named}")
    return lines


def _age(source: Mapping[str, Any]) -> str:
    return "" if source["age_days"] is None else f" ({source['age_days']} days old)"


def _ledgers(settings: Settings, as_of: date) -> dict[tuple[str, str], dict[str, Any]]:
    """The day's ledger of each source, by department and record type."""
    lake = Lake(settings.lake).seeing(as_of)
    notes = [lake.read_note("ledger", contract.table, as_of) for contract in load_contracts()]
    return {(note["department"], note["records"]): note for note in notes if note is not None}


def _print_table(
    sources: list[dict[str, Any]], ledgers: dict[tuple[str, str], dict[str, Any]]
) -> None:
    """A row a source."""
    rows = []
    for source in sources:
        ledger = ledgers.get((source["department"], source["records"]), {})
        today = ledger.get("today") is not None
        source["lacked"] = (
            sum(batch.get("lacked", 0) for batch in ledger.get("batches", ())) if today else None
        )
        counts = (number(source[count]) for count in COUNTS)
        rows.append(
            [
                str(source["department"]),
                str(source["records"]),
                str(source["state"]),
                *counts,
                share(source["match_rate"]),
            ]
        )
    print()
    print(
        table(
            [
                "department",
                "records",
                "state",
                *(c.replace("_", " ") for c in COUNTS),
                "match rate",
            ],
            rows,
        )
    )
    print()


def _print_what_to_do(
    sources: list[dict[str, Any]], ledgers: dict[tuple[str, str], dict[str, Any]]
) -> None:
    """What was rejected, and how much is to be told."""
    for source in sources:
        if source["rejected_rule"] is not None:
            print(f"rejected: {rejected(source)}\n  -> {source['next_step']}")
    warnings = sum(len(ledger.get("warnings") or ()) for ledger in ledgers.values())
    if warnings:
        print(
            f"{warnings} warnings stand: make status lists them; those that are new are told in the"
            " day's digest"
        )


def rejected(source: Mapping[str, Any]) -> str:
    """What was rejected, in one line: source, batch, day, rule, rows."""
    rows = "" if source["rejected_rows"] is None else f", {source['rejected_rows']:,} rows"
    batch = source["rejected_batch"] or "a file"
    return (
        f"{source['department']} {source['records']}, {batch} of {source['rejected_on']}:"
        f" {source['rejected_rule']}{rows}"
    )


def _print_release(
    release: dict[str, Any], before: dict[str, Any] | None, seconds: float, made: str | None
) -> None:
    provisional = (
        " (provisional: the run after midnight replaces it)" if release["is_provisional"] else ""
    )
    print(
        f"Release {release['release_id']} as of {release['as_of']}{provisional}, in {seconds:.0f} s"
    )
    print(f"  rules {release['rule_version']}   checksum {release['checksum']}")
    if made:
        print(f"  {made}")
    previous = before or {}
    print(
        "  households"
        f" {release['households']:,}{_changed(release['households'], previous.get('households'))}  "
        f" red {release['red']:,}{_changed(release['red'], previous.get('red'))}   yellow"
        f" {release['yellow']:,}{_changed(release['yellow'], previous.get('yellow'))}"
        + (
            f"   against release {before['release_id']} of {before['as_of']}"
            if before
            else "   (the first release)"
        )
    )
    if before and (said := across(before["layout"], release["layout"])):
        print(f"  {said}")
    if (current := release["current"]) != release["as_of"]:
        why = "a later day is current, and stays so" if current > release["as_of"] else "it is back"
        print(f"  readers see {current}: {why}")
