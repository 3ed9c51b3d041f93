"""What a view of `yihu` is, as data: its columns, types, keys and meanings, and how its counts
leave the house.

Belongs here: the shapes of a declaration. Not here: the views themselves (`declared`, `supported`,
`periodic`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from warehouse.layouts import FIRST, LAYOUTS


@dataclass(frozen=True)
class Column:
    """A column as consumers see it; `type` is PostgreSQL's name for it."""

    name: str
    type: str
    meaning: str
    since: str = FIRST
    """The layout that brought it."""
    is_hidden: bool = False
    """Stored for the view's own reckoning; no view, dictionary or file of a release shows it."""
    effective_from: date | None = None
    """Of an indicator that came into the catalogue later: earlier days' releases do not have it."""


@dataclass(frozen=True)
class Exit:
    """How the counts of a view leave the house:
    every integer column that is no key is one, and hidden where it is small.

    What is no count (a rate, an amount, what `not_counts` names) is hidden where a count of its row
    is.
    """

    not_counts: tuple[str, ...] = ()
    """Integers that count no household: a rank, days."""
    families: Mapping[str, str] = field(default_factory=dict)
    """Counts that tell each other and are hidden together: by column, or `column:value` of `by`. A
    family with a dot in its name is the view's own; any other is one family over all views that
    count on the same day. Others are alone."""
    derived: tuple[tuple[str, str], ...] = ()
    """Counts that nobody publishes and everybody can work out:
    their family, and SQL over a row `t`.
    """
    follows: Mapping[str, str] = field(default_factory=dict)
    """A family that is hidden wherever another is on that day too, since it would tell it."""
    by: str | None = None
    """The key column that says what is counted (a measure, a dimension)."""
    merged: str | None = None
    """The key column whose values share the same households out:
    hidden together, apart from the row `all`.
    """
    on: str = "as_of"
    """The column with the day whose households are counted."""
    ranked: str | None = None
    """The column of ranks: gone for a whole level where one of its areas is hidden,
    since the gap tells it.
    """
    places_only: bool = False
    """Households of no known place are left out, unless it has a row for them (town 000): against a
    view that has them, a county's counts tell theirs."""
    is_sparse: bool = False
    """A row is there only where something was counted:
    an area without one counts as 0, and hidden rows are left out.
    """


@dataclass(frozen=True)
class View:
    """A view of `yihu` and the versioned table of `store` behind it."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    meaning: str
    indexes: tuple[tuple[str, ...], ...] = ()
    """Beside the key and the place (town, village), which every table has one for."""
    readers: tuple[str, ...] = ("yihu_reader", "yihu_area")
    """Roles that may select from it, beside the publisher; `yihu_area` sees the rows of its areas.
    """
    department: str | None = None
    """SQL over a row `t` of the table: the department whose own it is;
    `yihu_department` reads its own then.
    """
    departments: str | None = None
    """SQL over a row `t`: all departments whose own it is, where they are several."""
    masks: Mapping[str, str] = field(default_factory=dict)
    """Columns that who does not see all is shown otherwise: SQL over a row `t` of its own rows."""
    exit: Exit | None = None
    """Where it is made of counts: how they leave by the one exit,
    which is all that `yihu_analyst` sees.
    """
    since: str = FIRST
    """The layout that brought it."""

    @property
    def key_types(self) -> dict[str, str]:
        """PostgreSQL's name of the type of each column of the key."""
        kinds = {column.name: column.type for column in self.columns}
        return {name: kinds[name] for name in self.key}

    @property
    def stored(self) -> tuple[Column, ...]:
        """The columns of a row: those declared and its place; what came later stands at the end."""
        have = {column.name for column in self.columns}
        return tuple(
            sorted(
                (*self.columns, *(column for column in PLACE if column.name not in have)),
                key=self._came,
            )
        )

    def shown(self, added: tuple[Column, ...]) -> tuple[Column, ...]:
        """The columns as consumers see them: what the view adds, then what came later than it."""
        stored = tuple(column for column in self.stored if not column.is_hidden)
        first = [column for column in stored if self._came(column) == self._came(PLACE[0])]
        later = sorted((*stored[len(first) :], *self.in_text), key=self._came)
        return (*first, *added, *later)

    @property
    def in_text(self) -> tuple[Column, ...]:
        """Beside each list its text, for tools that know no arrays; the view adds it at its end."""
        lists = [c for c in self.stored if c.type == "text[]" and not c.is_hidden]
        return tuple(
            Column(
                f"{column.name}_text",
                "text",
                f"{column.name} as text, with commas between",
                since=max(column.since, IN_TEXT_SINCE, key=LAYOUTS.index),
                effective_from=column.effective_from,
            )
            for column in lists
            if self.exit is None
        )

    def _came(self, column: Column) -> tuple[date, int]:
        return column.effective_from or date.min, max(
            LAYOUTS.index(column.since), LAYOUTS.index(self.since)
        )


PLACE = (
    Column("area_code", "text", "the household's village, 12 digits (行政区划代码)"),
    Column("town_code", "text", "its town, 9 digits"),
)
ADDED = (
    Column("as_of", "date", "the business day of the release that is read; added by the view"),
    Column("release_id", "integer", "the release that is read; added by the view"),
)

IN_TEXT_SINCE = "0.2.0"

HOUSEHOLD_ID = Column("household_id", "text", "household number in the base register (户编号)")


def columns(*rows: str | Column, since: str = FIRST) -> tuple[Column, ...]:
    """`name | type | meaning`, a line each; `since`: the layout that brought them."""
    made: list[Column] = []
    for row in rows:
        if isinstance(row, Column):
            made.append(row)
        else:
            name, kind, meaning = (part.strip() for part in row.split("|", 2))
            made.append(Column(name, kind, meaning, since))
    return tuple(made)
