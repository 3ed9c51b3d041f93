"""Forms in which a department writes dates and numbers, as its contract names them.

Belongs here: what a form such as `YYYY.M.D`, `excel` or `万元` says, and which forms cannot stand
together. Not here: the SQL that reads values by them (`casting`), nor contract files
(`contract_file`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from expectations.errors import ConfigurationError

EXCEL = "excel"
"""A date as a spreadsheet's day number, in whatever cell."""

FIRST_YEAR, LAST_YEAR = 1900, 2100

_TOKENS = ("YYYY", "YY", "MM", "M", "DD", "D", "HH", "H", "mm", "m", "ss", "s")
_TOKEN = re.compile("|".join(_TOKENS))
_LITERAL = re.compile(r"[-/.,:T \u4e00-\u9fff]*")

MONEY = {
    "元": Decimal(1),
    "千元": Decimal(1000),
    "万元": Decimal(10_000),
    "亿元": Decimal(100_000_000),
}
"""Units of money in yuan."""

FIELD_UNITS = {"yuan": Decimal(1), "yuan/month": Decimal(1), "10k yuan": Decimal(10_000)}
"""The units of money that a contract's field may have, in yuan."""

_WORD = re.compile(r"[\u4e00-\u9fff㎡]+")


class FormError(ConfigurationError):
    """A form that says nothing, or that contradicts another; the message says what to write."""


@dataclass(frozen=True)
class DateForm:
    """A form of dates and times: an order of parts, and what stands between them."""

    text: str
    parts: tuple[str, ...]
    """The parts in the order in which they stand: Y, M, D, h, m, s."""
    pattern: str
    """A regular expression for the whole of a text, with one group a part."""
    has_short_year: bool

    @property
    def is_month(self) -> bool:
        """Whether it says a month and no day: its first day, where a date is asked for."""
        return self.parts[:2] == ("Y", "M") and "D" not in self.parts

    @property
    def is_decimal(self) -> bool:
        """Whether a spreadsheet takes what is written in it for a number:
        2026.10 becomes 2026.1.
        """
        return len(self.parts) == 2 and re.fullmatch(r"Y+[.]M+|M+[.]Y+", self.text) is not None

    def place(self, part: str) -> int | None:
        """The number of the part's group, from 1."""
        return self.parts.index(part) + 1 if part in self.parts else None

    def read(self, text: str) -> date | None:
        """The day that a text in this form means, null where it has another form or is no day."""
        found = re.fullmatch(self.pattern, text, re.ASCII)
        if not found:
            return None
        values = {part: int(found[number]) for number, part in enumerate(self.parts, 1)}
        year = values["Y"] + (2000 if self.has_short_year else 0)
        try:
            day = date(year, values.get("M", 1), values.get("D", 1))
        except ValueError:
            return None
        return day if FIRST_YEAR <= year <= LAST_YEAR else None


@lru_cache(maxsize=256)
def date_form(text: str) -> DateForm:
    """The form that a contract names: `YYYY.M.D`, `DD/MM/YYYY`, `YYYY年M月`, `YYYY-MM-DD HH:mm`.

    M, D and the like take one or two digits where something stands between them and the next part.

    Raises:
        FormError: no year, no order of parts, or letters that mean nothing.
    """
    parts: list[str] = []
    pattern, at = "", 0
    found = list(_TOKEN.finditer(text))
    for number, token in enumerate(found):
        between = text[at : token.start()]
        if not _LITERAL.fullmatch(between):
            raise FormError(
                f"the form {text!r} is not known",
                f"write it with YYYY, M, D, HH, mm, ss, or {EXCEL}",
            )
        follows = found[number + 1].start() if number + 1 < len(found) else -1
        touches = token.end() == follows or (
            number > 0 and found[number - 1].end() == token.start()
        )
        pattern += re.escape(between).replace("\\ ", " ") + _digits(token[0], touches)
        parts.append(_part(token[0]))
        at = token.end()
    if not _LITERAL.fullmatch(text[at:]):
        raise FormError(
            f"the form {text!r} is not known",
            f"write it with YYYY, M, D, HH, mm, ss, or {EXCEL}",
        )
    pattern += re.escape(text[at:])
    day = [part for part in parts if part in "YMD"]
    clock = [part for part in parts if part in "hms"]
    if (
        sorted(day) not in (["D", "M", "Y"], ["M", "Y"], ["Y"])
        or len(set(parts)) < len(parts)
        or clock not in ([], ["h"], ["h", "m"], ["h", "m", "s"])
        or parts != [*day, *clock]
        or (clock and len(day) < 3)
    ):
        raise FormError(
            f"the form {text!r} says no date",
            "it needs a year, or a year and a month, or year, month and day, then the time",
        )
    return DateForm(text, tuple(parts), pattern, bool(re.search(r"(?<!Y)YY(?!Y)", text)))


def _part(token: str) -> str:
    return {"Y": "Y", "M": "M", "D": "D", "H": "h", "m": "m", "s": "s"}[token[0]]


def _digits(token: str, touches: bool) -> str:
    if token[0] == "Y":
        return f"([0-9]{{{len(token)}}})"
    return "([0-9]{2})" if touches and len(token) == 2 else "([0-9]{1,2})"


PLAIN_FORMS = ("YYYY-M-D", "YYYY/M/D", "YYYY.M.D", "YYYY年M月D日", "YYYYMMDD")
"""The forms of a day that can mean one thing only;
read without being named, unless the contract names one that contradicts.
"""


def check_date_forms(forms: tuple[str, ...]) -> None:
    """Raises `FormError` for a form that is none,
    and for two that would read one text as two different days.
    """
    known = [date_form(form) for form in forms if form != EXCEL]
    for number, one in enumerate(known):
        for other in known[number + 1 :]:
            if conflicts(one, other):
                raise FormError(
                    f"the forms {one.text!r} and {other.text!r} read the same text as two days",
                    "name one of them",
                )


@lru_cache(maxsize=1024)
def conflicts(one: DateForm, other: DateForm) -> bool:
    """Whether there is a text that the two forms read as two days."""
    return one.text != other.text and any(
        _differ(one, other, text) for text in (*_samples(one), *_samples(other))
    )


def _differ(one: DateForm, other: DateForm, text: str) -> bool:
    first, second = one.read(text), other.read(text)
    return first is not None and second is not None and first != second


@lru_cache(maxsize=256)
def _samples(form: DateForm) -> tuple[str, ...]:
    """Days written in that form: every month with days that could be months,
    in years whose digits could be either.
    """
    days = [
        date(year, month, day)
        for year in (1912, 2001, 2010, 2011, 2012)
        for month in range(1, 13)
        for day in range(1, 13)
    ]
    return tuple(
        written_as(form, day) for day in days if not form.has_short_year or day.year >= 2000
    )


def written_as(form: DateForm, day: date) -> str:
    """A day in that form; a time of day is midnight."""

    def part(token: re.Match[str]) -> str:
        name, width = _part(token[0]), len(token[0])
        number = {
            "Y": day.year % (100 if width == 2 else 10_000),
            "M": day.month,
            "D": day.day,
        }.get(name, 0)
        return f"{number:0{width}d}"

    return _TOKEN.sub(part, form.text)


@dataclass(frozen=True)
class NumberForm:
    """The word behind a column's numbers, and what a number is to be multiplied
    with for the field's unit.
    """

    word: str
    factor: Decimal
    is_money: bool


def number_form(text: str, unit: str | None) -> NumberForm:
    """What a contract's form of a number says of a field of that unit:
    `万元` in a field of yuan multiplies by 10,000.

    Raises:
        FormError: it is no word, or it is money and the field is not.
    """
    if text in MONEY:
        if unit not in FIELD_UNITS:
            raise FormError(
                f"the form {text!r} is money and the field's unit is {unit or 'not said'}",
                "give it the unit yuan or 10k yuan",
            )
        return NumberForm(text, MONEY[text] / FIELD_UNITS[unit], True)
    if not _WORD.fullmatch(text):
        raise FormError(
            f"the form {text!r} is not known for a number",
            "write 元, 千元, 万元, 亿元, or the word that stands behind it",
        )
    return NumberForm(text, Decimal(1), False)


def check_number_forms(forms: tuple[str, ...], unit: str | None) -> None:
    """Raises `FormError` for a form that is none, and for two units of money:
    a bare number would have two values.
    """
    read = [number_form(form, unit) for form in forms]
    if len({form.factor for form in read}) > 1:
        raise FormError(
            f"the forms {', '.join(forms)} give a number two values",
            "name the one that the column is in",
        )
