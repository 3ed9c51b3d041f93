{#-
Every candidate of every open question, side by side: for the vault only, since it holds identities.

table: review_candidate
grain: record
key: queue_id, position
holds: identities
same day: asked_candidate, review_queue, spine
-#}
with candidate_row as (
    select
        queue_id, position, person_key, member_id, household_id, id_number, name, rule,
        name_agreement, record_id_number, record_name
    from asked_candidate
    union all
    select
        queue_id,
        row_number() over (partition by queue_id order by member_id) as position,
        person_key, member_id, household_id, number, name, 'claimant', 'absent', number,
        cast(null as varchar)
    from spine
    where is_conflict
)
select c.*
from candidate_row as c
inner join review_queue as q on q.queue_id = c.queue_id
