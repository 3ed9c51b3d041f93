"""A day laid over the one before: made for the households that it touches, proved on some towns,
and in full where that is not the same.

Belongs here: the way from a step's tables to the lake. Not here: which households are touched
(`warehouse.graph.touched`), what is compared (`warehouse.graph.proof`), counties
(`assets.by_county`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import dagster as dg

from expectations.contract import Contract
from expectations.engine import name
from resources.runtime.context import RunContext
from warehouse.graph import proof, registry
from warehouse.graph.laying import drop_of, is_laid_over, lay_matched_over, overlay

CHECK = "incremental_equals_full"
SAYS = (
    "What was laid over the day before is what a full run makes: the towns of the day's bucket,"
    " everything on Sundays. Where it is not, the day was made in full."
)
PROVED = {"links": "linkage_quality", "following": "household_card"}
"""The table of a step that carries the check: of the matched records, and of everything."""
LAST = "following"


def is_over(house: RunContext, as_of: date) -> bool:
    """Whether the day's households are laid over the day before's."""
    return house.scope(as_of) is not None


def over(house: RunContext, as_of: date, tables: Iterable[str]) -> list[str]:
    """Those of the tables that are laid over the day before's."""
    wanted = [table for table in registry.ordered(tables) if table in registry.laid_over()]
    return wanted if wanted and is_over(house, as_of) else []


def make_tables(house: RunContext, as_of: date, step: str, tables: Sequence[str]) -> None:
    """Makes the tables of a step; those that are laid over lie in the lake then, and with the last
    step they are proved."""
    laid = over(house, as_of, tables)
    if laid:
        _lay(house, as_of, laid)
        house.note_written(laid, as_of)
        house.proof(as_of).add(laid, {})
    if step == LAST:
        prove(house, as_of)
    house.make([table for table in tables if table not in laid], house.moment(as_of))
    use_whole(house, as_of, tables)


def prove(house: RunContext, as_of: date) -> None:
    """Holds what this run laid over against what a full run makes; in full where it differs."""
    laid = [table for table in house.proof(as_of).tables if not registry.is_of_type(table)]
    if not laid:
        return
    tables = registry.ordered(laid)
    found, what = proof.differences(house.runner, house.moment(as_of), tables)
    house.proof(as_of).add(tables, found, what)
    if found:
        make_in_full(house, as_of)


def _lay(house: RunContext, as_of: date, tables: Sequence[str]) -> None:
    moment, scope = house.moment(as_of), house.scope(as_of)
    assert moment.base is not None and scope is not None
    house.runner.make(tables, moment, scope)
    selects = {
        table: overlay(
            house.engine, table, house.runner.inputs.relation(table, moment.base), name(table)
        )
        for table in tables
    }
    for table in reversed(tables):  # a view stands on what was made before it
        house.keep(table, as_of, selects[table])


def make_matched(
    house: RunContext, as_of: date, contract: Contract, beside: Sequence[Contract]
) -> str | None:
    """Makes a record type's matched rows on the engine; a SELECT of all of them where they are laid
    over the day before's."""
    table, moment = f"matched_{contract.table}", house.moment(as_of)
    house.make([table], moment, beside=beside)
    if moment.base is None or not is_laid_over(contract):
        return None
    select = lay_matched_over(house.runner, contract, moment)
    found = proof.matched_difference(house.runner, contract, moment, select)
    house.proof(as_of).add([table], {table: found} if found else {})
    if not found:
        return select
    make_in_full(house, as_of)
    return None


def kept_matched(house: RunContext, as_of: date, contract: Contract) -> None:
    """What is to be remembered of a record type that was laid over and lies in the lake now."""
    if house.moment(as_of).base is not None and is_laid_over(contract):
        house.note_differing(f"matched_{contract.table}", as_of)
        drop_of(house.engine, contract)


def make_in_full(house: RunContext, as_of: date) -> None:
    """Makes what was laid over in this run again, in full."""
    laid = house.proof(as_of).tables
    house.in_full(as_of, "the proof found other rows")
    for table in [t for t in laid if registry.is_of_type(t)]:
        house.make([table], house.moment(as_of), beside=house.contracts())
        house.keep(table, as_of)
    rest = registry.ordered(t for t in laid if not registry.is_of_type(t))
    if not rest:
        return
    house.make(rest, house.moment(as_of))
    for table in reversed(rest):
        house.keep(table, as_of, is_anew=True)
    house.note_written(rest, as_of)


def use_whole(house: RunContext, as_of: date, tables: Sequence[str]) -> None:
    """Has the engine read the whole day where it read a scope's rows."""
    laid = [table for table in tables if house.is_written(table, as_of)]
    if not laid:
        return
    house.runner.use_whole(as_of)
    house.runner.bind(laid, house.moment(as_of))
    for table in laid:
        house.use(table, as_of)


def check_result(house: RunContext, as_of: date, step: str) -> dg.AssetCheckResult:
    """What the proof came to so far."""
    proved = house.proof(as_of)
    # whom the day touches is not known before everything is matched
    made = house.base_said(as_of) if step == "links" else str(house.touched(as_of))
    said = {"made": dg.MetadataValue.text(made)}
    if proved.what:
        said["proved"] = dg.MetadataValue.text(proved.what)
    for table, rows in proved.differing.items():
        said[table] = dg.MetadataValue.text(f"{rows:,} rows differ")
    return dg.AssetCheckResult(
        check_name=CHECK,
        asset_key=PROVED[step],
        passed=not proved.failed,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata=said,
    )
