"""The rhythms as scheduled jobs, after the night's `daily_sync`.

Not here: what they make (`assets.periodic_reports`).
"""

from __future__ import annotations

import dagster as dg

from assets.periodic_reports import PERIODS
from resources.runtime.begin import CAUSE

TIMES = {
    "weekly_statistics": ("0 4 * * 1", "Mondays at 04:00: the week that ended at midnight."),
    "monthly_screening": (
        "30 4 1 * *",
        "On the first of a month at 04:30: the month that ended at midnight.",
    ),
    "income_accounting": (
        "0 5 1 * *",
        "On the first of a month at 05:00: the month that ended at midnight.",
    ),
    "quarterly_supervision": (
        "30 5 1 1,4,7,10 *",
        "On the first of a quarter at 05:30: the quarter that ended at midnight.",
    ),
    "flag_accuracy": (
        "0 6 1 1,4,7,10 *",
        "On the first of a quarter at 06:00: the visits of the quarter that ended at midnight.",
    ),
}


def _job(name: str) -> dg.UnresolvedAssetJobDefinition:
    return dg.define_asset_job(
        f"{name}_job",
        selection=dg.AssetSelection.assets(name),
        description=(
            f"{name} of one period: a table in the warehouse and a picture in the asset's metadata."
        ),
        tags={"yihu/rhythm": name.partition("_")[0]},
    )


def _schedule(name: str, job: dg.UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    cron, says = TIMES[name]

    @dg.schedule(
        name=f"{name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_timezone="Asia/Shanghai",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=says,
    )
    def scheduled(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        period = PERIODS[name].get_partition_keys(current_time=context.scheduled_execution_time)[-2]
        return dg.RunRequest(
            run_key=f"{name}:{period}", partition_key=period, tags={CAUSE: f"schedule: {says}"}
        )

    return scheduled


rhythm_jobs = [_job(name) for name in TIMES]
rhythm_schedules = [_schedule(name, job) for name, job in zip(TIMES, rhythm_jobs, strict=True)]
