{#-
X07 弱劳动力务工: months of work without labour capacity, and not at work now.

table: crosscheck_x07
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
    where age >= {{ crosscheck.X07.working_age }} and labour_class in ('4', '5')
        and coalesce(student_status, '0') = '0' and work_months >= {{ crosscheck.X07.work_months }}
        and not coalesce(working_now, false)
)
{{ the_member() }}
