"""Moments and days as a database keeps them, whatever the column's type.

Belongs here: one value, in any form that means one thing only, as a moment or as canonical text.
Not here: whole columns (`texts`), windows (`windows`), what files hold (`expectations`).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from resources.settings import SHANGHAI

EARLIEST, LATEST = 1900, 2100
"""Years of a day; what lies outside is no day but a number."""

_WRITTEN = re.compile(
    r"([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})"
    r"|年([0-9]{1,2})月([0-9]{1,2})日|([0-9]{2})([0-9]{2})(?=[T ]))"
    r"(?:[T ]*([0-9]{1,2})[:时]([0-9]{1,2})(?:[:分]([0-9]{1,2})(?:[.,]([0-9]{1,9}))?秒?|分)?)?"
    r" ?(Z|z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_DIGITS = re.compile(r"-?[0-9]+(?:[.][0-9]+)?")
_SCALES: tuple[tuple[int, int], ...] = ((10**8, 1), (10**10, 1_000), (10**14, 1_000_000))
"""Seconds, milliseconds, microseconds since 1970: from which size on, and how many make a second.
"""
_COMPACT = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


def moment_of(value: Any) -> datetime | None:
    """The moment that a value says, with its offset (Asia/Shanghai where it has none);
    None where it says none.

    A day is its midnight. Digits are a day or a time of day where they spell one of 1900 to 2100
    (20261121, 20261121100000), else seconds or milliseconds (or less) since 1970, by their
    magnitude.
    """
    match value:
        case datetime():
            return value if value.tzinfo else value.replace(tzinfo=SHANGHAI)
        case date():
            return datetime.combine(value, time(0), SHANGHAI)
        case bool() | None:
            return None
        case int():
            return _of_digits(str(value))
        case float() | Decimal():
            return _of_number(value)
        case str():
            return _of_text(value.strip())
        case bytes():
            return _of_text(value.decode("ascii", "replace").strip())
    return None


def moment_text(value: Any, is_day: bool) -> str | None:
    """A moment's canonical text: ISO 8601 with `+08:00`, and of a day column's midnight the day;
    None where it says none.
    """
    found = moment_of(value)
    if found is None:
        return None
    here = found.astimezone(SHANGHAI)
    if here.year <= EARLIEST:
        here = here.replace(
            tzinfo=timezone(timedelta(hours=8))
        )  # before 1901 the zone is off by odd seconds
    return here.date().isoformat() if is_day and here.time() == time(0) else here.isoformat()


def _of_text(text: str) -> datetime | None:
    if _DIGITS.fullmatch(text):
        return _of_digits(text) if text.isdigit() else _of_number(Decimal(text))
    match = _WRITTEN.fullmatch(text)
    if match is None:
        return None
    year, _, m1, d1, m2, d2, m3, d3, hour, minute, second, fraction, offset = match.groups()
    if offset and hour is None:
        return None
    try:
        return datetime(
            int(year),
            int(m1 or m2 or m3),
            int(d1 or d2 or d3),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "0").ljust(6, "0")[:6]),
            _zone(offset),
        )
    except ValueError:
        return None


def _zone(offset: str | None) -> Any:
    if offset is None:
        return SHANGHAI
    if offset in ("Z", "z"):
        return UTC
    digits = offset[1:].replace(":", "").ljust(4, "0")
    away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-away if offset[0] == "-" else away)


def _of_digits(digits: str) -> datetime | None:
    form = _COMPACT.get(len(digits))
    whole, micro = digits, 0
    if len(digits) == 17:
        form, whole, micro = _COMPACT[14], digits[:14], int(digits[14:]) * 1000
    if form is not None and EARLIEST <= int(digits[:4]) <= LATEST:
        try:
            return datetime.strptime(whole, form).replace(microsecond=micro, tzinfo=SHANGHAI)
        except ValueError:
            pass
    return _of_number(int(digits))


def _of_number(number: float | Decimal) -> datetime | None:
    exact = Decimal(str(number))
    if not exact.is_finite() or abs(exact) >= 10**18:
        return None
    if (
        not isinstance(number, int)
        and exact == int(exact)
        and len(str(int(exact))) in (*_COMPACT, 17)
    ):
        return _of_digits(str(int(exact)))
    for least, scale in _SCALES:
        seconds = exact / scale
        if abs(exact) >= least and abs(seconds) < 4_200_000_000:
            found = datetime.fromtimestamp(0, UTC) + timedelta(
                microseconds=int(seconds * 1_000_000)
            )
            return found.astimezone(SHANGHAI)
    return None
