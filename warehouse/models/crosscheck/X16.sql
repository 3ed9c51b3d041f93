{#-
X16 适龄未在校: of school age, and neither at school nor out of it.

table: crosscheck_x16
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
    where age between {{ crosscheck.X16.school_age_from }} and {{ crosscheck.X16.school_age_to }}
        and student_status = '0'
        and not coalesce(dropout, false)
)
{{ the_member() }}
