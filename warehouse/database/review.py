"""The review queue: how an answer comes back.

Belongs here: what a steward can say, and which answers count on a day. Not here: how a question
arises, and how an answer counts (`matching`, `models/matching`).
"""

from __future__ import annotations

DECISIONS = ("link", "unregistered", "merge", "keep_apart")
"""What a steward can say. Of a record: it is about this person; about nobody in the register; its
number is a further number of this person (two stewards). Of register rows with one number: they are
one person, and this row stays (two stewards); they are two persons, and the number is this one's.
"""

ANSWERS_UP_TO = """
select d.queue_id, d.decision, d.person_key, coalesce(d.person, d.decided_by),
    d.decided_at at time zone 'Asia/Shanghai'
from ops.review_decision as d
left join lateral (
    select as_of from ops.release where published_at <= d.decided_at
    order by release_id desc limit 1
) as shown on true
where least((d.decided_at at time zone 'Asia/Shanghai')::date, shown.as_of) <= :as_of
order by d.decision_id
"""
"""The answers that count on a day, from the warehouse:
given by its end, or to a release of it or of an earlier day.

So the next run uses an answer, whichever day it is for, and a day before the one that the steward
saw comes out as it was. Who gave it is the person whose login it was: two logins of one person are
no two stewards.
"""
