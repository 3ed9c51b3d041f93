"""A day laid over the one before: which records are matched anew, and the day's rows as those that
stand and those that were made anew.

A record that is not matched anew was linked at once, by the plain join, and is now: its row of
`valid` is the same, and so is whoever has its number. Everything else is asked again, whatever
became of it before: what came, changed or went, what a number points at that somebody else may have
now, and whatever the plain join leaves open.

Belongs here: those selections. Not here: which households they touch (`touched`), whether a day is
laid over at all (`base`), where it is written (`assets.laying`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from expectations.contract import Contract
from expectations.engine import SqlEngine, day, literal, name
from warehouse.graph.inputs import TOUCHED, Inputs
from warehouse.graph.moment import Moment, Touched
from warehouse.graph.registry import maker
from warehouse.graph.runner import Runner
from warehouse.matching import (
    delivered,
    household_field,
    is_identified,
    record_id,
    type_parameters,
)

NEEDED = ("changed_number", "changed_register", "open_record")
"""The tables that say which records are matched anew."""
NOW, BEFORE = "now", "before"
"""The sides of a difference: a row of the day, a row of the day that it is laid over."""


def is_laid_over(contract: Contract) -> bool:
    """Whether its matched rows are laid over the day before's: not those about areas, which hang on
    every village."""
    return contract.subject != "area"


def differing(table: str) -> str:
    """The engine's table of the rows of `table` that differ, each with its `_side`."""
    return f"differing_{table}"


def sides(now: str, before: str) -> str:
    """The rows of two relations that are not in both, each with its `_side`."""
    return (
        f"select *, '{NOW}' as _side from (select * from {now} except select * from {before}) as n"
        f" union all select *, '{BEFORE}' as _side from (select * from {before} except select *"
        f" from {now}) as b"
    )


def overlay(engine: SqlEngine, table: str, before: str, made: str) -> str:
    """A SELECT of the day's rows of a table that is laid over: the day before's of untouched
    households, and those that were made, with whatever is in no household."""
    columns = ", ".join(c for c, _ in _named(engine, made))
    column = maker(table).laid_over
    return (
        f"select {columns} from {before} as b where b.{column} is not null and not exists (select 1"
        f" from {TOUCHED} as t where t.household_id = b.{column})"
        f" union all select {columns} from {made}"
    )


def lay_over(runner: Runner, tables: Sequence[str], moment: Moment, scope: Touched) -> None:
    """Makes tables for the touched households; leaves `differing(…)` of each on the engine: what
    is not as it was on the day that this one is laid over.
    """
    assert moment.base is not None
    runner.make(tables, moment, scope)
    before = runner.inputs.within(scope)
    for table in tables:
        made = name(table)
        columns = ", ".join(c for c, _ in _named(runner.engine, made))
        was = before.relation(table, moment.base)
        runner.engine.table(differing(table), sides(made, f"(select {columns} from {was}) as was"))


def _named(engine: SqlEngine, relation: str) -> list[tuple[str, str]]:
    """Its columns, quoted, with their types."""
    return [(name(column), kind) for column, kind in engine.columns(f"select * from {relation}")]


def lay_matched_over(runner: Runner, contract: Contract, moment: Moment) -> str:
    """Matches anew the records of a type that have to be; returns a SELECT of all of its matched
    rows of the day.

    Leaves `differing(…)` on the engine. `matched_<table>` has to be made.
    """
    assert moment.base is not None
    engine, inputs = runner.engine, runner.inputs
    table, key = f"matched_{contract.table}", name(contract.record_key.name)
    runner.make(NEEDED, moment)
    days = (moment.as_of, moment.base)
    now, then = (runner.rows(f"valid_{contract.table}", on) for on in days)
    asked, fresh = f"asked_{contract.table}", f"fresh_{contract.table}"
    columns = f"v.{key} as record_key, {record_id(contract)} as record_id"
    engine.table(
        asked,
        f"select {columns} from {now} as v where {' or '.join(_asked(contract, moment.base))} or"
        f" {key} not in (select {key} from {then}) union all select {columns} from {then} as v"
        f" where {key} not in (select {key} from {now})",
    )
    engine.table(fresh, matched_of(runner, contract, moment, f"select record_key from {asked}"))
    before = inputs.relation(table, moment.base)
    were = f"(select * from {before} where record_id in (select record_id from {asked}))"
    engine.table(differing(table), sides(fresh, were))
    columns = ", ".join(c for c, _ in _named(engine, fresh))
    return (
        f"select {columns} from {before} as b where not exists (select 1 from {asked} as a where"
        f" a.record_id = b.record_id) union all select {columns} from {fresh}"
    )


def matched_of(runner: Runner, contract: Contract, moment: Moment, keys: str) -> str:
    """A SELECT of the matched rows of the records with these keys; of an identified type only these
    records are joined at all.
    """
    valid, table = f"valid_{contract.table}", f"matched_{contract.table}"
    rows, key = runner.rows(valid, moment.as_of), name(contract.record_key.name)
    if is_identified(contract):
        return (
            f"with {name(valid)} as (select * from {rows} where {key} in ({keys}))"
            f" select * from ({runner.statement(table, moment)}) as matched"
        )
    ids = f"select {record_id(contract)} as record_id from {rows} as v where v.{key} in ({keys})"
    return f"select * from {name(table)} where record_id in ({ids})"


def _asked(contract: Contract, base: date) -> Sequence[str]:
    """SQL over a row `v` of valid, any of which has it matched anew."""
    ways = [f"v._arrived_on > {day(base)}"]
    if is_identified(contract):
        told = delivered(contract)
        return [
            *ways,
            f"v.{told.number} in (select number from changed_number)",
            f"cast({told.record_key} as varchar) in (select record_key from open_record where"
            f" record_type = {literal(contract.table)})",
        ]
    household = household_field(contract)
    assert household is not None
    ways.append(f"v.{household.name} in (select household_id from changed_register)")
    if type_parameters(contract)["has_member_id"]:
        ways.append("v.member_id in (select member_id from changed_member)")
    return ways


def drop_of(engine: SqlEngine, contract: Contract) -> None:
    """Gives up what laying a record type over needed, but for its difference."""
    for prefix in ("asked", "fresh"):
        engine.drop(f"{prefix}_{contract.table}")


def compared(engine: SqlEngine, inputs: Inputs, table: str, moment: Moment) -> None:
    """Makes `differing(table)`: what the lake knows to differ, or else by comparing the two days;
    nothing where they are the same version."""
    assert moment.base is not None
    now, before = (inputs.relation(table, on) for on in (moment.as_of, moment.base))
    known = inputs.difference(table, moment.base, moment.as_of)
    if known is not None:
        engine.table(differing(table), known)
        return
    if inputs.version(table, moment.as_of) == inputs.version(table, moment.base):
        engine.table(differing(table), f"select *, '{NOW}' as _side from {now} where false")
        return
    engine.table(differing(table), sides(now, before))
