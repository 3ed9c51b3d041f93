"""Names (姓名) in SQL: how they are normalised, and when two agree.

Belongs here: SQL expressions over a column of names. Not here: ID numbers (`identity`).

Two names are `same` after spaces, middle dots, width, simplified and traditional forms and variants
(`rules/variants.csv`: also the private-use characters that systems of the GBK age wrote for what
Unicode has now, and compatibility forms) are levelled, also where one `□`, `?` or pinyin stands in
for one character outside GB 2312, which older systems cannot hold.
"""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path

from warehouse.identity import invisible_and_spaces, literal

VARIANTS = Path(__file__).parent / "rules" / "variants.csv"

GAP = "□"
LEVELLED = 12
"""Names up to so long are levelled place by place;
a longer one (a transcription, and few hold a variant) as a whole.
"""

_GAPS = "□☐▯■〓�？"
_DOTS = "·•‧∙⋅・･.．˙·᛫"
_COMBINING = "\u0300\u0301\u0304\u0308\u030c"
"""Tone marks and the dots of ü as characters of their own, as in decomposed text."""
_LOWER = "abcdefghijklmnopqrstuvwxyz"
_WIDE = "".join(chr(0xFF21 + i) for i in range(26)) + "".join(chr(0xFF41 + i) for i in range(26))
_WIDE_DIGITS = "".join(chr(0xFF10 + i) for i in range(10))
_TONES = {
    "A": "āáǎàĀÁǍÀ",
    "E": "ēéěèêĒÉĚÈÊ",
    "I": "īíǐìĪÍǏÌ",
    "O": "ōóǒòŌÓǑÒ",
    "U": "ūúǔùŪÚǓÙ",
    "V": "üǖǘǚǜÜǕǗǙǛ",
    "N": "ńňǹ\ue7c8ŃŇ",
    "M": "ḿ\ue7c7Ḿ",
}


@lru_cache(maxsize=1)
def gb2312() -> str:
    """The 6,763 Chinese characters of GB 2312, as the ranges of a regular expression's class."""
    codes: set[int] = set()
    for row in range(0xB0, 0xF8):
        cells = (bytes([row, cell]).decode("gb2312", errors="ignore") for cell in range(0xA1, 0xFF))
        codes.update(ord(character) for character in cells if character)
    ranges: list[tuple[int, int]] = []
    for code in sorted(codes):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = (ranges[-1][0], code)
        else:
            ranges.append((code, code))
    return "".join(
        chr(first) if first == last else f"{chr(first)}-{chr(last)}" for first, last in ranges
    )


@lru_cache(maxsize=1)
def variants() -> tuple[str, str]:
    """The characters of `variants.csv` and, place by place,
    the standard forms that they are read as.
    """
    with VARIANTS.open(encoding="utf-8", newline="") as file:
        pairs = [(row["variant"], row["standard"]) for row in csv.DictReader(file)]
    return "".join(variant for variant, _ in pairs), "".join(standard for _, standard in pairs)


def folded(column: str) -> str:
    """The name without spaces and dots, in upper-case ASCII where it is Latin,
    every stand-in as `?`; '' where there is none.

    A name without such a character (nearly all have none) is passed on untouched, since folding
    costs a hundred times more.
    """
    toned = "".join(_TONES.values())
    plain_tones = "".join(letter * len(marked) for letter, marked in _TONES.items())
    source = (
        _LOWER
        + _WIDE
        + _WIDE_DIGITS
        + toned
        + _GAPS
        + "（）"
        + _DOTS
        + _COMBINING
        + invisible_and_spaces()
    )
    target = _LOWER.upper() * 3 + "0123456789" + plain_tones + "?" * len(_GAPS) + "()"
    levelled = f"translate({column}, {literal(source)}, {literal(target)})"
    return (
        f"case when {column} is null then '' when regexp_matches({column}, '[{source}]') then"
        f" {levelled} else {column} end"
    )


def is_plain(column: str) -> str:
    """Nothing but characters of GB 2312, as nearly every name: it is its own mask, key and gap."""
    return f"coalesce(regexp_matches({column}, '^[{gb2312()}]+$'), false)"


def mask(folded_name: str) -> str:
    """The `folded` name with `□` for each character outside GB 2312."""
    return f"regexp_replace({folded_name}, '[^{gb2312()}A-Z0-9?()]', '{GAP}', 'g')"


def variants_select() -> str:
    """The reference table `name_variant`: one row, the two texts of `variants`;
    what asks for a `key` cross joins it.
    """
    source, target = variants()
    return f"select {literal(source)} as variant_source, {literal(target)} as variant_target"


def key(folded_name: str, name_mask: str) -> str:
    """The `folded` name with variants and traditional characters as their standard forms:
    what is compared.

    Only a name with a character outside GB 2312 can have one. Place by place over the columns of
    `name_variant`, since `translate` with thousands of pairs costs half a millisecond a name; long
    names are few.
    """
    short = " || ".join(_standard(folded_name, place) for place in range(1, LEVELLED + 1))
    long = f"translate({folded_name}, variant_source, variant_target)"
    return (
        f"case when strpos({name_mask}, '{GAP}') = 0 then {folded_name} when length({folded_name})"
        f" <= {LEVELLED} then {short} else {long} end"
    )


def _standard(folded_name: str, place: int) -> str:
    character = f"substr({folded_name}, {place}, 1)"
    found = f"strpos(variant_source, {character})"
    return (
        f"case when {character} = '' or {found} = 0 then {character} else substr(variant_target,"
        f" {found}, 1) end"
    )


def gap(name_key: str) -> str:
    """The `key` with `□` for each stand-in: a `?`, or a run of pinyin."""
    return f"regexp_replace({name_key}, '[?]|[(]?[A-Z]+[1-5]?[)]?', '{GAP}', 'g')"


def agreement(one: str, other: str) -> str:
    """`same`, `absent` or `different`, for two relations with the columns name_key,
    name_mask, name_gap.
    """
    return (
        f"case when coalesce({one}.name_key, '') = '' or coalesce({other}.name_key, '') = '' then"
        f" 'absent' when {one}.name_key = {other}.name_key or {_stands_in(one, other)} or"
        f" {_stands_in(other, one)} then 'same' else 'different' end"
    )


def gap_block(name_gap: str) -> str:
    """What a name in which one character stands in shares with every name that it may be: its
    length, and its first character or its last.

    It is the `block_from_left` or the `block_from_right` of the other's key, so that names meet by
    a join, not each with each.
    """
    return (
        f"case when strpos({name_gap}, '{GAP}') > 1 then {block_from_left(name_gap)} "
        f"when length({name_gap}) > 1 then {block_from_right(name_gap)} else '1' end"
    )


def block_from_left(name_key: str) -> str:
    return f"cast(length({name_key}) as varchar) || '<' || left({name_key}, 1)"


def block_from_right(name_key: str) -> str:
    return (
        f"case when length({name_key}) > 1 then cast(length({name_key}) as varchar) || '>' ||"
        f" right({name_key}, 1) else '1' end"
    )


def masked(column: str) -> str:
    """The first character and an asterisk: 徐*."""
    return f"left(trim(coalesce({column}, '')), 1) || '*'"


def _stands_in(one: str, other: str) -> str:
    """The one stand-in of the one name is in the place of a character of the other
    that GB 2312 lacks, the rest is the same.
    """
    gapped, place = f"{one}.name_gap", f"strpos({one}.name_gap, '{GAP}')"
    return (
        f"({place} > 0 and length({gapped}) = length({other}.name_key) and length(replace({gapped},"
        f" '{GAP}', '')) = length({gapped}) - 1 and substr({other}.name_mask, {place}, 1) = '{GAP}'"
        f" and left({gapped}, {place} - 1) = left({other}.name_key, {place} - 1) and"
        f" substr({gapped}, {place} + 1) = substr({other}.name_key, {place} + 1))"
    )
