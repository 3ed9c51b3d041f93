"""A county's day from `valid` to what follows, and the rhythms, on any engine: every model once.

Belongs here: the calls that the assets make, without Dagster and without a lake to write to. Not here: comparing (`twin`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from assets.flags import NO_PREVIOUS as NO_FLAGS
from expectations.contract import Contract, load_contracts
from expectations.engine import SqlEngine
from resources.house import place
from resources.lake import Lake
from warehouse import linkage, matching, review, sources
from warehouse.follow_up import NO_PREVIOUS, build_following
from warehouse.following_rules import load_following
from warehouse.indicators import build_indicators
from warehouse.rhythms import RHYTHMS, build_rhythm, build_visits, nothing_before
from warehouse.scoring import build_flags
from warehouse.scoring_rules import load_rules

KEY = b"a key for tests, of 32 characters"


def files(lake: Lake, table: str, as_of: date) -> str:
    """Where a day of a table lies."""
    found = lake.files(*place(table), as_of)
    assert found is not None, f"{table} has no day {as_of}"
    return found


def use_previous(engine: SqlEngine, lake: Lake, table: str, as_of: date, nothing: str | None) -> None:
    """`previous_<table>`: its newest day before `as_of`, or `nothing`."""
    day = lake.latest(*place(table), as_of)
    if day is not None:
        source = f"read_parquet('{files(lake, table, day)}', hive_partitioning = false)"
        engine.view(f"previous_{table}", f"select *, date '{day}' as _as_of from {source}")
    elif nothing is not None:
        engine.view(f"previous_{table}", nothing)


def make_links(engine: SqlEngine, lake: Lake, contracts: Sequence[Contract], as_of: date, decisions: str) -> None:
    """The spine, every record type matched to it, the quality of the links, the queue."""
    for contract in contracts:
        engine.parquet_view(f"valid_{contract.table}", files(lake, f"valid_{contract.table}", as_of))
    for table in ("person_key_map", "review_queue"):
        use_previous(engine, lake, table, as_of, None)
    engine.table("review_decision", decisions)
    matching.build_person(engine, as_of, KEY)
    matching.build_spine(engine, as_of, KEY)
    for contract in contracts:
        matching.build_matched(engine, contract, as_of, KEY)
    linkage.build_linkage_quality(engine, contracts, as_of)
    engine.view("linkage_quality_history", "select department, records, in_force, match_rate, as_of from linkage_quality where false")
    linkage.match_rate_falls(engine)
    review.build_review_queue(engine, contracts, as_of)


def make_lamps(engine: SqlEngine, lake: Lake, contracts: Sequence[Contract], as_of: date) -> None:
    """Sources, indicators, lamps, what follows."""
    ledgers = [lake.read_note("ledger", contract.table, as_of) for contract in contracts]
    sources.build_source_status(engine, [ledger for ledger in ledgers if ledger is not None])
    rules = load_rules(as_of)
    build_indicators(engine, as_of, rules)
    use_previous(engine, lake, "warning_flag", as_of, NO_FLAGS)
    build_flags(engine, as_of, rules)
    for table, nothing in NO_PREVIOUS.items():
        use_previous(engine, lake, table, as_of, nothing)
    build_following(engine, as_of, rules, load_following(as_of))


def make_rhythms(engine: SqlEngine, lake: Lake, as_of: date) -> None:
    """Each rhythm's period that holds the day, counted on it."""
    periods: dict[str, Any] = {"weekly_statistics": date.fromordinal(as_of.toordinal() - as_of.weekday())}
    for rhythm in RHYTHMS:
        quarter = date(as_of.year, 3 * ((as_of.month - 1) // 3) + 1, 1)
        period_on = periods.get(rhythm.name, as_of.replace(day=1) if rhythm.months == 1 else quarter)
        compared_on = None if rhythm.previous is None else lake.latest(*place(rhythm.previous), as_of)
        if rhythm.previous is not None and compared_on is None:
            nothing_before(rhythm, engine)
        elif rhythm.previous is not None:
            use_previous(engine, lake, rhythm.previous, as_of, None)
        if rhythm.name == "flag_accuracy":
            build_visits(engine, period_on, as_of, [as_of])
            for history, table in (("lamp_history", "warning_flag"), ("reason_history", "warning_reason")):
                engine.view(history, f"select *, date '{as_of}' as _as_of from {table}")
        build_rhythm(engine, rhythm, period_on, as_of, load_rules(as_of), load_following(as_of), compared_on)


def make_day(engine: SqlEngine, lake: Lake, as_of: date, decisions: str = matching.NO_REVIEW_DECISION) -> None:
    """Every table of the day from `valid` on, by their own names on the engine."""
    contracts = load_contracts()
    make_links(engine, lake, contracts, as_of, decisions)
    make_lamps(engine, lake, contracts, as_of)
    make_rhythms(engine, lake, as_of)
