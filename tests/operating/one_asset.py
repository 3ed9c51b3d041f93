"""A code location that is served in seconds: one asset, one schedule that runs."""

from __future__ import annotations

import dagster as dg


@dg.asset
def household() -> None: ...


defs = dg.Definitions(
    assets=[household],
    schedules=[
        dg.ScheduleDefinition(
            name="nightly",
            target=household,
            cron_schedule="0 2 * * *",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )
    ],
)
