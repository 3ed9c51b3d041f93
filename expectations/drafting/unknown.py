"""The fields of a record type that nobody has described:
every column of the sample, as its cells say what it is.

Belongs here: names, types, classification, code lists out of a sample alone. Not here: known record
types (`known`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from expectations.contract import Field
from expectations.drafting import forms
from expectations.drafting.content import (
    Column,
    is_certificate,
    is_dotted_month,
    is_id_number,
    is_month,
    is_name,
    is_number,
    unwrapped,
)
from expectations.drafting.grid import bare, tight
from expectations.drafting.known import Entry
from expectations.drafting.office_words import office_words

_COUNTERS = ("序号", "编次", "NO", "NO.")
_SUFFIXES = {"date": "_on", "timestamp": "_at"}
_KEYS = ("号", "编号", "编码", "代码", "ID")


def unknown_fields(columns: Sequence[Column]) -> list[Entry]:
    """An entry for every column but a running number and blank ones."""
    entries: list[Entry] = []
    names: set[str] = set()
    numbers = [c for c in columns if c.mostly(is_id_number)]
    for column in columns:
        if bare(column.heading).upper() in _COUNTERS or not column.filled:
            continue
        kind = _type(column)
        name, is_known = _name(column, kind, names)
        names.add(name)
        entries.append(
            _entry(column, kind, name, is_known, is_person=bool(numbers) and column is numbers[0])
        )
    _give_name_role(entries, columns)
    _give_key_role(entries, columns)
    return entries


def _type(column: Column) -> str:
    heading = bare(column.heading)
    if column.is_identity or heading.endswith(_KEYS):
        return "text"
    if column.is_dates or _is_days_of_months(column):
        return "date"
    said = {tight(cell).upper() for cell in column.filled}
    if said <= {"是", "否", "√", "×", "Y", "N"}:
        return "boolean"
    if column.share(is_number) >= 0.8 and not column.mostly(is_month):
        whole = all(
            unwrapped(cell).removesuffix(".0").isdigit()
            for cell in column.filled
            if is_number(cell)
        )
        return "integer" if whole and not _is_money(column) else "decimal(16,2)"
    return "text"


def _is_money(column: Column) -> bool:
    unit = office_words().units.get(forms.unit_of(column) or "", "")
    return "yuan" in unit


def _is_days_of_months(column: Column) -> bool:
    """Whether a column that is called a day or time holds months, days, or words for none:
    a month counts from its first.
    """
    if not bare(column.heading).endswith(("日期", "时间")) or not any(
        forms.day_of(cell) or is_dotted_month(cell) for cell in column.filled
    ):
        return False
    not_yet = office_words().not_yet
    return column.mostly(
        lambda word: forms.day_of(word) is not None or is_dotted_month(word) or word in not_yet
    )


def _name(column: Column, kind: str, taken: set[str]) -> tuple[str, bool]:
    """The field's name, and whether a heading says it.

    A name that nobody knows is the column's place.
    """
    words = office_words().names
    for heading in (bare(column.group + column.heading), bare(column.heading)):
        if heading in words and words[heading] not in taken:
            return words[heading], True
    name = f"column_{column.place + 1}{_SUFFIXES.get(kind, '')}"
    return name, False


def _entry(column: Column, kind: str, name: str, is_known: bool, is_person: bool) -> Entry:
    custom: dict[str, Any] = {}
    questions = (
        [] if is_known else [f"what is {column.physical_name} to be called? give the field a name"]
    )
    if is_person:
        custom["role"] = "id_number"
    classification = (
        "identity" if column.is_identity else "sensitive" if _is_sensitive(column) else "internal"
    )
    unit = forms.unit_of(column)
    field = Field(
        name,
        column.physical_name,
        kind,
        is_person,
        custom.get("role"),
        classification,
        None,
        "",
        (),
    )
    if kind == "date":
        made = forms.of_dates(field, column)
        custom |= made.properties
        questions += made.questions
    elif kind in ("integer", "decimal(16,2)"):
        custom["unit"] = {"万元": "yuan"}.get(
            unit or "", office_words().units.get(unit or "", "")
        ) or "count"
        if unit == "万元":
            custom["written"] = ["万元"]
        made = forms.of_numbers(replace(field, unit=custom["unit"]), column)
        custom |= made.properties
        questions += made.questions
    elif kind == "boolean":
        made = forms.of_booleans(column)
        custom |= made.properties
        questions += made.questions
    elif not column.is_identity and column.is_codes and not column.mostly(is_month):
        custom["codes"] = [
            {"code": column.spellings[word]} for word, _ in column.words.most_common()
        ]
        custom["complete"] = "no"
    elif not column.is_identity:
        made = forms.of_texts(column)
        custom |= made.properties
        questions += made.questions
    entry = {
        "name": name,
        "physicalName": column.physical_name,
        "logicalType": _LOGICAL.get(kind, "number"),
        "physicalType": kind,
        "required": is_person,
        "classification": classification,
    }
    if custom:
        entry["customProperties"] = [
            {"property": key, "value": value} for key, value in custom.items()
        ]
    return Entry(entry, questions=questions)


_LOGICAL = {
    "text": "string",
    "integer": "integer",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}


def _is_sensitive(column: Column) -> bool:
    heading = tight(column.group + column.heading)
    return any(word in heading for word in office_words().sensitive_headings)


def _give_name_role(entries: Sequence[Entry], columns: Sequence[Column]) -> None:
    """The person's name: the column of names nearest to the ID number,
    unless its heading names somebody else.
    """
    at = next((e for e in entries if _role(e) == "id_number"), None)
    if at is None:
        return
    by_name = {c.physical_name: c for c in columns}
    place = by_name[at.property["physicalName"]].place
    others = office_words().others
    near = [
        (abs(column.place - place), e)
        for e in entries
        if (column := by_name[e.property["physicalName"]]).mostly(is_name)
        and column.is_identity
        and not any(other in tight(column.group + column.heading) for other in others)
    ]
    if not near:
        return
    _, entry = min(near, key=lambda pair: pair[0])
    entry.property.setdefault("customProperties", []).insert(
        0, {"property": "role", "value": "name"}
    )
    entry.property["required"] = True
    if len(near) > 1:
        entry.questions.append(
            f"is {entry.property['physicalName']} the name of the person with the ID number?"
        )


def _give_key_role(entries: Sequence[Entry], columns: Sequence[Column]) -> None:
    """The record's own number, where a column without repetitions is called one."""
    by_name = {c.physical_name: c for c in columns}
    for entry in entries:
        column = by_name[entry.property["physicalName"]]
        is_own = bare(column.heading).endswith(_KEYS) and not column.mostly(is_id_number)
        if (
            is_own
            and column.is_unique
            and (not column.is_identity or column.mostly(is_certificate))
        ):
            entry.property |= {
                "required": True,
                "primaryKey": True,
                "primaryKeyPosition": 1,
                "unique": True,
            }
            entry.property.setdefault("customProperties", []).insert(
                0, {"property": "role", "value": "record_key"}
            )
            entry.questions.append(
                f"is {column.physical_name} the record's own number, never used twice?"
            )
            return


def _role(entry: Entry) -> str | None:
    custom = entry.property.get("customProperties", ())
    return next((c["value"] for c in custom if c["property"] == "role"), None)
