{#-
X27 消除后未参保: cleared, and somebody is not insured.

table: crosscheck_x27
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home, known_enrolment
-#}
{% from "crosscheck/rows.jinja" import of, the_case %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_cleared_in_window and r06_uninsured_count >= 1
)
{{ the_case() }}
union all
{{ of("members", "known_enrolment", "not r.is_insured") }}
