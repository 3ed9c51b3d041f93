"""What stands in a cell instead of a value: words for codes, and marks for "nothing" and for 0.

Belongs here: SQL expressions from a folded text to the code, the number or the emptiness that it
means. Not here: trimming (`folding`), numbers and dates themselves (`casting`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from expectations.contract import Field
from expectations.engine import literal
from expectations.writing import EXCEL, PLAIN_FORMS, conflicts, date_form

NOTHING = ("-", "－", "—", "–", "――", "——", "/", "／", "NULL", "null", "N/A", "n/a", "无")
"""Marks for an empty cell where a code, a date or a boolean is due.

In numbers they are none: an accounting `-` is 0.
"""

TRUE = ("true", "t", "1", "1.0", "是", "有", "y", "yes", "√", "✓", "✔")
FALSE = ("false", "f", "0", "0.0", "否", "无", "n", "no", "×", "✗", "✘")

_DAY = re.compile(r"([0-9]{4})[-/.年]?([0-9]{1,2})[-/.月]?([0-9]{1,2})日?")
_BEFORE_THE_FIRST = (1900, 1, 0)
"""What a spreadsheet shows for the day number 0; the cell itself is a time."""

_CHINESE = re.compile(r"[\u3400-\u9fff]+")


def words_of(field: Field) -> dict[str, str]:
    """Every word for a code of the field: those of the contract, its meanings,
    and what a spreadsheet makes of a code.

    A meaning counts whole and by its Chinese part. `4.0` is the code 4 where it is none itself; `1`
    is 01 where every code has one width. What could be two codes is none.
    """
    codes = {code.code for code in field.codes}
    told = {word: code.code for code in field.codes for word in code.written if word not in codes}
    guessed: dict[str, set[str]] = {}
    for code in field.codes:
        for word in _ways(code.code, code.meaning, codes):
            if word and word not in codes and word not in told:
                guessed.setdefault(word, set()).add(code.code)
    return told | {word: next(iter(meant)) for word, meant in guessed.items() if len(meant) == 1}


def _ways(code: str, meaning: str, codes: set[str]) -> Iterable[str]:
    yield meaning.strip()
    yield from _CHINESE.findall(meaning) if len(_CHINESE.findall(meaning)) == 1 else ()
    if not re.fullmatch("[0-9]+", code):
        return
    yield f"{code}.0"
    if len({len(other) for other in codes}) == 1 and all(
        re.fullmatch("[0-9]+", other) for other in codes
    ):
        short = code.lstrip("0") or "0"
        yield from (short, f"{short}.0")


def meant(field: Field, text: str, form: str, is_delivered: bool) -> str:
    """The folded `text` after its words: a code for a word, `0` for a mark of zero,
    null for a mark of nothing.

    `is_delivered`: whether the delivery has the field's column; what an empty cell means is not
    said of a column that is not there. The exchange platform (`api`) writes no marks of nothing but
    those that the contract names.
    """
    read = text
    if field.codes:
        codes = ", ".join(literal(code.code) for code in field.codes)
        read = (
            f"case when {text} in ({codes}) then {text} else {_translated(field, text, form)} end"
        )
    elif field.zero or _nothing(field, form):
        read = _translated(field, text, form)
    if field.blank is not None and is_delivered:
        read = f"coalesce({read}, {literal(words_of(field).get(field.blank, field.blank))})"
    return read


def _translated(field: Field, text: str, form: str) -> str:
    branches = [
        f"when {literal(word)} then {literal(code)}"
        for word, code in sorted(words_of(field).items())
    ]
    branches += [f"when {literal(word)} then '0'" for word in field.zero]
    known = set(words_of(field)) | set(field.zero)
    branches += [
        f"when {literal(word)} then null" for word in _nothing(field, form) if word not in known
    ]
    return f"case {text} {' '.join(branches)} else {text} end" if branches else text


def is_nothing(field: Field, text: str) -> str:
    """Whether a text is one of the marks that the contract says stand for an empty cell."""
    marks = [spelt for mark in field.blanks for spelt in _spellings(field, mark)]
    return f"{text} in ({', '.join(map(literal, marks))})" if marks else "false"


def _nothing(field: Field, form: str) -> list[str]:
    """The marks of nothing in this field: the contract's,
    and where it is no number the usual ones.
    """
    marks = [spelt for mark in field.blanks for spelt in _spellings(field, mark)]
    if form != "api" and (
        field.codes or field.type in ("date", "timestamp", "boolean") or _names_the_record(field)
    ):
        marks += [mark for mark in NOTHING if field.type != "boolean" or mark not in FALSE]
    codes = {code.code for code in field.codes}
    return [mark for mark in dict.fromkeys(marks) if mark not in codes]


def _names_the_record(field: Field) -> bool:
    """Whether it alone, or somebody's number in it, tells a record apart: NULL is no record's
    number, and two records that have it are not one.
    """
    is_number = field.holds_number or field.role == "area_code"
    return field.role == "record_key" or (field.key_position is not None and is_number)


def _spellings(field: Field, mark: str) -> list[str]:
    """The mark, and where it is a day (99991231) the same day as cells and databases hold it."""
    found = _DAY.fullmatch(mark) if field.type in ("date", "timestamp") else None
    forms = [date_form(form) for form in field.written if form != EXCEL]
    plain = [date_form(form) for form in PLAIN_FORMS]
    if found is None or any(conflicts(one, other) for one in forms for other in plain):
        return [mark]
    year, month, day = (int(part) for part in found.groups())
    iso = f"{year:04d}-{month:02d}-{day:02d}"
    spelt = [mark, iso, f"{iso} 00:00:00", f"{iso}T00:00:00", iso.replace("-", "")]
    for sign in "-/.":
        spelt += [iso.replace("-", sign), f"{year:04d}{sign}{month}{sign}{day}"]
    spelt.append(f"{year:04d}年{month}月{day}日")
    return [*spelt, "00:00:00"] if (year, month, day) == _BEFORE_THE_FIRST else spelt
