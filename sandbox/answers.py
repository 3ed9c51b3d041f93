"""What offices answer about the contradictions that they were asked: a verdict each, by the truth.

Belongs here: answering, and keeping the answers for the verdicts' next delivery. Not here: what was
planted (`planting`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from expectations.engine import literal, parquet

if TYPE_CHECKING:
    from sandbox.county import County


LETTERS = str.maketrans("0123456789", "ghijklmnop")
"""Of a verdict's number: with digits it might look like somebody's."""


@dataclass(frozen=True)
class Asked:
    """One row of a list."""

    contradiction_id: str
    code: str
    household_id: str
    member_id: str | None


def answer(county: County, asked: Iterable[Asked], on: date) -> dict[str, str]:
    """Answers each on that day: what was planted and is wrong is confirmed, what has its reason is
    explained, anything else is not confirmed. Returns the verdicts by id; the verdicts' next
    delivery has them.
    """
    known = {
        (code, household, member): (verdict, wrong)
        for code, household, member, verdict, wrong in county.connection()
        .execute(
            "select code, household_id, member_id, verdict, wrong from "
            + parquet(county.home / "truth" / "contradictions.parquet")
        )
        .fetchall()
    }
    given: dict[str, str] = {}
    rows: list[str] = []
    for one in asked:
        key = (one.code, one.household_id, one.member_id)
        verdict, wrong = known.get(key, ("not_confirmed", None))
        given[one.contradiction_id] = verdict
        at = datetime.combine(on, time(17)) + timedelta(seconds=len(rows))
        number = f"{on:%y%m%d}{one.contradiction_id}".translate(LETTERS)
        rows.append(
            f"('CA-{number}', {literal(one.contradiction_id)},"
            f" {literal(one.household_id)}, date '{on}', '{verdict}',"
            f" {literal(wrong) if wrong else 'null'}, timestamp '{at}')"
        )
    if rows:
        _keep(county, rows)
    return given


def _keep(county: County, rows: list[str]) -> None:
    path = county.home / "planted" / "verdicts.parquet"
    columns = "verdict_id, contradiction_id, household_id, checked_on, verdict, wrong, updated_at"
    new = path.with_suffix(".new")
    county.connection().execute(
        f"copy (select {columns} from {parquet(path)} union all select {columns} from"
        f" (values {', '.join(rows)}) as given({columns})) to {literal(new)} (format parquet)"
    )
    new.chmod(0o600)
    new.replace(path)
