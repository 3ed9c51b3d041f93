"""What a trial would do to households:
how many of its records would be tied to one, which indicators and lamps move.

Belongs here: the newest day of the lake, computed with this record type's state in the place of its
own. Not here: how records are matched and indicators counted (`warehouse`). Stewards' answers of
the review are not asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from expectations.contract import load_contracts
from expectations.engine import literal, name
from pipelines.dry_run.run import REGISTER, DryRun
from resources.engines.duckdb import Engine
from resources.lake import Lake
from resources.settings import Settings
from warehouse.catalogue import Indicator
from warehouse.graph.inputs import LakeInputs, MissingInput
from warehouse.graph.registry import layer_and_folder
from warehouse.graph.runner import Runner
from warehouse.graph.under import made_moment
from warehouse.matching import OUTCOMES
from warehouse.schema.lake import STEWARD_DECISION


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
    """Households by their lamp now and then, where it differs;
    empty where lamps were not asked for.
    """


def newest_day(lake: Lake) -> date | None:
    """The newest day whose indicators the lake has."""
    return max(lake.days(*layer_and_folder("household_indicator")), default=None)


def effects(made: DryRun, settings: Settings, with_lamps: bool = False) -> Effects | None:
    """The effects of a trial on the newest day; None where the lake has no day yet.
    Leaves its tables on the trial's engine.
    """
    lake, engine, contract = Lake(settings.lake), made.engine, made.contract
    day = newest_day(lake)
    if day is None or any(lake.version("valid", table, day) is None for table in REGISTER):
        return None
    contracts = (*(other for other in load_contracts() if other.table != contract.table), contract)
    inputs = LakeInputs(lake, {"steward_decision": lambda _: STEWARD_DECISION.arrow.empty_table()})
    runner, moment = (
        Runner(engine, inputs, contracts, settings.pseudonym_key),
        made_moment(lake, engine, day),
    )
    matched, tried = f"matched_{contract.table}", "tried_records"
    runner.make(
        [matched],
        moment,
        given={f"valid_{contract.table}": made.lake.relation("valid", contract.table, made.as_of)},
    )
    engine.table(tried, f"select * from {name(matched)}")
    counted = engine.rows(f"select outcome, count(*) from {tried} group by outcome")
    outcomes = dict.fromkeys(OUTCOMES, 0) | {str(outcome): int(count) for outcome, count in counted}
    read = [
        indicator
        for indicator in moment.catalogue.indicators
        if contract.records in indicator.sources
    ]
    if not read:
        return Effects(day, outcomes, None, {})
    # a source that was missing is there with the trial
    states = (
        f"(select records, case when records = {literal(contract.records)} then 'ok' else state end"
        " as state from source_status)"
    )
    given = {matched: tried, "source_state": states}
    try:
        runner.use("source_status", day)
        runner.make(["household_indicator"], moment, given=given)
        moved = _moved(engine, lake, day, read)
        lamps: dict[tuple[str, str], int] = {}
        if with_lamps:
            runner.make(["household_indicator", "warning_flag"], moment, given=given)
            lamps = _lamps(engine, lake, day)
    except MissingInput:
        return Effects(day, outcomes, None, {})
    return Effects(day, outcomes, moved, lamps)


def _moved(engine: Engine, lake: Lake, day: date, read: Sequence[Indicator]) -> tuple[Moved, ...]:
    engine.view(
        "indicator_of_the_day",
        f"select * from {lake.relation(*layer_and_folder('household_indicator'), day)}",
    )
    counts = ", ".join(
        f"count(*) filter (a.{i.column} is distinct from b.{i.column}), "
        f"count(*) filter (b.{i.column} is null and a.{i.column} is not null), "
        f"count(*) filter (a.{i.column} is null and b.{i.column} is not null)"
        for i in read
    )
    found = engine.rows(
        f"select {counts} from household_indicator as a full join indicator_of_the_day as b using"
        " (household_id)"
    )[0]
    moved = [Moved(i, *(int(n) for n in found[3 * at : 3 * at + 3])) for at, i in enumerate(read)]
    return tuple(m for m in moved if m.households)


def _lamps(engine: Engine, lake: Lake, day: date) -> dict[tuple[str, str], int]:
    engine.view(
        "flags_of_the_day", f"select * from {lake.relation(*layer_and_folder('warning_flag'), day)}"
    )
    found = engine.rows(
        "select coalesce(b.level, 'none'), coalesce(a.level, 'none'), count(*) "
        "from warning_flag as a full join flags_of_the_day as b using (household_id) group by 1, 2"
    )
    return {
        (str(before), str(after)): int(count) for before, after, count in found if before != after
    }
