"""How a command ends: its exit status, and the lines on standard error that say why.

Belongs here: what every command shares. Not here: what a command does.
"""

from __future__ import annotations

import sys

from expectations.errors import YihuError

INTERRUPTED = 130
UNTOUCHED = "The last release stands untouched."


def complain(*lines: str) -> None:
    """One line a problem, on standard error."""
    for line in lines:
        print(f"yihu: {line}", file=sys.stderr)


def ended_by(error: YihuError) -> int:
    """Says what happened and what to do next; returns the exit status."""
    complain(*error.lines)
    return error.exit_status
