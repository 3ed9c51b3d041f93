"""The line to the gateway: a connection that can be cut from outside, and a body of bounded size.

Belongs here: sockets, deadlines of a whole answer, unpacking. Not here: what is asked (`api`), what
an answer means (`answers`).
"""

from __future__ import annotations

import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter

from resources.departments.errors import Fault
from resources.departments.jsons import WAIT_FOR_IT

PACKED = ("gzip", "x-gzip", "deflate")


class Line:
    """The sockets of one client.

    A timer cuts them, so that not even headers that drip hold up a run.
    """

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self.is_cut = False

    def hold(self, opened: Any) -> None:
        self._socket = opened if isinstance(opened, socket.socket) else None

    def cut(self) -> None:
        self.is_cut = True
        if self._socket is not None:
            with suppress(OSError):  # closed meanwhile
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """What happens inside is cut off after so many seconds."""
        self.is_cut = False
        timer = threading.Timer(seconds, self.cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


class LineAdapter(HTTPAdapter):
    """Hands every socket that is opened to a line."""

    def __init__(self, line: Line, **arguments: Any) -> None:
        self._line = line
        super().__init__(**arguments)

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _held(urllib3.HTTPConnectionPool, self._line),
            "https": _held(urllib3.HTTPSConnectionPool, self._line),
        }


def _held(pool: type[urllib3.HTTPConnectionPool], line: Line) -> type[urllib3.HTTPConnectionPool]:
    base: Any = pool.ConnectionCls

    def connect(self: Any) -> None:
        base.connect(self)
        line.hold(self.sock)

    connection = type("HeldConnection", (base,), {"connect": connect})
    return type("HeldPool", (pool,), {"ConnectionCls": connection})


class Unpacked:
    """The body of an answer, unpacked as it comes, never beyond `most` bytes. Raises `Fault`."""

    def __init__(self, encoding: str, most: int) -> None:
        self._most = most
        self._pieces: list[bytes] = []
        self.size = 0
        name = encoding.strip().lower()
        if name not in ("", "identity", *PACKED):
            raise Fault(
                "again",
                "encoding",
                "the answer is packed in a way that was not asked for",
                WAIT_FOR_IT,
            )
        self._packed = None if name in ("", "identity") else zlib.decompressobj(zlib.MAX_WBITS | 32)
        self._is_begun = False

    def add(self, piece: bytes) -> None:
        if self._packed is None:
            self._keep(piece)
            return
        while piece:
            self._keep(self._unpack(piece))
            piece = self._packed.unconsumed_tail

    def body(self) -> bytes:
        if self._packed is not None and not self._packed.eof:
            raise Fault("again", "truncated", "the answer was cut short", WAIT_FOR_IT)
        return b"".join(self._pieces)

    def _unpack(self, piece: bytes) -> bytes:
        assert self._packed is not None
        room = self._most - self.size + 1
        try:
            if self._is_begun:
                return self._packed.decompress(piece, room)
            self._is_begun = True
            try:
                return self._packed.decompress(piece, room)
            except zlib.error:
                self._packed = zlib.decompressobj(
                    -zlib.MAX_WBITS
                )  # `deflate` without its head, as some servers send it
                return self._packed.decompress(piece, room)
        except zlib.error:
            raise Fault(
                "again", "damaged", "the answer is damaged: it cannot be unpacked", WAIT_FOR_IT
            ) from None

    def _keep(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > self._most:
            raise too_large(self._most)
        self._pieces.append(piece)


def too_large(most: int) -> Fault:
    return Fault(
        "none",
        "too_large",
        f"the answer is larger than {most >> 20} MiB",
        "have the platform keep to the `limit` of rows that it is asked for",
    )
