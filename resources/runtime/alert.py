"""An alert: what somebody has to know now, what to do, and where to look.

Belongs here: what one holds and how it reads. Not here: which are open (`alerts`), who gets them
(`resources.sinks`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["failure", "stale", "gate", "match_rate", "warning", "over"]


@dataclass(frozen=True)
class Alert:
    """One thing to know: what, what to do, where to look.

    Names departments, assets, rules and counts, never a person.
    """

    kind: Kind
    scope: str
    """What was looked at, e.g.

    `check:raw_housing__dwellings:read`: when it is well again, the alert is over.
    """
    fingerprint: str
    """What makes it the same trouble as before, within its scope."""
    asset: str
    day: str
    what: str
    next_step: str
    run_id: str
    access_seal: str = ""
    """The access log's last seal when it was told:
    who receives it can hold the log against it (make verify-log SEAL=…).
    """

    @property
    def where(self) -> str:
        """The page in `make ui`."""
        page = f"/assets/{self.asset}?view=checks" if self.scope.startswith("check:") else ""
        return (
            " and ".join(
                part for part in (page, f"/runs/{self.run_id}" if self.run_id else "") if part
            )
            or "make status"
        )

    @property
    def title(self) -> str:
        return f"yihu: {TITLES[self.kind]}: {self.asset or 'sync'}, {self.day}"

    def text(self) -> str:
        seal = f"\nLast seal of the access log: {self.access_seal}" if self.access_seal else ""
        return (
            f"{self.title}\n{self.what}\nWhat to do: {self.next_step}\nWhere to look: make ui,"
            f" {self.where}{seal}"
        )


TITLES: Mapping[Kind, str] = {
    "failure": "failed",
    "stale": "a source is stale",
    "gate": "a gate closed",
    "match_rate": "the match rate fell",
    "warning": "new warnings",
    "over": "over",
}
