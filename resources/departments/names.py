"""What a file's name says: whose it is, of which day, which part of a delivery.

Belongs here: the contract's `files` patterns, and names as they may be shown. Not here: what lies
in a folder (`dropped`), whether it is all there (`whole`).
"""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from expectations.contract import Contract
from expectations.file_names import Pattern, narrowed, pattern

READABLE = frozenset(
    [".csv", ".txt", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods", ".et", ".htm", ".html", ".zip"]
)
"""What a name that a contract takes may end in; what is inside is told by its content."""

ASIDE = (".", "~$")
"""How names begin that a system or a spreadsheet program makes beside the real ones;
no pattern takes them.
"""

_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,9}")
_LONG = re.compile(r"[0-9]{11,}[Xx]?")
_CLOCK = re.compile(
    r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{4}(?:[0-9]{2})?"
)
_SHOWN = 80


@dataclass(frozen=True)
class Named:
    """What a name that fits says."""

    part: str
    """What `{part}`, else the first `*` stands for; without either the name without its ending."""
    has_day: bool
    """Whether the pattern has a day or a month in it at all."""
    day: date | None
    """The day; the first of the month where the name has a month only;
    None where it has none, or none that exists.
    """
    weight: int
    """Letters of the pattern that are not free:
    of two contracts that take a name, the more exact one has it.
    """


def patterns_of(contract: Contract) -> tuple[Pattern, ...]:
    """The patterns by which a contract takes files; `<records>_<YYYYMMDD>` where it names none.

    Raises `PatternError`.
    """
    stated = contract.server.get("files")
    return _patterns(contract.records, tuple(_listed(stated)))


def _listed(stated: Any) -> list[str]:
    if stated is None:
        return []
    return [str(text) for text in (stated if isinstance(stated, list | tuple) else [stated])]


@lru_cache(maxsize=256)
def _patterns(records: str, stated: tuple[str, ...]) -> tuple[Pattern, ...]:
    if stated:
        return tuple(pattern(text) for text in stated)
    return (pattern(f"{records}_{{YYYY}}{{MM}}{{DD}}", True),)


def named(contract: Contract, name: str) -> Named | None:
    """What `name` says under the contract's patterns, None where none of them fits."""
    folded = fold(name)
    stem, suffix = split(folded)
    if (suffix and suffix not in READABLE) or stem.startswith(ASIDE):
        return None
    for known in patterns_of(contract):
        if known.is_default and not suffix:
            continue
        match = known.shape.fullmatch(stem) or known.shape.fullmatch(folded)
        if match is not None:
            return Named(_part(match, stem), known.has_day, _day(match), known.weight)
    return None


def part_of(contract: Contract, name: str) -> str:
    """Which part of a delivery the file of that name is:
    what `{part}`, else the first `*` stands for, else its stem.
    """
    found = named(contract, name)
    return found.part if found is not None else split(fold(name))[0]


def _part(match: re.Match[str], stem: str) -> str:
    stated = match.groupdict().get("part")
    if stated is None:
        names = set(match.re.groupindex.values())
        free = [match[n] for n in range(1, (match.re.groups or 0) + 1) if n not in names]
        stated = free[0] if free else None
    if stated is None:
        return stem
    inner, _ = split(stated)
    return inner.strip(" _-.") or stem


def _day(match: re.Match[str]) -> date | None:
    said = match.groupdict()
    if not said.get("year"):
        return None
    try:
        return date(int(said["year"]), int(said.get("month") or 1), int(said.get("day") or 1))
    except ValueError:
        return None


def split(name: str) -> tuple[str, str]:
    """Stem and ending in small letters; only letters make an ending (`…2026.11` has none)."""
    stem, suffix = os.path.splitext(name)
    return (stem, suffix.lower()) if _SUFFIX.fullmatch(suffix) else (name, "")


def fold(name: str) -> str:
    """Full-width letters, digits and brackets as their plain ones,
    so that both spellings are one name.
    """
    return narrowed(readable(name))


def readable(name: str) -> str:
    """A name as text: bytes that are no UTF-8 are read as GB18030,
    as an old Windows or FTP server writes them.
    """
    try:
        name.encode("utf-8")
        return name
    except UnicodeEncodeError:
        pass
    try:
        return os.fsencode(name).decode("gb18030")
    except UnicodeDecodeError:
        return os.fsencode(name).decode("utf-8", "replace")


def shown(name: str) -> str:
    """A name as it may stand in a message or a manifest:
    what no printer shows is escaped, what may be a person's number hidden.

    Clock times of 12 or 14 digits stay.
    """

    def hidden(match: re.Match[str]) -> str:
        return match[0] if _CLOCK.fullmatch(match[0]) else "***"

    text = readable(name)
    folded = "".join(unicodedata.normalize("NFKC", c) if c.isdecimal() else c for c in text)
    masked = _LONG.sub(hidden, folded)
    plain = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in masked)
    return plain if len(plain) <= _SHOWN else f"{plain[: _SHOWN - 12]}…{plain[-11:]}"
