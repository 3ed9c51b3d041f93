"""One `daily_sync` run in this process, recorded in Dagster's instance like any other.

Belongs here: launching and what went wrong. Not here: what stands in for the departments
(`resources.stand_ins`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import Any

import dagster as dg

from expectations.errors import YihuError
from pipelines.automation.abandoned import close_abandoned
from pipelines.automation.alerts import alert_after, was_stopped
from pipelines.automation.sizes import note_sizes
from pipelines.definitions import build_defs
from resources.runtime.alive import this_process
from resources.runtime.begin import CAUSE, DAILY_JOB, not_begun
from resources.runtime.dagster_storage import pooled_sqlite
from resources.runtime.failures import failed_with
from resources.settings import Settings

RECORDED_BY = "pipelines.definitions"
"""The code location of the daemon and of `dagster dev`, by its name."""
ORIGIN = {
    "__class__": "ExternalPipelineOrigin",
    "external_repository_origin": {
        "__class__": "ExternalRepositoryOrigin",
        "repository_location_origin": {
            "__class__": "RegisteredRepositoryLocationOrigin",
            "location_name": RECORDED_BY,
        },
        "repository_name": "__repository__",
    },
    "pipeline_name": DAILY_JOB,
}
"""Where a run's job comes from, as Dagster writes it down: without it a run stands on no page of
its job, and on no timeline.
"""


@contextmanager
def recorded_like_the_daemons(instance: dg.DagsterInstance) -> Iterator[None]:
    """Runs of this process are recorded with the job that they are of."""
    create = instance.create_run_for_job
    origin: Any = dg.deserialize_value(json.dumps(ORIGIN))
    instance.create_run_for_job = partial(create, remote_job_origin=origin)  # type: ignore[method-assign]
    try:
        yield
    finally:
        del instance.create_run_for_job


Said = Callable[[list[str] | None], None]


def run_day(settings: Settings, as_of: date, cause: str, say: Said) -> list[str] | None:
    """Runs `daily_sync` for `as_of`; None when it went well,
    else a line per failed asset that says what to do.

    `cause`: what the run's page says started it. `say` gets the same, before the alerts are told:
    they come last.
    """
    with (
        pooled_sqlite(),
        dg.DagsterInstance.get() as instance,
        recorded_like_the_daemons(instance),
    ):
        close_abandoned(instance, settings)
        result = (
            build_defs()
            .resolve_job_def(DAILY_JOB)
            .execute_in_process(
                instance=instance,
                partition_key=as_of.isoformat(),
                raise_on_error=False,
                tags={CAUSE: cause, **this_process().tags},
            )
        )
        problem = None if result.success else _problems(instance, result, as_of)
        if was_stopped(instance, result.run_id):
            problem = _stopped(instance, result, as_of)
        try:
            say(problem)
        finally:
            alert_after(settings, instance, result.dagster_run)
            note_sizes(settings.home)
        return problem


def _stopped(
    instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult, as_of: date
) -> list[str]:
    """One line: what stands, and what comes next. The run counts as stopped, not as failed."""
    run = instance.get_run_by_id(result.run_id)
    if run is not None and run.status is dg.DagsterRunStatus.FAILURE:
        instance.report_run_canceled(run, "Stopped on request.")
    done = sum(event.event_type is dg.DagsterEventType.STEP_SUCCESS for event in result.all_events)
    said = f"stopped on request after {done} steps, which stand"
    return [f"{said}; make sync AS_OF={as_of} completes the day."]


def _problems(
    instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult, as_of: date
) -> list[str]:
    events = result.get_step_failure_events()
    lines = [line for event in events for line in _problem(event)]
    return lines or _unfinished(instance, result.run_id, as_of)


def _unfinished(instance: dg.DagsterInstance, run_id: str, as_of: date) -> list[str]:
    """What is said of a run without a failed step: it could not begin, or nobody knows."""
    run = instance.get_run_by_id(run_id)
    found = not_begun(run.tags) if run is not None else None
    if found is not None:
        return str(YihuError(found.said, found.next_step)).splitlines()
    return [f"daily_sync {as_of} failed (run {run_id}): open `make ui` and look at the run"]


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
