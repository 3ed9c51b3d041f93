"""What a department's source can do wrong.

Belongs here: the one exception that leaves this package. Not here: when it is raised, and what the
run does about it.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from expectations.errors import YihuError

SourceKind = Literal["transient", "permanent"]


class SourceError(YihuError):
    """One read that failed: what happened and what to do, on one line, without addresses,
    secrets or persons.

    `kind` is `transient` for what may pass by itself (it was retried within its budget) and
    `permanent` for what somebody has to mend (it was not retried). `reason` is a short name that
    stays the same from release to release.
    """

    def __init__(
        self,
        kind: SourceKind,
        department: str,
        records: str,
        day: date,
        reason: str,
        said: str,
        next_step: str,
    ) -> None:
        super().__init__(f"{department}/{records}, {day}: {said}", next_step)
        self.kind = kind
        self.department = department
        self.records = records
        self.day = day
        self.reason = reason
        self.said = said
        self.refused: str | None = None
        """The file that lay there and could not be used, by its name; None where nothing lay there.
        """

    def __reduce__(self) -> tuple[object, ...]:
        return (
            SourceError,
            (
                self.kind,
                self.department,
                self.records,
                self.day,
                self.reason,
                self.said,
                self.next_step,
            ),
        )

    @property
    def note(self) -> dict[str, str]:
        """The failure as a day pointer keeps it."""
        refused = {"refused": self.refused} if self.refused else {}
        parts = {"said": self.message, "next_step": self.next_step}
        return {"kind": self.kind, "reason": self.reason, "message": str(self), **parts, **refused}


class Fault(YihuError):
    """One attempt that failed, before anybody knows for which record type;
    never leaves this package.

    `remedy` says what may help: ask `again`, ask the `window` anew, or nothing (`none`).
    """

    def __init__(
        self,
        remedy: Literal["again", "window", "none"],
        reason: str,
        said: str,
        next_step: str,
        wait: float | None = None,
    ) -> None:
        super().__init__(said, next_step)
        self.remedy = remedy
        self.reason = reason
        self.said = said
        self.wait = wait
        """Seconds that the other side asked to be left alone (`Retry-After`)."""
        self.requests = 0
        """How many requests the read had sent when it gave up."""
        self.refused: str | None = None
        """The file that cannot be used, by its name."""
        self.unread: tuple[str, ...] = ()
        """What else was seen and is read by nobody."""
        self.left_lying: int | None = None
        """How many files of that are in the department's folder."""

    def as_error(self, department: str, records: str, day: date) -> SourceError:
        kind: SourceKind = "permanent" if self.remedy == "none" else "transient"
        error = SourceError(kind, department, records, day, self.reason, self.said, self.next_step)
        error.refused = self.refused if kind == "permanent" else None
        return error
