"""What is past its time is given up by itself, once a week.

Belongs here: the job and its schedule. Not here: what is old and not needed (`retention`).
"""

import dagster as dg

from pipelines.automation.retention import give_up
from resources.runtime.alive import heartbeat, this_process
from resources.settings import load_settings


@dg.op(description="Gives up what the retention does not keep, and says before what it frees.")
def give_up_what_is_old(context: dg.OpExecutionContext) -> None:
    settings = load_settings()
    context.instance.add_run_tags(context.run_id, this_process().tags)
    with heartbeat(settings.home, context.run_id):
        give_up(settings, context.log.info)


@dg.job(description="Batches, days, release folders, versions and runs that are past their time.")
def prune_job() -> None:
    give_up_what_is_old()


prune_schedule = dg.ScheduleDefinition(
    name="prune_schedule",
    job=prune_job,
    cron_schedule="30 3 * * 0",
    execution_timezone="Asia/Shanghai",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Sundays at 03:30, after the night's run.",
)
