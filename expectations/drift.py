"""How a delivery's columns differ from its contract:
a line per difference, with what lies downstream of the column.

Belongs here: additive, missing, renamed and retyped columns. Not here: rules on rows (`rules`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from expectations.contract import Contract, Field

Downstream = Callable[[Contract, Field], Sequence[str]]
"""What is built from a field: names of models or indicators."""

RENAMED = 0.6
"""How alike two column names are (0 to 1) when one may be the other's new name."""

RETYPED_SHARE = 0.5
"""A column has changed its type when more than this share of its values misfit."""


@dataclass(frozen=True)
class Drift:
    """One difference between what was delivered and what the contract says."""

    kind: Literal["added", "missing", "retyped", "asks"]
    column: str
    """The physical name."""
    blocks: bool
    message: str

    def __str__(self) -> str:
        return self.message


def nothing_downstream(contract: Contract, field: Field) -> Sequence[str]:
    """Says nothing about what is built from a field."""
    return ()


def column_drift(
    contract: Contract, delivered: Sequence[str], downstream: Downstream = nothing_downstream
) -> list[Drift]:
    """Columns that the contract does not know, and columns that it misses."""
    known = {field.physical_name: field for field in contract.delivered}
    added = [column for column in delivered if column not in known and column != "_op"]
    missing = [field for name, field in known.items() if name not in delivered]
    drifts = [
        Drift(
            "added",
            column,
            False,
            f"{contract.table}: new column {column!r}, recorded and let through; add it to the"
            " contract to use it",
        )
        for column in added
    ]
    for field in missing:
        outcome = (
            "required, so the extract is rejected"
            if field.required
            else "optional, filled with null"
        )
        candidate = _renamed(field.physical_name, added)
        hint = f"; it may be called {candidate!r} now" if candidate else ""
        drifts.append(
            Drift(
                "missing",
                field.physical_name,
                field.required,
                f"{contract.table}: column {field.physical_name!r} ({field.name}) is missing:"
                f" {outcome}{hint}{_below(contract, field, downstream)}",
            )
        )
    return drifts


def type_drift(
    contract: Contract,
    field: Field,
    values: int,
    misfits: int,
    downstream: Downstream = nothing_downstream,
) -> Drift | None:
    """A changed type: over half of the values of a column do not fit the contract's type."""
    if not misfits or misfits <= values * RETYPED_SHARE:
        return None
    return Drift(
        "retyped",
        field.physical_name,
        True,
        f"{contract.table}: column {field.physical_name!r} ({field.name}) has changed its type:"
        f" {misfits} of {values} values are no {field.type}, so the extract is"
        f" rejected{_below(contract, field, downstream)}",
    )


def asking_drift(
    contract: Contract, field: Field, middles_above_12: int, largest_last: int, ends_with_year: int
) -> list[Drift]:
    """What the contract must say of a date column whose values could be read in two ways.

    `middles_above_12`: how many year-first values have a middle part above 12; `largest_last`: the
    largest last part of such values; `ends_with_year`: how many values end with the year.
    """
    column = f"{contract.table}: column {field.physical_name!r} ({field.name})"
    if middles_above_12 and largest_last <= 12:
        message = (
            f"{column}: is the day before the month? {middles_above_12} dates have a middle part"
            " above 12 and none a last part, so the extract is rejected; write the form into the"
            " contract (written: [YYYY/D/M]), or have the department write YYYY-MM-DD"
        )
        return [Drift("asks", field.physical_name, True, message)]
    if ends_with_year:
        message = (
            f"{column}: {ends_with_year} dates end with the year, so day and month cannot be told"
            " apart; write the form into the contract (written: [DD/MM/YYYY] or [MM/DD/YYYY])"
        )
        return [Drift("asks", field.physical_name, False, message)]
    return []


def _renamed(missing: str, added: Sequence[str]) -> str | None:
    scored = [
        (SequenceMatcher(None, missing.lower(), column.lower()).ratio(), column) for column in added
    ]
    score, column = max(scored, default=(0.0, ""))
    return column if score >= RENAMED else None


def _below(contract: Contract, field: Field, downstream: Downstream) -> str:
    names = downstream(contract, field)
    return f"; downstream: {', '.join(names)}" if names else ""
