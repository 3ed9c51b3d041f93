{#-
The member rows that a value counts; for R06, which counts who has no enrolment, those members.

table: evidence_members
grain: record
key: household_id, code, record_id
as: view
same day: any_member, indicator_state, known_enrolment, scored_point
-#}
select p.household_id, p.code, 'members' as records, m.record_id, m._arrived_on
from scored_point as p
inner join any_member as m on m.household_id = p.household_id
inner join indicator_state as s on s.household_id = p.household_id
left join known_enrolment as e on e.member_id = m.member_id
where p.code in ('R01', 'R06', 'R18', 'R19', 'R20', 'R21', 'R22', 'R28', 'R29', 'S01', 'S02', 'S03', 'S05', 'S14')
    and case
        when p.code = 'R29' then m.died_in_year and m.labour_class in ('1', '2')
        when not m.is_active then false
        when p.code = 'R06' then not e.is_insured
        when p.code = 'R18' then m.dropout
        when p.code = 'R19' then m.education_self_pay = s.r19_education_burden or m.student_status in ('3', '4')
        when p.code = 'R21' then m.worked_before
        when p.code = 'R22' then m.working_now
        when p.code = 'S01' then m.working_now and m.work_months >= 6
        when p.code = 'S02' then m.public_post
        when p.code = 'S03' then m.labour_class = '2'
        when p.code = 'S14' then m.pension
        else true
    end
