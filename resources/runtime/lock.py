"""One run at a time on one `YIHU_HOME`, whoever starts it.

Belongs here: the lock file. Not here: what a run does.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from expectations.errors import LOCKED, YihuError
from resources.runtime.cleanup import sweep
from resources.settings import SHANGHAI

_held: set[Path] = set()


class RunLocked(YihuError):
    """Another run holds the lock; the message says which, since when, and what to do."""

    kind = "transient"
    exit_status = LOCKED


@contextmanager
def run_lock(home: Path, wait_seconds: float = 0.0) -> Iterator[None]:
    """Holds `<home>/run.lock` for the block; the same process may nest it.
    What a killed run left is swept first.

    The kernel frees the lock when its process ends, however it ends.

    Raises:
        RunLocked: when another process still holds it after `wait_seconds`.
    """
    path = home / "run.lock"
    if path in _held:
        yield
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _acquire(descriptor, wait_seconds)
        os.ftruncate(descriptor, 0)
        os.pwrite(
            descriptor,
            f"process {os.getpid()} since {datetime.now(SHANGHAI):%Y-%m-%d %H:%M:%S}".encode(),
            0,
        )
        _held.add(path)
        try:
            sweep(home)
            yield
        finally:
            _held.discard(path)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                holder = os.pread(descriptor, 200, 0).decode(errors="replace") or "another process"
                raise RunLocked(
                    f"another sync is running ({holder}); nothing was started.",
                    "Wait until it ends, or watch it in `make ui`",
                ) from None
            time.sleep(min(1.0, max(0.05, deadline - time.monotonic())))
