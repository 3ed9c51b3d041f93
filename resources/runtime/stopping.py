"""A planned stop: Ctrl-C, SIGTERM or a stop from the UI ends a run between two steps.

While a step works the signal is only noted; the run ends when the next step would begin. A second
signal does not wait for that. Belongs here: noting it, and ending there. Not here: what is said
afterwards (`pipelines.automation.runs`), what is told (`pipelines.automation.alerts`).
"""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType

import dagster as dg

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Stop:
    is_asked = False


def is_asked() -> bool:
    """Whether somebody asked this process to stop."""
    return _Stop.is_asked


def listen() -> None:
    """From here on a signal is noted; Dagster sets its own handlers around each step."""
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            signal.signal(number, _note)


def forget() -> None:
    """A run begins that nobody has asked to stop yet."""
    _Stop.is_asked = False


def _note(_: int, __: FrameType | None) -> None:
    if _Stop.is_asked:
        raise dg.DagsterExecutionInterruptedError
    _Stop.is_asked = True
    print("yihu: stopping when this step is done; once more to stop at once", file=sys.stderr)


def stop_here(instance: dg.DagsterInstance | None, run: dg.DagsterRun | None) -> None:
    """Ends the run where it was asked to stop: between two steps."""
    if not _Stop.is_asked:
        return
    if instance is not None and run is not None:
        fresh = instance.get_run_by_id(run.run_id)
        if fresh is not None and fresh.status is not dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceling(fresh, "Asked to stop: it ends before its next step.")
    raise dg.DagsterExecutionInterruptedError
