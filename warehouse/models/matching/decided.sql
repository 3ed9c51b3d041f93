{#-
The records that a steward has answered for: whose they are, or nobody's (null).

table: decided
grain: record
key: record_type, record_key
same day: question, spine, steward_answer
-#}
with told as (
    select q.record_type, q.record_key, a.decision, a.person_key
    from question as q
    inner join steward_answer as a on a.queue_id = q.queue_id
    union all
    select q.record_type, q.record_key, a.decision, a.person_key
    from question as q
    inner join steward_answer as a on a.queue_id = q.former_id
    where q.former_id <> q.queue_id and q.queue_id not in (select queue_id from steward_answer)
),
answered as (
    select record_type, record_key, decision, person_key
    from told
    where decision in ('link', 'merge', 'unregistered')
),
person_row as (
    select
        s.person_key, s.member_id, s.household_id,
        row_number() over (
            partition by s.person_key
            order by case when s.is_holder then 0 when s.status = '1' then 1 else 2 end, s.member_id
        ) as place
    from spine as s
    inner join (select distinct person_key from answered) as a on a.person_key = s.person_key
)
select a.record_type, a.record_key, a.decision, p.person_key, p.member_id, p.household_id
from answered as a
left join person_row as p
    on p.person_key = case when a.decision <> 'unregistered' then a.person_key end and p.place = 1
where a.decision = 'unregistered' or p.member_id is not null
