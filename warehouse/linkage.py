"""How good the links are, per record type and day.

Belongs here: what counts as a fall of `linkage_quality` against the last runs. Not here: matching
itself, the table (`models/matching/linkage_quality.sql`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from expectations.engine import SqlEngine

LARGEST_FALL = Decimal("0.05")
"""A match rate may fall by five points against the last runs, not by more."""
LAST_RUNS = 7
Z = 1.959963984540054
"""The normal deviate of a 95% interval."""


@dataclass(frozen=True)
class MatchRateFall:
    """A record type that is linked less than it was; no identity in it."""

    department: str
    records: str
    match_rate: Decimal
    usual_rate: Decimal

    def __str__(self) -> str:
        return (
            f"{self.department}.{self.records}: match rate {self.match_rate:.4f}, it was"
            f" {self.usual_rate:.4f}; look at the reasons in matched, and ask the department what"
            " changed in its extract"
        )


def match_rate_falls(
    engine: SqlEngine, history: str = "linkage_quality_history"
) -> list[MatchRateFall]:
    """The record types whose match rate is more than five points below the median
    of their last runs.

    `history` is a view of earlier days' `linkage_quality`; today's rows in it do not count.
    """
    rows = engine.rows(f"""
        with earlier as (
            select
                h.department, h.records, h.match_rate,
                row_number() over (partition by h.department, h.records
                    order by h.as_of desc) as place
            from {history} as h
            inner join linkage_quality as q on q.department = h.department and q.records = h.records
                and h.as_of < q.as_of
            where h.match_rate is not null
        ),
        usual as (
            select department, records, cast(median(match_rate) as decimal(7,6)) as match_rate
            from earlier
            where place <= {LAST_RUNS}
            group by department, records
        )
        select q.department, q.records, q.match_rate, u.match_rate
        from linkage_quality as q
        inner join usual as u on u.department = q.department and u.records = q.records
        where u.match_rate - q.match_rate > {LARGEST_FALL}
        order by q.department, q.records
        """)
    return [MatchRateFall(str(d), str(r), Decimal(m), Decimal(u)) for d, r, m, u in rows]
