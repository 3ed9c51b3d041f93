"""Words that people type: which known one they probably meant.

Belongs here: the nearest. Not here: what is done about a word that nobody knows.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(typed: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that is most like what was typed; None where none is."""
    by_folded = {word.casefold(): word for word in sorted(known)}
    found = difflib.get_close_matches(typed.casefold(), by_folded, n=1, cutoff=cutoff)
    return by_folded[found[0]] if found else None


def did_you_mean(typed: str, known: Iterable[str]) -> str:
    """` (did you mean …?)` behind a word that nobody knows; empty where none is like it."""
    near = nearest(typed, known)
    return f" (did you mean {near}?)" if near else ""
