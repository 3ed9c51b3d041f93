"""A code location with the hourly sealing alone, every minute: nobody waits an hour for a test."""

from __future__ import annotations

import dagster as dg

from pipelines.automation.sealing import seal_log

defs = dg.Definitions(
    jobs=[seal_log],
    schedules=[
        dg.ScheduleDefinition(
            name="every_minute",
            job=seal_log,
            cron_schedule="* * * * *",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
    ],
)
