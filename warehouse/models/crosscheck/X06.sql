{#-
X06 丧失劳动力在岗: at work without labour capacity.

table: crosscheck_x06
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
    where age >= {{ crosscheck.X06.working_age }} and labour_class in ('4', '5')
        and coalesce(student_status, '0') = '0' and working_now
)
{{ the_member() }}
