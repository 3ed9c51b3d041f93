{#-
Active members with a known ID number, and whether they are insured for the year of the day
(until 31 March the year before will do); null where they are a candidate of a waiting enrolment.

table: known_enrolment
grain: member
key: member_id
same day: active_member, matched_health_insurance__enrolments, waiting_candidate
parameters: enrolment_years
-#}
with insured as (
    select distinct member_id
    from matched_health_insurance__enrolments
    where outcome = 'linked' and status = '1' and year in ({{ enrolment_years }})
),
waiting as (
    select distinct member_id
    from waiting_candidate
    where records = 'enrolments'
)
select
    m.household_id,
    m.member_id,
    case when w.member_id is null then i.member_id is not null end as is_insured
from active_member as m
left join insured as i on i.member_id = m.member_id
left join waiting as w on w.member_id = m.member_id
where m.birth_on is not null
