"""What tells a record apart where the office has no number for it.

Belongs here: candidates for a key, of one field and of several. Not here: whether the field is
there (`mapping`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from expectations.contract import Contract, Field
from expectations.drafting.content import unwrapped
from expectations.drafting.mapping import CHECKED_IDENTITIES, ENOUGH, Match

_WHO = (*CHECKED_IDENTITIES, "household_id")


def composite_key(contract: Contract, matches: dict[str, Match]) -> list[Field]:
    """The fields that together tell the rows apart, the person or household first;
    empty where none do.

    When something happened belongs to the key wherever the type has such a field: next month's list
    has the same people.
    """
    who = [m.field for m in matches.values() if m.field.role in _WHO]
    if not who:
        return []
    parts = [m.field for m in matches.values() if _may_tell(contract, m.field)]
    when = [f for f in parts if f.role == "event_time" or f.is_period]
    others = [f for f in parts if f not in when]
    times = [[f] for f in sorted(when, key=lambda f: f.role != "event_time")] or [[]]
    for time in (*times, []):
        for size in range(3):
            for more in combinations(others, size):
                chosen = [who[0], *more, *time]
                if _distinct(matches, chosen) >= ENOUGH:
                    return chosen
    return []


def _may_tell(contract: Contract, at: Field) -> bool:
    if at.role in _WHO or at.is_identity or at.type.startswith("decimal") or at.type == "boolean":
        return False
    return contract.must_have(at) and at.role not in ("updated_at", "record_key")


def _distinct(matches: dict[str, Match], fields: Sequence[Field]) -> float:
    """The share of distinct rows among those that have all parts."""
    columns = [matches[at.name].column.cells for at in fields]
    rows = [tuple(map(unwrapped, row)) for row in zip(*columns, strict=True) if all(row)]
    return len(set(rows)) / len(rows) if rows else 0.0
