{#-
X15 在校又辍学: a pupil who has dropped out.

table: crosscheck_x15
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_active
-#}
{% from "crosscheck/rows.jinja" import the_member %}
with held as (
    select household_id, member_id
    from crosscheck_active
    where dropout and student_status = '2'
)
{{ the_member() }}
