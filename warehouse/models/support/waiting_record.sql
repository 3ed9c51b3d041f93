{#-
Whom a record may be about that waits in the review queue: every candidate, whatever their status.
Of such a household or member nothing is said that a record of the type would make untrue.

table: waiting_record
grain: member
key: records, household_id, member_id
same day: person, review_queue
-#}
with asked as (
    select records, unnest(candidates) as person_key
    from review_queue
)
select distinct a.records, p.household_id, p.member_id
from asked as a
inner join person as p on p.person_key = a.person_key
