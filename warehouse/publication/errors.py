"""What can go wrong while publishing, each with what to do; no message holds a value of a row.

Belongs here: the exceptions of this package. Not here: what is checked (`audit`).
"""

from __future__ import annotations

from collections.abc import Sequence


class PublicationError(RuntimeError):
    """Nothing was published: the last release stands. The message says why and what to do."""


class AuditFailed(PublicationError):
    """The release, as it would have been read, does not hold; a line per finding."""

    def __init__(self, as_of: object, findings: Sequence[str]) -> None:
        super().__init__(f"the release of {as_of} was not published, the last one stands: " + "; ".join(findings))
        self.findings = tuple(findings)


class Busy(PublicationError):
    """Somebody else is publishing."""


class HeldUp(PublicationError):
    """Somebody's lock stood in the way of a statement."""
