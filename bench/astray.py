"""Why a score is not the true one: what became of the records that its points rest on.

Belongs here: looking for them on an engine that has both sides. Not here: the scores
(`bench.scores`).
"""

from __future__ import annotations

from bench.links import by_number
from expectations.contract import Contract, load_contracts
from warehouse import identity
from warehouse.catalogue import indicators_by_code
from warehouse.graph.runner import Runner

POINTS = """
    with ours as (
        select p.household_id, p.code, p.points
        from scored_point as p
        inner join unequal as u on u.household_id = p.household_id
    ),
    theirs as (
        select p.household_id, p.code, p.points
        from true_scored_point as p
        inner join unequal as u on u.household_id = p.household_id
    )
    select
        coalesce(o.household_id, t.household_id),
        coalesce(o.code, t.code),
        coalesce(o.points, 0),
        coalesce(t.points, 0)
    from ours as o
    full join theirs as t on t.household_id = o.household_id and t.code = o.code
    where coalesce(o.points, 0) <> coalesce(t.points, 0)
    order by 1, 2
"""
"""Indicators whose points differ, ours and theirs, of the households in `unequal`."""
CANDIDATES = """
    select distinct q.records, q.record_id, c.member_id, c.household_id
    from review_candidate as c
    inner join review_queue as q on q.queue_id = c.queue_id
"""
"""Whom each record may be about that waits: `candidate_member`."""
ASTRAY_IN_THE_REGISTER = """
    select u.household_id, 'households broken: a shell' as became
    from unequal as u
    left join matched_rural_revitalisation__households as h on h.household_id = u.household_id
    where h.household_id is null
    union
    select t.household_id, 'members broken'
    from true_member as t
    inner join unequal as u on u.household_id = t.household_id
    left join person as p on p.member_id = t.member_id
    where p.member_id is null
    union
    select p.household_id, 'members twice in the register'
    from person as p
    inner join unequal as u on u.household_id = p.household_id
    left join true_member as t on t.member_id = p.member_id
    where p.status = '1' and (t.member_id is null or p.id_state = 'conflict')
"""


def kinds_of(runner: Runner, truth: Runner, codes: dict[str, set[str]]) -> dict[str, set[str]]:
    """What became of the records that the differing points of each household rest on."""
    found: dict[str, set[str]] = {household: set() for household in codes}
    engine, indicators = runner.engine, indicators_by_code()
    members = truth.engine.arrow("select member_id, household_id from person").read_all()
    engine.from_arrow("true_member", members)
    for household, became in engine.rows(ASTRAY_IN_THE_REGISTER):
        found[household].add(became)
    for contract in by_number(load_contracts()):
        asked = {
            household
            for household, told in codes.items()
            if any(contract.records in indicators[code].sources for code in told)
        }
        if not asked:
            continue
        about = f"select record_id, member_id, household_id from matched_{contract.table}"
        engine.from_arrow("true_record", truth.engine.arrow(about).read_all())
        for household, became in engine.rows(_astray(contract)):
            if household in asked:
                found[household].add(f"{contract.records} {became}")
    return found


def _astray(contract: Contract) -> str:
    """Records that are not with whom they are about, others' that are here, what became of them."""
    record = "record_key"
    if contract.record_key.is_identity:
        record = identity.pseudonym(f"'{contract.records}|' || record_key")
    of_record = "from candidate as c where c.record_id = r.record_id"
    return f"""
        with told as (select {record} as record_id, error_kind from truth_{contract.records}),
        record as (
            select
                t.record_id, t.member_id, t.household_id, m.outcome,
                m.member_id as linked_id,
                m.household_id as linked_household,
                coalesce(k.error_kind, 'none') as error_kind
            from true_record as t
            left join matched_{contract.table} as m on m.record_id = t.record_id
            left join told as k on k.record_id = t.record_id
        ),
        candidate as (select * from candidate_member where records = '{contract.records}')
        select r.household_id, concat(r.error_kind, ': ', case
            when r.outcome is null then 'quarantined'
            when r.outcome = 'linked' then 'with somebody else'
            when exists ({of_record} and c.member_id = r.member_id) then 'waits for the member'
            when exists ({of_record} and c.household_id = r.household_id)
                then 'waits for another of the household'
            when exists ({of_record}) then 'waits for other households'
            else 'is nobody''s' end)
        from record as r
        inner join unequal as u on u.household_id = r.household_id
        where r.linked_id is distinct from r.member_id
        union
        select r.linked_household, concat(r.error_kind, ': another''s is here')
        from record as r
        inner join unequal as u on u.household_id = r.linked_household
        where r.outcome = 'linked' and r.linked_household is distinct from r.household_id
        union
        select c.household_id, concat(r.error_kind, ': another''s waits here')
        from candidate as c
        inner join unequal as u on u.household_id = c.household_id
        inner join record as r on r.record_id = c.record_id
        where c.household_id is distinct from r.household_id"""
