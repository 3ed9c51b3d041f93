"""The government exchange platform (政务数据共享交换平台) over HTTP on loopback.

Belongs here: the protocol of the departments' API, over a county. Not here: what the rows say
(`days`), how it goes wrong (`faults`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pyarrow as pa

from expectations.contract import load_contracts
from expectations.errors import UsageError
from sandbox.county import County
from sandbox.faults import Fault, FaultPlan, act
from sandbox.render import json_rows
from sandbox.shapes import SHAPES

SHANGHAI = timezone(timedelta(hours=8))
MAX_SKEW_MS = 5 * 60 * 1000
CACHE_BYTES = 700_000_000
ROOT = "/api"


class Refused(UsageError):
    """An answer other than rows: HTTP status, code and message; never a value from a row."""

    next_step = "see docs/sandbox.md for what it answers"

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass(frozen=True)
class Window:
    """What a request asks for; the same window gives the same rows."""

    records: str
    since: datetime | None
    until: datetime


@dataclass(frozen=True)
class Rendered:
    """A window's rows as JSON text, end to end, each with a comma behind."""

    text: memoryview
    offsets: np.ndarray

    @property
    def total(self) -> int:
        return len(self.offsets) - 1

    def page(self, start: int, count: int) -> bytes:
        first, last = int(self.offsets[start]), int(self.offsets[min(start + count, self.total)])
        return bytes(self.text[first : max(first, last - 1)])


@dataclass(frozen=True)
class Request:
    """One request for a page, checked."""

    window: Window
    limit: int
    start: int
    page: int
    is_pause: bool
    """The page is left empty though more follows."""


def signature(key: bytes, sid: str, rid: str, rtime: str) -> str:
    """gjgxjhpt_sign: Base64(HMAC-SHA256(key, sid + rid + rtime))."""
    return base64.b64encode(
        hmac.new(key, f"{sid}{rid}{rtime}".encode(), hashlib.sha256).digest()
    ).decode()


def _moment(text: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(400, 40001, f"{name} is not an ISO 8601 time") from None
    if moment.tzinfo is None:
        raise Refused(400, 40001, f"{name} has no offset")
    return moment.astimezone(SHANGHAI).replace(tzinfo=None)


class Gateway:
    """Answers requests about one county for one caller."""

    def __init__(
        self, county: County, sid: str, key: bytes, faults: FaultPlan | None = None
    ) -> None:
        self.county, self.sid, self.key = county, sid, key
        self.faults = faults or FaultPlan()
        self.known = {
            f"{c.department}.{c.records}": c.records
            for c in load_contracts()
            if c.records in SHAPES
        }
        self._windows: OrderedDict[Window, Rendered] = OrderedDict()
        self._lock = threading.Lock()

    def rendered(self, window: Window) -> Rendered:
        """The window's rows, made once and kept while there is room."""
        with self._lock:
            found = self._windows.get(window)
            if found is None:
                found = self._render(window)
                self._windows[window] = found
                while (
                    len(self._windows) > 1
                    and sum(len(r.text) for r in self._windows.values()) > CACHE_BYTES
                ):
                    self._windows.popitem(last=False)
            self._windows.move_to_end(window)
            return found

    def _render(self, window: Window) -> Rendered:
        contract = self.county.contract(window.records)
        select = json_rows(contract, self.county.state(window.records, window.until, window.since))
        # its own cursor: threads come and go with connections
        with self.county.connection().cursor() as cursor:
            table = cursor.execute(select).to_arrow_table()
        rows = table.column(0).cast(pa.large_string()).combine_chunks()
        if isinstance(rows, pa.ChunkedArray):
            rows = (
                pa.concat_arrays(rows.chunks)
                if rows.num_chunks
                else pa.array([], pa.large_string())
            )
        _, offsets, data = rows.buffers()
        ends = (
            np.frombuffer(offsets, dtype=np.int64)[rows.offset : rows.offset + len(rows) + 1]
            if len(rows)
            else np.zeros(1, np.int64)
        )
        return Rendered(memoryview(data) if data is not None else memoryview(b""), ends)

    def authorise(self, headers: Any, rid_of_path: str) -> None:
        """Raises `Refused` 401 unless caller, record type, clock and signature are right."""
        rid, sid = headers.get("gjgxjhpt_rid", ""), headers.get("gjgxjhpt_sid", "")
        rtime, sign = headers.get("gjgxjhpt_rtime", ""), headers.get("gjgxjhpt_sign", "")
        if sid != self.sid:
            raise Refused(401, 40101, "caller not known")
        if not (rtime.isascii() and rtime.isdigit()):
            raise Refused(401, 40104, "rtime is not epoch milliseconds")
        if not hmac.compare_digest(sign.encode(), signature(self.key, sid, rid, rtime).encode()):
            raise Refused(401, 40102, "signature does not fit")
        if rid != rid_of_path:
            raise Refused(401, 40103, "record type in the header is not the one in the path")
        if abs(int(rtime) - int(datetime.now(SHANGHAI).timestamp() * 1000)) > MAX_SKEW_MS:
            raise Refused(401, 40104, "clock is off by more than 5 minutes")

    def read_request(self, records: str, query: dict[str, list[str]]) -> Request:
        """The page asked for; raises `Refused` for a parameter or a cursor that is not right."""
        values = {name: found[-1] for name, found in query.items()}
        strange = sorted(set(values) - {"until", "since", "cursor", "limit"})
        if strange:
            raise Refused(400, 40001, "unknown parameter")
        limit_text = values.get("limit", "1000")
        if not (limit_text.isascii() and limit_text.isdigit() and 1 <= int(limit_text) <= 10_000):
            raise Refused(400, 40001, "limit must be 1 to 10000")
        since = _moment(values["since"], "since") if values.get("since") else None
        until = _moment(values["until"], "until") if values.get("until") else None
        cursor = (
            self._open_cursor(records, since, until, values["cursor"])
            if values.get("cursor")
            else {}
        )
        if until is None:
            until = (
                datetime.fromisoformat(cursor["until"])
                if cursor
                else datetime.now(SHANGHAI).replace(tzinfo=None)
            )
        window = Window(records, since, until)
        return Request(
            window,
            int(limit_text),
            cursor.get("start", 0),
            cursor.get("page", 1),
            bool(cursor.get("pause")),
        )

    def _seal(
        self, records: str, since: datetime | None, until: datetime | None, body: bytes
    ) -> bytes:
        window = f"{records}|{since}|{until}|".encode()
        return hmac.new(self.key, b"cursor|" + window + body, hashlib.sha256).digest()[:12]

    def _open_cursor(
        self, records: str, since: datetime | None, until: datetime | None, text: str
    ) -> dict[str, Any]:
        try:
            sealed = base64.urlsafe_b64decode(text.encode("ascii"))
        except ValueError:
            raise Refused(200, 40002, "cursor not known") from None
        seal, body = sealed[:12], sealed[12:]
        if not hmac.compare_digest(seal, self._seal(records, since, until, body)):
            raise Refused(200, 40002, "cursor not known")
        opened: dict[str, Any] = json.loads(body)
        return opened

    def cursor_after(self, request: Request, query: dict[str, list[str]], count: int) -> str | None:
        """The cursor of the next page, None behind the last.

        Some windows have an empty page in their midst.
        """
        window = request.window
        total = self.rendered(window).total
        start = request.start + count
        if start >= total:
            return None
        pauses = not request.is_pause and request.page == 2 and total % 3 == 0
        body = json.dumps(
            {
                "start": start,
                "page": request.page + 1,
                "pause": pauses,
                "until": window.until.isoformat(),
            }
        ).encode()
        until = window.until if "until" in query else None
        return base64.urlsafe_b64encode(
            self._seal(window.records, window.since, until, body) + body
        ).decode()

    def answer(self, path: str, headers: Any) -> tuple[int, bytes, dict[str, str], Fault | None]:
        """Status, body and further headers of a GET, and the fault to act out while sending."""
        parts = urlsplit(path)
        names = parts.path.removeprefix(ROOT).strip("/").split("/")
        rid = ".".join(names)
        query = parse_qs(parts.query, keep_blank_values=True)
        try:
            self.authorise(headers, rid)
            if not parts.path.startswith(ROOT + "/") or len(names) != 2 or rid not in self.known:
                raise Refused(404, 40401, "no such record type")
            request = self.read_request(self.known[rid], query)
            fault = self.faults.take(request.window.records, request.page)
            body = self._page(request, query)
            if fault is None:
                return 200, body, {}, None
            return *act(fault, body), fault
        except Refused as refused:
            body = json.dumps(
                {"code": refused.code, "message": refused.message, "data": None}
            ).encode()
            return refused.status, body, {}, None

    def _page(self, request: Request, query: dict[str, list[str]]) -> bytes:
        rendered = self.rendered(request.window)
        count = 0 if request.is_pause else min(request.limit, rendered.total - request.start)
        cursor = self.cursor_after(request, query, count)
        opening = json.dumps(
            {
                "code": 0,
                "message": "ok",
                "data": {"total": rendered.total, "cursor": cursor, "rows": []},
            }
        )
        return opening[:-3].encode() + rendered.page(request.start, count) + b"]}}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], gateway: Gateway) -> None:
        super().__init__(address, _Handler)
        self.gateway = gateway

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller may hang up before the whole answer is sent, as the preflight does: no error of
        ours.
        """
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120
    server: _Server

    def do_GET(self) -> None:
        status, body, extra, fault = self.server.gateway.answer(self.path, self.headers)
        if fault is not None and fault.fault == "reset":
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
            )
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(status)
        self.send_header(
            "Content-Type", extra.pop("Content-Type", "application/json; charset=utf-8")
        )
        self.send_header("Content-Length", str(len(body)))
        for name, value in extra.items():
            self.send_header(name, value)
        self.end_headers()
        if fault is None:
            self.wfile.write(body)
        else:
            self.close_connection = fault.send(self.wfile, body) or self.close_connection

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged: a path could carry what must not be kept."""


def start(
    county: County, sid: str, key: bytes, faults: FaultPlan | None = None, port: int = 0
) -> tuple[_Server, str]:
    """A running gateway in a thread of its own, and its URL."""
    server = _Server(("127.0.0.1", port), Gateway(county, sid, key, faults))
    threading.Thread(target=server.serve_forever, name="sandbox-gateway", daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}{ROOT}"


@contextmanager
def serve(county: County, sid: str, key: bytes, faults: FaultPlan | None = None) -> Iterator[str]:
    """For tests: the gateway's URL, as long as the block lasts."""
    server, url = start(county, sid, key, faults)
    try:
        yield url
    finally:
        server.shutdown()
        server.server_close()
