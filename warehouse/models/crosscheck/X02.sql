{#-
X02 未满16周岁务工: a child who works.

table: crosscheck_x02
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_active
parameters: crosscheck
-#}
{% from "crosscheck/rows.jinja" import the_member %}
with held as (
    select household_id, member_id
    from crosscheck_active
    where age < {{ crosscheck.X02.working_age }} and (working_now or work_months > 0)
)
{{ the_member() }}
