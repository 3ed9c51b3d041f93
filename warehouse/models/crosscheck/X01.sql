{#-
X01 在校生务工: a pupil or student of school age who works.

table: crosscheck_x01
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
    where age >= {{ crosscheck.X01.working_age }} and working_now
        and (
            student_status in ('1', '2')
            or (student_status = '3' and work_months >= {{ crosscheck.X01.vocational_months }})
        )
)
{{ the_member() }}
