"""The window of one read: from where, to where.

Belongs here: since, until, and whether one batch covers them. Not here: who is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from expectations.contract import Contract
from resources.settings import SHANGHAI

AHEAD = timedelta(hours=24)
"""How far a department's clock may run ahead; what is later is a mistake."""


@dataclass(frozen=True)
class Window:
    """`since` exclusive (None: everything), `until` inclusive, on `updated_at`;
    both with an offset.
    """

    since: datetime | None
    until: datetime

    @property
    def parameters(self) -> dict[str, str]:
        parameters = {"until": stamp(self.until)}
        if self.since is not None:
            parameters["since"] = stamp(self.since)
        return parameters


def stamp(moment: datetime) -> str:
    """ISO 8601 with `+08:00` and microseconds, the same text for the same moment."""
    return moment.astimezone(SHANGHAI).isoformat(timespec="microseconds")


def moment(text: str | None) -> datetime | None:
    """The moment of an ISO text; a naive one is in Asia/Shanghai."""
    if not text:
        return None
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=SHANGHAI)


def end_of(day: date) -> datetime:
    """The last microsecond of a business day."""
    return datetime.combine(day, time(23, 59, 59, 999999), SHANGHAI)


def until_of(as_of: date, now: datetime) -> datetime:
    """The end of the day, or now while it is still running."""
    return min(end_of(as_of), now.astimezone(SHANGHAI))


def is_closed(as_of: date, now: datetime) -> bool:
    return end_of(as_of) < now.astimezone(SHANGHAI)


def watermark_of(ledger: dict[str, Any] | None) -> datetime | None:
    """How far the state before reaches: `until` of its newest accepted batch."""
    return moment((ledger or {}).get("watermark"))


def window_of(
    contract: Contract, as_of: date, now: datetime, ledger: dict[str, Any] | None
) -> Window:
    """What to ask for on `as_of`, upon the state that `ledger`
    (of the latest earlier day) describes.

    It starts the contract's overlap before that state ends, for rows that the department committed
    late; without an earlier state it has no start. Record types whose files come in full are no
    exception: the platform's answer names withdrawals itself, and a query is reconciled by its
    keys.
    """
    reached = watermark_of(ledger)
    until = until_of(as_of, now)
    if reached is None:
        return Window(None, until)
    return Window(min(reached, until) - timedelta(days=contract.overlap_days), until)


def reconciles(contract: Contract, as_of: date, ledger: dict[str, Any] | None) -> bool:
    """Whether a query, which shows no deletions, has to bring every key too.

    Once a week, on Sunday or the first day after it that is read; at every read of a record type
    whose files come in full. Without an earlier state there is nothing to compare with.
    """
    reached = watermark_of(ledger)
    if reached is None:
        return False
    sunday = as_of - timedelta(days=as_of.isoweekday() % 7)
    return contract.delivery == "full" or reached.astimezone(SHANGHAI).date() < sunday
