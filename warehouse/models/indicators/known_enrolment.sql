{#-
Active members with a known ID number, and whether they are insured.

table: known_enrolment
grain: member
key: member_id
same day: active_member, enrolment_of_year
records: members
counted by: R06 where not is_insured
-#}
with insured as (
    select distinct member_id
    from enrolment_of_year
    where insures
)
select
    m.household_id,
    m.member_id,
    m.record_id,
    i.member_id is not null as is_insured,
    m._arrived_on
from active_member as m
left join insured as i on i.member_id = m.member_id
where m.birth_on is not null
