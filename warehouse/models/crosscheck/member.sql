{#-
Any member as the rules see one: who is active and how old, whether the number is in conflict, when
a linked death was, and when the register's row was last written.

table: crosscheck_member
grain: member
key: member_id
same day: any_member, linked_death, matched_rural_revitalisation__members
clock: matched_rural_revitalisation__members
-#}
with death as (
    select member_id, max(died_on) as died_on
    from linked_death
    group by member_id
)
select
    m.household_id,
    m.member_id,
    m.record_id,
    r.status,
    m.is_active,
    m.age,
    m.birth_on,
    m.id_state = 'conflict' as has_conflict,
    m.relation,
    m.student_status,
    m.dropout,
    m.labour_class,
    m.work_months,
    m.working_now,
    m.public_post,
    d.died_on,
    cast(r.updated_at as date) as updated_on
from any_member as m
inner join matched_rural_revitalisation__members as r on r.member_id = m.member_id
left join death as d on d.member_id = m.member_id
where m.household_id is not null
