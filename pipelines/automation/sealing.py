"""Sealing the access log once an hour, as a scheduled job.

Belongs here: the job and its schedule. Not here: what a seal is (`warehouse.database.access_log`),
that every publication makes one too.
"""

import dagster as dg

from assets.described import TO_THE_SERVER
from resources.own_logins import has_warehouse
from resources.runtime.alerts import note_seal
from resources.server import warehouse_server
from resources.settings import load_settings
from warehouse.database.access_log import seal


@dg.op(
    retry_policy=TO_THE_SERVER,
    description=(
        "Seals what was added to the access log (who looked at a person) since the last seal."
    ),
)
def seal_access_log(context: dg.OpExecutionContext) -> None:
    settings = load_settings()
    with warehouse_server(settings.home, settings.warehouse_url) as server:
        if not has_warehouse(server):
            context.log.info("there is no warehouse yet, and nothing to seal")
            return
        engine = server.engine()
        try:
            last = seal(engine)
        finally:
            engine.dispose()
    note_seal(settings.home, last)
    context.log.info(f"last seal {last or '-'}")


@dg.job(
    description=(
        "Seals the access log, so that a row of it that is changed or removed is found (make"
        " verify-log)."
    )
)
def seal_log() -> None:
    seal_access_log()


seal_log_schedule = dg.ScheduleDefinition(
    name="seal_log_schedule",
    job=seal_log,
    cron_schedule="7 * * * *",
    execution_timezone="Asia/Shanghai",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Once an hour.",
)
