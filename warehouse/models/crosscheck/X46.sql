{#-
X46 死亡未销户: dead, and still in the register.

table: crosscheck_x46
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_member, linked_death
parameters: as_of, crosscheck
-#}
{% from "crosscheck/rows.jinja" import of_member, the_member %}
with held as (
    select distinct m.household_id, m.member_id
    from crosscheck_member as m
    inner join linked_death as d on d.member_id = m.member_id
    where m.status = '1'
        and date_diff('day', d.died_on, {{ as_of }}) > {{ crosscheck.X46.death_grace_days }}
)
{{ the_member() }}
union all
{{ of_member("deaths", "linked_death") }}
