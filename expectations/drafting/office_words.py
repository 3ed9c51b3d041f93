"""How offices call columns and codes: `expectations/office_words.yaml` as frozen data.

Belongs here: reading that file. Not here: what is concluded from a word (`content`, `mapping`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

OFFICE_WORDS = Path(__file__).parent.parent / "office_words.yaml"


@dataclass(frozen=True)
class OfficeWords:
    """The words, folded as `grid.tight` folds headings and cells."""

    headings: Mapping[str, tuple[str, ...]]
    """By field name, or by `records.field` where a record type has words of its own."""
    subjects: Mapping[str, tuple[str, ...]]
    """By record type: whom its rows are about, as a heading names them before 姓名, 身份证号."""
    others: tuple[str, ...]
    """People whom a row names besides: a guardian, a clerk."""
    codes: Mapping[str, Mapping[str, tuple[str, ...]]]
    """By field name or `records.field`: words by code, as they are written."""
    names: Mapping[str, str]
    """Field names for headings of record types that nobody has described."""
    notes: tuple[str, ...]
    not_yet: tuple[str, ...]
    """Words in a date column that say that there is no day (yet)."""
    blanks: frozenset[str]
    booleans: frozenset[str]
    people: tuple[str, ...]
    identity_headings: tuple[str, ...]
    sensitive_headings: tuple[str, ...]
    units: Mapping[str, str]
    surnames: tuple[str, ...]

    def headings_of(self, records: str, field: str) -> tuple[str, ...]:
        return (*self.headings.get(f"{records}.{field}", ()), *self.headings.get(field, ()))

    def codes_of(self, records: str, field: str) -> Mapping[str, tuple[str, ...]]:
        return self.codes.get(f"{records}.{field}", self.codes.get(field, {}))


def _fold(text: object) -> str:
    return "".join(unicodedata.normalize("NFKC", str(text)).split())


def _folded(words: Sequence[object] | None) -> tuple[str, ...]:
    return tuple(_fold(word) for word in words or ())


@lru_cache(maxsize=1)
def office_words() -> OfficeWords:
    """The words that ship with yihu."""
    raw: dict[str, Any] = yaml.safe_load(OFFICE_WORDS.read_text(encoding="utf-8"))
    return OfficeWords(
        headings={field: _folded(words) for field, words in raw["headings"].items()},
        subjects={records: _folded(words) for records, words in raw["subjects"].items()},
        others=_folded(raw["others"]),
        codes={
            field: {str(code): _folded(words) for code, words in codes.items()}
            for field, codes in raw["codes"].items()
        },
        names={_fold(heading): str(name) for heading, name in raw["names"].items()},
        notes=_folded(raw["notes"]),
        not_yet=_folded(raw["not_yet"]),
        blanks=frozenset(word.upper() for word in _folded(raw["blanks"])),
        booleans=frozenset(word.upper() for word in _folded(raw["booleans"])),
        people=_folded(raw["people"]),
        identity_headings=_folded(raw["identity_headings"]),
        sensitive_headings=_folded(raw["sensitive_headings"]),
        units={_fold(word): str(unit) for word, unit in raw["units"].items()},
        surnames=_folded(raw["surnames"].split()),
    )
