{#-
X67 灾害死亡无登记: killed by a disaster or an accident, and no death is known.

table: crosscheck_x67
grain: record
key: household_id, member_id, records, record_id
as: view
same day: casualty, crosscheck_member
parameters: as_of, crosscheck
-#}
{% from "crosscheck/rows.jinja" import named_of_member, the_member %}
with held as (
    select m.household_id, m.member_id, c.record_id as casualty_id
    from crosscheck_member as m
    inner join casualty as c on c.member_id = m.member_id
    where c.is_death and m.died_on is null
        and date_diff('day', c.occurred_on, {{ as_of }}) > {{ crosscheck.X67.death_grace_days }}
)
{{ named_of_member("casualties", "casualty_id") }}
union all
{{ the_member() }}
