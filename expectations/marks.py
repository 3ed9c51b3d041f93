"""Cells that are damaged: what the reader marked, what a text shows, and what follows for the row.

Belongs here: the marks, the rules that they become, which of them leave no value. Not here: finding
them in files (`resources.departments`), the query that carries them (`typed_rows`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from expectations.contract import Field
from expectations.engine import literal
from expectations.folding import BLANKS, SCIENTIFIC, is_reference

RULES = {
    "digits_lost": "damaged",
    "error_cell": "error_cell",
    "formula_without_value": "formula_without_value",
    "control_character": "control_character",
    "illegal_byte": "illegal_byte",
    "extra_cells": "extra_cells",
    "merged_across": "merged_across",
}
"""The reader's marks and the rules of the quarantine that they are."""

WITHOUT_VALUE = ("error_cell", "formula_without_value", "illegal_byte", "merged_across")
"""Rules of cells of whose value nothing is known."""

FAR_DAY = (
    "^(?:0[0-9]{3}|1[0-8][0-9]{2}|210[1-9]|21[1-9][0-9]|2[2-9][0-9]{2}|[3-9][0-9]{3})-[0-9]{2}-"
)
"""A day before 1900 or after 2100, as databases keep it for one that nobody knows."""

ROUNDED = f'^[{BLANKS}\'’‘="]*{SCIENTIFIC}[{BLANKS}"]*$'
"""A text that is such a number and nothing else."""


def is_named(field: Field) -> bool:
    """Whether the field names something: a key or a part of it, an ID number, a code. What is
    damaged in it is not to be used.
    """
    return (
        field.role == "record_key"
        or field.key_position is not None
        or field.holds_number
        or bool(field.codes)
    )


def is_key(field: Field) -> bool:
    return field.role == "record_key" or field.key_position is not None


def severity(mark: str, field: Field | None) -> Literal["critical", "warning"]:
    """`critical` where the row is set aside for it, `warning` where it is told and counted."""
    if mark in (*WITHOUT_VALUE, "extra_cells", "identity"):
        return "critical"
    if mark == "damaged":
        return "critical" if field is not None and is_key(field) else "warning"
    return (
        "critical" if field is not None and (is_named(field) or is_reference(field)) else "warning"
    )


def spoils(field: Field, has_marks: bool) -> str:
    """A condition over `_marked`: nothing is known of the field's value.
    Empty where that cannot be.
    """
    marks = [*WITHOUT_VALUE] if has_marks else []
    if is_key(field):
        marks += ["damaged", "control_character", "identity"]
    return " or ".join(
        f"list_contains(_marked, {literal(f'{mark}:{field.name}')})" for mark in marks
    )


def delivered_marks(fields: Sequence[Field]) -> str:
    """The reader's `_marks` (`<physical name>:<mark>`) as `<rule>:<field>`; of columns that no
    field has, illegal bytes only.
    """
    known = [
        (f"{f.physical_name}:{mark}", f"{rule}:{f.name}")
        for f in fields
        if f.is_delivered
        for mark, rule in RULES.items()
    ]
    branches = " ".join(f"when {literal(mark)} then {literal(rule)}" for mark, rule in known)
    illegal = (
        "case when ends_with(m, ':illegal_byte') then 'illegal_byte:' || left(m, length(m) -"
        " 13) end"
    )
    return (
        f"list_filter(list_transform(_marks, m -> case m {branches} else {illegal} end), m -> m is"
        " not null)"
    )
