"""The structure of a resident ID number (公民身份号码, GB 11643-1999) and of a disability certificate number (残疾人证号).

Belongs here: SQL conditions for a number as delivered that is misshapen; they only warn. Not here: normalising and
deciding whose number it is (`warehouse`).
"""

from __future__ import annotations


def id_misshapen(number: str) -> str:
    """True for what is neither 18 characters with a calendar date and a fitting check character, nor 15 digits with a date."""
    return f"""
    case
        when {number} is null then false
        when regexp_matches({number}, '^[0-9]{{17}}[0-9Xx]$') then not ({_check_fits(number)} and {_date_fits(number, 7, 4)})
        when regexp_matches({number}, '^[0-9]{{15}}$') then not {_date_fits(number, 7, 2)}
        else true
    end"""


def certificate_misshapen(number: str) -> str:
    """True for what is not an 18-character ID number, category, level, and perhaps a reissue suffix B1 to B9."""
    return f"""
    case
        when {number} is null then false
        when regexp_matches({number}, '^[0-9]{{17}}[0-9Xx][1-7][1-4](B[1-9])?$')
        then not ({_check_fits(number)} and {_date_fits(number, 7, 4)})
        else true
    end"""


def _check_fits(number: str) -> str:
    """ISO 7064 MOD 11-2 over the first 18 characters; the lambda has the number cast once, not once a digit."""
    weighted = " + ".join(f"(n // {10**i}) % 10 * {2 ** (i + 1) % 11}" for i in range(17))
    check = f"case when upper(substr({number}, 18, 1)) = 'X' then 10 else try_cast(substr({number}, 18, 1) as bigint) end"
    return f"((list_transform([try_cast(left({number}, 17) as bigint)], n -> {weighted})[1] + {check}) % 11 = 1)"


def _date_fits(number: str, start: int, year_digits: int) -> str:
    """A day of the calendar; most days need no cast to know it."""
    month = f"substr({number}, {start + year_digits}, 2)"
    day = f"substr({number}, {start + year_digits + 2}, 2)"
    year = ("'19' || " if year_digits == 2 else "") + f"substr({number}, {start}, {year_digits})"
    rare = f"try_cast({year} || '-' || {month} || '-' || {day} as date) is not null"
    return f"({month} between '01' and '12' and ({day} between '01' and '28' or {rare}))"
