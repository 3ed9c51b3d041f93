"""`matched_<department>__<records>`: every record tied to a person and a household, or told why not.

Belongs here: one asset per contract, and its conservation. Not here: how records are matched (`warehouse.matching`).
"""

import time
from datetime import date

import dagster as dg

from assets.described import contract_files, contract_schema, department_asset
from assets.lineage import lineage_metadata
from expectations.contract import Contract
from resources.house import House
from warehouse.matching import MATCHED_COLUMNS, OUTCOMES, build_spine, matched_order, view_matched

REGISTER = "valid_rural_revitalisation__members"


def use_spine_inputs(house: House, as_of: date) -> None:
    """What the spine is made of: the register, yesterday's keys and questions, the stewards' answers."""
    house.use(REGISTER, as_of)
    house.use("valid_rural_revitalisation__households", as_of)
    for table in ("person_key_map", "review_queue"):
        house.use_previous(table, as_of)
    house.use_decisions(as_of)


def use_spine(house: House, as_of: date) -> None:
    """Makes the spine of the day on the engine, once a run: it holds identities, so it is never written to the lake."""
    if not house.engine.exists("spine"):
        use_spine_inputs(house, as_of)
        build_spine(house.engine, as_of, house.settings.pseudonym_key)
    house.use("person", as_of)


def use_types_of_run(context: dg.AssetExecutionContext, house: House, as_of: date) -> list[Contract]:
    """The record types that this run matches, with their valid rows readable: what is open in all of them is answered in one pass."""
    selected = context.run.asset_selection
    asked = [c for c in house.contracts() if not selected or dg.AssetKey(f"matched_{c.table}") in selected]
    there = [c for c in asked if house.lake.files("valid", c.table, as_of) is not None]
    for contract in there:
        if not house.engine.exists(f"valid_{contract.table}"):
            house.use(f"valid_{contract.table}", as_of)
    return there


def matched_asset(contract: Contract) -> dg.AssetsDefinition:
    """The asset that matches one record type to the spine; no identity leaves it."""
    described = department_asset(contract, "matched", {"duckdb", "parquet"})
    name, valid = described["name"], f"valid_{contract.table}"

    @dg.asset(
        **described,
        deps=[valid, "person", *([] if contract.records == "households" else ["valid_rural_revitalisation__households"])],
        description=f"{contract.department_name} {contract.name}, each record with its person, household and outcome; no identities.",
        metadata={
            "dagster/column_schema": contract_schema(contract, MATCHED_COLUMNS, with_identities=False),
            "dagster/code_references": contract_files(contract, "matched", "matched"),
            **lineage_metadata(name),
        },
        check_specs=[dg.AssetCheckSpec("conservation", asset=name, description="rows = the sum of the six outcomes = valid rows.")],
    )
    def matched(context: dg.AssetExecutionContext, house: House) -> dg.MaterializeResult:
        started, as_of = time.monotonic(), date.fromisoformat(context.partition_key)
        house.use(valid, as_of)
        house.use("valid_rural_revitalisation__households", as_of)
        use_spine(house, as_of)
        view_matched(house.engine, contract, as_of, house.settings.pseudonym_key, use_types_of_run(context, house, as_of))
        written = house.keep(name, as_of, matched_order(contract))
        outcomes = {str(o): int(n) for o, n in house.engine.rows(f'select outcome, count(*) from "{name}" group by 1')}
        expected = int(house.engine.scalar(f'select count(*) from "{valid}"'))
        tied = outcomes.get("linked", 0) + outcomes.get("placed", 0)
        rate = tied / written.rows if written.rows else None
        context.log.info(f"{time.monotonic() - started:6.1f} s  " + ", ".join(f"{outcomes.get(o, 0):,} {o}" for o in OUTCOMES))
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": written.rows,
                **outcomes,
                **({"match_rate": round(rate, 6)} if rate is not None else {}),
                **lineage_metadata(name),
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
