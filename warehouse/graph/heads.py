"""The head of a model: what it is, what it reads and how, its key, order and grain,
what it publishes.

A head is the comment at the top of `warehouse/models/<name>.sql`: a text, an empty line, then a
line per entry, which goes on where the next one is indented:

    {#-
    The lamp of each household.

    table: warning_flag
    same day: household_indicator, household_score
    earlier day: warning_flag as previous_warning_flag
    -#}

A model whose rows are records that indicators count says of which type, and which indicator
counts which: what a point shows as its evidence is read from there.

    records: settlements
    counted by: R05, R09 where is_inpatient

A kept table of which a household's rows hang on nothing but what touches the household says by
which column it is `laid over` the day before's; and a model whose rows change with the calendar
alone says with which of its inputs' dates, at which boundary of the day (`calendar`):

    laid over: household_id
    changes on: matched_civil_affairs__deaths.died_on at day

What a scope must not narrow is `of: everybody`, and reads tables of the same day alone.

Belongs here: the entries and reading them. Not here: what they amount to (`registry`). Nothing
heavy is imported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from expectations.errors import ConfigurationError

HEAD = re.compile(r"\A\{#-\n(?P<text>.*?)\n\n(?P<entries>.*?)-#\}\n", re.DOTALL)
LAYERS = ("valid", "matched", "household", "flags")
GRAINS = ("household", "member", "record", "area", "all")


class Kind(StrEnum):
    """How a model reads a table."""

    SAME_DAY = "same day"
    IF_THERE = "if there"
    """Of the same day where it is there; no other table's rows hang on whether it is."""
    OPTIONAL = "optional"
    """Of a record type that a county may go without: of the same day where the day has it,
    else no row."""
    EARLIER_DAY = "earlier day"
    """The newest day before; with `_as_of`."""
    EARLIER_OR_OWN = "earlier day, or own"
    """The newest day before; without one, the day's own as another run gave it."""
    RELEASED_DAY = "released day"
    """The newest earlier day that was not held back: what readers saw."""
    BASE_DAY = "base day"
    """The day that this one is laid over."""
    SEVERAL_DAYS = "several days"
    """Some earlier days, told apart by `_as_of`."""
    CLOCK = "clock"
    """A table whose `updated_at` is read: an order among versions, no fact."""
    REFERENCE = "reference"
    """Rules and reference data as a table."""
    OUTSIDE = "outside"
    """What comes from neither the lake nor the rules: stewards' answers, the day's ledgers."""
    ASKED = "asked"
    """Read by a parameter, before the SQL is written."""
    GIVEN = "given"
    """Handed over by whoever renders the model: the runner does not make it."""
    WAREHOUSE = "warehouse"
    """A table of PostgreSQL."""


_ENTRIES = {
    *("table", "kept", "publishes", "grain", "key", "order", "as", "until", "holds"),
    *("parameters", "records", "counted by", "laid over", "changes on", "of"),
    *Kind,
}
_COUNTED = re.compile(r"(?P<code>[A-Z][0-9]{2})(?: where (?P<negated>not )?(?P<column>[a-z_]+))?")
_CHANGE = re.compile(
    r"(?P<table>[a-z_]+)\.(?P<column>[a-z_]+) at (?P<boundary>[a-z_]+)(?: where (?P<where>.+))?"
)


class HeadError(ConfigurationError):
    """A head that cannot be read; names the model and the line."""


@dataclass(frozen=True)
class Input:
    """A table that a model reads, and the name under which it does."""

    kind: Kind
    table: str
    """`matched_*` stands for every record type,
    `valid_{type}` for the record type that the model is made for.
    """
    alias: str


@dataclass(frozen=True)
class Counted:
    """An indicator that counts rows of a model: all, or those where a column holds, or does not."""

    code: str
    column: str | None = None
    is_negated: bool = False

    def condition(self, alias: str) -> str:
        """SQL: whether it counts a row of `alias`."""
        if self.column is None:
            return "true"
        return f"not {alias}.{self.column}" if self.is_negated else f"{alias}.{self.column}"


@dataclass(frozen=True)
class Change:
    """A date of an input's rows that makes a difference by itself, once a boundary passes it."""

    table: str
    column: str
    boundary: str
    """A name of `calendar.BOUNDARIES`."""
    where: str = "true"
    """SQL over the table's columns: of these rows only."""


@dataclass(frozen=True)
class Model:
    """What one SQL file declares."""

    name: str
    """`flags/warning_flag`."""
    meaning: str
    table: str
    """What it makes; empty for a statement that makes no table of its own."""
    layer: str | None
    """Where the lake keeps it; None for what lives within a run."""
    publishes: str | None
    grain: str
    key: tuple[str, ...]
    order: str
    """The columns that order the rows totally."""
    is_view: bool
    """Stands for its SELECT; nothing is computed until it is read."""
    until: str | None
    """The table after which this one is given up, for its size."""
    holds_identities: bool
    inputs: tuple[Input, ...]
    parameters: tuple[str, ...]
    records: str | None
    """The type of the records that its rows are, where indicators count them."""
    counted_by: tuple[Counted, ...]
    is_of_everybody: bool
    """Made from everybody's rows, whatever the scope."""
    laid_over: str | None
    """The column of whose values the day before's rows stand, but for those that are touched."""
    changes_on: tuple[Change, ...]

    def reads(self, *kinds: Kind) -> tuple[Input, ...]:
        """Its inputs of these kinds."""
        return tuple(found for found in self.inputs if found.kind in kinds)

    @property
    def is_run(self) -> bool:
        """Whether the runner makes it."""
        return bool(self.table) and not self.reads(Kind.GIVEN, Kind.WAREHOUSE)


def read_head(name: str, path: Path) -> Model:
    """The head of the model in `path`. Raises `HeadError`."""
    found = HEAD.match(path.read_text(encoding="utf-8"))
    if found is None:
        raise HeadError(
            f"{path}:1: a model begins with its head:",
            "{#-, what it is, an empty line, its entries, -#}",
        )
    said = _entries(found["entries"], path)
    grain = said.get("grain", "")
    if grain not in GRAINS:
        raise HeadError(f"{path}: grain is {grain!r}:", f"use one of {', '.join(GRAINS)}")
    if said.get("kept", "valid") not in LAYERS:
        raise HeadError(f"{path}: kept is {said['kept']!r}:", f"use one of {', '.join(LAYERS)}")
    if ("records" in said) != ("counted by" in said):
        raise HeadError(
            f"{path}: records and counted by stand together, or neither does",
            "add the other, or take it out",
        )
    if "kept" in said and "order" not in said and said["kept"] != "valid":
        raise HeadError(
            f"{path}: what is kept needs an order",
            "add `order: <columns>` to its head",
        )
    return Model(
        name=name,
        meaning=" ".join(found["text"].split()),
        table=said.get("table", ""),
        layer=said.get("kept"),
        publishes=said.get("publishes"),
        grain=grain,
        key=_listed(said.get("key", "")),
        order=said.get("order", ""),
        is_view=said.get("as", "table") == "view",
        until=said.get("until"),
        holds_identities=said.get("holds") == "identities",
        inputs=tuple(_input(kind, text) for kind in Kind for text in _listed(said.get(kind, ""))),
        parameters=_listed(said.get("parameters", "")),
        records=said.get("records"),
        counted_by=tuple(_counted(text, path) for text in _listed(said.get("counted by", ""))),
        is_of_everybody=said.get("of") == "everybody",
        laid_over=said.get("laid over"),
        changes_on=tuple(_change(text, path) for text in _listed(said.get("changes on", ""))),
    )


def _entries(text: str, path: Path) -> Mapping[str, str]:
    said: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        if line.startswith(" ") and last:
            said[last] += f" {line.strip()}"
            continue
        last, colon, value = line.partition(":")
        if not colon or last not in _ENTRIES or last in said:
            raise HeadError(
                f"{path}: the head has {line!r}",
                f"entries, each once, are {', '.join(sorted(_ENTRIES))}",
            )
        said[last] = value.strip()
    return said


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _input(kind: Kind, text: str) -> Input:
    table, _, alias = text.partition(" as ")
    return Input(kind, table, alias or table)


def _counted(text: str, path: Path) -> Counted:
    found = _COUNTED.fullmatch(text)
    if found is None:
        raise HeadError(
            f"{path}: counted by has {text!r}",
            "write R04, or R04 where is_largest",
        )
    return Counted(found["code"], found["column"], found["negated"] is not None)


def _change(text: str, path: Path) -> Change:
    found = _CHANGE.fullmatch(text)
    if found is None:
        raise HeadError(
            f"{path}: changes on has {text!r}",
            "write <table>.<column> at <boundary>, or that and where <condition>",
        )
    return Change(found["table"], found["column"], found["boundary"], found["where"] or "true")
