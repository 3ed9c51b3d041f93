{#-
Whom a record may be about that waits for a steward: any member among its candidates.

table: crosscheck_waiting
grain: member
key: records, member_id
same day: any_member, person, review_queue
-#}
with asked as (
    select records, unnest(candidates) as person_key
    from review_queue
)
select distinct a.records, m.member_id, m.household_id
from asked as a
inner join person as p on p.person_key = a.person_key
inner join any_member as m on m.member_id = p.member_id
