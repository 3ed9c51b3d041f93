"""The signature of the government exchange platform (政务数据共享交换平台).

Belongs here: the four `gjgxjhpt_*` headers. Not here: what is asked for.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
import time
from collections import deque
from collections.abc import Callable

from requests import PreparedRequest
from requests.auth import AuthBase


def signature(key: bytes, sid: str, rid: str, rtime: str) -> str:
    """Base64(HMAC-SHA256(key, sid + rid + rtime))."""
    return base64.b64encode(
        hmac.new(key, f"{sid}{rid}{rtime}".encode(), hashlib.sha256).digest()
    ).decode("ascii")


class _Ticks:
    """Milliseconds, each given once, for all threads of the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: deque[int] = deque(maxlen=1_000)
        self._known: set[int] = set()

    def next(self, wanted: int) -> int:
        with self._lock:
            while wanted in self._known:
                wanted += 1
            if len(self._used) == self._used.maxlen:
                self._known.discard(self._used[0])
            self._used.append(wanted)
            self._known.add(wanted)
            return wanted


_ticks = _Ticks()


class ExchangeSignature(AuthBase):
    """Signs each request afresh, since the platform refuses a time that is more
    than five minutes off.

    No two requests of this process carry the same time, so that none carries the same signature.
    """

    def __init__(
        self, key: bytes, sid: str, rid: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._key = key
        self._sid = sid
        self._rid = rid
        self._clock = clock

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        rtime = str(_ticks.next(int(self._clock() * 1000)))
        r.headers["gjgxjhpt_rid"] = self._rid
        r.headers["gjgxjhpt_sid"] = self._sid
        r.headers["gjgxjhpt_rtime"] = rtime
        r.headers["gjgxjhpt_sign"] = signature(self._key, self._sid, self._rid, rtime)
        return r
