"""The review queue: what matching leaves to a steward, and how an answer comes back.

Belongs here: `review_queue` (keys and reasons, for the lake and `ops`) and `review_candidate` (identities, for the vault).
Not here: how a question arises or an answer counts (`matching`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from expectations.contract import Contract
from expectations.engine import SqlEngine
from warehouse.matching import ask, day, household_field, make

REVIEW_QUEUE_ORDER = "queue_id"
REVIEW_CANDIDATE_ORDER = "queue_id, position"
DECISIONS = ("link", "unregistered", "merge", "keep_apart")
"""What a steward can say. Of a record: it is about this person; about nobody in the register; its number is a further
number of this person (two stewards). Of register rows with one number: they are one person, and this row stays (two
stewards); they are two persons, and the number is this one's."""

ANSWERS_UP_TO = """
select d.queue_id, d.decision, d.person_key, coalesce(d.person, d.decided_by), d.decided_at at time zone 'Asia/Shanghai'
from ops.review_decision as d
left join lateral (
    select as_of from ops.release where published_at <= d.decided_at order by release_id desc limit 1
) as shown on true
where least((d.decided_at at time zone 'Asia/Shanghai')::date, shown.as_of) <= :as_of
order by d.decision_id
"""
"""The answers that count on a day, from the warehouse: given by its end, or to a release of it or of an earlier day.

So the next run uses an answer, whichever day it is for, and a day before the one that the steward saw comes out as it was. Who
gave it is the person whose login it was: two logins of one person are no two stewards.
"""


def build_review_queue(engine: SqlEngine, contracts: Sequence[Contract], as_of: date) -> int:
    """Makes the engine tables `review_queue` and `review_candidate` of the day; returns the questions that are open.

    Needs the spine, and the view `valid_<table>` of each contract where this run has not answered for all of them. `review_candidate`
    holds identities and goes to the vault only.
    """
    asked = [contract for contract in contracts if household_field(contract) is None]
    ask(engine, asked, as_of)
    rows = make(engine, "review_queue", "matching/review_queue", contracts=asked, as_of=day(as_of))
    make(engine, "review_candidate", "matching/review_candidate")
    return rows
