"""The structure of a resident ID number (公民身份号码, GB 11643-1999) and of a disability
certificate number (残疾人证号).

Belongs here: SQL conditions for a number as delivered that is misshapen, which only warn; and what
in a record's own number looks like somebody's. Not here: normalising and deciding whose number it
is (`warehouse`).
"""

from __future__ import annotations

import re
from datetime import date

SEPARATORS = (
    " -_./\\:,;|·•—–~#()（）【】[]" + "\u3000\u00a0\u200b\u2010\u2011\u2212\uff0d\uff0e\uff0f\uff3f"
)
"""What people put between the digits of a number, and what is no part of it."""

_WIDE = {0xFF10 + i: 0x30 + i for i in range(10)} | {
    start + i: to + i for start, to in ((0xFF21, 0x41), (0xFF41, 0x61)) for i in range(26)
}
_SHAPE = "(?:^|[^0-9])(?:[0-9]{11}|[0-9]{15}|[0-9]{18})(?:[^0-9]|$)|(?:^|[^0-9])[0-9]{17}[Xx]"
_SPLIT = "[0-9][A-Za-z]+[0-9]"
_CHINESE = "[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"


def names_somebody(key: str) -> bool:
    """Whether a record number looks like a phone number or an ID number
    (11, 15 or 18 digits, or 17 and X), or holds Chinese.

    In any spelling: full width, with separators, with letters round it. Whether its check character
    fits does not matter: the department's own number must not be mistaken for a person's. Longer
    and shorter numbers are the department's own. One with letters between its digits is an ID
    number where date and check character fit: most are the department's own.
    """
    folded = key.translate(_WIDE).translate(dict.fromkeys(map(ord, SEPARATORS)))
    return (
        re.search(_SHAPE, folded, re.ASCII) is not None
        or re.search(_CHINESE, key) is not None
        or (re.search(_SPLIT, folded) is not None and _is_id(_joined(folded)))
    )


def _joined(folded: str) -> str:
    """The digits alone, with an X at the end."""
    digits = re.sub("[^0-9]", "", folded)
    return f"{digits}X" if len(digits) == 17 and folded[-1:] in "Xx" else digits


def _is_id(number: str) -> bool:
    """Date and check character fit, as `id_misshapen` asks it of the engine."""
    if not re.fullmatch("[0-9]{17}[0-9X]", number):
        return False
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    values = [int(digit) for digit in number[:17]] + [10 if number[17] == "X" else int(number[17])]
    return sum(value * 2 ** (17 - place) for place, value in enumerate(values)) % 11 == 1


def somebodys(key: str) -> str:
    """`names_somebody` as an SQL condition, in what both engines read.

    A number of anybody has eleven digits at least: what has fewer is seen at a glance, and what is
    ASCII is never translated, which costs some twenty times more.
    """
    wide, narrow = "".join(map(chr, _WIDE)), "".join(map(chr, _WIDE.values()))
    source = (wide + SEPARATORS).replace("'", "''")
    ascii_separators = re.escape("".join(c for c in SEPARATORS if c.isascii() and c != "-"))
    joined = f"regexp_replace({key}, '[{ascii_separators}-]', '', 'g')"
    folded = f"translate({key}, '{source}', '{narrow}')"
    chinese = _CHINESE.replace("(?:", "(")
    is_ascii = f"regexp_matches({key}, '^[ -~]*$')"
    return (
        f"case when {is_ascii} and length(regexp_replace({key}, '[^0-9]', '', 'g')) < 11 then false"
        f" when regexp_matches({key}, '^[0-9A-Za-z]*$') then {_folded_is_somebodys(key)}"
        f" when {is_ascii} then {_folded_is_somebodys(joined)}"
        f" else regexp_matches({key}, '{chinese}') or {_folded_is_somebodys(folded)} end"
    )


def _folded_is_somebodys(folded: str) -> str:
    shape = _SHAPE.replace("(?:", "(")
    digits = f"regexp_replace({folded}, '[^0-9]', '', 'g')"
    last = (
        f"case when length({digits}) = 17 and upper(right({folded}, 1)) = 'X' then 'X' else '' end"
    )
    number = f"({digits} || {last})"
    fits = f"length({number}) = 18 and {_check_fits(number)} and {_date_fits(number, 7, 4)}"
    return (
        f"case when regexp_matches({folded}, '{shape}') then true"
        f" when regexp_matches({folded}, '{_SPLIT}') then {fits} else false end"
    )


def id_misshapen(number: str) -> str:
    """True for what is neither 18 characters with a calendar date and a fitting check character,
    nor 15 digits with a date.
    """
    return f"""
    case
        when {number} is null then false
        when regexp_matches({number}, '^[0-9]{{17}}[0-9Xx]$')
            then not ({_check_fits(number)} and {_date_fits(number, 7, 4)})
        when regexp_matches({number}, '^[0-9]{{15}}$') then not {_date_fits(number, 7, 2)}
        else true
    end"""


def certificate_misshapen(number: str) -> str:
    """True for what is not an 18-character ID number, category, level,
    and perhaps a reissue suffix B1 to B9.
    """
    return f"""
    case
        when {number} is null then false
        when regexp_matches({number}, '^[0-9]{{17}}[0-9Xx][1-7][1-4](B[1-9])?$')
        then not ({_check_fits(number)} and {_date_fits(number, 7, 4)})
        else true
    end"""


def _check_fits(number: str) -> str:
    """ISO 7064 MOD 11-2 over the first 18 characters;
    the lambda has the number cast once, not once a digit.
    """
    weighted = " + ".join(f"(n // {10**i}) % 10 * {2 ** (i + 1) % 11}" for i in range(17))
    check = (
        f"case when upper(substr({number}, 18, 1)) = 'X' then 10 else try_cast(substr({number}, 18,"
        " 1) as bigint) end"
    )
    return (
        f"((list_transform([try_cast(left({number}, 17) as bigint)], n -> {weighted})[1] + {check})"
        " % 11 = 1)"
    )


def _date_fits(number: str, start: int, year_digits: int) -> str:
    """A day of the calendar; most days need no cast to know it."""
    month = f"substr({number}, {start + year_digits}, 2)"
    day = f"substr({number}, {start + year_digits + 2}, 2)"
    year = ("'19' || " if year_digits == 2 else "") + f"substr({number}, {start}, {year_digits})"
    rare = f"try_cast({year} || '-' || {month} || '-' || {day} as date) is not null"
    return f"({month} between '01' and '12' and ({day} between '01' and '28' or {rare}))"
