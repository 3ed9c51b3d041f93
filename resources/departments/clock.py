"""How a table's update time is kept, so that a window can be asked for.

Belongs here: the forms of a whole column, seen by one cheap question. Not here: single values
(`moments`), the statements (`query`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from resources.settings import SHANGHAI

ColumnKind = Literal["none", "moment", "day", "text", "number", "mixed"]


@dataclass(frozen=True)
class Clock:
    """The form in which every row of a table has its update time.

    `mixed`: in several forms, or one in which text does not compare as time does; the whole table
    is read, each row's time looked at, and the window kept here.
    """

    kept: ColumnKind
    template: str = ""
    """`text` and `number`: how a moment is written, as `strftime` takes it;
    empty for one since 1970.
    """
    scale: int = 1
    """Of a number since 1970: how many make a second."""
    by_day: bool = False
    """Without a time of day: the whole day is read again."""

    def bound(self, moment: datetime, has_zone: bool = False) -> Any:
        """A moment as this column writes it."""
        here = moment.astimezone(SHANGHAI)
        match self.kept:
            case "day":
                return here.date()
            case "text":
                return here.strftime(self.template)
            case "number" if self.template:
                return int(here.strftime(self.template))
            case "number":
                return int(here.timestamp() * self.scale)
        return here if has_zone else here.replace(tzinfo=None)


ISO = "%Y-%m-%d %H:%M:%S.%f"
_TEXTS = (
    ("____-__-__ __:__:__%", ISO, False),
    ("____/__/__ __:__:__", "%Y/%m/%d %H:%M:%S", False),
    ("____.__.__ __:__:__", "%Y.%m.%d %H:%M:%S", False),
    ("______________", "%Y%m%d%H%M%S", False),
    ("____-__-__", "%Y-%m-%d", True),
    ("____/__/__", "%Y/%m/%d", True),
    ("________", "%Y%m%d", True),
)
"""Forms of one width, in which text compares as time does."""

_NUMBERS = (
    (19_000_101, 21_001_231, Clock("number", "%Y%m%d", by_day=True)),
    (19_000_101_000_000, 21_001_231_235_959, Clock("number", "%Y%m%d%H%M%S")),
    (100_000_000, 4_200_000_000, Clock("number", scale=1)),
    (100_000_000_000, 4_200_000_000_000, Clock("number", scale=1_000)),
)


def as_compared(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Text with its `T` out of the way and without what stands behind its fraction;
    all of it is in Asia/Shanghai.
    """
    return sa.func.substr(sa.func.replace(column, "T", " "), 1, 26, type_=sa.Text)


def text_clock(connection: sa.Connection, table: str, column: sa.ColumnElement[Any]) -> Clock:
    """The one form of a column of text; `mixed` where there is none."""
    spaced = sa.func.replace(column, "T", " ")
    elsewhere = sa.and_(
        column.like("____-__-__%:%"),
        sa.or_(
            sa.func.upper(column).like("%Z"),
            column.like("____-__-__%:%-%"),
            sa.and_(
                column.like("%+%"),
                sa.not_(sa.or_(*(column.like(f"%+{end}") for end in ("08", "0800", "08:00")))),
            ),
        ),
    )
    counted = [
        sa.func.count(column),
        sa.func.min(column),
        sa.func.max(column),
        _count(elsewhere),
        *(_count(spaced.like(shape)) for shape, _, _ in _TEXTS),
    ]
    count, least, most, away, *fits = connection.execute(
        sa.select(*counted).select_from(sa.table(table))
    ).one()
    if not count:
        return Clock("text", ISO)
    # a year in front everywhere: else something compares as later than every time, and is in no
    # window
    if away or not (str(least) >= "1900" and str(most) < "2101"):
        return Clock("mixed")
    for (_, template, by_day), fit in zip(_TEXTS, fits, strict=True):
        if fit == count:
            return Clock("text", template, by_day=by_day)
    return Clock("mixed")


def number_clock(connection: sa.Connection, table: str, column: sa.ColumnElement[Any]) -> Clock:
    """The one form of a column of numbers, by the magnitude of its least and its greatest."""
    found = connection.execute(
        sa.select(sa.func.min(column), sa.func.max(column)).select_from(sa.table(table))
    ).one()
    if found[0] is None:
        return Clock("number")
    if isinstance(found[0], str) or isinstance(found[1], str):
        return Clock("mixed")  # SQLite keeps texts among numbers
    for low, high, clock in _NUMBERS:
        if low <= found[0] and found[1] <= high:
            return clock
    return Clock("mixed")


def _count(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)
