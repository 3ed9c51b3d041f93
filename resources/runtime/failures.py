"""How Dagster records an error of ours: a failure with its kind and next step beside the message.

Belongs here: making it, and reading it again out of a run's events. Not here: the errors
(`expectations.errors`), what a failed step is worth telling (`pipelines.automation.alerts`).
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
    """The error as Dagster's own; `what`: what failed by it. Tried again only where it may pass."""
    begin = f"{what}: " if what else ""
    return dg.Failure(
        f"{begin}{error}",
        metadata={
            _KIND: error.kind,
            _MESSAGE: f"{begin}{error.message}",
            _NEXT_STEP: error.next_step,
        },
        allow_retries=error.kind == "transient",
    )


def failed_with(data: Any) -> Failed | None:
    """What `failure` wrote into a step's failure or retry; None where it ended otherwise."""
    own = getattr(data, "user_failure_data", None)
    written = {} if own is None else own.metadata
    facts = {name: str(fact.value) for name, fact in written.items()}
    return Failed(facts[_KIND], facts[_MESSAGE], facts[_NEXT_STEP]) if _KIND in facts else None
