"""A day that is made anew: beside the old one while later days rest on it, in its place when every
day above has been made too.

Belongs here: when that is. Not here: the folders of it (`beside`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date
from typing import Self

from expectations.engine import SqlEngine
from expectations.errors import YihuError
from resources.lake.beside import (
    Line,
    cut,
    drop,
    line_in_force,
    line_of,
    move_in,
    new_line,
    put_in_force,
    replace_text,
)
from resources.lake.notes import Notes
from resources.lake.states import Places
from resources.lake.writing import Day, make_whole

KEPT_SINCE = "kept_since"


class GivenUp(YihuError):
    """A day that cannot be made anew: what it rests on was given up."""

    next_step = "read it in the warehouse: select yihu_as_of(…); docs/lake.md, Retention"


class DaysAnew(Notes):
    """What a run says to the lake when it begins a day, and when it has made it."""

    def begin(self, as_of: date, counted: tuple[str, str]) -> None:
        """The day is going to be made: one that was made, and that later days rest on, beside them,
        together with days made anew before it. `counted`: the table whose days count as made.

        The caller holds the run lock. Raises `GivenUp`.
        """
        since = self.kept_since()
        if since is not None and as_of <= since:
            raise GivenUp(f"{as_of} cannot be made anew: days before {since} were given up")
        self.move_in()
        days = Places(self.root).days(*counted)
        newest, line = max(days, default=as_of), line_of(self.root)
        below = [day for day in days if day < as_of]
        if line and line.first < as_of <= newest and line.is_whole(below):
            cut(line, as_of)
            self._sees(line)
        elif as_of < newest and as_of in days:
            if line is not None:
                drop(line)
            line = new_line(self.root, as_of)
            line.save()
            self._sees(line)

    def settle(
        self,
        engine: SqlEngine,
        as_of: date,
        counted: tuple[str, str],
        expected: Collection[tuple[str, str]],
        replacing: Callable[[Self, date], None] = lambda *_: None,
    ) -> bool:
        """The day has been made as far as it will be: beside, where all that is expected of it was
        kept, it counts; when every day above counts too, all take their place. Whether they did.
        `replacing` is called before, with the lake as it is and each of these days.
        """
        line = self._line
        if line is None or line_in_force(self.root) is not None:
            return False
        if not {(layer, table, as_of) for layer, table in expected} <= self._kept:
            return False
        line.made.add(as_of)
        line.save()
        if line.has_rows() and not line.is_whole(Places(self.root).days(*counted)):
            return False
        for day in sorted(line.made) if line.has_rows() else ():
            replacing(type(self)(self.root), day)
        self._free_days_above(engine, line)
        put_in_force(self.root, line)
        return True

    def _free_days_above(self, engine: SqlEngine, line: Line) -> None:
        """A later day that was begun and does not count becomes whole, and stays what it was."""
        own, home = Places(line.root), Places(self.root)
        for layer, table in own.tables():
            replaced = set(own.days(layer, table))
            for on in home.days(layer, table):
                state = home.state(layer, table, on)
                base = None if state is None else state.base
                if on > max(line.made) and base is not None and base.day in replaced:
                    make_whole(engine, home, Day(layer, table, on, (), ""))

    def move_in(self) -> None:
        """Days that have taken their place are moved there; nobody may be reading them."""
        line = line_in_force(self.root)
        if line is not None:
            move_in(self.root, line)
        self._sees(None)

    def beside(self) -> Line | None:
        """The days made anew that wait for the days above them."""
        line = line_of(self.root)
        waits = line is not None and line.made and line_in_force(self.root) is None
        return line if waits else None

    def seeing(self, as_of: date) -> Self:
        """The lake as the last run of a day left it: beside, where it lies there."""
        other, line = type(self)(self.root), self.beside()
        if line is not None and as_of in line.made:
            other._sees(line)
        return other

    def keep_since(self, day: date) -> None:
        """Days before this one are not all there any more; days made anew that begin before it can
        never be made whole.
        """
        line = line_of(self.root)
        if line is not None and line.first <= day and line_in_force(self.root) is None:
            drop(line)
        replace_text(self.root / KEPT_SINCE, day.isoformat())

    def kept_since(self) -> date | None:
        """The day before which days were given up; None where none was."""
        path = self.root / KEPT_SINCE
        return date.fromisoformat(path.read_text(encoding="utf-8")) if path.exists() else None
