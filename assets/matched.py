"""`matched_<department>__<records>`: every record tied to a person and a household,
or told why not.

Belongs here: one asset per contract, and its conservation. Not here: how records are matched
(`warehouse.matching`).
"""

import time
from datetime import date

import dagster as dg

from assets.described import contract_files, contract_schema, department_asset
from assets.laying import make_matched
from assets.lineage import lineage_metadata
from expectations.contract import Contract
from resources.runtime.context import RunContext
from warehouse.graph.heads import Kind
from warehouse.graph.registry import PER_TYPE, inputs_of, is_stored, models
from warehouse.matching import MATCHED_COLUMNS, OUTCOMES, model_name

REGISTER = "valid_rural_revitalisation__members"


def types_of_run(context: dg.AssetExecutionContext, house: RunContext) -> list[Contract]:
    """The record types that this run matches:
    what is open in all of them is answered in one pass.
    """
    selected = context.run.asset_selection
    return [
        c
        for c in house.contracts()
        if not selected or dg.AssetKey(f"matched_{c.table}") in selected
    ]


def depends_on(contract: Contract) -> list[str]:
    """What the record type's matched rows depend on, as their model declares."""
    model = models()[model_name(contract)]
    declared = {read.table.replace(PER_TYPE, contract.table) for read in model.reads(Kind.SAME_DAY)}
    kept = {table for table in declared if is_stored(table)}
    return sorted(kept.union(*(inputs_of(table) for table in declared - kept)))


def matched_asset(contract: Contract) -> dg.AssetsDefinition:
    """The asset that matches one record type to the spine; no identity leaves it."""
    described = department_asset(contract, "matched", {"duckdb", "parquet"})
    name, valid = described["name"], f"valid_{contract.table}"

    @dg.asset(
        **described,
        deps=depends_on(contract),
        description=(
            f"{contract.department_name} {contract.name}, each record with its person, household"
            " and outcome; no identities."
        ),
        metadata={
            "dagster/column_schema": contract_schema(
                contract, MATCHED_COLUMNS, with_identities=False
            ),
            "dagster/code_references": contract_files(contract, "matched", model_name(contract)),
            **lineage_metadata(name),
        },
        check_specs=[
            dg.AssetCheckSpec(
                "conservation",
                asset=name,
                description="rows = the sum of the six outcomes = valid rows.",
            )
        ],
    )
    def matched(context: dg.AssetExecutionContext, house: RunContext) -> dg.MaterializeResult:
        started, as_of = time.monotonic(), date.fromisoformat(context.partition_key)
        house.begin_day(as_of)
        house.know(contract)
        make_matched(house, as_of, contract, types_of_run(context, house))
        house.use(valid, as_of)
        written = house.keep(name, as_of)
        outcomes = {
            str(o): int(n)
            for o, n in house.engine.rows(f'select outcome, count(*) from "{name}" group by 1')
        }
        expected = int(house.engine.scalar(f'select count(*) from "{valid}"'))
        tied = outcomes.get("linked", 0) + outcomes.get("placed", 0)
        rate = tied / written.rows if written.rows else None
        context.log.info(
            f"{time.monotonic() - started:6.1f} s  "
            + ", ".join(f"{outcomes.get(o, 0):,} {o}" for o in OUTCOMES)
        )
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": written.rows,
                **outcomes,
                **({"match_rate": round(rate, 6)} if rate is not None else {}),
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name="conservation",
                    passed=written.rows == expected == sum(outcomes.get(o, 0) for o in OUTCOMES),
                    metadata={"valid": expected, **outcomes},
                )
            ],
        )

    return matched
