"""The fields of a known record type as a sample delivers them:
the shipped contract, told how this office writes.

Belongs here: a field's entry in the draft, with its questions. Not here: record types that nobody
has described (`unknown`), the file's text (`draft`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from expectations.contract import Contract, Field
from expectations.drafting import forms
from expectations.drafting.content import Column, is_id_number, is_name, is_phone, unwrapped
from expectations.drafting.mapping import Match, code_of, fitting
from expectations.drafting.office_words import office_words

OFTEN_EMPTY = 0.05
"""From this share of empty cells on, they are no slips."""
UNSAID = "TO BE SAID"
"""Stands where a person has to write a value."""


@dataclass
class Entry:
    """One field of the draft: its ODCS property, remarks, and questions."""

    property: dict[str, Any]
    remarks: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)


def known_fields(
    contract: Contract,
    raw: Sequence[Mapping[str, Any]],
    matches: Mapping[str, Match],
    free: Sequence[Column],
    names: Mapping[str, Sequence[str]],
) -> list[Entry]:
    """The entries of the fields that the draft has.

    `raw` are the properties as they stand in the shipped contract; `free` the columns that no field
    reads; `names` are the sheets' and files' names, by `sheet` and `file`, out of which a value may
    come that the rows lack.
    """
    entries = []
    for given in raw:
        at = contract.field(str(given["name"]))
        match = matches.get(at.name)
        if match is not None:
            entries.append(_found(contract, at, given, match))
        elif at.role == "updated_at" or at.role == "record_key":
            continue
        else:
            entries.append(_absent(contract, at, given, free, names))
    return entries


def _found(contract: Contract, at: Field, given: Mapping[str, Any], match: Match) -> Entry:
    column = match.column
    made = _written(contract, at, column)
    asked = [*match.doubts, *made.questions, *_empty(contract, at, column, made.properties)]
    entry = Entry(_with(given, made.properties), questions=asked)
    entry.property["physicalName"] = column.physical_name
    if _names_people(column) and at.type == "text" and at.classification == "internal":
        entry.questions.append(
            f"{column.physical_name} says who somebody is, and {at.name} leaves as it stands: is it"
            " this column? else take it out, or write classification: identity"
        )
    if not column.filled:
        entry.remarks.append(f"{column.physical_name} is empty in the sample")
    return entry


def _names_people(column: Column) -> bool:
    """By its cells, whatever it is called."""
    kinds = (is_name, is_id_number, is_phone)
    return column.is_identity and any(column.mostly(is_kind) for is_kind in kinds)


def _empty(
    contract: Contract, at: Field, column: Column, properties: Mapping[str, Any]
) -> list[str]:
    """A required code, yes or number that is often empty: nothing, or a word that goes unsaid?"""
    is_coded = bool(at.codes) or at.type == "boolean" or at.type == "integer"
    if not is_coded or not contract.must_have(at) or "blank" in properties:
        return []
    nothing = {"", *office_words().blanks}
    empty = sum(1 for cell in column.cells if unwrapped(cell).upper() in nothing)
    if empty < max(forms.AT_LEAST, len(column.cells) * OFTEN_EMPTY):
        return []
    return [
        f"{column.physical_name} is empty in {empty} rows, and {at.name} is required: they are set"
        " aside; or what does an empty cell mean (then blank)?"
    ]


def _written(contract: Contract, at: Field, column: Column) -> forms.Written:
    if at.codes:
        return forms.of_codes(contract, at, column)
    if at.type in ("date", "timestamp"):
        return forms.of_dates(at, column)
    if at.type == "integer" or at.type.startswith("decimal"):
        return forms.of_numbers(at, column)
    if at.type == "boolean":
        return forms.of_booleans(column)
    if at.type == "text" and "YYYYMM" in at.meaning:
        return forms.of_months(column)
    listed = office_words().codes_of(contract.records, at.name)
    return _of_listed(at, column, listed) if listed else _of_pattern(at, column)


def _of_listed(at: Field, column: Column, listed: Mapping[str, Sequence[str]]) -> forms.Written:
    """A text that holds one of a few values, of which the office's words are known."""
    made = forms.Written()
    made.properties["codes"] = [
        {"code": code, "written": [word for word in words if word != code]}
        for code, words in listed.items()
    ]
    known = {*listed, *(word for words in listed.values() for word in words)}
    unknown = [word for word in column.words if word not in known]
    if unknown:
        made.questions.append(
            f"{column.physical_name} has {len(unknown)} words that are no value of {at.name}: they"
            " are set aside; write them under codes"
        )
    return made


def _of_pattern(at: Field, column: Column) -> forms.Written:
    """A text that has a form of its own (`YYYY-1 spring or YYYY-2 autumn`):
    each word of the sample needs its value.
    """
    if not at.meaning.startswith(("YYYY", "e.g.")) or not column.is_codes:
        return (
            forms.of_texts(column)
            if not at.is_identity and at.role != "record_key"
            else forms.Written()
        )
    made = forms.Written()
    made.properties["codes"] = [
        {"code": f"{UNSAID} {n}", "written": [column.spellings[word]]}
        for n, word in enumerate(column.words, 1)
    ]
    if len(column.words) == 1:
        made.properties["codes"][0]["code"] = UNSAID
    made.questions.append(f"which {at.name} ({at.meaning}) is {', '.join(column.words)}?")
    return made


def _with(given: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """The shipped property with custom properties set; `physicalName` keeps its place."""
    made = {key: value for key, value in given.items() if key != "customProperties"}
    custom = {
        entry["property"]: entry["value"] for entry in given.get("customProperties", ())
    } | dict(properties)
    if custom:
        made["customProperties"] = [
            {"property": name, "value": value} for name, value in custom.items()
        ]
    return made


def _absent(
    contract: Contract,
    at: Field,
    given: Mapping[str, Any],
    free: Sequence[Column],
    names: Mapping[str, Sequence[str]],
) -> Entry:
    """A field that no column was found for."""
    if not at.required:
        return Entry(
            dict(given),
            remarks=[f"no column of the sample is {at.name}; where one is, write its name"],
        )
    for source in ("sheet", "file"):
        if at.codes and _all_said(contract, at, names.get(source, ())):
            made = forms.of_codes(
                contract, at, Column(-1, source, source, "", tuple(names[source]))
            )
            entry = Entry(_with(given, {**made.properties, "from": source}))
            entry.property.pop("physicalName", None)
            entry.questions.append(f"{at.name} is taken from the {source}'s name: is that right?")
            return entry
    fit = ", ".join(column.physical_name for column in fitting(contract, at, free))
    asked = (
        f"{at.name} is required and no column was found{f' (is it {fit}?)' if fit else ''}: write"
        " its column as physicalName"
    )
    if at.is_identity:
        return Entry(dict(given), questions=[asked])
    if at.type != "text":
        return Entry(dict(given), questions=[f"{asked}, or give it a constant"])
    constant = at.codes[0].code if at.codes else UNSAID
    entry = Entry(_with(given, {"constant": constant}), questions=[f"{asked}, or say its constant"])
    entry.property.pop("physicalName", None)
    return entry


def _all_said(contract: Contract, at: Field, names: Sequence[str]) -> bool:
    return bool(names) and all(code_of(contract, at, name) is not None for name in names)


def overlooked(
    contract: Contract, matches: Mapping[str, Match], free: Sequence[Column]
) -> list[str]:
    """A question for each kind of optional fields without a column,
    where columns are left that could be theirs.
    """
    kinds: dict[tuple[str, ...], list[str]] = {}
    for at in contract.delivered:
        if at.name not in matches and not at.required:
            fit = tuple(column.physical_name for column in fitting(contract, at, free))
            if fit:
                kinds.setdefault(fit, []).append(at.name)
    return [
        f"{', '.join(fields)}: no column was found; is it {' or '.join(columns)}? else nothing is"
        " known of it"
        for columns, fields in kinds.items()
    ]


def unread(left: Sequence[Column]) -> list[str]:
    """A remark on the columns that no field reads:
    which they are, and which of them say who somebody is.
    """
    if not left:
        return []
    said = ", ".join(c.physical_name + (" (identity)" if c.is_identity else "") for c in left)
    return [f"columns of the sample that are not read: {said}"]
