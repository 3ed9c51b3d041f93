{#-
X39 因学无学生: monitored for schooling, and nobody is at school or out of it.

table: crosscheck_x39
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import the_case, the_household %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_new and list_contains(case_risk_types, 'schooling')
        and b08_student_count = 0 and r18_dropout_count = 0
)
{{ the_case() }}
union all
{{ the_household() }}
