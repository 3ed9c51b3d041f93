"""Why a file cannot be used.

Belongs here: the one exception of the child. Not here: what the run makes of it
(`resources.departments.errors`).
"""

from __future__ import annotations

from expectations.errors import YihuError


class Unreadable(YihuError):
    """A file that cannot be used: a short `reason`, what was seen, and what to do;
    never a cell's text.
    """

    def __init__(self, reason: str, said: str, next_step: str) -> None:
        super().__init__(said, next_step)
        self.reason = reason
        self.said = said
