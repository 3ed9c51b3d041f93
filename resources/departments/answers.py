"""What the exchange platform answered, told apart from what only looks like an answer.

Belongs here: one answer's status, headers and body. Not here: windows, retries, files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from typing import Any

import msgspec

from resources.departments.errors import Fault

CURSOR_UNKNOWN = 40002
CLOCK_TOLERANCE = 300.0
"""Seconds by which the platform lets a caller's clock be off."""

WAIT_FOR_IT = "the next run asks again; if it stays so, call the platform's operator"


class _Data(msgspec.Struct):
    total: int
    rows: list[msgspec.Raw]
    cursor: str | None = None


class _Answer(msgspec.Struct):
    code: int
    data: _Data | None = None


class _Envelope(msgspec.Struct):
    code: int = 0


_answer = msgspec.json.Decoder(_Answer)
_envelope = msgspec.json.Decoder(_Envelope)
_row = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True)
class Page:
    """One page: its bytes as they came, and the little of it that is needed to go on."""

    body: bytes
    rows: int
    total: int
    cursor: str | None
    mark: bytes | None
    """Tells this page from every other page of its window; None for a page without rows."""
    columns: tuple[str, ...]


def read_page(body: bytes) -> Page:
    """The page in `body`; the rows themselves are not parsed. Raises `Fault`."""
    try:
        answer = _answer.decode(body)
    except msgspec.ValidationError:
        raise Fault("again", "malformed", "the answer has not the form of the exchange platform", WAIT_FOR_IT) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Fault("again", "truncated", "the answer was cut short or is damaged", WAIT_FOR_IT) from None
    if answer.code == CURSOR_UNKNOWN:
        raise cursor_lost()
    if answer.code != 0:
        raise Fault("again", "code", f"the platform answered with code {answer.code}", WAIT_FOR_IT)
    data = answer.data
    if data is None:
        raise Fault("again", "malformed", "the answer holds no data", WAIT_FOR_IT)
    try:
        ends = [_row.decode(data.rows[0]), _row.decode(data.rows[-1])] if data.rows else []
    except msgspec.DecodeError:
        raise Fault("again", "malformed", "the rows of the answer are no objects", WAIT_FOR_IT) from None
    columns = tuple(dict.fromkeys(name for row in ends for name in row))
    mark = blake2b(msgspec.json.encode([len(data.rows), *ends], order="sorted"), digest_size=16).digest() if ends else None
    return Page(body, len(data.rows), data.total, data.cursor or None, mark, columns)


def cursor_lost() -> Fault:
    return Fault("window", "cursor_lost", f"the platform no longer knows the cursor (code {CURSOR_UNKNOWN})", WAIT_FOR_IT)


def check_status(status: int, headers: Mapping[str, str], body: bytes, now: float) -> None:
    """Raises the `Fault` that status, headers and body show; returns where a page may be read from the body."""
    if _code_of(body) == CURSOR_UNKNOWN:
        raise cursor_lost()
    if status in (401, 403):
        raise Fault("none", "unauthorised", f"the platform refuses the signature ({status}){_skew(headers, now)}", _KEY)
    if status == 404:
        raise Fault(
            "none",
            "not_found",
            "the platform does not know this record type (404)",
            "check YIHU_GATEWAY_URL and what the platform offers this caller",
        )
    if status == 429:
        raise Fault("again", "too_many_requests", "the platform asks for fewer requests (429)", WAIT_FOR_IT, _retry_after(headers, now))
    if status >= 500 or status == 408:
        raise Fault("again", "server_error", f"the platform has an error of its own ({status})", WAIT_FOR_IT, _retry_after(headers, now))
    if status >= 400:
        raise Fault(
            "none",
            "bad_request",
            f"the platform rejects the request ({status}{_number(body)})",
            "compare the parameters with the platform's manual and report it",
        )
    if status >= 300 or "html" in headers.get("Content-Type", "").lower() or body[:64].lstrip().startswith(b"<"):
        raise Fault(
            "again",
            "login_page",
            "a web page came instead of data (a login page?)",
            "check YIHU_GATEWAY_URL and that this machine may pass the platform's portal",
        )
    if not body.strip():
        raise Fault("again", "empty_body", "the answer was empty", WAIT_FOR_IT)


_KEY = "check YIHU_GATEWAY_SID, YIHU_GATEWAY_KEY and this machine's clock"


def _code_of(body: bytes) -> int:
    """The code of a short body, that is, of an error; pages are read later."""
    if len(body) > 4096 or not body.lstrip().startswith(b"{"):
        return 0
    try:
        return _envelope.decode(body).code
    except msgspec.DecodeError:
        return 0


def _number(body: bytes) -> str:
    # the code only: a message may repeat what was asked
    code = _code_of(body)
    return f", code {code}" if code else ""


def _skew(headers: Mapping[str, str], now: float) -> str:
    there = _http_date(headers.get("Date", ""))
    if there is None or abs(now - there) <= CLOCK_TOLERANCE:
        return ""
    minutes = (now - there) / 60
    return f": this machine's clock is {abs(minutes):.0f} minutes {'ahead of' if minutes > 0 else 'behind'} the platform's"


def _retry_after(headers: Mapping[str, str], now: float) -> float | None:
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    there = _http_date(text)
    return None if there is None else max(0.0, there - now)


def _http_date(text: str) -> float | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    aware: datetime = found if found.tzinfo else found.replace(tzinfo=UTC)
    return aware.timestamp()
