{#-
Which key a member has and under which numbers (as hashes) it was known: the day before's, and what
is new today. A number that two people claim is nobody's, so it is not remembered.

table: person_key_map
kept: household
grain: member
key: member_id, number_hash
order: member_id, number_hash nulls first
as: view
same day: known_number, spine, steward_answer
earlier day: review_queue as queue_before
earlier day, or own: person_key_map as map_before
parameters: as_of
-#}
with today as (
    select
        member_id,
        person_key,
        first_key,
        case when is_conflict then null else number_hash end as number_hash
    from spine
),
-- Further numbers that two stewards gave to a person.
given as (
    select distinct t.member_id, t.person_key, t.first_key, k.number_hash
    from steward_answer as a
    inner join queue_before as q on q.queue_id = a.queue_id
    inner join known_number as k on k.number_hash = q.number_hash and k.person_key = a.person_key
    inner join today as t
        on t.member_id = k.member_id and t.number_hash is distinct from k.number_hash
    where a.decision = 'merge'
),
found as (
    select member_id, person_key, first_key, number_hash, true as is_current from today
    union all
    select member_id, person_key, first_key, number_hash, false from given
)
select
    b.member_id,
    coalesce(t.person_key, b.person_key) as person_key,
    b.first_key,
    b.number_hash,
    b.first_seen_on,
    t.member_id is not null and b.number_hash is not distinct from t.number_hash as is_current
from map_before as b
left join today as t on t.member_id = b.member_id
union all
select f.member_id, f.person_key, f.first_key, f.number_hash, {{ as_of }}, f.is_current
from found as f
left join map_before as b
    on b.member_id = f.member_id and b.number_hash is not distinct from f.number_hash
where b.member_id is null
