{#-
The stewards' answer to each question of the queue: the latest one that stands. A merge stands when
two different stewards have said it.

table: steward_answer
grain: record
key: queue_id
outside: steward_decision
-#}
with merged as (
    select queue_id, person_key, min(decided_at) as first_at, max(decided_at) as decided_at
    from steward_decision
    where decision = 'merge'
    group by queue_id, person_key
    having count(distinct decided_by) > 1
),
standing as (
    select queue_id, decision, person_key, decided_at
    from steward_decision
    where decision <> 'merge'
    union all
    select queue_id, 'merge', person_key, decided_at from merged
),
ranked as (
    select
        queue_id, decision, person_key,
        row_number() over (
            partition by queue_id order by decided_at desc, decision, coalesce(person_key, '')
        ) as place
    from standing
)
select queue_id, decision, person_key
from ranked
where place = 1
