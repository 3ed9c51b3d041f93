"""The bytes of an answer as clean JSON.

Belongs here: encodings, marks in front, and what real platforms write that is no JSON but means one
thing. Not here: what the answer says (`answers`).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import Any

import msgspec

from resources.departments.errors import Fault

WAIT_FOR_IT = "the next run asks again; if it stays so, call the platform's operator"
DEEPEST = 16
"""Levels below a row's value: a row holds values, hardly ever anything nested."""
ILLEGAL_SHARE = 1e-4
"""Of an answer in UTF-8, bytes that are none; where they are more, it is in another encoding."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHARSET = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9_-]+)", re.IGNORECASE)
_PIECE = re.compile(rb'("[^"\\]*+(?:\\.[^"\\]*+)*+")|-?(?:NaN|Infinity)\b', re.DOTALL)
_CONTROL = re.compile(rb"[\x00-\x1f]")
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def clean(body: bytes, content_type: str, parse: Callable[[bytes], object]) -> bytes:
    """The answer in UTF-8, without a mark in front, and JSON where its meaning is clear.

    `NaN` and `Infinity` become the texts that they are, half a surrogate pair becomes U+FFFD, a
    control character within a text is escaped. `parse` tells JSON by a `msgspec.DecodeError`.
    Raises `Fault` for what is none, or nested without end.
    """
    text = _utf8(body, content_type)
    if _problem(text, parse) is None:
        return text
    mended = _PIECE.sub(_mended, text)
    problem = _problem(mended, parse)
    if problem is None:
        return mended
    if "truncated" in problem:
        raise Fault("again", "truncated", "the answer was cut short", WAIT_FOR_IT)
    raise Fault("again", "malformed", "the answer is no JSON", WAIT_FOR_IT)


def _problem(text: bytes, parse: Callable[[bytes], object]) -> str | None:
    """None for JSON, else what is wrong (without any of the text)."""
    try:
        parse(text)
    except RecursionError:
        raise too_deep() from None
    except msgspec.DecodeError as error:
        return str(error)
    return None


def too_deep() -> Fault:
    said = "the answer is nested too deep to be rows of values"
    return Fault(
        "none",
        "too_deep",
        said,
        "have the platform's operator look at what this record type answers",
    )


def is_too_deep(value: Any, levels: int = DEEPEST) -> bool:
    """Whether a value holds more levels than that."""
    level = [value]
    for _ in range(levels):
        level = [
            inner for outer in level if isinstance(outer, dict | list) for inner in _within(outer)
        ]
        if not level:
            return False
    return True


def _within(outer: dict[str, Any] | list[Any]) -> list[Any]:
    return list(outer.values()) if isinstance(outer, dict) else outer


def _utf8(body: bytes, content_type: str) -> bytes:
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return _recoded(body[len(mark) :], encoding)
    stated = _CHARSET.search(content_type)
    charset = stated[1].lower().replace("_", "-") if stated else "utf-8"
    if charset in ("gbk", "gb2312", "gb18030", "x-gbk"):
        # a platform that names the one and writes the other is common: UTF-8 is told by itself
        return body if _is_utf8(body) else _recoded(body, "gb18030")
    return body if _is_utf8(body) else _recoded(body, "utf-8")


def _is_utf8(body: bytes) -> bool:
    if body.isascii():
        return True
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _recoded(body: bytes, encoding: str) -> bytes:
    text = body.decode(encoding, "replace")
    illegal = text.count("\ufffd")
    if illegal > max(1, len(text) * ILLEGAL_SHARE):
        raise Fault(
            "again",
            "wrong_encoding",
            f"the answer is not in {encoding}",
            "have the platform's operator answer in UTF-8, or name the charset in Content-Type",
        )
    return text.encode("utf-8")


def _mended(match: re.Match[bytes]) -> bytes:
    text = match[1]
    if text is None:
        return b'"' + match[0] + b'"'
    if b"\\" in text:
        text = _ESCAPE.sub(lambda escape: b"\\ufffd" if escape[1] else escape[0], text)
    return _CONTROL.sub(lambda control: b"\\u%04x" % control[0][0], text)
