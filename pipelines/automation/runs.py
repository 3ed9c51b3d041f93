"""One `daily_sync` run in this process, recorded in Dagster's instance like any other.

Belongs here: launching and what went wrong. Not here: the services around it (`services`).
"""

from __future__ import annotations

from datetime import date

import dagster as dg

from expectations.errors import YihuError
from expectations.validation import preload
from pipelines.automation.alerts import alert_after
from pipelines.definitions import build_defs
from resources.runtime.dagster_storage import pooled_sqlite
from resources.runtime.failures import failed_with
from resources.settings import Settings

UNFINISHED = [
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.CANCELING,
]


def close_abandoned(instance: dg.DagsterInstance, settings: Settings) -> None:
    """Marks runs as failed whose process was killed;
    the caller holds the run lock, so nobody runs them.
    """
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=UNFINISHED)):
        instance.report_run_failed(
            run, "The process of this run was killed; the next run of its day completes it."
        )
        alert_after(settings, instance, run)


def run_day(settings: Settings, as_of: date) -> list[str] | None:
    """Runs `daily_sync` for `as_of`; None when it went well,
    else a line per failed asset that says what to do.
    """
    preload(settings.engine)
    with pooled_sqlite(), dg.DagsterInstance.get() as instance:
        close_abandoned(instance, settings)
        job = build_defs().resolve_job_def("daily_sync")
        result = job.execute_in_process(
            instance=instance, partition_key=as_of.isoformat(), raise_on_error=False
        )
        alert_after(settings, instance, result.dagster_run)
        if result.success:
            return None
        return [line for event in result.get_step_failure_events() for line in _problem(event)] or [
            f"daily_sync {as_of} failed (run {result.run_id}): open `make ui` and look at the run"
        ]


def _problem(event: dg.DagsterEvent) -> list[str]:
    """What a step failed by, and what to do: an error of ours says both."""
    own = failed_with(event.step_failure_data)
    if own is not None:
        return f"{event.step_key}: {YihuError(own.message, own.next_step)}".splitlines()
    error = event.step_failure_data.error
    cause = error.cause if error is not None and error.cause is not None else error
    text = (
        cause.message.strip().splitlines()[-1]
        if cause is not None and cause.message.strip()
        else "no message"
    )
    is_ours = cause is not None and cause.cls_name in names_below(YihuError)
    mend = "" if is_ours else "; look at the step in `make ui`, mend it, then run the day again"
    return [f"{event.step_key}: {text}{mend}"]


def names_below(parent: type[YihuError]) -> set[str]:
    """The names of the errors below one."""
    children = parent.__subclasses__()
    return {child.__name__ for child in children}.union(*(names_below(child) for child in children))
