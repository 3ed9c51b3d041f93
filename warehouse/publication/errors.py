"""What can go wrong while publishing, each with what to do; no message holds a value of a row.

Belongs here: the exceptions of this package. Not here: what is checked (`audit`).
"""

from __future__ import annotations

from collections.abc import Sequence

from expectations.errors import Kind, YihuError

REPORT = "report it; the last release stands."


class PublicationError(YihuError):
    """Nothing was published: the last release stands. The message says why and what to do."""


class AuditFailed(PublicationError):
    """The release, as it would have been read, does not hold;
    a line per finding, closed `gates` too.
    """

    kind: Kind = "defect"
    next_step = "look at the asset release in `make ui`, and report it"

    def __init__(self, as_of: object, findings: Sequence[str], gates: Sequence[str] = ()) -> None:
        super().__init__(
            f"the release of {as_of} was not published, the last one stands: " + "; ".join(findings)
        )
        self.findings, self.gates = tuple(findings), tuple(gates)


class GateClosed(AuditFailed):
    """The release holds, and nothing but gates keeps it back."""

    kind = "gate"
    next_step = (
        "compare its counts with the last release; if they are right, open the gate, then make sync"
    )


class PublisherBusy(PublicationError):
    """Somebody else is publishing."""

    kind = "transient"


class LockTimeout(PublicationError):
    """Somebody's lock stood in the way of a statement."""

    kind = "transient"
