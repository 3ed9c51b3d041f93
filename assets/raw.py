"""`raw_<department>__<records>`: the bytes of each department's extract, as they came.

Belongs here: one asset per contract that reads a day. Not here: parsing and checking (`valid`).
"""

from datetime import date

import dagster as dg

from assets.described import contract_files, delivered_schema, department_asset
from expectations.contract import Contract
from resources.departments import SourceError
from resources.runtime.context import RunContext


def raw_asset(contract: Contract) -> dg.AssetsDefinition:
    """The asset that reads one record type for one day.

    A source that cannot be read is a recorded result and a failed check (`read`), never an
    exception: the run goes on with the last good state.
    """
    described = department_asset(contract, "raw", {contract.server.get("form", "api")})

    @dg.asset(
        **described,
        description=(
            f"{contract.department_name} {contract.name}: the extract's bytes as they came, with a"
            " manifest per batch."
        ),
        metadata={
            "dagster/column_schema": delivered_schema(contract),
            "dagster/code_references": contract_files(contract, "raw"),
            "delivery": contract.delivery,
            "cadence": contract.cadence,
            "contract_version": contract.version,
        },
        check_specs=[
            dg.AssetCheckSpec(
                "read", asset=described["name"], description="The department could be read."
            )
        ],
    )
    def raw(context: dg.AssetExecutionContext, house: RunContext) -> dg.MaterializeResult:
        as_of = date.fromisoformat(context.partition_key)
        house.begin_day(as_of)
        house.read_ahead(context.run.asset_selection, as_of)
        day = house.departments.read_day(contract, as_of)
        said = "; ".join(
            [
                str(day.failure) if day.failure else f"{day.row_count:,} rows, {day.status}",
                *day.notes,
            ]
        )
        context.log.info(f"{day.seconds:6.1f} s  {said}")
        metadata = {"what now": said, **(read_facts(day.failure) if day.failure else {})}
        # a file that lay there and was refused is a rejected extract
        is_refused = day.failure is not None and day.failure.refused is not None
        severity = dg.AssetCheckSeverity.ERROR if is_refused else dg.AssetCheckSeverity.WARN
        if day.unread:
            metadata["not read"] = "; ".join(day.unread)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": day.row_count,
                "status": day.status,
                "batches": [batch.batch_id for batch in day.batches],
                "requests": day.requests,
                "seconds": round(day.seconds, 3),
                "said": said,
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name="read",
                    passed=day.failure is None,
                    severity=severity,
                    metadata=metadata,
                )
            ],
        )

    return raw


def read_facts(failure: SourceError) -> dict[str, str]:
    """Why a source was not read, fact by fact: alerts read none out of a sentence."""
    said = {"message": failure.message, "next_step": failure.next_step}
    return {"reason": failure.reason, "kind": failure.kind, **said}
