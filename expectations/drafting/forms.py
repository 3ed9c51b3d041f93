"""How a column writes what it holds: forms of dates, units of numbers, words for nothing,
words for codes.

Belongs here: from cells to the properties `written`, `blanks`, `zero`, `blank`, `codes` of a
contract's field. Not here: which column is which field (`mapping`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from expectations.contract import Contract, Field
from expectations.drafting.content import (
    COUNTED,
    FEW,
    Column,
    is_first_of_month,
    is_name,
    is_number,
    shown,
    unwrapped,
)
from expectations.drafting.grid import tight
from expectations.drafting.mapping import Match, code_of
from expectations.drafting.office_words import office_words
from expectations.writing import FIELD_UNITS, MONEY, PLAIN_FORMS, DateForm, date_form

_TIME = re.compile(r"[ T]?[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?$")
_MONTH_FORMS = ("YYYY年M月", "YYYY-MM", "YYYY/MM", "YYYY-M", "YYYY/M")
_DOUBTFUL_FORMS = ("YYYY.M", "YY.M.D", "YY-M-D", "YY/M/D", "DD/MM/YYYY", "MM/DD/YYYY", "DD.MM.YYYY")
_DOTTED_MONTH = "YYYY.M"
_UNIT = re.compile(r"[(（\[【]([^)）\]】]+)[)）\]】]")
_COUNTS = ("persons", "count", "households")
_NOTHING = ("/", "-", "－", "—", "——", "--", "无")
OFTEN = 3
"""A word that nobody knows and that stands in so many rows is no slip."""
AT_LEAST = 2
"""So often a word occurs before it is taken for the column's own way of saying nothing."""


@dataclass
class Written:
    """Custom properties of a field, and what has to be asked about them."""

    properties: dict[str, Any] = field(default_factory=dict)
    questions: list[str] = field(default_factory=list)


def of_dates(at: Field, column: Column) -> Written:
    """Forms that have to be named, and words that say that there is no day."""
    made = Written()
    odd = Counter(
        tight(cell) for cell in column.cells if cell and not _is_plain_date(unwrapped(cell))
    )
    forms = []
    for form in (*_MONTH_FORMS, *_DOUBTFUL_FORMS):
        read = [word for word in odd if date_form(form).read(word)]
        if read and sum(odd[word] for word in read) >= AT_LEAST:
            forms.append(form)
            for word in read:
                del odd[word]
            if form in _DOUBTFUL_FORMS:
                made.questions.append(
                    f"{column.physical_name} has dates such as {_sample(form)}: are they {form}?"
                )
    if forms:
        made.properties["written"] = forms
    words = [
        word
        for word, count in odd.items()
        if word in office_words().not_yet or _says_nothing(word, count)
    ]
    if words and at.required:
        made.questions.append(
            f"{column.physical_name} is required and says {_listed(words)}: may it be empty?"
        )
    elif words:
        made.properties["blanks"] = sorted(words)
    left = {word: count for word, count in odd.items() if word not in words}
    often = sorted(
        word
        for word, count in left.items()
        if count >= OFTEN and not at.required and _is_said(word)
    )
    if often:
        made.properties["blanks"] = sorted({*words, *often})
        made.questions.append(
            f"{column.physical_name} says {_listed(often)}: does it stand for no day? else take it"
            " out of blanks"
        )
    made.questions += _repeated(
        column, {word: count for word, count in left.items() if word not in often}, "day"
    )
    return made


def of_months(column: Column) -> Written:
    """A text that holds a month as YYYYMM; a spreadsheet makes the month's first day of it."""
    made = Written()
    odd = Counter(
        word for cell in column.filled if not re.fullmatch(r"[0-9]{6}", word := unwrapped(cell))
    )
    forms = []
    for form in (*_MONTH_FORMS, _DOTTED_MONTH):
        read = [word for word in odd if date_form(form).read(word)]
        if sum(odd[word] for word in read) >= AT_LEAST:
            forms.append(form)
            for word in read:
                del odd[word]
    if _DOTTED_MONTH in forms:
        made.questions.append(
            f"{column.physical_name} has months such as {_sample(_DOTTED_MONTH)}: are they"
            f" {_DOTTED_MONTH}?"
        )
    days = [word for word in odd if is_first_of_month(word)]
    if days and not forms:
        forms = [_MONTH_FORMS[0]]
    for word in days:
        del odd[word]
    if forms:
        made.properties["written"] = forms
    made.questions += _repeated(column, odd, "month")
    return made


def of_numbers(at: Field, column: Column) -> Written:
    """The unit in the heading's brackets, and words for 0 or nothing."""
    made = Written()
    unit = unit_of(column)
    if unit in MONEY and at.unit in FIELD_UNITS:
        if MONEY[unit] != FIELD_UNITS[at.unit]:
            made.properties["written"] = [unit]
    elif unit in MONEY:
        made.questions.append(
            f"{column.physical_name} is in {unit}, and {at.name} has no unit of money: is it this"
            " column?"
        )
    elif unit is None and column.is_in_ten_thousands and at.unit in ("yuan", "yuan/month"):
        made.properties["written"] = ["万元"]
        made.questions.append(
            f"a line above the table says 万元: is {column.physical_name} in ten thousand yuan?"
        )
    elif unit is None and at.unit == "10k yuan" and not column.is_in_ten_thousands:
        made.questions.append(
            f"{at.name} is in ten thousand yuan: is {column.physical_name}? if in yuan, write 元"
        )
    nothing = [
        word
        for word, count in Counter(map(tight, column.cells)).items()
        if word in _NOTHING and count
    ]
    if nothing:
        made.properties["zero"] = nothing
        made.questions.append(
            f"{column.physical_name} says {_listed(nothing)}: is it 0, or not known (then blanks)?"
        )
    odd = Counter(word for cell in column.filled if not is_number(word := unwrapped(cell)))
    behind = (
        {found[1] for word in odd if (found := COUNTED.fullmatch(word))}
        if "written" not in made.properties
        else set()
    )
    if len(behind) == 1 and not behind & MONEY.keys() and sum(odd.values()) >= AT_LEAST:
        word = behind.pop()
        made.properties["written"] = [word]
        if office_words().units.get(word) not in ([at.unit] if at.unit else _COUNTS):
            made.questions.append(
                f"{column.physical_name} has {word} behind its numbers: is {at.name} counted in"
                f" {at.unit or 'them'}?"
            )
        odd = Counter({word: count for word, count in odd.items() if not COUNTED.fullmatch(word)})
    made.questions += _repeated(
        column, {word: count for word, count in odd.items() if word not in _NOTHING}, "number"
    )
    return made


def _repeated(column: Column, odd: Mapping[str, int], kind: str) -> list[str]:
    """What is no value of the column's kind and stands there more than once: a slip would not."""
    blanks = office_words().blanks
    often = {
        word: count
        for word, count in odd.items()
        if count >= AT_LEAST and word.upper() not in blanks
    }
    if not often:
        return []
    said = ", ".join(
        f"{'***' if is_name(word) else shown(word)} ({count} rows)" for word, count in often.items()
    )
    if len(often) > FEW:
        said = f"{len(often)} different words, each in several rows"
    return [
        f"{column.physical_name} says {said}, no {kind}: they are set aside; do they stand for"
        " nothing (then blanks)?"
    ]


def of_texts(column: Column) -> Written:
    """A text is kept as it stands; what a program writes for nothing is asked about."""
    made = Written()
    none = Counter(
        word
        for cell in column.cells
        if (word := unwrapped(cell)) and word.upper() in office_words().blanks
    )
    if none:
        said = ", ".join(f"{shown(word)} ({count} rows)" for word, count in none.items())
        made.properties["blanks"] = sorted(none)
        made.questions.append(
            f"{column.physical_name} says {said}: does it stand for nothing? else take it out of"
            " blanks"
        )
    return made


def of_booleans(column: Column) -> Written:
    """A column of ticks alone: what does a blank in it mean?"""
    made = Written()
    said = {tight(cell).upper() for cell in column.cells if cell}
    if (
        said
        and said <= {"√", "✓", "✔", "是", "Y", "1", "有"}
        and any(not cell for cell in column.cells)
    ):
        made.properties["blank"] = "false"
        made.questions.append(
            f"{column.physical_name} has ticks and blanks only: is a blank no (false), or not"
            " known?"
        )
    return made


def of_codes(contract: Contract, at: Field, column: Column) -> Written:
    """The field's code list with the office's words,
    those of the sample and those that are known besides.
    """
    made = Written()
    words: dict[str, list[str]] = {code.code: list(code.written) for code in at.codes}
    for code, known in office_words().codes_of(contract.records, at.name).items():
        if code in words:
            words[code] += [word for word in known if word not in words[code]]
    unknown: list[tuple[str, int]] = []
    for word, count in column.words.most_common():
        meant = code_of(contract, at, word)
        if meant is None:
            unknown.append((word, count))
        elif (spelled := column.spellings[word]) != meant and spelled not in words[meant]:
            words[meant].append(spelled)
    unknown = _guess_codes(made, at, column, words, unknown)
    if any(words.values()):
        made.properties["codes"] = [
            _code(code.code, code.meaning, _once(words, code.code)) for code in at.codes
        ]
    if unknown:
        listed = ", ".join(f"{shown(word)} ({count} rows)" for word, count in unknown)
        if len(unknown) > FEW:
            listed = f"{len(unknown)} different ones (is it the right column?)"
        made.questions.append(
            f"{column.physical_name} has words that are no code of {at.name}: {listed}; they are"
            " set aside"
        )
    return made


def _guess_codes(
    made: Written,
    at: Field,
    column: Column,
    words: dict[str, list[str]],
    unknown: Sequence[tuple[str, int]],
) -> list[tuple[str, int]]:
    """Puts a word that is often there beside the one code whose word it contains, and asks;
    what is left is unknown.
    """
    left = []
    for word, count in unknown:
        told = {
            code
            for code, listed in words.items()
            for each in listed
            if len(each) > 1 and tight(each) in word
        }
        if count < OFTEN or len(told) != 1:
            left.append((word, count))
            continue
        code = told.pop()
        words[code].append(column.spellings[word])
        made.questions.append(
            f"{column.physical_name} says {shown(word)} ({count} rows): is it the {at.name} {code}?"
        )
    return left


def _once(words: dict[str, list[str]], code: str) -> list[str]:
    """The words of a code that stand for no other one, and are not themselves another code."""
    elsewhere = {word for other, listed in words.items() if other != code for word in listed} | set(
        words
    ) - {code}
    return [word for word in dict.fromkeys(words[code]) if word not in elsewhere and word != code]


def _code(code: str, meaning: str, written: Sequence[str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"code": code}
    if meaning:
        entry["meaning"] = meaning
    if written:
        entry["written"] = list(written)
    return entry


def unit_of(column: Column) -> str | None:
    """The unit in brackets in a heading: `补助资金（万元）`."""
    for found in _UNIT.findall(tight(column.heading)):
        if found in office_words().units:
            return str(found)
    return None


def _is_plain_date(text: str) -> bool:
    text = _TIME.sub("", text)
    if text.isdigit() and len(text) == 5:
        return True
    return any(date_form(form).read(text) is not None for form in PLAIN_FORMS)


def _says_nothing(word: str, count: int) -> bool:
    """A word that repeats and begins with 未, 尚未, 无, 暂: there is no day.
    One that occurs once may be a slip.
    """
    return (
        count >= AT_LEAST
        and word.startswith(("未", "尚未", "无", "暂", "待"))
        and not is_number(word)
    )


def _is_said(word: str) -> bool:
    """A word, and neither a day that is none nor a number nor anybody's name."""
    return (
        not any(character.isdigit() for character in word)
        and not is_name(word)
        and word.upper() not in office_words().blanks
    )


def _sample(form: str) -> str:
    return (
        form.replace("YYYY", "2026")
        .replace("YY", "26")
        .replace("MM", "09")
        .replace("DD", "23")
        .replace("M", "9")
        .replace("D", "23")
    )


def _listed(words: Sequence[str]) -> str:
    return ", ".join(map(shown, words))


def flawed(contract: Contract, match: Match, said: Mapping[str, Any]) -> Iterator[int]:
    """The places of rows whose cell the field cannot hold, as far as a sample shows it:
    none, no code, no day.

    `said` are the field's custom properties in the draft.
    """
    at, not_yet = match.field, (*office_words().not_yet, *said.get("blanks", ()))
    taken = {tight(word) for code in said.get("codes", ()) for word in code.get("written", ())}
    forms = [date_form(form) for form in said.get("written", ())] if at.type == "date" else []
    for place, cell in enumerate(match.column.cells):
        word = unwrapped(cell)
        is_blank = (not word or word.upper() in office_words().blanks) and word not in said.get(
            "zero", ()
        )
        if is_blank or word in not_yet:
            if is_blank and contract.must_have(at) and at.type != "boolean":
                yield place
        elif at.codes:
            if tight(word) not in taken and code_of(contract, at, word) is None:
                yield place
        elif at.type == "date" and not _is_day(cell, forms):
            yield place


def _is_day(cell: str, forms: Sequence[DateForm]) -> bool:
    word = unwrapped(cell)
    return (
        (word.isdigit() and len(word) == 5)
        or day_of(cell) is not None
        or any(form.read(word) for form in forms)
    )


def day_of(cell: str) -> date | None:
    """The day that a cell means; of a month its first.
    None where it means none, or could mean two.
    """
    text = _TIME.sub("", unwrapped(cell))
    return next(
        (
            day
            for form in (*PLAIN_FORMS, *_MONTH_FORMS)
            if (day := date_form(form).read(text)) is not None
        ),
        None,
    )
