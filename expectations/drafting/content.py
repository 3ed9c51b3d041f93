"""What the values of one column look like: ID numbers, names, dates, numbers, few words.

Belongs here: shares over the filled cells of a column. Not here: which field a column is
(`mapping`).
"""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from expectations.drafting.grid import bare, tight
from expectations.drafting.office_words import office_words

MOSTLY = 0.6
"""From this share of its filled cells on, a column is of a kind."""
FEW = 12
"""So many distinct words may make a code list."""

LONG = 16
"""A longer cell is a text, no word."""

_TELLING = re.compile(r"[0-9*]{6,}")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_WRAPPED = re.compile(r'="(.*)"')
_WIDE = re.compile("[０-９Ａ-Ｚａ-ｚ]")
_DATE = re.compile(
    r"(?P<y>(?:19|20)[0-9]{2})(?:[-/.年])(?P<m>[0-9]{1,2})(?:[-/.月])(?P<d>[0-9]{1,2})日?(?:["
    r" T]?[0-9:.]+)?"
    r"|(?P<y8>(?:19|20)[0-9]{2})(?P<m8>[0-9]{2})(?P<d8>[0-9]{2})"
)
_MONTH = re.compile(r"(?:19|20)[0-9]{2}(?:年[0-9]{1,2}月份?|[-/.]?[0-9]{2})")
_NUMBER = re.compile(r"[+-]?[¥￥]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?元?")
COUNTED = re.compile(r"[0-9]+(?:\.[0-9]+)?([\u3400-\u9fff]{1,3})")
_NAME = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]{2,4}")
_PLACE = re.compile(
    r".*(?:省|市|县|镇|乡|村|社区|街道|组|学校|小学|中学|幼儿园|医院|卫生院|局|公司|银行|支行)"
)
_DOTTED = re.compile(r"[\u3400-\u9fff]{1,8}[·•・．][\u3400-\u9fff·•・．]{1,16}")
_PHONE = re.compile(r"1[3-9][0-9*]{9}|0[0-9]{2,3}-?[0-9]{7,8}")
_ACCOUNT = re.compile(r"[0-9]{4}[0-9*]{8,15}")
_SERIAL = range(18264, 73051)


def unwrapped(cell: str) -> str:
    """A cell without blanks, a leading apostrophe, and `="…"` round it."""
    text = tight(cell).lstrip("'")
    found = _WRAPPED.fullmatch(text)
    return found[1] if found else text


def as_spelled(cell: str) -> str:
    """A cell as a contract's `written` has to say it."""
    found = _WRAPPED.fullmatch(cell.strip().lstrip("'"))
    text = " ".join((found[1] if found else cell).split())
    return _WIDE.sub(lambda wide: unicodedata.normalize("NFKC", wide[0]), text)


def is_id_number(cell: str) -> bool:
    """18 characters with a fitting check character, or the 15 digits of an old number;
    with a day of the calendar.
    """
    number = unwrapped(cell).upper()
    if re.fullmatch(r"[0-9]{15}", number):
        return _is_day(int("19" + number[6:8]), int(number[8:10]), int(number[10:12]))
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    if "10X98765432"[total % 11] != number[17]:
        return False
    return _is_day(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def is_certificate(cell: str) -> bool:
    """A disability certificate's number: an ID number, category, level,
    perhaps a reissue suffix.
    """
    number = unwrapped(cell).upper()
    return bool(re.fullmatch(r"[0-9]{17}[0-9X][1-7][1-4](B[1-9])?", number)) and is_id_number(
        number[:18]
    )


def is_name(cell: str) -> bool:
    """A Chinese name that begins with a surname, or one with a middle dot."""
    name = tight(cell)
    if _DOTTED.fullmatch(name):
        return True
    if not _NAME.fullmatch(name) or _PLACE.fullmatch(name):
        return False
    return name.startswith(office_words().surnames)


def is_date(cell: str) -> bool:
    """A day of the calendar, year first."""
    found = _DATE.fullmatch(unwrapped(cell))
    if found is None:
        return False
    parts = found["y"] or found["y8"], found["m"] or found["m8"], found["d"] or found["d8"]
    return _is_day(*(int(part) for part in parts))


def is_first_of_month(cell: str) -> bool:
    """A day that a spreadsheet makes of a month as soon as it is typed."""
    found = _DATE.fullmatch(unwrapped(cell))
    return found is not None and int(found["d"] or found["d8"]) == 1 and is_date(cell)


def is_month(cell: str) -> bool:
    return bool(_MONTH.fullmatch(unwrapped(cell)))


def is_dotted_month(cell: str) -> bool:
    """2026.9: a month, where nothing else could be meant;
    2026.10 typed as a number is stored as 2026.1.
    """
    return bool(re.fullmatch(r"(?:19|20)[0-9]{2}\.(?:[1-9]|1[0-2])", unwrapped(cell)))


def is_number(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(unwrapped(cell)))


def is_counted(cell: str) -> bool:
    """A number with a word behind it: 3人, 2026年."""
    return bool(COUNTED.fullmatch(unwrapped(cell)))


def is_boolean(cell: str) -> bool:
    return tight(cell).upper() in office_words().booleans


def is_phone(cell: str) -> bool:
    return bool(_PHONE.fullmatch(unwrapped(cell)))


def is_account(cell: str) -> bool:
    return bool(_ACCOUNT.fullmatch(unwrapped(cell))) and not is_id_number(cell)


def _is_day(year: int, month: int, day: int) -> bool:
    return 1900 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]


def shown(word: str) -> str:
    """A word as a question may quote it: what may be somebody's number, or a text,
    is not quoted.
    """
    return "***" if _TELLING.search(word) or len(word) > LONG else repr(word)


@dataclass(frozen=True)
class Column:
    """One column of a sample."""

    place: int
    physical_name: str
    heading: str
    group: str
    cells: tuple[str, ...]
    is_in_ten_thousands: bool = False
    """Whether a line above the table says so of its amounts."""

    @cached_property
    def filled(self) -> list[str]:
        blanks = office_words().blanks
        return [cell for cell in self.cells if cell and tight(cell).upper() not in blanks]

    @cached_property
    def words(self) -> Counter[str]:
        """The distinct cells, unwrapped, with their counts."""
        return Counter(unwrapped(cell) for cell in self.filled)

    @cached_property
    def spellings(self) -> dict[str, str]:
        """Each distinct word as a cell spells it:
        trimmed, digits and letters of one width, brackets as they are.
        """
        return {unwrapped(cell): as_spelled(cell) for cell in self.filled}

    def share(self, is_kind: Callable[[str], bool]) -> float:
        """The share of the filled cells that are of a kind."""
        if not self.filled:
            return 0.0
        return sum(count for word, count in self.words.items() if is_kind(word)) / len(self.filled)

    def mostly(self, is_kind: Callable[[str], bool]) -> bool:
        return self.share(is_kind) >= MOSTLY

    @cached_property
    def is_dates(self) -> bool:
        """Days; serial numbers stand for days where the others are written as days."""
        days, serials = self.share(is_date), self.share(_is_serial)
        says_so = bare(self.heading).endswith(("日期", "时间", "日"))
        return days + serials >= MOSTLY and (days >= 0.2 or (says_so and days > 0))

    @cached_property
    def is_codes(self) -> bool:
        """Few distinct words, each of them often enough to be no free text."""
        return 1 <= len(self.words) <= FEW and len(self.filled) >= 3 * len(self.words)

    @cached_property
    def is_identity(self) -> bool:
        """Whether the column says who somebody is: numbers, names, telephones, accounts."""
        if self.mostly(is_id_number) or self.mostly(is_certificate) or self.mostly(is_phone):
            return True
        words = office_words()
        if self.mostly(is_name) and not (self.is_codes and _is_plain_word(self)):
            return True
        heading = tight(f"{self.group}{self.heading}")
        return any(word in heading for word in words.identity_headings) and bool(self.filled)

    @cached_property
    def is_unique(self) -> bool:
        return len(self.words) == len(self.filled)


def _is_serial(cell: str) -> bool:
    return cell.isdigit() and len(cell) == 5 and int(cell) in _SERIAL


def _is_plain_word(column: Column) -> bool:
    """Few words that only look like names (石门, 高血压): a heading that says nothing of people."""
    words = office_words()
    heading = tight(f"{column.group}{column.heading}")
    says_so = any(word in heading for word in (*words.people, *words.others))
    return not says_so and not bare(column.heading).endswith(
        ("员", "长", "者", "师", "属", "手", "签字", "签名")
    )


def columns_of(
    headings: Sequence[tuple[int, str, str, str]],
    records: Sequence[Sequence[str]],
    is_in_ten_thousands: bool = False,
) -> list[Column]:
    """The columns: place, physical name, heading and group of each, with their cells."""
    return [
        Column(
            place,
            name,
            heading,
            group,
            tuple(record[place] for record in records),
            is_in_ten_thousands,
        )
        for place, name, heading, group in headings
    ]
