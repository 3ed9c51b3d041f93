{#-
X26 消除后辍学: cleared, and a child is out of school.

table: crosscheck_x26
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_active, crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import of, the_case %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_cleared_in_window and r18_dropout_count >= 1
)
{{ the_case() }}
union all
{{ of("members", "crosscheck_active", "r.dropout") }}
