"""Who is in: sessions of the operator's pages, and links that let one in once.

Belongs here: tokens and their time. Not here: passwords and a proxy's headers (`entrance`),
requests (`guard`).
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

IDLE_SECONDS = 12 * 3600.0
LINK_SECONDS = 15 * 60.0


@dataclass(frozen=True)
class Session:
    """Somebody who came in."""

    user: str
    may_operate: bool


class Links:
    """Links that let an operator in once: a file each under `YIHU_HOME`,
    named by the token's digest.

    Whoever may write there may run yihu anyway; so any command of that user can give another link.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder, self._clock = folder, clock

    def give(self) -> str:
        """A new token, good for a quarter of an hour."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for old in self._folder.iterdir():
            if self._clock() - old.stat().st_mtime > LINK_SECONDS:
                old.unlink(missing_ok=True)
        token = secrets.token_urlsafe(32)
        (self._folder / _digest(token)).touch(mode=0o600)
        return token

    def use(self, token: str) -> bool:
        """Whether the token is good; it is not a second time."""
        path = self._folder / _digest(token)
        try:
            given = path.stat().st_mtime
            path.unlink()
        except FileNotFoundError:
            return False
        return self._clock() - given <= LINK_SECONDS


class Sessions:
    """Tokens in memory, as digests only: what a browser holds is nowhere on disk."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[str, tuple[Session, float]] = {}

    def begin(self, session: Session) -> str:
        """The token of a new session."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._open[_digest(token)] = (session, self._clock())
        return token

    def find(self, token: str | None) -> Session | None:
        """The session of a token, if it was used within the last twelve hours."""
        if not token:
            return None
        with self._lock:
            session, used = self._open.get(_digest(token), (None, 0.0))
            if session is None:
                return None
            if self._clock() - used > IDLE_SECONDS:
                del self._open[_digest(token)]
                return None
            self._open[_digest(token)] = (session, self._clock())
            return session

    def end(self, token: str | None) -> None:
        with self._lock:
            self._open.pop(_digest(token or ""), None)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
