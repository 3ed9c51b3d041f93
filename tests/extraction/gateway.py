"""A small exchange platform for these tests: one window's rows, page by page, and the faults of a
real one.

Belongs here: the protocol as the design has it, and one fault at a time. Not here: the synthetic
county (`sandbox`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

KEY = b"a-key-for-tests"
SID = "yihu-tests"


@dataclass
class Asked:
    """One request as it arrived."""

    path: str
    parameters: dict[str, str]
    number: int


@dataclass
class Reply:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    manner: str = "whole"
    """`whole`, `cut` (half of it), `reset`, `drip`, `until closed` (no length), `chunked` or
    `chunked cut`.
    """


Fault = Callable[[Asked, Reply], Reply | None]
"""Given a request and its proper reply, the reply to send instead, or None for the proper one."""


class Gateway:
    """Holds rows by `department/records`; `fault` may replace any reply."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.updated_at = "updated_at"
        self.fault: Fault | None = None
        self.asked: list[Asked] = []
        self.url = ""
        self._lock = threading.Lock()

    def reply(self, path: str, parameters: dict[str, str], headers: dict[str, str]) -> Reply:
        with self._lock:
            asked = Asked(path, parameters, len(self.asked) + 1)
            self.asked.append(asked)
        proper = self._proper(asked, headers)
        return (self.fault(asked, proper) if self.fault else None) or proper

    def _proper(self, asked: Asked, headers: dict[str, str]) -> Reply:
        records = asked.path.strip("/")
        rid, sid, rtime = (headers.get(f"gjgxjhpt_{n}", "") for n in ("rid", "sid", "rtime"))
        expected = base64.b64encode(
            hmac.new(KEY, f"{sid}{rid}{rtime}".encode(), hashlib.sha256).digest()
        ).decode()
        late = abs(time.time() - int(rtime or 0) / 1000) > 300
        if (
            headers.get("gjgxjhpt_sign") != expected
            or sid != SID
            or rid != records.replace("/", ".")
            or late
        ):
            return error(401, 40100)
        if records not in self.rows:
            return error(404, 40400)
        limit = int(asked.parameters.get("limit", "1000"))
        if not 1 <= limit <= 10_000:
            return error(400, 40001)
        rows = self._window(records, asked.parameters)
        start = 0
        if "cursor" in asked.parameters:
            start = int(asked.parameters["cursor"].removeprefix("c"))
        end = start + limit
        return page(rows[start:end], len(rows), f"c{end}" if end < len(rows) else None)

    def _window(self, records: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
        since, until = (
            datetime.fromisoformat(parameters[n]) if n in parameters else None
            for n in ("since", "until")
        )

        def inside(row: dict[str, Any]) -> bool:
            at = datetime.fromisoformat(row[self.updated_at])
            return (since is None or at > since) and (until is None or at <= until)

        return sorted(
            filter(inside, self.rows[records]),
            key=lambda r: (r[self.updated_at], list(r.values())[1]),
        )


def page(rows: list[dict[str, Any]], total: int, cursor: str | None) -> Reply:
    body = json.dumps(
        {"code": 0, "message": "ok", "data": {"total": total, "cursor": cursor, "rows": rows}},
        ensure_ascii=False,
    )
    return Reply(200, body.encode())


def error(status: int, code: int, **headers: str) -> Reply:
    body = json.dumps(
        {"code": code, "message": "no: see 张三 612429197001011234", "data": None},
        ensure_ascii=False,
    )
    return Reply(status, body.encode(), headers)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    gateway: Gateway

    def do_GET(self) -> None:
        parsed = urlparse(self.path)
        parameters = {
            name: values[0]
            for name, values in parse_qs(parsed.query, keep_blank_values=True).items()
        }
        reply = self.gateway.reply(
            parsed.path, parameters, {k.lower(): v for k, v in self.headers.items()}
        )
        if reply.manner == "reset":
            # linger 0: the connection ends with RST
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        self.send_header("Date", reply.headers.pop("Date", formatdate(usegmt=True)))
        self.send_header("Content-Type", reply.headers.pop("Content-Type", "application/json"))
        if reply.manner.startswith("chunked"):
            self.send_header("Transfer-Encoding", "chunked")
        elif reply.manner != "until closed":
            self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self._send(reply)
        except OSError:
            self.close_connection = True

    def _send(self, reply: Reply) -> None:
        if reply.manner == "cut":
            self.wfile.write(reply.body[: len(reply.body) // 2])
            self.close_connection = True
        elif reply.manner == "drip":
            for at in range(len(reply.body)):
                self.wfile.write(reply.body[at : at + 1])
                self.wfile.flush()
                time.sleep(0.02)
        elif reply.manner.startswith("chunked"):
            self._send_chunked(reply.body, reply.manner == "chunked cut")
        else:
            self.wfile.write(reply.body)
            self.close_connection = reply.manner == "until closed"

    def _send_chunked(self, body: bytes, is_cut: bool) -> None:
        for at in range(0, len(body) // 2 if is_cut else len(body), 100):
            piece = body[at : at + 100]
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self.close_connection = is_cut
        if not is_cut:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(gateway: Gateway) -> Iterator[Gateway]:
    handler = type("Handler", (_Handler,), {"gateway": gateway})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    gateway.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
