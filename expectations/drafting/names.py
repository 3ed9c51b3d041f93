"""The pattern of a department's file names, out of one month's names.

Belongs here: what in a name is a date, and what tells parts apart. Not here: finding files by a
pattern (`resources`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from itertools import takewhile

_DATES = (
    (
        re.compile(r"(?<![0-9])20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?![0-9])"),
        "{YYYY}{MM}{DD}",
    ),
    (
        re.compile(r"(?<![0-9])20[0-9]{2}年(?:0[1-9]|1[0-2])月(?:0[1-9]|[12][0-9]|3[01])日"),
        "{YYYY}年{MM}月{DD}日",
    ),
    (re.compile(r"(?<![0-9])20[0-9]{2}年[0-9]{1,2}月[0-9]{1,2}日"), "{YYYY}年{M}月{D}日"),
    (re.compile(r"(?<![0-9])20[0-9]{2}年[0-9]{1,2}月"), "{YYYY}年{M}月"),
    (
        re.compile(
            r"(?<![0-9])20[0-9]{2}([-._])(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12][0-9]|3[01])(?![0-9])"
        ),
        "{YYYY}\\1{MM}\\1{DD}",
    ),
    (
        re.compile(r"(?<![0-9])20[0-9]{2}([-._])[0-9]{1,2}\1[0-9]{1,2}(?![0-9])"),
        "{YYYY}\\1{M}\\1{D}",
    ),
    (re.compile(r"(?<![0-9])20[0-9]{2}(?:0[1-9]|1[0-2])(?![0-9])"), "{YYYY}{MM}"),
)
_OTHER_PERIOD = re.compile(
    r"(?:20[0-9]{2}年?)?[一二三四1-4第]+季度|20[0-9]{2}(?:年度|[春秋](?:季)?(?:学期)?|年)?"
    r"|[(（\[【]?(?:[0-9]{2}年)?(?:[0-9]{1,2}|[一二三四五六七八九十]{1,2})月份?[)）\]】]?"
)
_BEHIND = re.compile(r"[)）\]】\-_ 份]*([^0-9(（\[【.]*)")


def files_pattern(files: Sequence[str]) -> tuple[str, int | None, list[str]]:
    """The pattern, how many parts a delivery has where it has several, and what to ask."""
    patterns = [_dated(name) for name in files]
    asked = []
    pattern = patterns[0] if len(set(patterns)) == 1 and len(files) == 1 else _common(patterns)
    if len(files) > 1:
        asked.append(
            f"do {len(files)} files always make one delivery? `parts` may list their names instead"
        )
    if pattern in ("*", "{part}*"):
        asked.append(
            "no common part of the file names was found: write how the files are called (files)"
        )
    return pattern, len(files) if len(files) > 1 else None, asked


def _dated(name: str) -> str:
    """The name with its date as a placeholder, and anything behind it."""
    stem = os.path.splitext(name)[0]
    for pattern, placeholder in _DATES:
        found = pattern.search(stem)
        if found:
            shape = found.expand(placeholder) if found.groups() else placeholder
            return f"{stem[: found.start()]}{shape}{_what_is_called(stem, found)}*"
    found = _OTHER_PERIOD.search(stem)
    if found is None:
        return f"{stem}*"
    return f"{stem[: found.start()] or '*'}{_what_is_called(stem, found)}*"


def _what_is_called(stem: str, date: re.Match[str]) -> str:
    """The words behind a date with which a name begins: without them it could be any list's."""
    behind = _BEHIND.match(stem, date.end())
    return behind[0] if behind is not None and behind[1] and not date.start() else ""


def _common(patterns: Sequence[str]) -> str:
    """`{part}` for where the names differ before words that they share, else `*`."""
    ends = _shared([pattern[::-1] for pattern in patterns])[::-1]
    begins = _shared(patterns).rstrip("*")
    # 石门镇, 青溪镇: the last letter of the parts' names is theirs
    ends = re.sub(r"^[镇乡村县区]", "", ends)
    has_words_behind = bool(ends.rstrip("*")) and len(set(patterns)) > 1
    if has_words_behind and begins.endswith(("}", "}月", "}日")):
        return f"{begins}{{part}}{ends}"
    if has_words_behind and len(ends.rstrip("*")) >= len(begins):
        return f"{{part}}{ends}"
    return f"{begins}*"


def _shared(texts: Sequence[str]) -> str:
    """What all of the texts begin with."""
    alike = takewhile(lambda characters: len(set(characters)) == 1, zip(*texts, strict=False))
    return "".join(characters[0] for characters in alike)
