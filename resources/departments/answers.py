"""What the exchange platform answered, told apart from what only looks like an answer.

Belongs here: one answer's status, headers and body. Not here: windows, retries, files.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from typing import Any

import msgspec

from resources.departments.errors import Fault
from resources.departments.jsons import WAIT_FOR_IT, clean, is_too_deep, too_deep

CURSOR_UNKNOWN = 40002
CLOCK_TOLERANCE = 300.0
"""Seconds by which the platform lets a caller's clock be off."""

GOOD = (0, 200)
"""Codes of an answer that holds what was asked for."""

_NUMBER = re.compile(r"-?[0-9]{1,18}(?:[.]0+)?")


class _Data(msgspec.Struct):
    rows: list[msgspec.Raw]
    total: Any = None
    cursor: Any = None


class _Answer(msgspec.Struct):
    code: Any
    data: _Data | None = None


class _Envelope(msgspec.Struct):
    code: Any = 0


_answer = msgspec.json.Decoder(_Answer, float_hook=str)
_envelope = msgspec.json.Decoder(_Envelope)
_row = msgspec.json.Decoder(dict[str, Any], float_hook=str)


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
    came: bytes | None = None
    """The bytes as they came, where `body` is not the same."""


def read_page(came: bytes, content_type: str = "") -> Page:
    """The page in `came`; its rows are checked for their form, and not kept. Raises `Fault`."""
    body = clean(came, content_type, _is_an_answer)
    try:
        answer = _answer.decode(body)
    except msgspec.ValidationError:
        raise _malformed("the answer has not the form of the exchange platform") from None
    code = _whole(answer.code)
    if code == CURSOR_UNKNOWN:
        raise cursor_lost()
    if code is None:
        raise _malformed("the answer's code is no number")
    if code not in GOOD:
        raise Fault("again", "code", f"the platform answered with code {code}", WAIT_FOR_IT)
    data = answer.data
    if data is None:
        raise _malformed("the answer holds no data")
    total = _whole(data.total)
    if total is None or total < 0:
        raise _malformed("the answer's total is no number of rows")
    ends = _ends(body, data.rows)
    columns = tuple(dict.fromkeys(name for row in ends for name in row))
    mark = (
        blake2b(
            msgspec.json.encode([len(data.rows), *ends], order="sorted"), digest_size=16
        ).digest()
        if ends
        else None
    )
    return Page(
        body,
        len(data.rows),
        total,
        _cursor(data.cursor),
        mark,
        columns,
        None if body == came else came,
    )


def _is_an_answer(body: bytes) -> None:
    """Raises what its decoder raises for what is no JSON;
    what is JSON and no answer is told later.
    """
    try:
        _answer.decode(body)
    except msgspec.ValidationError:
        return


def _ends(body: bytes, rows: list[msgspec.Raw]) -> list[dict[str, Any]]:
    """The first and the last row, once all are seen to be flat objects."""
    if any(memoryview(raw)[:1] != b"{" for raw in rows):
        raise _malformed("the rows of the answer are no objects")
    # with one bracket and as many braces as rows, nothing in them can be nested
    if body.count(b"[") + body.count(b"{") != len(rows) + 3:
        for raw in rows:
            if is_too_deep(_row.decode(raw)):
                raise too_deep()
    return [_row.decode(rows[0]), _row.decode(rows[-1])] if rows else []


def _whole(value: Any) -> int | None:
    """A whole number, also where it is written as text or with a point; None for anything else."""
    match value:
        case bool():
            return None
        case int():
            return value
        case str() if _NUMBER.fullmatch(value.strip()):
            return int(value.strip().split(".")[0])
    return None


def _cursor(value: Any) -> str | None:
    match value:
        case None | "":
            return None
        case str():
            return value
        case int() if not isinstance(value, bool):
            return str(value)
    raise _malformed("the answer's cursor is neither text nor a number")


def _malformed(said: str) -> Fault:
    return Fault("again", "malformed", said, WAIT_FOR_IT)


def cursor_lost() -> Fault:
    return Fault(
        "window",
        "cursor_lost",
        f"the platform no longer knows the cursor (code {CURSOR_UNKNOWN})",
        WAIT_FOR_IT,
    )


def check_status(status: int, headers: Mapping[str, str], body: bytes, now: float) -> None:
    """Raises the `Fault` that status, headers and body show;
    returns where a page may be read from the body.
    """
    if _code_of(body) == CURSOR_UNKNOWN:
        raise cursor_lost()
    if status in (401, 403):
        raise Fault(
            "none",
            "unauthorised",
            f"the platform refuses the signature ({status}){_skew(headers, now)}",
            _KEY,
        )
    if status == 404:
        raise Fault(
            "none",
            "not_found",
            "the platform does not know this record type (404)",
            "check YIHU_GATEWAY_URL and what the platform offers this caller",
        )
    if status == 429:
        raise Fault(
            "again",
            "too_many_requests",
            "the platform asks for fewer requests (429)",
            WAIT_FOR_IT,
            _retry_after(headers, now),
        )
    if status >= 500 or status == 408:
        raise Fault(
            "again",
            "server_error",
            f"the platform has an error of its own ({status})",
            WAIT_FOR_IT,
            _retry_after(headers, now),
        )
    if status >= 400:
        raise Fault(
            "none",
            "bad_request",
            f"the platform rejects the request ({status}{_number(body)})",
            "compare the parameters with the platform's manual and report it",
        )
    if (
        status >= 300
        or "html" in headers.get("Content-Type", "").lower()
        or body[:64].removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"<")
    ):
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
    plain = body.removeprefix(codecs.BOM_UTF8)
    if len(body) > 4096 or not plain.lstrip().startswith(b"{"):
        return 0
    try:
        return _whole(_envelope.decode(plain).code) or 0
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
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
    return (
        f": this machine's clock is {abs(minutes):.0f} minutes"
        f" {'ahead of' if minutes > 0 else 'behind'} the platform's"
    )


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
