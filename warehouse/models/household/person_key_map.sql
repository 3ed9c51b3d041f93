-- Which key a member has and under which numbers (as hashes) it was known: the day before's, and what is new today.
-- A number that two people claim is nobody's, so it is not remembered.
with today as (
    select member_id, person_key, first_key, case when is_conflict then null else number_hash end as number_hash from spine
),
remembered as (
    select member_id, first_key, number_hash, first_seen_on from map_before
    union all
    select t.member_id, t.first_key, t.number_hash, {{ as_of }}
    from today as t
    union all
    select t.member_id, t.first_key, k.number_hash, {{ as_of }}
    from steward_answer as a
    inner join queue_before as q on q.queue_id = a.queue_id
    inner join known_number as k on k.number_hash = q.number_hash and k.person_key = a.person_key
    inner join today as t on t.member_id = k.member_id
    where a.decision = 'merge'
),
once as (
    select member_id, number_hash, min(first_key) as first_key, min(first_seen_on) as first_seen_on
    from remembered
    group by member_id, number_hash
)
select
    o.member_id,
    coalesce(t.person_key, b.person_key) as person_key,
    o.first_key,
    o.number_hash,
    o.first_seen_on,
    t.member_id is not null and o.number_hash is not distinct from t.number_hash as is_current
from once as o
left join today as t on t.member_id = o.member_id
left join known_key as b on b.member_id = o.member_id
