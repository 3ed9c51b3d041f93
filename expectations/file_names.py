"""How files are called: the patterns under `files` in a contract's servers.

Belongs here: `{YYYY}{MM}{M}{DD}{D}`, `{part}` and `*`, as an expression. Not here: the files
themselves (`resources.departments`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from expectations.errors import ConfigurationError

_TOKEN = re.compile(r"\{([^{}]*)\}|(\*)")
_DIGITS = {
    "YYYY": r"(?P<year>(?:19|20)[0-9]{2})",
    "MM": r"(?P<month>[0-9]{2})",
    "M": r"(?P<month>[0-9]{1,2})",
    "DD": r"(?P<day>[0-9]{2})",
    "D": r"(?P<day>[0-9]{1,2})",
}


class PatternError(ConfigurationError):
    """A `files` pattern that says nothing; the message holds the pattern and what to write."""


@dataclass(frozen=True)
class Pattern:
    text: str
    shape: re.Pattern[str]
    has_day: bool
    has_part: bool
    weight: int
    is_default: bool = False


def pattern(text: str, is_default: bool = False) -> Pattern:
    """The pattern as an expression: `{YYYY}{MM}{M}{DD}{D}`, alone or in one pair of braces,
    `{part}`, `*`.
    """
    folded, at, shape, seen, weight = narrowed(text), 0, "", set(), 0
    for match in _TOKEN.finditer(folded):
        between = folded[at : match.start()]
        shape, weight, at = shape + re.escape(between), weight + len(between), match.end()
        for token in ["*"] if match[2] else _tokens(text, match[1]):
            name = token if token in ("*", "part") else token[0]
            if name != "*" and name in seen:
                raise PatternError(f"files: {text!r} names {{{token}}} twice", "once is enough")
            seen.add(name)
            shape += {"*": "(.*?)", "part": "(?P<part>.+?)"}.get(token) or _DIGITS[token]
    rest = folded[at:]
    if ("D" in seen and "M" not in seen) or ("M" in seen and "Y" not in seen):
        raise PatternError(f"files: {text!r} has a day or a month without its year", "add {YYYY}")
    return Pattern(
        text,
        re.compile(shape + re.escape(rest), re.IGNORECASE),
        "Y" in seen,
        bool(seen & {"part", "*"}),
        weight + len(rest),
        is_default,
    )


def _tokens(text: str, inner: str) -> list[str]:
    if inner.casefold() == "part":
        return ["part"]
    tokens = re.findall(r"Y+|M+|D+", inner)
    if not tokens or "".join(tokens) != inner or any(token not in _DIGITS for token in tokens):
        known = ", ".join(f"{{{name}}}" for name in (*_DIGITS, "part"))
        raise PatternError(f"files: {text!r} holds {{{inner}}}", f"use {known} and *")
    return tokens


def narrowed(name: str) -> str:
    """Full-width letters, digits and brackets as their plain ones,
    so that both spellings are one name.
    """
    return unicodedata.normalize("NFKC", name)
