{#-
Whom a record may be about that waits in the review queue for an answer: everybody among its
candidates, of any status. Nobody where what waits counts as absent.

table: waiting_candidate
grain: member
key: records, record_id, member_id
same day: person, review_queue
parameters: absence_is_undoubted
-#}
with asked as (
    select records, record_id, unnest(candidates) as person_key
    from review_queue
    where {{ absence_is_undoubted }}
)
select distinct a.records, a.record_id, p.member_id, p.household_id
from asked as a
inner join person as p on p.person_key = a.person_key
