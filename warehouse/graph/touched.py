"""The households that a day touches: those whose rows can be others than on the day that it is laid
over. Every other household's rows stand.

Touched is who has a record that came, changed, went, or is tied otherwise, on either side; whom
such a record reaches (a retrofit counts with its dwelling, a reversal with its original); who is a
candidate of what waits, or no longer; whose person the register says otherwise; and whom the
calendar alone touches. Where everybody may be touched, that is said instead of a set.

Belongs here: from differing rows and dates to households, set-wise. Not here: which rows differ
(`laying`), the dates (`calendar`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from expectations.engine import SqlEngine
from warehouse.graph.calendar import UnknownBoundary, changes, turning
from warehouse.graph.heads import Kind
from warehouse.graph.inputs import DWELLINGS, RETROFITS, SETTLEMENTS, TOUCHED, Inputs
from warehouse.graph.laying import compared, differing
from warehouse.graph.moment import Moment
from warehouse.graph.registry import is_of_type, is_stored, laid_over, with_needs
from warehouse.graph.runner import Runner
from warehouse.indicators import day_parameters

LARGEST_SHARE = 1 / 3
"""Where more of the households are touched, making them all costs less."""
CAUSES = ("records", "persons", "questions", "calendar")
HOUSEHOLDS = "matched_rural_revitalisation__households"


@dataclass(frozen=True)
class TouchedSet:
    """How many households of how many are touched, and by what; or why all of them are."""

    touched: int
    households: int
    by_cause: Mapping[str, int]
    why_all: str = ""

    def __str__(self) -> str:
        if self.why_all:
            return f"in full: {self.why_all}"
        told = ", ".join(f"{cause} {count:,}" for cause, count in self.by_cause.items() if count)
        return f"{self.touched:,} of {self.households:,} households touched ({told or 'nothing'})"


def everybody(why: str) -> TouchedSet:
    return TouchedSet(0, 0, {}, why)


def matched_inputs() -> tuple[str, ...]:
    """The matched record types that the tables that are laid over are made of."""
    found = {
        read.table
        for model in with_needs(laid_over())
        for read in model.inputs
        if is_of_type(read.table) and read.kind is not Kind.CLOCK
    }
    return tuple(sorted(found))


def other_inputs() -> frozenset[str]:
    """The other kept tables of the day that they are made of."""
    found = {
        read.table
        for model in with_needs(laid_over())
        for read in model.reads(Kind.SAME_DAY, Kind.IF_THERE, Kind.ASKED)
        if not is_of_type(read.table) and is_stored(read.table)
    }
    return frozenset(found - set(laid_over()))


def touch(runner: Runner, moment: Moment, known: Collection[str] = ()) -> TouchedSet:
    """Makes `touched_household` of a day that is laid over `moment.base`.

    `known`: the tables whose `differing(…)` are on the engine already; others are compared.
    """
    assert moment.base is not None
    engine, inputs = runner.engine, runner.inputs
    before = replace(moment, as_of=moment.base, earlier_than=moment.base)
    if why := _everybody(runner, moment, before):
        return everybody(why)
    for table in _there(inputs, moment):
        if table not in known:
            compared(engine, inputs, table, moment)
    try:
        selects = list(_selects(inputs, moment, before))
    except UnknownBoundary as error:
        return everybody(error.message)
    engine.table(
        "touched_by",
        " union all ".join(
            f"select distinct '{cause}' as cause, household_id from ({select}) as found where"
            " household_id is not null"
            for cause, select in selects
        ),
    )
    engine.table(TOUCHED, "select distinct household_id from touched_by")
    households = int(
        engine.scalar(f"select count(*) from {inputs.relation(HOUSEHOLDS, moment.as_of)}")
    )
    touched = int(engine.scalar(f"select count(*) from {TOUCHED}"))
    counted = {
        str(cause): int(count)
        for cause, count in engine.rows(
            "select cause, count(distinct household_id) from touched_by group by cause"
        )
    }
    by_cause = {cause: counted.get(cause, 0) for cause in CAUSES}
    why = ""
    if touched > LARGEST_SHARE * households:
        why = f"{touched:,} of {households:,} households are touched"
    return TouchedSet(touched, households, by_cause, why)


def _there(inputs: Inputs, moment: Moment) -> list[str]:
    """The tables whose differing rows say who is touched, as far as the day has them."""
    tables = (*matched_inputs(), "person", "review_queue")
    return [table for table in tables if inputs.version(table, moment.as_of) is not None]


def _everybody(runner: Runner, moment: Moment, before: Moment) -> str:
    """Why everybody is touched, whoever's records differ; nothing where nobody says so."""
    engine, inputs = runner.engine, runner.inputs
    for table in matched_inputs():
        there = [inputs.version(table, m.as_of) is not None for m in (before, moment)]
        if there[0] != there[1]:
            return f"{table} {'began' if there[1] else 'ended'}"
    years = [day_parameters(m.as_of, m.rules)["enrolment_years"] for m in (before, moment)]
    if years[0] != years[1]:
        return f"enrolments count for {years[1]}, not {years[0]}"
    states = [_states(runner, m) for m in (before, moment)]
    if other := sorted(set(states[1]) ^ set(states[0])):
        return f"{', '.join(sorted({records for records, _ in other}))} changed state"
    counties = [
        engine.rows(
            "select distinct substr(area_code, 1, 6) from"
            f" {inputs.relation(HOUSEHOLDS, m.as_of)} where area_code is not null order by 1"
        )
        for m in (before, moment)
    ]
    return "a county came or went" if counties[0] != counties[1] else ""


def _states(runner: Runner, moment: Moment) -> set[tuple[str, str]]:
    status = runner.inputs.relation("source_status", moment.as_of)
    found = runner.engine.rows(
        f"with source_status as (select * from {status})"
        f" select records, state from ({runner.statement('source_state', moment)}) as told"
    )
    return {(str(records), str(state)) for records, state in found}


def _selects(inputs: Inputs, moment: Moment, before: Moment) -> Iterator[tuple[str, str]]:
    """Cause and SELECT of household ids."""
    days = (moment.as_of, before.as_of)

    def both(table: str, columns: str) -> str:
        parts = (f"select {columns} from {inputs.relation(table, on)}" for on in days)
        return f"({' union all '.join(parts)})"

    there = [table for table in matched_inputs() if inputs.version(table, moment.as_of)]
    for table in there:
        for select in _of_records(table, differing(table), both):
            yield "records", select
    yield "persons", f"select household_id from {differing('person')}"
    yield (
        "questions",
        f"select p.household_id from {both('person', 'person_key, household_id')} as p where"
        " p.person_key in (select unnest(candidates) from"
        f" {differing('review_queue')})",
    )
    for table, declared in changes().items():
        # of rows that are the same on both days, either day's do; what it closed lies on the base
        on = moment.as_of if is_of_type(table) or table == "person" else before.as_of
        if inputs.version(table, on) is None:
            continue
        condition = " or ".join(f"({turning(change, before, moment)})" for change in declared)
        due = f"(select * from {inputs.relation(table, on)} where {condition})"
        for select in _of_records(table, due, both):
            yield "calendar", select


def _of_records(table: str, records: str, both: Callable[[str, str], str]) -> Iterator[str]:
    """SELECTs of the households that records of a type count for."""
    yield f"select r.household_id from {records} as r"
    if table == RETROFITS:
        dwellings = both(DWELLINGS, "record_id, household_id")
        yield (
            f"select d.household_id from {dwellings} as d where d.record_id in"
            f" (select r.dwelling_id from {records} as r)"
        )
    if table == DWELLINGS:
        retrofits = both(RETROFITS, "dwelling_id, household_id")
        yield (
            f"select t.household_id from {retrofits} as t where t.dwelling_id in"
            f" (select r.record_id from {records} as r)"
        )
    if table == SETTLEMENTS:
        settlements = both(SETTLEMENTS, "record_id, reverses_id, household_id")
        yield (
            f"with recursive led_to as (select r.reverses_id as record_id from {records} as r where"
            " r.reverses_id is not null union select s.reverses_id from led_to as l inner join"
            f" {settlements} as s on s.record_id = l.record_id where s.reverses_id is not null)"
            f" select s.household_id from {settlements} as s where s.record_id in"
            " (select record_id from led_to)"
        )


def drop(engine: SqlEngine) -> None:
    """Gives up what the set was made from."""
    for table in (*matched_inputs(), "person", "review_queue"):
        engine.drop(differing(table))
    engine.drop("touched_by")
