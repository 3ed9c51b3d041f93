"""How Dagster records an error of ours: as a failure with its kind and its next step beside the message.

Belongs here: making it, and reading it again out of a run's events. Not here: the errors (`expectations.errors`), what a failed
step is worth telling (`pipelines.alerts`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dagster as dg

from expectations.errors import YihuError

_KIND, _MESSAGE, _NEXT_STEP = "kind", "message", "next_step"


@dataclass(frozen=True)
class Failed:
    """What an error of ours said when it ended a step."""

    kind: str
    message: str
    next_step: str


def failure(error: YihuError, what: str = "") -> dg.Failure:
    """The error as Dagster's own; `what`: what failed by it. A step is tried again where the error may pass by itself."""
    begin = f"{what}: " if what else ""
    return dg.Failure(
        f"{begin}{error}",
        metadata={_KIND: error.kind, _MESSAGE: f"{begin}{error.message}", _NEXT_STEP: error.next_step},
        allow_retries=error.kind == "transient",
    )


def failed_with(data: Any) -> Failed | None:
    """What `failure` wrote into a step's failure or retry; None where the step ended by something else."""
    own = getattr(data, "user_failure_data", None)
    facts = {name: str(value.value) for name, value in (own.metadata.items() if own is not None else ())}
    return Failed(facts[_KIND], facts[_MESSAGE], facts[_NEXT_STEP]) if _KIND in facts else None
