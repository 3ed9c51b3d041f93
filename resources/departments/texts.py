"""Values of a database as the text that the exchange platform would write.

Belongs here: one canonical text per type. Not here: which columns are read (`sql`), nor casting them back (`expectations`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal

from resources.settings import SHANGHAI

Kind = Literal["boolean", "timestamp", "date", "other"]
"""What a column is declared as, where a driver's value does not tell."""

_STAMP = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]+)?)([+-][0-9]{2}(?::?[0-9]{2})?)?")


def column_texts(values: Sequence[Any], kind: Kind) -> list[str | None]:
    """A column as text: `true`/`false`, `YYYY-MM-DD`, ISO 8601 with `+08:00`, decimals in full; null stays null."""
    types = set(map(type, values)) - {type(None)}
    if types <= {str} and kind != "timestamp":
        return list(values)
    if types <= {str}:
        return [None if value is None else stamp_text(value) for value in values]
    return [None if value is None else value_text(value, kind) for value in values]


def stamp_text(text: str) -> str:
    """A timestamp's text with `T` and offset; one without an offset is in Asia/Shanghai; what is no timestamp stays as it is."""
    match = _STAMP.fullmatch(text)
    if match is None:
        return text
    day, clock, offset = match.groups()
    if offset is None:
        return f"{day}T{clock}+08:00"
    return f"{day}T{clock}{offset}:00" if len(offset) == 3 else f"{day}T{clock}{offset}"


def value_text(value: Any, kind: Kind) -> str:
    match value:
        case str():
            return stamp_text(value) if kind == "timestamp" else value
        case bool():
            return "true" if value else "false"
        case int() if kind == "boolean" and value in (0, 1):
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            return format(value, "f")
        case float():
            return format(Decimal(repr(value)), "f") if value == value and abs(value) != float("inf") else str(value)
        case datetime() if kind == "date" and value.time() == time(0):
            return value.date().isoformat()
        case datetime():
            here = value.replace(tzinfo=SHANGHAI) if value.tzinfo is None else value.astimezone(SHANGHAI)
            return here.isoformat()
        case date():
            return value.isoformat()
        case bytes() | memoryview():
            return bytes(value).hex()
    return str(value)
