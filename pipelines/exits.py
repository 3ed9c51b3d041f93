"""How a command ends: its exit status, and the lines on standard error that say why.

Belongs here: what every command shares. Not here: what a command does.
"""

from __future__ import annotations

import sys

OK, FAILED, BAD_SETTINGS, LOCKED = 0, 1, 2, 3


def complain(*lines: str) -> None:
    """One line a problem, on standard error."""
    for line in lines:
        print(f"yihu: {line}", file=sys.stderr)
