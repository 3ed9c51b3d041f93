"""A contract's file out of a sample: the table that is read, its fields, its key,
how it is delivered, what to ask.

Belongs here: choosing the sheets, the contract's own properties, the text with its questions. Not
here: fields (`known`, `unknown`), opening the sample (`resources`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import yaml

from expectations.contract import Contract
from expectations.drafting.content import Column, columns_of, unwrapped
from expectations.drafting.forms import AT_LEAST, day_of, flawed
from expectations.drafting.grid import Sheet, Table, bare, find_table, tight
from expectations.drafting.keys import composite_key
from expectations.drafting.known import Entry, known_fields, overlooked, unread
from expectations.drafting.mapping import Match, map_columns
from expectations.drafting.names import files_pattern
from expectations.drafting.office_words import office_words
from expectations.drafting.unknown import unknown_fields
from expectations.errors import UsageError
from expectations.idnumber import names_somebody
from expectations.questions import QUESTION

ALIKE = 0.7
"""Two tables are parts of one where they share this much of their columns."""
WIDTH = 110
_ORDER_RULE = re.compile(r"where (\w+) < (\w+)\s*$")
_ORDER = (
    "name",
    "physicalName",
    "logicalType",
    "physicalType",
    "primaryKey",
    "primaryKeyPosition",
    "unique",
    "required",
)
"""How a field's properties follow each other, as in the contracts that ship."""


class DraftError(UsageError):
    """A sample that no contract can be drafted from; says why and what to do."""


@dataclass(frozen=True)
class Draft:
    """A drafted contract."""

    text: str
    questions: tuple[str, ...]
    fields: int


@dataclass(frozen=True)
class Sample:
    """What the office sent: the visible sheets of its files, in their order,
    and how a text file is encoded.
    """

    sheets: tuple[Sheet, ...]
    encoding: str | None = None

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(sheet.file for sheet in self.sheets))


@dataclass
class _Reading:
    """The tables of a sample that belong together, as one list of columns."""

    tables: list[Table]
    others: list[Table]
    columns: list[Column]
    alike: list[Column]
    """Columns of one heading, which no contract tells apart."""

    @property
    def sheets(self) -> list[str]:
        return list(
            dict.fromkeys(table.sheet.name for table in self.tables if table.sheet.name is not None)
        )


def draft_contract(sample: Sample, department: str, records: str, base: Contract | None) -> Draft:
    """The draft for a record type; `base` is its contract where one ships,
    else every column becomes a field.

    Raises:
        DraftError: no sheet of the sample holds a table, or nobody is named in it.
    """
    tables = [table for sheet in sample.sheets if (table := find_table(sheet)) is not None]
    if not tables:
        raise DraftError(
            "no table was found in the sample: it needs a header row with three columns or more and"
            " a row below it",
            "give the file as the department sends it",
        )
    groups = _groups(tables)
    if base is None:
        return _draft_unknown(sample, department, records, groups[0])
    read = max(groups, key=lambda group: _score(base, group))
    return _draft_known(sample, base, read)


def guessed(sample: Sample, contracts: Sequence[Contract]) -> Contract | None:
    """The record type whose required fields all have a column in the sample;
    of several the one with the most fields.
    """
    tables = [table for sheet in sample.sheets if (table := find_table(sheet)) is not None]
    found = []
    for contract in contracts:
        needed = {
            f.name
            for f in contract.delivered
            if contract.must_have(f) and f.role not in ("updated_at", "record_key")
        }
        for group in _groups(tables):
            matches = map_columns(contract, group.columns)
            if needed <= matches.keys():
                found.append((sum(match.found for match in matches.values()), contract))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _groups(tables: Sequence[Table]) -> list[_Reading]:
    """Tables with the same columns, those with the most records first."""
    groups: list[list[Table]] = []
    for table in tables:
        names = {bare(name) for name in table.headings if name}
        for group in groups:
            known = {bare(name) for name in group[0].headings if name}
            if len(names & known) >= ALIKE * max(len(names), len(known)):
                group.append(table)
                break
        else:
            groups.append([table])
    groups.sort(key=lambda group: -sum(len(table.records) for table in group))
    return [_reading(group, [t for t in tables if t not in group]) for group in groups]


def _reading(tables: list[Table], others: list[Table]) -> _Reading:
    """The columns of the first table, with the cells that stand under the same headings
    in the others.
    """
    first = tables[0]
    headings = [
        (place, first.physical_names[place], heading, first.groups[place])
        for place, heading in enumerate(first.headings)
        if heading
    ]
    records = []
    for table in tables:
        places = {bare(name): place for place, name in enumerate(table.physical_names) if name}
        for record in table.records:
            row = [""] * len(first.headings)
            for place, name, _, _ in headings:
                there = places.get(bare(name))
                row[place] = record[there] if there is not None else ""
            records.append(row)
    columns = columns_of(headings, records, first.is_in_ten_thousands)
    counts = Counter(tight(column.physical_name) for column in columns)
    alike = [column for column in columns if counts[tight(column.physical_name)] > 1]
    return _Reading(tables, others, [c for c in columns if c not in alike], alike)


def _told_apart(read: _Reading) -> list[str]:
    """A question for each heading that stands over several columns."""
    counts = Counter(column.physical_name for column in read.alike)
    return [
        f"{name} stands over {count} columns, which are not read, since nothing tells them apart:"
        " have the department name them, if one is wanted"
        for name, count in counts.items()
    ]


def _score(base: Contract, read: _Reading) -> tuple[float, int]:
    matches = map_columns(base, read.columns).values()
    return sum(match.found for match in matches), sum(len(table.records) for table in read.tables)


def _draft_known(sample: Sample, base: Contract, read: _Reading) -> Draft:
    raw = yaml.safe_load(base.path.read_text(encoding="utf-8"))
    matches = map_columns(base, read.columns)
    names = {
        "sheet": read.sheets if len(read.sheets) > 1 else [],
        "file": (
            [re.sub(r"\..*", "", name) for name in sample.files] if len(sample.files) > 1 else []
        ),
    }
    taken = {match.column.place for match in matches.values()}
    free = [column for column in read.columns if column.place not in taken]
    entries = known_fields(base, raw["schema"][0]["properties"], matches, free, names)
    questions = _key(base, matches, entries) + overlooked(base, matches, free)
    questions += _shaped_keys(
        raw, entries, {m.column.physical_name: m.column for m in matches.values()}
    )
    questions += _delivery(raw, "updated_at" in {m.field.role for m in matches.values()})
    if raw["status"] == "draft":
        raw["description"]["purpose"] = re.sub(r" A draft:.*", "", raw["description"]["purpose"])
    raw["status"] = "active"
    raw["version"] = _raised(str(raw["version"]))
    _server(raw, sample, read, questions)
    there = {entry.property["name"] for entry in entries} | {"updated_at", "record_key"}
    gone = {field.name for field in base.fields} - there
    rules = raw["schema"][0].get("quality") or []
    raw["schema"][0]["quality"] = kept = [rule for rule in rules if not _mentions(rule, gone)]
    questions += [asked for rule in kept if (asked := _out_of_order(rule, matches))]
    questions += _bad_share(raw, base, matches, entries)
    questions += _told_apart(read)
    remarks = unread([*free, *read.alike])
    return _written(raw, entries, questions, remarks)


def _draft_unknown(sample: Sample, department: str, records: str, read: _Reading) -> Draft:
    entries = unknown_fields(read.columns)
    questions: list[str] = []
    roles = {_custom(entry.property).get("role") for entry in entries}
    area = _area(entries) if "id_number" not in roles else None
    if area is not None:
        questions.append(
            f"is each row about a village or town, by {area.property['physicalName']} (subject:"
            " area)? else take that out, and give a field the role household_id"
        )
    elif "id_number" not in roles:
        questions.append(
            "no column holds ID numbers: what ties a row to a household? give a field the role"
            " household_id"
        )
    if "record_key" not in roles and (area is None or not area.property.get("primaryKey")):
        questions.append(
            "no column is the record's own number: which fields tell a record apart? give them"
            " primaryKey"
        )
        _guess_key(entries)
    title = re.sub(r"[0-9]{2,4}年.*|\(.*|（.*|\..*", "", sample.files[0])
    raw: dict[str, Any] = {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": f"{department}.{records}",
        "name": title or records, "version": "1.0.0", "status": "active", "domain": department,
        "description": {
            "purpose": f"{title}: {records} as {department} delivers them,"
            " tied to a household by yihu."
        },
        "servers": [
            {"server": "default", "type": "custom",
             "customProperties": [{"property": "form", "value": "file"}]}
        ],
        "schema": [
            {"name": records, "physicalName": f"{department}__{records}",
             "logicalType": "object", "physicalType": "table"}
        ],
        "slaProperties": [
            {"property": "frequency", "value": 1, "unit": "m"},
            {"property": "staleAfter", "value": 45, "unit": "d"}
        ],
        "customProperties": [
            {"property": "departmentName", "value": department},
            {"property": "cadence", "value": "monthly"},
            {"property": "delivery", "value": "full"}, {"property": "overlapDays", "value": 1},
        ],
    }  # fmt: skip
    if area is not None:
        raw["customProperties"].append({"property": "subject", "value": "area"})
    questions += _delivery(raw, "updated_at" in roles)
    questions += _shaped_keys(
        raw, entries, {column.physical_name: column for column in read.columns}
    )
    questions.append("how often does it come? cadence and staleAfter say monthly and 45 days")
    questions += _told_apart(read)
    _server(raw, sample, read, questions)
    return _written(raw, entries, questions, unread(read.alike))


def _area(entries: Sequence[Entry]) -> Entry | None:
    """The column that says of which village a row is, now with that role; None without one."""
    area = next((entry for entry in entries if entry.property["name"] == "area_code"), None)
    if area is not None:
        others = [
            entry
            for entry in area.property.get("customProperties", ())
            if entry["property"] != "role"
        ]
        role = {"property": "role", "value": "area_code"}
        area.property |= {"required": True, "customProperties": [role, *others]}
    return area


def _guess_key(entries: Sequence[Entry]) -> None:
    """The person and the month or day: what most registers go by, until somebody says so."""
    person = [e for e in entries if _custom(e.property).get("role") == "id_number"]
    when = [e for e in entries if e.property["name"] in ("month", "year", "term")]
    when += [
        e
        for e in entries
        if e.property["physicalType"] == "date" and "blanks" not in _custom(e.property)
    ]
    for place, entry in enumerate((*person[:1], *when[:1]), 1):
        entry.property |= {"required": True, "primaryKey": True, "primaryKeyPosition": place}


def _key(base: Contract, matches: Mapping[str, Match], entries: Sequence[Entry]) -> list[str]:
    """Marks the parts of the key where the office has no number of its own for a record."""
    if base.record_key.name in matches or base.record_key.derived:
        return []
    parts = composite_key(base, dict(matches))
    by_name = {entry.property["name"]: entry for entry in entries}
    for place, part in enumerate(parts, 1):
        by_name[part.name].property |= {
            "required": True,
            "primaryKey": True,
            "primaryKeyPosition": place,
        }
    if not parts:
        return [
            "no column, and no few columns together, tell a record apart: which are the key? give"
            " them primaryKey"
        ]
    return [
        "a record has no number of its own; is it told apart by"
        f" {', '.join(part.name for part in parts)}?"
    ]


def _shaped_keys(
    raw: dict[str, Any], entries: Sequence[Entry], columns: Mapping[str, Column]
) -> list[str]:
    """Record numbers that could be somebody's telephone or ID number are set aside,
    unless they leave as pseudonyms only.
    """
    keys = [entry.property for entry in entries if entry.property.get("primaryKey")]
    if any(key["classification"] == "identity" for key in keys):
        return []
    shaped = [
        columns[key["physicalName"]]
        for key in keys
        if key["physicalType"] == "text" and key.get("physicalName") in columns
    ]
    counts = {
        c.physical_name: sum(1 for word in c.filled if names_somebody(unwrapped(word)))
        for c in shaped
    }
    found = {name: count for name, count in counts.items() if count >= AT_LEAST}
    if not found:
        return []
    raw["customProperties"].append({"property": "published", "value": "pseudonym"})
    said = ", ".join(f"{name} ({count} rows)" for name, count in found.items())
    return [
        f"{said} looks like telephone or ID numbers, or holds Chinese: is it the office's own"
        " number? published says pseudonym, so that it is read, and never published as it stands"
    ]


def _delivery(raw: dict[str, Any], has_update_time: bool) -> list[str]:
    """A list without an update time is a snapshot: what the next one lacks is withdrawn."""
    properties = raw["customProperties"]
    delivery = "full" if has_update_time else "snapshot"
    for entry in properties:
        if entry["property"] == "delivery":
            entry["value"] = delivery
    return ["is every delivery the whole list, so that a row that it lacks is withdrawn?"]


def _server(raw: dict[str, Any], sample: Sample, read: _Reading, questions: list[str]) -> None:
    properties: list[dict[str, Any]] = [{"property": "form", "value": "file"}]
    if sample.encoding:
        properties.append({"property": "encoding", "value": sample.encoding})
    pattern, parts, asked = files_pattern(sample.files)
    properties.append({"property": "files", "value": pattern})
    if parts:
        properties.append({"property": "parts", "value": parts})
    questions += asked
    sheets = _sheets(read, questions)
    if sheets:
        properties.append({"property": "sheets", "value": sheets})
    odd = _note_words(line for table in read.tables for line in table.odd_lines)
    if odd:
        properties.append({"property": "notes", "value": odd})
    raw["servers"][0]["customProperties"] = properties


def _sheets(read: _Reading, questions: list[str]) -> list[str]:
    """The sheets to be named: only where others hold a table, or where several look like months."""
    months = [name for name in read.sheets if re.search(r"[0-9]{4}|[0-9]{1,2}月", name)]
    if len(months) > 1:
        questions.append(
            f"the sheets {', '.join(months)} look like months: which of them is to be read?"
        )
        return [max(months, key=_period)]
    beside = [table for table in read.others if table.sheet.file == read.tables[0].sheet.file]
    return read.sheets if beside and len(read.sheets) == 1 else []


def _period(sheet: str) -> tuple[int, int]:
    """Year and month that a sheet's name says; 0 for what it does not."""
    year, month = (
        re.search(r"20[0-9]{2}", sheet),
        re.search(r"(?<![0-9])([0-9]{1,2})月|20[0-9]{2}[-./年]?([0-9]{1,2})", sheet),
    )
    return int(year[0]) if year else 0, int(month[1] or month[2]) if month else 0


def _note_words(lines: Iterable[str]) -> list[str]:
    """What unknown lines below the table begin with, up to a colon."""
    words = [re.split(r"[:：]", tight(line))[0] for line in lines if re.search(r"[:：]", line)]
    return sorted(
        {word for word in words if 1 < len(word) <= 8 and not word.startswith(office_words().notes)}
    )


def _mentions(rule: Mapping[str, Any], names: set[str]) -> bool:
    return any(re.search(rf"\b{re.escape(name)}\b", _query(rule)) for name in names)


def _query(rule: Mapping[str, Any]) -> str:
    return str(
        (rule.get("implementation") or {}).get("kwargs", {}).get("unexpected_rows_query", "")
    )


def _out_of_order(rule: dict[str, Any], matches: Mapping[str, Match]) -> str | None:
    """A rule on the order of two dates that rows of the sample break:
    a warning in the draft, until somebody says more.
    """
    found = _ORDER_RULE.search(_query(rule))
    if (
        rule.get("severity") != "critical"
        or found is None
        or not {found[1], found[2]} <= matches.keys()
    ):
        return None
    pairs = zip(*(map(day_of, matches[found[n]].column.cells) for n in (1, 2)), strict=True)
    count = sum(1 for later, earlier in pairs if later and earlier and later < earlier)
    if not count:
        return None
    rule["severity"] = "warning"
    return (
        f"{found[1]} is before {found[2]} in {count} rows of the sample: are they wrong? then write"
        f" critical again ({rule['name']})"
    )


def _bad_share(
    raw: dict[str, Any], base: Contract, matches: Mapping[str, Match], entries: Sequence[Entry]
) -> list[str]:
    """More bad rows in the sample than the contract allows of a delivery (from 20 rows): what it
    allows is raised, and asked about.
    """
    said = {entry.property["name"]: _custom(entry.property) for entry in entries}
    flaws = [set(flawed(base, match, said.get(name, {}))) for name, match in matches.items()]
    rows = max((len(match.column.cells) for match in matches.values()), default=0)
    bad = len(set().union(*flaws))
    allowed = next((e for e in raw["customProperties"] if e["property"] == "maxBadShare"), None)
    if allowed is None or rows < 20 or bad <= rows * float(allowed["value"]):
        return []
    much = (
        f"{bad} of {rows} rows of the sample look bad, more than {allowed['value']} of a delivery"
        " may be"
    )
    allowed["value"] = ceil(bad / rows * 20) / 20
    return [f"{much}: is the sample unusual? maxBadShare is {allowed['value']} here"]


def _raised(version: str) -> str:
    major, minor, *_ = [*version.split("."), "0", "0"]
    return f"{major}.{int(minor) + 1}.0"


def _custom(prop: Mapping[str, Any]) -> dict[str, Any]:
    return {entry["property"]: entry["value"] for entry in prop.get("customProperties") or ()}


def _written(
    raw: dict[str, Any], entries: Sequence[Entry], questions: Sequence[str], remarks: Sequence[str]
) -> Draft:
    """The file's text: its own questions above, each field's above the field."""
    schema = raw["schema"][0]
    after = {key: schema.pop(key) for key in ("quality",) if schema.get(key)}
    schema.pop("quality", None)
    schema.pop("properties", None)
    tail = {key: raw.pop(key) for key in ("slaProperties", "customProperties")}
    asked = [*questions, *(question for entry in entries for question in entry.questions)]
    head = [
        f"# Drafted from a sample. {len(asked)} questions (lines that begin with {QUESTION}) stand"
        " in it: answer each by"
    ]
    head += [
        "# mending what it asks about, or leaving it, and delete its line; `make contracts` refuses"
        " the file until then."
    ]
    lines = [*head, *_comments(questions, remarks, ""), _dump(raw), "  properties:\n"]
    for entry in entries:
        lines += _comments(entry.questions, entry.remarks, "  ")
        lines.append(_indented(_dump([_in_order(entry.property)])))
    if after:
        lines.append(_indented(_dump(after)))
    lines.append(_dump(tail))
    text = "".join(line if line.endswith("\n") else line + "\n" for line in lines)
    return Draft(text, tuple(asked), len(entries))


def _in_order(prop: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: prop[key] for key in (*_ORDER, *(k for k in prop if k not in _ORDER)) if key in prop
    }


def _comments(questions: Sequence[str], remarks: Sequence[str], indent: str) -> list[str]:
    return [f"{indent}# {remark}" for remark in remarks] + [
        f"{indent}{QUESTION} {question}" for question in questions
    ]


def _dump(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=WIDTH)


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" if line else "\n" for line in text.splitlines())
