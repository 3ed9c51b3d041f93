"""Rule files that are dated by their name: of which kind, which one is in force on a day.

Belongs here: finding and picking. Not here: what is in one kind (`following_rules`,
`crosscheck_rules`, …).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Protocol, TypeVar

from warehouse.catalogue import RULES
from warehouse.scoring_rules import RuleError, Strict


class Dated(Protocol):
    """What a file gives."""

    @property
    def effective_from(self) -> date: ...


AnyDated = TypeVar("AnyDated", bound=Dated)


def in_force(
    kind: str, as_of: date, read: Callable[[Path], AnyDated], folder: Path = RULES
) -> AnyDated:
    """What the newest `<kind>-<effective_from>.yaml` that has begun on `as_of` says.

    Every file is read, so that a broken one is refused before its day comes. Raises `RuleError`.
    """
    found = [(path, read(path)) for path in sorted(folder.glob(f"{kind}-*.yaml"))]
    for path, rules in found:
        if path.stem != f"{kind}-{rules.effective_from}":
            raise RuleError(f"{path}:1: effective_from is {rules.effective_from}", "name it so")
    begun = [rules for _, rules in found if rules.effective_from <= as_of]
    if not begun:
        raise RuleError(
            f"{folder}: no {kind} file is in force on {as_of}",
            "add one with an earlier effective_from",
        )
    return max(begun, key=lambda rules: rules.effective_from)


def hash_of(content: Strict) -> str:
    """SHA-256 of what a file, or a part of it, says."""
    said = json.dumps(content.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
