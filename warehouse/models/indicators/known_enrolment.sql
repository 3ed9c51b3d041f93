{#-
Active members with a known ID number, and whether they are insured; null where they are a candidate
of a waiting enrolment.

table: known_enrolment
grain: member
key: member_id
same day: active_member, enrolment_of_year, waiting_candidate
records: members
counted by: R06 where not is_insured
-#}
with insured as (
    select distinct member_id
    from enrolment_of_year
    where insures
),
waiting as (
    select distinct member_id
    from waiting_candidate
    where records = 'enrolments'
)
select
    m.household_id,
    m.member_id,
    m.record_id,
    case when w.member_id is null then i.member_id is not null end as is_insured,
    m._arrived_on
from active_member as m
left join insured as i on i.member_id = m.member_id
left join waiting as w on w.member_id = m.member_id
where m.birth_on is not null
