"""Values of a database as the text that the exchange platform would write.

Belongs here: one canonical text per type. Not here: which columns are read (`sql`), nor casting
them back (`expectations`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal

from resources.departments.moments import moment_text
from resources.settings import SHANGHAI

Kind = Literal["boolean", "timestamp", "date", "other"]
"""What a column holds, by the contract or by its declaration, where a driver's value does not tell.
"""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_STAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})["
    r" T]([0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]+)?)([+-][0-9]{2}(?::?[0-9]{2})?)?"
)


def column_texts(values: Sequence[Any], kind: Kind) -> list[str | None]:
    """A column as text: `true`/`false`, `YYYY-MM-DD`, ISO 8601 with `+08:00`, decimals in full;
    null stays null.

    In a column of days or times text, digits and epochs that say one are written so too; what says
    none stays as it is.
    """
    types = set(map(type, values)) - {type(None)}
    if types <= {str} and kind not in ("timestamp", "date"):
        return list(values)
    if types <= {str} and kind == "timestamp":
        return [None if value is None else stamp_text(value) for value in values]
    return [None if value is None else value_text(value, kind) for value in values]


def stamp_text(text: str) -> str:
    """A timestamp's text with `T` and offset; one without an offset is in Asia/Shanghai;
    what is no timestamp stays as it is.
    """
    match = _STAMP.fullmatch(text)
    if match is None:
        return moment_text(text, False) or text
    day, clock, offset = match.groups()
    if offset is None:
        return f"{day}T{clock}+08:00"
    if offset.replace(":", "") not in ("+08", "+0800"):
        return moment_text(text, False) or text
    return f"{day}T{clock}+08:00"


def value_text(value: Any, kind: Kind) -> str:
    match value:
        case str() if kind == "date":
            return value if _DAY.fullmatch(value) else moment_text(value, True) or value
        case str():
            return stamp_text(value) if kind == "timestamp" else value
        case bool():
            return "true" if value else "false"
        case int() if kind == "boolean" and value in (0, 1):
            return "true" if value else "false"
        case int() | float() | Decimal() if kind in ("timestamp", "date"):
            return moment_text(value, kind == "date") or value_text(value, "other")
        case int():
            return str(value)
        case Decimal():
            return format(value, "f")
        case float():
            return (
                format(Decimal(repr(value)), "f")
                if value == value and abs(value) != float("inf")
                else str(value)
            )
        case datetime() if kind == "date" and value.time() == time(0):
            return value.date().isoformat()
        case datetime():
            here = (
                value.replace(tzinfo=SHANGHAI)
                if value.tzinfo is None
                else value.astimezone(SHANGHAI)
            )
            return here.isoformat()
        case date() if kind == "timestamp":
            return f"{value.isoformat()}T00:00:00+08:00"
        case date():
            return value.isoformat()
        case bytes() | memoryview():
            return bytes(value).hex()
    return str(value)
