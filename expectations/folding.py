"""Delivered text in its one spelling: trimmed, unwrapped, without what no reader sees;
digits and letters of one width.

Belongs here: SQL expressions from a cell's text to the text that is meant, for the engine's reader
(DuckDB), and the same for single values. Not here: what the text means (`words`, `casting`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from expectations.contract import Field
from expectations.engine import literal

BLANKS = (
    r" \t\r\n\f\v\x{0085}\x{00a0}\x{1680}\x{2000}-\x{200d}\x{2028}\x{2029}"
    r"\x{202f}\x{205f}\x{2060}\x{3000}\x{feff}"
)
"""What a cell may hold and still be blank:
spaces of every width, and characters without any (as a regex class).
"""

UNSEEN = (
    r"\x{00ad}\x{034f}\x{061c}\x{180e}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2064}\x{feff}"
)
"""Characters without any width, and marks of direction: in a key or a code they are never meant."""

BREAKS = r"\t\r\n\f\v\x{0085}\x{2028}\x{2029}"
"""Line breaks and tabs: within a text they are a blank."""

CONTROL = r"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
"""Control characters, NUL among them: never meant, and PostgreSQL takes no NUL."""

SCIENTIFIC = "(?:[0-9]+[.][0-9]+[Ee][+]?[0-9]+|[0-9]+[Ee][+][0-9]+)"
"""A number as a spreadsheet shows it that has no room for its digits: 6.12422E+17."""

LOST = r"\x{fffd}"
"""Stands for a character that could not be read; it stays, since something was there."""

_EDGE = "\ufdd0"
"""Stands between the cells of a row that are looked at in one go;
a code point that is no character.
"""

_WRAPPED = """(?s)^(?:="([^"]*)"|'(.*))$"""
"""How spreadsheets are told that a number is text: `="0012"`, or an apostrophe before it."""

WIDE_DIGITS = "".join(chr(0xFF10 + i) for i in range(10))
WIDE_LETTERS = "".join(chr(start + i) for start in (0xFF21, 0xFF41) for i in range(26))
_DIGITS = "0123456789"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_WIDE = "".join(chr(0xFF01 + i) for i in range(94))
_NARROW = "".join(chr(0x21 + i) for i in range(94))

Kind = Literal["text", "code", "number", "value"]
"""How far a field's text is folded: `text` is trimmed only; `code` (keys, references, codes) and
`number` (ID numbers, in capitals) have digits and letters of one width; `value` is to be read as a
number, a date, a boolean."""


def kind_of(field: Field) -> Kind:
    """How far the field's text is folded."""
    if field.holds_number:
        return "number"
    if field.codes or field.key_position is not None or is_reference(field):
        return "code"
    return "text" if field.type == "text" and not field.written else "value"


def is_reference(field: Field) -> bool:
    """Whether the field holds a key: the record's own, a household's, an area's,
    another record's (`dwelling_id`).
    """
    return field.role in ("record_key", "household_id", "area_code") or (
        field.type == "text" and field.name.endswith("_id")
    )


def needs_care(texts: Sequence[str]) -> tuple[str, str]:
    """Two expressions over a row's texts: all of them in one, and, over that one (`_row_text`),
    whether any needs `folded`.

    Nearly every row of a tidy delivery needs none, and this looks at it once instead of at each
    cell.
    """
    inside = f"[{CONTROL}{LOST}{BREAKS}{UNSEEN}{BLANKS.replace(' ', '', 1)}\\x{{ff01}}-\\x{{ff5e}}]"
    begins, ends = f"(?:^|{_EDGE})", f"(?:{_EDGE}|$)"
    edges = f"{begins}(?:[ '=]|{SCIENTIFIC}{ends}|{ends})| {ends}"
    return (
        f"concat_ws({literal(_EDGE)}, {', '.join(texts)})",
        f"regexp_matches(_row_text, {literal(f'{inside}|{edges}')})",
    )


def has_control(text: str) -> str:
    """Whether there is a control character in the text, or one that could not be read."""
    return f"regexp_matches({text}, '[{CONTROL}{LOST}]')"


def without_control(text: str) -> str:
    """The text without its control characters."""
    return f"regexp_replace({text}, '[{CONTROL}]+', '', 'g')"


def present(text: str) -> str:
    """`text` as delivered, null where nothing is left of it after trimming."""
    return f"case when regexp_matches({text}, {literal(f'[^{BLANKS}]')}) then {text} end"


def folded(text: str, kind: Kind) -> str:
    """The text that is meant, null where nothing is left:
    trimmed of blanks, of a leading apostrophe, of `="…"`.
    """
    inner = f"regexp_replace({text}, '[{BREAKS}]+', ' ', 'g')"
    if (
        kind != "value"
    ):  # in a number or a date, a control character must not fall out and leave another one
        inner = without_control(inner)
    inner = trimmed(inner)
    inner = trimmed(f"regexp_replace({inner}, {literal(_WRAPPED)}, '\\1\\2')")
    if kind != "text":
        inner = f"regexp_replace({inner}, '[{UNSEEN}]+', '', 'g')"
        source, target = (
            (_WIDE + "￥", _NARROW + "¥")
            if kind == "value"
            else (WIDE_DIGITS + WIDE_LETTERS, _DIGITS + _LETTERS)
        )
        inner = f"translate({inner}, {literal(source)}, {literal(target)})"
    if kind == "number":
        inner = f"upper({inner})"
    return f"nullif({inner}, '')"


def trimmed(text: str) -> str:
    """The text without blanks at its ends."""
    return f"regexp_replace({text}, {literal(f'^[{BLANKS}]+|[{BLANKS}]+$')}, '', 'g')"


def folded_key(text: str, kind: Kind) -> str:
    """A key of a state that was kept before keys were folded, in its one spelling."""
    row, care = needs_care([text])
    upper = f"upper({text})" if kind == "number" else text
    return (
        f"case when {care.replace('_row_text', row)} then {folded(text, kind)} else nullif({upper},"
        " '') end"
    )
