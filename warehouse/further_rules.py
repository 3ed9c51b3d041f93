"""What is in force on a day beside score and lists: the rules of contradictions, of issues, of
entitlements, together, since a release names them together.

Belongs here: the bundle. Not here: what each says.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from warehouse.crosscheck_rules import Crosscheck, load_crosscheck


@dataclass(frozen=True)
class FurtherRules:
    """What is in force on a day."""

    crosscheck: Crosscheck

    @property
    def effective_from(self) -> date:
        return max(part.effective_from for part in (self.crosscheck,))

    @property
    def hash(self) -> str:
        parts = "|".join(part.hash for part in (self.crosscheck,))
        return hashlib.sha256(parts.encode()).hexdigest()

    @property
    def version(self) -> str:
        """`<effective_from>-<8 digits of the hash>`."""
        return f"{self.effective_from}-{self.hash[:8]}"


def load_further(as_of: date) -> FurtherRules:
    """The rules in force on `as_of`. Raises `RuleError`."""
    return FurtherRules(load_crosscheck(as_of))
