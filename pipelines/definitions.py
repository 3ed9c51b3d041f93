"""Everything that Dagster loads: `dg.Definitions` over the contracts at hand."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from assets.catalogue import all_assets
from expectations.contract import Contract, load_contracts
from pipelines.automation.jobs import daily_sync, daily_sync_schedule
from pipelines.automation.periodic import rhythm_jobs, rhythm_schedules
from pipelines.automation.progress import progress_logger
from pipelines.automation.pruning import prune_job, prune_schedule
from pipelines.automation.sealing import seal_log, seal_log_schedule
from pipelines.automation.sensors import sensors
from resources.runtime.context import RunContext


def build_defs(
    contracts: Sequence[Contract] | None = None, house: RunContext | None = None
) -> dg.Definitions:
    """The definitions for `contracts` (those of the repository by default).

    Everything runs in process: twenty trivial assets take 5 s so, and 109 s in the multiprocess
    executor on 2 cores.
    """
    return dg.Definitions(
        assets=all_assets(load_contracts() if contracts is None else contracts),
        jobs=[daily_sync, *rhythm_jobs, seal_log, prune_job],
        schedules=[daily_sync_schedule, *rhythm_schedules, seal_log_schedule, prune_schedule],
        sensors=sensors,
        resources={"house": house or RunContext()},
        executor=dg.in_process_executor,
        loggers={"console": progress_logger},
    )


@dg.definitions
def defs() -> dg.Definitions:
    return build_defs()
