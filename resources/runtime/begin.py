"""What every run does before its first step, whoever starts it: it says which process it is, waits
for its turn, lets what stands in for the departments show its day, and asks whether they are there.

Belongs here: that order, and what is noted of a run that could not begin. Not here: the world that
is opened then (`context`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date

import dagster as dg

from expectations.contract import load_contracts
from expectations.errors import YihuError
from expectations.validation import preload
from resources.departments import SourceError, preflight
from resources.runtime.alive import heartbeat, process_of, this_process
from resources.runtime.failures import failure
from resources.runtime.lock import run_lock
from resources.settings import Settings, load_settings
from resources.stand_ins import bring_to, services

DAILY_JOB = "daily_sync"
DAY = "dagster/partition"
CAUSE = "yihu/cause"
"""The tag that says what started a run."""
NOT_BEGUN, REASON, NEXT_STEP = "yihu/not_begun", "yihu/reason", "yihu/next_step"
"""Tags of a run that could not begin: what happened, in a word, and what to do."""


@dataclass(frozen=True)
class NotBegun:
    """Why a run could not begin."""

    said: str
    reason: str
    next_step: str


def not_begun(tags: Mapping[str, str]) -> NotBegun | None:
    """What a run's tags say of why it could not begin; None where it did."""
    if NOT_BEGUN not in tags:
        return None
    return NotBegun(tags[NOT_BEGUN], tags.get(REASON, ""), tags.get(NEXT_STEP, ""))


@contextmanager
def begun(context: dg.InitResourceContext, wait_seconds: float) -> Iterator[Settings]:
    """The settings of a run that may begin, for as long as it lasts.

    Raises `dg.Failure` where it cannot begin; the run's tags say why.
    """
    with ExitStack() as held:
        try:
            settings = _begin(context, wait_seconds, held)
        except YihuError as error:
            _note(context, error)
            raise failure(error) from None
        yield settings


def _begin(context: dg.InitResourceContext, wait_seconds: float, held: ExitStack) -> Settings:
    settings = load_settings()
    run = context.run
    if run is not None and context.instance is not None:
        held.enter_context(heartbeat(settings.home, run.run_id))
        if process_of(run.tags) != this_process():
            context.instance.add_run_tags(run.run_id, this_process().tags)
    held.enter_context(run_lock(settings.home, wait_seconds=wait_seconds))
    if run is None or DAY not in run.tags or not _reads_departments(run):
        return settings
    day = date.fromisoformat(run.tags[DAY])
    if settings.uses_sandbox:
        settings = held.enter_context(services(settings)).settings
    bring_to(settings, day)
    # before any thread begins: a module that is half imported in one is no module for another
    preload(settings.engine)
    if _is_whole(run):
        preflight(settings, load_contracts(), day)
    return settings


def _is_whole(run: dg.DagsterRun) -> bool:
    return run.job_name == DAILY_JOB and not run.asset_selection


def _reads_departments(run: dg.DagsterRun) -> bool:
    chosen = (key.to_user_string() for key in run.asset_selection or ())
    return _is_whole(run) or any(key.startswith("raw_") for key in chosen)


def _note(context: dg.InitResourceContext, error: YihuError) -> None:
    if context.run is None or context.instance is None:
        return
    tags = {
        NOT_BEGUN: error.said if isinstance(error, SourceError) else error.message,
        REASON: error.reason if isinstance(error, SourceError) else type(error).__name__,
        NEXT_STEP: error.next_step,
    }
    context.instance.add_run_tags(context.run.run_id, tags)
