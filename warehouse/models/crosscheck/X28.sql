{#-
X28 消除后低于监测线: cleared, and below the monitoring line.

table: crosscheck_x28
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import the_case, the_household %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_cleared_in_window and b24_line_ratio < 1
)
{{ the_case() }}
union all
{{ the_household() }}
