"""The most memory that this process has held so far.

Belongs here: one number. `getrusage` would not do: a process inherits there what its parent held
when it was forked.
"""

from __future__ import annotations

import resource
from pathlib import Path


def peak_mb() -> int:
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
