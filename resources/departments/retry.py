"""How long a source is waited for.

Belongs here: the constants, and the budget that one read of one record type may spend on failures.
Not here: what counts as one.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from resources.departments.errors import Fault


@dataclass(frozen=True)
class RetryPolicy:
    """Seconds and counts; tests use tiny ones."""

    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    """Silence between two pieces of an answer."""
    page_deadline: float = 180.0
    """A whole answer, however steadily it drips."""
    drip_after: float = 15.0
    """From this age on, an answer must have come at `drip_rate` on the average."""
    drip_rate: float = 4096.0
    """Bytes a second."""
    attempts: int = 6
    """Tries of one page in a row."""
    windows: int = 3
    """Times that a window is begun."""
    budget: float = 90.0
    """What all failures of one read may cost:
    the time lost in failed attempts and the waits after them.
    """
    first_wait: float = 0.5
    longest_wait: float = 15.0
    page_rows: int = 10_000
    page_bytes: int = 64 << 20
    """A whole answer, unpacked: of 10,000 rows, 6 KiB each."""
    chunk_bytes: int = 512 << 20
    """The texts of a chunk of rows that a query brings."""
    read_bytes: int = 64 << 30
    """All pages of a window."""
    read_deadline: float = 4 * 3600.0
    """All pages of a window, however many come."""


class Budget:
    """What is left of the patience for one read."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._patience = policy
        self._spent = 0.0

    def wait(self, fault: Fault, attempt: int, lost: float) -> None:
        """Waits before the next try (exponential, with jitter, or as long as the source asked);
        raises `fault` when it is spent.

        `attempt` counts from 1; `lost` is what the failed attempt itself took.
        """
        policy = self._patience
        pause = min(policy.longest_wait, policy.first_wait * 2 ** (attempt - 1)) * random.uniform(
            0.5, 1.0
        )
        if fault.wait is not None:
            # a little jitter on top, so that the record types that were sent away together do not
            # come back together
            pause = fault.wait + random.uniform(0.0, policy.first_wait)
        if attempt >= policy.attempts or self._spent + lost + pause > policy.budget:
            raise fault
        self._spent += lost + pause
        time.sleep(pause)
