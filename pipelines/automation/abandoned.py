"""Runs whose process is gone: marked as failed and told, so that nobody waits for them.

Belongs here: which runs have not ended, and ending those that nobody runs. Not here: how one knows
(`resources.runtime.alive`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import dagster as dg

from pipelines.automation.alerts import alert_after
from resources.runtime.alive import is_gone
from resources.settings import Settings

WAITING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED]
BEGUN = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
KILLED = "The process of this run is gone; the next run of its day completes it."


def close_abandoned(instance: dg.DagsterInstance, settings: Settings) -> list[str]:
    """Marks runs as failed whose process is gone, whoever began them; returns their ids.

    A run that waits for the lock, or is about to ask for it, is left alone.
    """
    return [run.run_id for run in _gone(instance, settings, BEGUN)]


def _gone(
    instance: dg.DagsterInstance, settings: Settings, statuses: Sequence[dg.DagsterRunStatus]
) -> Iterator[dg.DagsterRun]:
    for record in instance.get_run_records(filters=dg.RunsFilter(statuses=list(statuses))):
        run = record.dagster_run
        moved_at = record.update_timestamp.timestamp()
        if is_gone(settings.home, run.run_id, run.tags, moved_at):
            instance.report_run_failed(run, KILLED)
            alert_after(settings, instance, run)
            yield run


def going_on(instance: dg.DagsterInstance, settings: Settings, job: str) -> str | None:
    """A run of `job` that waits or goes on, whoever started it; those that are gone are closed."""
    close_abandoned(instance, settings)
    found = instance.get_run_records(
        filters=dg.RunsFilter(job_name=job, statuses=[*WAITING, *BEGUN]), limit=1
    )
    return found[0].dagster_run.run_id if found else None
