"""What a trial would do to households: how many of its records would be tied to one, which indicators and lamps move.

Belongs here: the newest day of the lake, computed with this record type's state in the place of its own. Not here: how
records are matched and indicators counted (`warehouse`). Stewards' answers of the review are not asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from expectations.contract import Contract, load_contracts
from expectations.engine import literal
from pipelines.trying.trial import REGISTER, Trial
from resources.engine import Engine
from resources.lake import Lake
from resources.settings import Settings
from warehouse.catalogue import Indicator, load_indicators
from warehouse.indicators import build_household_indicator, build_values
from warehouse.matching import OUTCOMES, build_matched, build_spine
from warehouse.scoring import build_lamps
from warehouse.scoring_rules import load_rules

LAYERS = {"warning_flag": "flags"}
"""The lake's layer of a table that is neither `matched_…` nor among the households' own."""


def place(table: str) -> tuple[str, str]:
    """Layer and folder of a table in the lake, as `resources.house` has it: that one loads Dagster."""
    prefix, _, rest = table.partition("_")
    return (prefix, rest) if prefix == "matched" else (LAYERS.get(table, "household"), table)


@dataclass(frozen=True)
class Moved:
    """An indicator that would be another one for some households."""

    indicator: Indicator
    households: int
    appears: int
    """Households for which it was not known and would be."""
    vanishes: int


@dataclass(frozen=True)
class Effects:
    """What would change on the newest day that the lake has."""

    day: date
    outcomes: dict[str, int]
    """Records by the outcome of matching."""
    moved: tuple[Moved, ...] | None
    """None where no indicator reads these records."""
    lamps: dict[tuple[str, str], int]
    """Households by their lamp now and then, where it differs; empty where lamps were not asked for."""


def newest_day(lake: Lake) -> date | None:
    """The newest day whose indicators the lake has."""
    return max(lake.days(*place("household_indicator")), default=None)


def effects(made: Trial, settings: Settings, with_lamps: bool = False) -> Effects | None:
    """The effects of a trial on the newest day; None where the lake has no day yet. Leaves its tables on the trial's engine."""
    lake, engine, contract = Lake(settings.lake), made.engine, made.contract
    day = newest_day(lake)
    if day is None:
        return None
    register = [lake.files("valid", table, day) for table in REGISTER]
    if None in register:
        return None
    state = made.lake.files("valid", contract.table, made.as_of)
    for table, files in zip(REGISTER, register, strict=True):
        if table != contract.table:
            engine.parquet_view(f"valid_{table}", str(files))
    engine.parquet_view(f"valid_{contract.table}", str(state))
    _view(engine, lake, "person_key_map", day)
    build_spine(engine, day, settings.pseudonym_key)
    build_matched(engine, contract, day, settings.pseudonym_key)
    counted = engine.rows(f"select outcome, count(*) from matched_{contract.table} group by outcome")
    outcomes = dict.fromkeys(OUTCOMES, 0) | {str(outcome): int(count) for outcome, count in counted}
    read = [indicator for indicator in load_indicators() if contract.records in indicator.sources]
    if not read or not _use_day(engine, lake, contract, day):
        return Effects(day, outcomes, None, {})
    rules = load_rules(day)
    build_values(engine, day, rules)
    build_household_indicator(engine)
    moved = _moved(engine, lake, day, read)
    lamps: dict[tuple[str, str], int] = {}
    if with_lamps:
        _view(engine, lake, "warning_flag", day, "flags_of_the_day")
        before = lake.latest(*place("warning_flag"), day)
        _view(engine, lake, "warning_flag", before or day, "flags_before")
        engine.table("previous_warning_flag", f"select * from flags_before{'' if before else ' where false'}")
        build_lamps(engine, day, rules)
        lamps = _lamps(engine)
    return Effects(day, outcomes, moved, lamps)


def _use_day(engine: Engine, lake: Lake, contract: Contract, day: date) -> bool:
    """What the indicators read, with the trial's records in the place of the day's own; false where something is not there."""
    for other in load_contracts():
        if other.table != contract.table and not _view(engine, lake, f"matched_{other.table}", day):
            return False
    if not all(_view(engine, lake, table, day) for table in ("person", "source_status")):
        return False
    # a source that was missing is there with the trial
    engine.view(
        "source_state",
        f"select records, case when records = {literal(contract.records)} then 'ok' else state end as state from source_status",
    )
    return True


def _view(engine: Engine, lake: Lake, table: str, day: date, view: str | None = None) -> bool:
    files = lake.files(*place(table), day)
    if files is None:
        return False
    engine.parquet_view(view or table, files)
    return True


def _moved(engine: Engine, lake: Lake, day: date, read: Sequence[Indicator]) -> tuple[Moved, ...]:
    _view(engine, lake, "household_indicator", day, "indicator_of_the_day")
    counts = ", ".join(
        f"count(*) filter (a.{i.column} is distinct from b.{i.column}), "
        f"count(*) filter (b.{i.column} is null and a.{i.column} is not null), "
        f"count(*) filter (a.{i.column} is null and b.{i.column} is not null)"
        for i in read
    )
    found = engine.rows(f"select {counts} from household_indicator as a full join indicator_of_the_day as b using (household_id)")[0]
    moved = [Moved(i, *(int(n) for n in found[3 * at : 3 * at + 3])) for at, i in enumerate(read)]
    return tuple(m for m in moved if m.households)


def _lamps(engine: Engine) -> dict[tuple[str, str], int]:
    found = engine.rows(
        "select coalesce(b.level, 'none'), coalesce(a.level, 'none'), count(*) "
        "from warning_flag as a full join flags_of_the_day as b using (household_id) group by 1, 2"
    )
    return {(str(before), str(after)): int(count) for before, after, count in found if before != after}
