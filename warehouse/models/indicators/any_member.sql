{#-
Any member: register members of status 1 or 3 (who moved out no longer counts), with what their
death says. Active: of status 1 with no linked death on or before the day. A row that stewards
merged away (2 in the spine) is out; the members of shells are too, unless these are computed. Lost
earner: of labour class 1 or 2 (the register keeps the class that a person had alive), died in W.

table: any_member
grain: member
key: member_id
same day: linked_death, matched_rural_revitalisation__members, person
parameters: as_of_month_day, as_of_year, shells_are_computed
records: members
counted by: R29 where is_lost_earner
changes on: person.birth_on at age
-#}
with death as (
    select member_id, count(*) filter (where is_in_window) > 0 as died_in_window
    from linked_death
    group by member_id
),
member as (
    select
        m.household_id,
        m.member_id,
        m.record_id,
        m._arrived_on,
        m.status = '1' and d.member_id is null as is_active,
        coalesce(d.died_in_window, false) as died_in_window,
        p.birth_on,
        {{ as_of_year }} - year(p.birth_on) - case
            when {{ as_of_month_day }} < month(p.birth_on) * 100 + day(p.birth_on) then 1
            else 0
        end as age,
        p.id_state,
        m.relation,
        m.resident_months,
        m.student_status,
        m.dropout,
        m.labour_class,
        m.labour_class in ('1', '2') as is_labour,
        m.work_months,
        m.working_now,
        m.worked_before,
        m.public_post,
        m.pension,
        m.education_self_pay
    from matched_rural_revitalisation__members as m
    left join person as p on p.member_id = m.member_id
    left join death as d on d.member_id = m.member_id
    where (m.outcome = 'linked' or {{ shells_are_computed }})
        and m.status in ('1', '3')
        and coalesce(p.status, '') <> '2'
)
select *, died_in_window and is_labour as is_lost_earner
from member
