"""A day laid over the one before: made for the households that it touches, proved on some towns,
and in full where that is not the same.

Belongs here: the way from a step's tables to the lake. Not here: which households are touched
(`warehouse.graph.touched`), what is compared (`warehouse.graph.proof`), counties
(`assets.by_county`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import dagster as dg

from expectations.contract import Contract
from resources.runtime.context import RunContext
from warehouse.graph import proof, registry
from warehouse.graph.laying import drop_of, is_laid_over, lay_matched_over, lay_over

CHECK = "incremental_equals_full"
SAYS = (
    "What was laid over the day before is what a full run makes: the towns of the day's bucket,"
    " everything on Sundays. Where it is not, the day was made in full."
)
PROVED = {"links": "linkage_quality", "following": "household_card"}
"""The table of a step that carries the check: of the matched records, and of everything."""
LAST = "following"
OTHERWISE = "the proof found other rows"


def make_tables(house: RunContext, as_of: date, step: str, tables: Sequence[str]) -> None:
    """Makes the tables of a step; those that are laid over lie in the lake then, and with the last
    step they are proved.
    """
    laid = [table for table in registry.laid_over() if table in tables]
    scope = house.scope(as_of) if laid else None
    if scope is None:
        house.make(tables, house.moment(as_of))
        return
    lay_over(house.runner, laid, house.moment(as_of), scope)
    for table in laid:
        house.keep_difference(table, as_of)
    house.note_written(laid, as_of)
    house.proof(as_of).add(laid, {})
    if step == LAST:
        proved = [t for t in house.proof(as_of).tables if not registry.is_of_type(t)]
        if not is_proved(house, as_of, registry.ordered(proved)):
            make_in_full(house, as_of)
    house.make([table for table in tables if table not in laid], house.moment(as_of))
    house.runner.use_whole(as_of)
    house.runner.bind(laid, house.moment(as_of))
    for table in laid:
        house.use(table, as_of)


def is_proved(house: RunContext, as_of: date, tables: Sequence[str]) -> bool:
    """Whether tables that were laid over are, as they lie in the lake, what a full run makes."""
    found, what = proof.differences(house.runner, house.moment(as_of), tables)
    house.proof(as_of).add(tables, found, what)
    return not found


def make_matched(
    house: RunContext, as_of: date, contract: Contract, beside: Sequence[Contract]
) -> bool:
    """Makes a record type's matched rows; whether they lie in the lake already, laid over the day
    before's.
    """
    table, moment = f"matched_{contract.table}", house.moment(as_of)
    house.make([table], moment, beside=beside)
    if moment.base is None or not is_laid_over(contract):
        return False
    select = lay_matched_over(house.runner, contract, moment)
    found = proof.matched_difference(house.runner, contract, moment, select)
    house.proof(as_of).add([table], {table: found} if found else {})
    if found:
        make_in_full(house, as_of)
        return True
    if house.is_by_county(as_of):
        house.keep(table, as_of, select)
    else:
        house.keep_difference(table, as_of)
    house.note_written([table], as_of)
    house.note_differing(table, as_of)
    drop_of(house.engine, contract)
    return True


def make_in_full(house: RunContext, as_of: date) -> None:
    """Makes what was laid over in this run again, in full, into the lake."""
    laid = house.proof(as_of).tables
    house.in_full(as_of, OTHERWISE)
    matched = [table for table in laid if registry.is_of_type(table)]
    house.make(matched, house.moment(as_of), beside=house.contracts())
    rest = registry.ordered(table for table in laid if table not in matched)
    house.make(rest, house.moment(as_of))
    for table in (*matched, *reversed(rest)):
        house.keep(table, as_of, is_anew=True)
    house.note_written(laid, as_of)


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
