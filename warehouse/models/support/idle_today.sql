{#-
Relocated, lifted or monitored households with somebody who is able to work and nobody who does, as
far as everybody's work is known.

table: idle_today
grain: household
key: household_id
same day: active_member, support_household, waiting_record
optional: matched_human_resources__employment
parameters: as_of, support
-#}
with employed as (
    select distinct member_id
    from matched_human_resources__employment
    where outcome = 'linked' and started_on <= {{ as_of }}
        and (ended_on is null or ended_on >= {{ as_of }})
),
undecided as (
    select distinct member_id
    from waiting_record
    where records = 'employment'
),
member as (
    select
        m.household_id,
        coalesce(
            m.is_labour
            and m.age >= {{ support.able_from }}
            and m.age <= {{ support.able_to }}
            and coalesce(m.student_status, '0') = '0',
            false
        ) as is_able,
        m.working_now is not null and m.public_post is not null as is_known,
        coalesce(m.working_now, false)
            or coalesce(m.public_post, false)
            or e.member_id is not null
            or w.member_id is not null as may_work
    from active_member as m
    left join employed as e on e.member_id = m.member_id
    left join undecided as w on w.member_id = m.member_id
),
counted as (
    select
        household_id,
        count(*) filter (where is_able) as able_members,
        count(*) filter (where is_able and not is_known) as unknown_members,
        count(*) filter (where may_work) as working_members
    from member
    group by household_id
)
select h.household_id, cast(c.able_members as integer) as able_members, h.is_relocated
from counted as c
inner join support_household as h on h.household_id = c.household_id
where c.able_members > 0 and c.unknown_members = 0 and c.working_members = 0
    and (h.is_relocated or h.is_lifted or h.is_monitored)
