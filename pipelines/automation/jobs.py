"""The jobs and their schedule. Not here: what a job makes (`assets`)."""

import dagster as dg

from assets.described import DAILY
from resources.runtime.begin import CAUSE, DAILY_JOB

daily_sync = dg.define_asset_job(
    DAILY_JOB,
    selection=dg.AssetSelection.all() - dg.AssetSelection.groups("rhythms"),
    description="From the departments' extracts to the current release, for one business day.",
    tags={"yihu/rhythm": "daily"},
    config={"loggers": {"console": {}}},
)


@dg.schedule(
    job=daily_sync,
    cron_schedule="30 2 * * *",
    execution_timezone="Asia/Shanghai",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night at 02:30: the day that ended at midnight.",
)
def daily_sync_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Yesterday, in Asia/Shanghai; the partition set also has today, which a person may ask for."""
    day = DAILY.get_partition_keys(current_time=context.scheduled_execution_time)[-2]
    return dg.RunRequest(
        run_key=f"daily_sync:{day}", partition_key=day, tags={CAUSE: "schedule: the night's run"}
    )
