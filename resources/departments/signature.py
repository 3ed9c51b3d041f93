"""The signature of the government exchange platform (政务数据共享交换平台).

Belongs here: the four `gjgxjhpt_*` headers. Not here: what is asked for.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable

from requests import PreparedRequest
from requests.auth import AuthBase


def signature(key: bytes, sid: str, rid: str, rtime: str) -> str:
    """Base64(HMAC-SHA256(key, sid + rid + rtime))."""
    return base64.b64encode(hmac.new(key, f"{sid}{rid}{rtime}".encode(), hashlib.sha256).digest()).decode("ascii")


class ExchangeSignature(AuthBase):
    """Signs each request afresh, since the platform refuses a time that is more than five minutes off."""

    def __init__(self, key: bytes, sid: str, rid: str, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._sid = sid
        self._rid = rid
        self._clock = clock

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        rtime = str(int(self._clock() * 1000))
        r.headers["gjgxjhpt_rid"] = self._rid
        r.headers["gjgxjhpt_sid"] = self._sid
        r.headers["gjgxjhpt_rtime"] = rtime
        r.headers["gjgxjhpt_sign"] = signature(self._key, self._sid, self._rid, rtime)
        return r
