{#-
Active members as pupils and students: who is out of school; the burden: who pays most, and who
studies beyond compulsory school.

table: schooling
grain: member
key: member_id
as: view
same day: active_member
records: members
counted by: R18 where dropout, R19 where is_burden
-#}
with most as (
    select household_id, max(education_self_pay) as self_pay
    from active_member
    group by household_id
)
select
    m.household_id,
    m.member_id,
    m.record_id,
    m.dropout,
    m.education_self_pay,
    m.education_self_pay = t.self_pay or m.student_status in ('3', '4') as is_burden,
    m._arrived_on
from active_member as m
inner join most as t on t.household_id = m.household_id
