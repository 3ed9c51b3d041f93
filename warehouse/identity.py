"""ID numbers (公民身份号码) in SQL: how they are normalised, what makes one sound,
what stands for one in the lake.

Belongs here: SQL expressions over a column of ID numbers, in the subset that DuckDB and Spark read
alike. Not here: names (`names`), who has which number (`matching`).

Source: GB 11643-1999 (6 digits region, 8 birth date, 3 sequence, 1 check character by ISO 7064 MOD
11-2). A region is never a reason to refuse: most adults of Hanyin carry the code that their county
had before 2000.
"""

from __future__ import annotations

import hashlib

from expectations.engine import literal

LENGTH = 18
_DIGITS, _LOWER = "0123456789", "abcdefghijklmnopqrstuvwxyz"
_WIDE_DIGITS = "".join(chr(0xFF10 + i) for i in range(10))
_WIDE_UPPER, _WIDE_LOWER = (
    "".join(chr(start + i) for i in range(26)) for start in (0xFF21, 0xFF41)
)
_SPACE_CODES = (
    *range(0x09, 0x0E),
    *range(0x1C, 0x21),
    0x85,
    0xA0,
    0x1680,
    *range(0x2000, 0x200B),
    0x2028,
    0x2029,
    0x202F,
    0x205F,
    0x3000,
)
_INVISIBLE_CODES = (
    0x00AD,
    0x034F,
    0x061C,
    0x180E,
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2065),
    0xFEFF,
)
_SPACES, _INVISIBLE = "".join(map(chr, _SPACE_CODES)), "".join(map(chr, _INVISIBLE_CODES))
_HYPHENS = "-‐‑‒–—―−﹣－"
_APOSTROPHES = "'’‘‛`´ʼ＇"
_LAST_PLACE = "*×＊✕Хх"
"""What stands for X in the last place: sign of multiplication, asterisk, Cyrillic Kha.
The Latin x is width and case.
"""

LOOK_ALIKES = {"O": "0", "I": "1", "L": "1", "B": "8", "S": "5", "Z": "2"}
"""Letters taken for digits (after upper-casing: o, i, l, b, s, z too)."""

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"

FORMS = ("exact", "upgraded", "certificate")
"""How a number was delivered: 18 characters; 15 digits;
the 20 or 22 characters of a disability certificate.
"""

PROBLEMS = (
    "empty", "placeholder", "scientific_notation", "damaged", "precision_lost",
    "check_failed", "not_a_date", "birth_before_1900", "birth_in_future",
)  # fmt: skip


def invisible_and_spaces() -> str:
    """Every character that is not there for the reader:
    white space, zero width, direction marks.
    """
    return _SPACES + _INVISIBLE


def cleaned(column: str) -> str:
    """The number in upper-case ASCII without spaces, zero-width characters,
    hyphens and a leading apostrophe.

    A number of digits and upper-case letters (nearly all are) is passed on untouched, since folding
    costs a hundred times more.
    """
    source = _WIDE_DIGITS + _WIDE_UPPER + _WIDE_LOWER + _LOWER + _SPACES + _INVISIBLE + _HYPHENS
    target = _DIGITS + _LOWER.upper() * 3
    folded = f"translate({column}, {literal(source)}, {literal(target)})"
    plain = f"regexp_matches({column}, '^[0-9A-Z]*$')"
    return (
        f"case when {plain} then {column} else regexp_replace({folded},"
        f" {literal(f'^[{_APOSTROPHES}]+')}, '') end"
    )


def unwrapped(text: str) -> str:
    """The text without blanks, what nobody sees, and a spreadsheet's signs of text: `'`, `="…"`."""
    return f"translate({text}, {literal(_SPACES + _INVISIBLE + _APOSTROPHES + '=' + chr(34))}, '')"


def form(number: str) -> str:
    """How the `cleaned` number was delivered (`FORMS`), null where it has the shape of none."""
    return (
        f"case when length({number}) = 18 then 'exact' when regexp_matches({number},"
        f" '^[0-9]{{15}}$') then 'upgraded' when {_is_certificate(number)} then 'certificate' end"
    )


def shaped(number: str) -> str:
    """The `cleaned` number in 18 characters where its form allows: 15 digits upgraded, a
    certificate cut, the last place X.
    """
    last = f"right({number}, 1)"
    eighteen = (
        f"left({number}, 17) || case when strpos({literal(_LAST_PLACE)}, {last}) > 0 then 'X' else"
        f" {last} end"
    )
    place = f"substr({number}, 18, 1)"
    certificate = (
        f"left({number}, 17) || case when strpos({literal(_LAST_PLACE)}, {place}) > 0 then 'X' else"
        f" {place} end"
    )
    longer = f"left({number}, 6) || '19' || right({number}, 9)"
    return (
        f"case when regexp_matches({number}, '^[0-9]{{17}}[0-9X]$') then {number} when"
        f" length({number}) = 18 then {eighteen} when regexp_matches({number}, '^[0-9]{{15}}$')"
        f" then {longer} || {check_character(longer)} when {_is_certificate(number)} then"
        f" {certificate} else {number} end"
    )


def check_character(seventeen: str) -> str:
    """The 18th character that belongs to the first 17 digits, null where they are no digits."""
    return f"substr('{CHECK_CHARACTERS}', 1 + ({_weighted_sum(seventeen)}) % 11, 1)"


def is_well_formed(number: str) -> str:
    """17 digits and a digit or X."""
    return (
        f"coalesce(length({number}) = 18 and regexp_matches({number}, '^[0-9]{{17}}[0-9X]$'),"
        " false)"
    )


def passes_check(number: str, expected: str) -> str:
    """Well formed, with the check character that its digits ask
    for (a column with the `check_character`).
    """
    return f"case when {is_well_formed(number)} then right({number}, 1) = {expected} else false end"


def birth_on(number: str) -> str:
    """The birth date in a `shaped` number, null where it is no calendar date."""
    year, month, day = (
        f"substr({number}, {start}, {length})" for start, length in ((7, 4), (11, 2), (13, 2))
    )
    return f"try_cast({year} || '-' || {month} || '-' || {day} as date)"


def problem(number: str, delivered_form: str, as_of: str, expected: str) -> str:
    """Why a `shaped` number is not sound (`PROBLEMS`), null for a sound one.

    `expected` is a column with the `check_character`: inside a CASE the engine would cast the
    digits seventeen times. `precision_lost` is not told here: a number that ends in 000 may be
    somebody's (`is_clipped`). The first branch finds nearly every sound number with one pattern and
    few comparisons; the others need not be asked of it.
    """
    today = f"replace(cast({as_of} as varchar), '-', '')"
    sound = (
        f"coalesce({delivered_form} = 'exact' and right({number}, 1) = {expected} and"
        f" left({number}, 6) <> '999999' and substr({number}, 7, 8) between '19000101' and {today}"
        f" and regexp_matches({number}, '^[0-9]{{17}}[0-9X]$') and {birth_on(number)} is not null,"
        " false)"
    )
    same = (
        f"(replace({number}, left({number}, 1), '') = '' and regexp_matches({number},"
        " '^[0-9]{6,}$'))"
    )
    same_15 = (
        f"({delivered_form} = 'upgraded' and left({number}, 6) || substr({number}, 9, 9) ="
        f" repeat(left({number}, 1), 15))"
    )
    return (
        f"case when {sound} then null when coalesce({number}, '') = '' then 'empty' when"
        f" left({number}, 6) = '999999' or {same} or {same_15} then 'placeholder' when"
        f" regexp_matches({number}, '^[0-9]+([.][0-9]+)?E[+]?[0-9]+$') then 'scientific_notation'"
        f" when {delivered_form} is null or not {is_well_formed(number)} then 'damaged' when"
        f" right({number}, 1) <> {expected} then 'check_failed' when {birth_on(number)} is null"
        f" then 'not_a_date' when substr({number}, 7, 4) < '1900' then 'birth_before_1900' when"
        f" substr({number}, 7, 8) > {today} then 'birth_in_future' end"
    )


def is_clipped(number: str, delivered_form: str) -> str:
    """15 digits and 000: what a spreadsheet leaves of 18 digits;
    a tenth of them pass the check by chance.
    """
    return (
        f"coalesce({delivered_form} <> 'upgraded' and {is_well_formed(number)} and right({number},"
        " 3) = '000', false)"
    )


def swapped(number: str, position: str) -> str:
    """The number with the characters at `position` and after it exchanged."""
    here, there = f"substr({number}, {position}, 1)", f"substr({number}, {position} + 1, 1)"
    return (
        f"left({number}, {position} - 1) || {there} || {here} || substr({number}, {position} + 2)"
    )


def look_alike_mended(number: str) -> str:
    """The number with its one look-alike letter read as a digit,
    null where it has none or more than one.
    """
    letters, digits = "".join(LOOK_ALIKES), "".join(LOOK_ALIKES.values())
    return (
        f"case when length(translate({number}, '{letters}', '')) = 17 then translate({number},"
        f" '{letters}', '{digits}') end"
    )


def pad_select(key: bytes) -> str:
    """The two pads of HMAC-SHA256 for `key`: the reference tables `pseudonym_pad`, `sampling_pad`.

    The key enters SQL here and nowhere else, so no other statement can give it away; no statement
    is logged.
    """
    if not key:
        raise ValueError("the pseudonym key is empty; set YIHU_PSEUDONYM_KEY")
    block = (
        key.ljust(64, b"\0") if len(key) <= 64 else hashlib.sha256(key).digest().ljust(64, b"\0")
    )
    inner, outer = (bytes(b ^ pad for b in block).hex() for pad in (0x36, 0x5C))
    return f"select unhex('{inner}') as inner_pad, unhex('{outer}') as outer_pad"


def pseudonym(text: str) -> str:
    """HMAC-SHA256 of the text under the pseudonym key; reads `pseudonym_pad`."""
    return keyed(text, "pseudonym_pad")


def keyed(text: str, pad: str) -> str:
    """HMAC-SHA256 of the text's UTF-8 bytes, 64 hexadecimal digits;
    reads the pads of a key (RFC 2104).
    """
    inner = f"sha256((select inner_pad from {pad}) || encode({text}))"
    return f"sha256((select outer_pad from {pad}) || unhex({inner}))"


def _is_certificate(number: str) -> str:
    return (
        f"(length({number}) in (20, 22) and regexp_matches({number},"
        " '^.{18}[0-9]{2}(B[1-9])?$'))"
    )


def _weighted_sum(number: str) -> str:
    """The sum of MOD 11-2 over 17 digits.

    By division of an integer, which is twice as fast as cutting the text.
    """
    integer = f"try_cast(left({number}, 17) as bigint)"
    return " + ".join(
        f"(({integer} // {10 ** (16 - i)}) % 10) * {weight}" for i, weight in enumerate(WEIGHTS)
    )
