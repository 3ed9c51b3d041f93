{#-
What waits for a steward: records and register rows by key and reason, no identity. A question keeps
its id and its first day; an answered one is not asked again.

table: review_queue
kept: household
grain: record
key: queue_id
order: queue_id
same day: asked_candidate, question, spine, steward_answer
earlier day: review_queue as queue_before
parameters: as_of, types
-#}
with asked as (
    select
        queue_id, former_id,
        department, records, record_id, outcome, reason, number_hash
    from question
    where record_type in ({% for d in types %}'{{ d.table }}', {% endfor %}'')
    union all
    select
        queue_id,
        queue_id,
        'rural_revitalisation',
        'members',
        min(member_id),
        'ambiguous',
        'register_conflict',
        max(number_hash)
    from spine
    where is_conflict
    group by queue_id
),
suggested as (
    select queue_id, person_key from asked_candidate
    union all
    select queue_id, first_key from spine where is_conflict
),
listed as (
    select
        queue_id,
        cast(count(distinct person_key) as integer) as candidate_count,
        list_sort(list(distinct person_key)) as candidates
    from suggested
    group by queue_id
),
first_asked as (
    select queue_id, min(first_seen_on) as first_seen_on
    from queue_before
    group by queue_id
)
select
    a.queue_id,
    a.department,
    a.records,
    a.record_id,
    a.outcome,
    a.reason,
    coalesce(l.candidate_count, 0) as candidate_count,
    coalesce(l.candidates, cast([] as varchar[])) as candidates,
    a.number_hash,
    coalesce(b.first_seen_on, f.first_seen_on, {{ as_of }}) as first_seen_on
from asked as a
left join listed as l on l.queue_id = a.queue_id
left join first_asked as b on b.queue_id = a.queue_id
left join first_asked as f on f.queue_id = a.former_id
left join steward_answer as s on s.queue_id = a.queue_id
left join steward_answer as t on t.queue_id = a.former_id
where s.queue_id is null and t.queue_id is null
