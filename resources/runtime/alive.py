"""Whether the process of a run is still there: by its process, or else by its heartbeat.

Belongs here: the tags that name a run's process, the file that it touches, and reading both. Not
here: what is done about a run whose process is gone (`pipelines.automation.abandoned`).
"""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

HOST, PROCESS, BEGUN = "yihu/host", "yihu/process", "yihu/process_begun"
"""The tags of a run that name its process: where, which, and since which tick of that machine."""
BEAT_SECONDS = 15.0
SILENT_SECONDS = 180.0
"""A run of another machine whose heartbeat is older has no process any more."""
UNTOLD_SECONDS = 600.0
"""A run of which nobody has told a process yet, and that has not moved for so long, has none."""


@dataclass(frozen=True)
class Process:
    """One process, told apart from another that was given the same number later."""

    host: str
    number: int
    begun: int
    """Ticks since the machine's start."""

    @property
    def tags(self) -> dict[str, str]:
        return {HOST: self.host, PROCESS: str(self.number), BEGUN: str(self.begun)}


def this_host() -> str:
    """This machine since its start, as far as its processes see each other."""
    parts = [platform.node()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)


def this_process() -> Process:
    return Process(this_host(), os.getpid(), _begun(os.getpid()) or 0)


def process_of(tags: Mapping[str, str]) -> Process | None:
    """The process that a run's tags name."""
    try:
        return Process(tags[HOST], int(tags[PROCESS]), int(tags[BEGUN]))
    except (KeyError, ValueError):
        return None


def is_there(process: Process) -> bool | None:
    """Whether the process goes on; None where this machine cannot know."""
    if process.host != this_host() or not process.begun or _begun(os.getpid()) is None:
        return None
    return _begun(process.number) == process.begun


def _begun(number: int) -> int | None:
    """The tick at which a process began; None where there is none, or only its remains."""
    try:
        stat = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # the name in brackets may hold anything; behind it: state, then numbers
    state, *numbers = stat.rpartition(")")[2].split()
    return None if state in "ZX" else int(numbers[18])


def is_gone(
    home: Path, run_id: str, tags: Mapping[str, str], moved_at: float, now: float | None = None
) -> bool:
    """Whether a run that has not ended will never end.

    By its process where this machine can see it; else by its heartbeat; and a run that has neither
    by when it last moved (`moved_at`).
    """
    now = time.time() if now is None else now
    process = process_of(tags)
    there = None if process is None else is_there(process)
    if there is not None:
        return not there
    beat = _last_beat(home, run_id)
    return now - beat > SILENT_SECONDS if beat is not None else now - moved_at > UNTOLD_SECONDS


def _file(home: Path, run_id: str) -> Path:
    return home / "heartbeats" / run_id


def _last_beat(home: Path, run_id: str) -> float | None:
    try:
        return _file(home, run_id).stat().st_mtime
    except FileNotFoundError:
        return None


@contextmanager
def heartbeat(home: Path, run_id: str, every: float = BEAT_SECONDS) -> Iterator[None]:
    """Touches the run's file as long as the block lasts, whatever the run waits for."""
    path, over = _file(home, run_id), threading.Event()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)

    def beat() -> None:
        while not over.wait(every):
            with suppress(OSError):
                path.touch(mode=0o600)

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        path.unlink(missing_ok=True)
