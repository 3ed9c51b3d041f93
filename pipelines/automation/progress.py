"""What a person sees in the terminal while a run goes on: one line per asset.

Belongs here: the Dagster logger that prints it. Not here: the summary at the end (`summary`).
"""

import logging
import sys

import dagster as dg


class ProgressFormatter(logging.Formatter):
    """`02:31:05  valid_health_insurance__settlements   1.2 s  250,112 in force`."""

    def format(self, record: logging.LogRecord) -> str:
        meta = getattr(record, "dagster_meta", {})
        step = meta.get("step_key") or ""
        message = meta.get("orig_message") or record.getMessage()
        return f"{self.formatTime(record, '%H:%M:%S')}  {step:<48} {message}"


@dg.logger(config_schema={}, description="One line per asset, nothing of Dagster's own events.")
def progress_logger(context: dg.InitLoggerContext) -> logging.Logger:
    logger = logging.getLogger("yihu.progress")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(ProgressFormatter())
        logger.addHandler(handler)
    return logger
