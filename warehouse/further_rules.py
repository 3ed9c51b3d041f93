"""What is in force on a day beside score and lists: the rules of contradictions, of issues, of
entitlements, of support, together, since a release names them together.

Belongs here: the bundle. Not here: what each says.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from warehouse.crosscheck_rules import Crosscheck, load_crosscheck
from warehouse.entitlement_rules import Entitlements, load_entitlements
from warehouse.issue_rules import Issues, load_issues
from warehouse.support_rules import SupportRules, load_support


@dataclass(frozen=True)
class FurtherRules:
    """What is in force on a day."""

    crosscheck: Crosscheck
    issues: Issues
    entitlements: Entitlements
    support: SupportRules

    @property
    def _parts(self) -> tuple[Crosscheck | Issues | Entitlements | SupportRules, ...]:
        return (self.crosscheck, self.issues, self.entitlements, self.support)

    @property
    def effective_from(self) -> date:
        return max(part.effective_from for part in self._parts)

    @property
    def hash(self) -> str:
        return hashlib.sha256("|".join(part.hash for part in self._parts).encode()).hexdigest()

    @property
    def version(self) -> str:
        """`<effective_from>-<8 digits of the hash>`."""
        return f"{self.effective_from}-{self.hash[:8]}"


def load_further(as_of: date) -> FurtherRules:
    """The rules in force on `as_of`. Raises `RuleError`."""
    return FurtherRules(
        load_crosscheck(as_of),
        load_issues(as_of),
        load_entitlements(as_of),
        load_support(as_of),
    )
