"""What a person sees in the terminal while a run goes on: a line per asset, or one per stage.

Belongs here: the Dagster logger that prints it. Not here: the summary at the end (`summary`).
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Mapping
from datetime import datetime

import dagster as dg

from pipelines.environment import BY_STAGE
from resources.settings import SHANGHAI

OFTEN_SECONDS = 30.0
"""A stage that takes longer says every so often how far it is."""
STAGES: Mapping[str, str] = {
    "raw_": "read and checked",
    "valid_": "read and checked",
    "make_person": "matched",
    "matched_": "matched",
    "make_links": "matched",
    "make_source_status": "household",
    "make_households": "household",
    "make_flags": "lamps",
    "make_following": "follow-up",
    "release": "published",
}
OF_DAGSTER = ("did not yield or return expected outputs", "Dependencies for step ")
"""What Dagster says of a release that was left alone on purpose, and of each step that a failure
kept from its turn.
"""


def _step(record: logging.LogRecord) -> tuple[str, str]:
    """The step and the message of a record of Dagster's."""
    meta = getattr(record, "dagster_meta", {})
    return meta.get("step_key") or "", meta.get("orig_message") or record.getMessage()


def _at(record: logging.LogRecord) -> str:
    return f"{datetime.fromtimestamp(record.created, SHANGHAI):%H:%M:%S}"


class ProgressFormatter(logging.Formatter):
    """`02:31:05  valid_health_insurance__settlements   1.2 s  250,112 in force`."""

    def format(self, record: logging.LogRecord) -> str:
        step, message = _step(record)
        return f"{_at(record)}  {step:<48} {message}"


class StageHandler(logging.Handler):
    """A line when a stage is over, and one every so often while it goes on."""

    def __init__(self) -> None:
        super().__init__()
        self._stage, self._steps, self._begun, self._told = "", 0, 0.0, 0.0

    def emit(self, record: logging.LogRecord) -> None:
        step, message = _step(record)
        stage = next((name for begin, name in STAGES.items() if step.startswith(begin)), "")
        if not stage:
            return
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._steps, self._begun, self._told = stage, 0, now, now
            print(f"{_at(record)}  {stage}", flush=True)
        self._steps += 1
        if record.levelno >= logging.WARNING:
            print(f"{_at(record)}    {step} {message}", flush=True)
        elif now - self._told > OFTEN_SECONDS:
            print(f"{_at(record)}    {self._steps} steps so far, the last {step}", flush=True)
            self._told = now


@dg.logger(config_schema={}, description="One line per asset, nothing of Dagster's own events.")
def progress_logger(context: dg.InitLoggerContext) -> logging.Logger:
    logger = logging.getLogger("yihu.progress")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if not logger.handlers:
        handler: logging.Handler = StageHandler()
        if os.environ.get(BY_STAGE) != "stages":
            handler = logging.StreamHandler(sys.stdout)
            handler.setFormatter(ProgressFormatter())
        handler.addFilter(lambda record: not any(s in record.getMessage() for s in OF_DAGSTER))
        logger.addHandler(handler)
    return logger
