"""Dates and times as spreadsheets, databases and people write them,
where they can mean one thing only.

Belongs here: SQL expressions from a folded text to a date or a time, for the engine's reader
(DuckDB). Not here: the platform's strict form (`casting`), the contract's forms themselves
(`writing`).
"""

from __future__ import annotations

from dataclasses import dataclass

from expectations.contract import Field
from expectations.engine import literal
from expectations.writing import EXCEL, PLAIN_FORMS, DateForm, conflicts, date_form

FIRST_SERIAL, LAST_SERIAL = 18_264, 73_050
"""The spreadsheet's numbers of 1950-01-01 and 2099-12-31: what is outside is no day of anybody's.
"""

_CLOCK = "[0-9]{1,2}:[0-9]{1,2}(?::[0-9]{1,2}(?:[.][0-9]{1,9})?)?"
_TAIL = f"(?:[ T]*({_CLOCK}))?"
"""A time of day behind a day that ends in a word; elsewhere a blank or T stands between (`_APART`).
"""
_APART = f"(?:[ T]+({_CLOCK}))?"
_PLAIN = {
    "YYYY-M-D": f"^([0-9]{{4}})-([0-9]{{1,2}})-([0-9]{{1,2}}){_APART}$",
    "YYYY/M/D": f"^([0-9]{{4}})/([0-9]{{1,2}})/([0-9]{{1,2}}){_APART}$",
    "YYYY.M.D": f"^([0-9]{{4}})[.]([0-9]{{1,2}})[.]([0-9]{{1,2}}){_APART}$",
    "YYYY年M月D日": f"^([0-9]{{4}}) ?年 ?([0-9]{{1,2}}) ?月 ?([0-9]{{1,2}}) ?[日号]?{_TAIL}$",
    "YYYYMMDD": f"^([0-9]{{4}})([0-9]{{2}})([0-9]{{2}}){_APART}$",
}
_FIRST_OF_MONTH = (
    *(f"^([0-9]{{4}}){sign}([0-9]{{1,2}}){sign}0?1$" for sign in ("-", "/", "[.]")),
    "^([0-9]{4})年([0-9]{1,2})月0?1日$",
    "^([0-9]{4})([0-9]{2})01$",
)
_READ = r"D\1-\2-\3 \4"
_IS_READ = "^D(?:19[0-9]{2}|20[0-9]{2}|2100)-[0-9]{1,2}-[0-9]{1,2} ?(?:(?:[01]?[0-9]|2[0-3]):.*)?$"
"""The engine makes the next day's midnight of 24:00, and who wrote it may mean this day's end or
its beginning: a misfit."""


@dataclass(frozen=True)
class Cell:
    """What is known of a cell besides its text."""

    text: str
    form: str
    """How the record type was delivered: file or sql."""
    is_number: str | None
    """A condition: whether it was a number cell of a spreadsheet; null where nothing says so."""


def moment(field: Field, cell: Cell) -> str:
    """The time that the text means, null where it means none or could mean two;
    a day alone is its midnight.
    """
    read = _with_clock(cell.text)
    forms = [date_form(form) for form in field.written if form != EXCEL]
    for form in forms:
        read = _rewritten(form, read, cell)
    for name in PLAIN_FORMS:
        if not any(conflicts(form, date_form(name)) for form in forms):
            read = f"regexp_replace({read}, {literal(_PLAIN[name])}, {literal(_READ)})"
    known = (
        f"list_transform([{read}], x -> case when regexp_matches(x, '{_IS_READ}') then"
        " try_cast(rtrim(substr(x, 2)) as timestamp) end)[1]"
    )
    serial = _serial(field, cell)
    return f"case {serial} else {known} end" if serial else known


def _with_clock(text: str) -> str:
    """The time of day with colons, an offset of Asia/Shanghai taken off."""
    read = f"regexp_replace({text}, '[+]08(?::?00)?$', '')"
    read = (
        f"regexp_replace({read}, '^([0-9]{{8}})([0-9]{{2}})([0-9]{{2}})([0-9]{{2}})$', '\\1"
        " \\2:\\3:\\4')"
    )
    read = (
        f"regexp_replace({read}, '([0-9]{{1,2}})[时点]([0-9]{{1,2}})分(?:([0-9]{{1,2}})秒)$',"
        " '\\1:\\2:\\3')"
    )
    return f"regexp_replace({read}, '([0-9]{{1,2}})[时点]([0-9]{{1,2}})分$', '\\1:\\2')"


def _rewritten(form: DateForm, text: str, cell: Cell) -> str:
    """A text in the contract's form as `DY-M-D h:m:s`, any other as it is."""

    def group(part: str, default: str) -> str:
        place = form.place(part)
        return f"\\{place}" if place else default

    year = ("20" if form.has_short_year else "") + group("Y", "")
    day = f"D{year}-{group('M', '1')}-{group('D', '1')}"
    clock = [group(part, "") for part in "hms" if form.place(part)]
    if clock:
        pattern, target = (
            f"^{form.pattern}$",
            f"{day} {':'.join(clock if len(clock) > 1 else [*clock, '00'])}",
        )
    else:
        pattern, target = f"^{form.pattern}{_APART}$", f"{day} \\{len(form.parts) + 1}"
    read = f"regexp_replace({text}, {literal(pattern)}, {literal(target)})"
    if form.is_decimal and cell.is_number:
        # 2026.10 as it was typed is 2026.1 as it is stored
        return f"case when {cell.is_number} then {text} else {read} end"
    return read


def _serial(field: Field, cell: Cell) -> str:
    """Branches for a spreadsheet's day number and a database's epoch;
    empty where there can be none.
    """
    branches = []
    number = f"try_cast({cell.text} as double)"
    if cell.form == "file":
        is_serial = (
            f"regexp_matches({cell.text}, '^[0-9]{{5}}([.][0-9]+)?$') and {number} >="
            f" {FIRST_SERIAL} and {number} < {LAST_SERIAL + 1}"
        )
        allowed = "true" if EXCEL in field.written else cell.is_number
        if allowed:
            seconds = f"cast(round({number} * 86400) as bigint)"
            branches.append(
                f"when {is_serial} and {allowed} then timestamp '1899-12-30 00:00:00' +"
                f" to_seconds({seconds})"
            )
    if cell.form == "sql":
        is_epoch = f"regexp_matches({cell.text}, '^[0-9]{{10}}([0-9]{{3}})?$')"
        seconds = f"(case when length({cell.text}) = 13 then {number} / 1000 else {number} end)"
        inside = f"{seconds} between 315532800 and 4102444800"  # 1980 to 2100
        at = (
            f"timestamp '1970-01-01 08:00:00' + to_microseconds(cast(round({seconds} * 1000000) as"
            " bigint))"
        )
        branches.append(f"when {is_epoch} and {inside} then {at}")
    return " ".join(branches)


def month(field: Field, cell: Cell) -> str:
    """The month (YYYYMM) that the text means in a text field with forms,
    null where it means none.
    """
    plain = f"regexp_matches({cell.text}, '^(19|20)[0-9]{{2}}(0[1-9]|1[0-2])$')"
    read = cell.text
    forms = [date_form(form) for form in field.written if form != EXCEL]
    if cell.form == "file" and all(form.is_month for form in forms):
        # a spreadsheet makes a day of 2026年10月 as soon as it is typed
        for first in _FIRST_OF_MONTH:
            read = f"regexp_replace({read}, {literal(first)}, 'D\\1-\\2-1')"
    for form in forms:
        read = _rewritten(form, read, cell)
    day = "try_cast(rtrim(substr(x, 2)) as timestamp)"
    found = (
        f"list_transform([{read}], x -> case when regexp_matches(x, '{_IS_READ}') then"
        f" strftime({day}, '%Y%m') end)[1]"
    )
    return f"case when {plain} then {cell.text} else {found} end"
