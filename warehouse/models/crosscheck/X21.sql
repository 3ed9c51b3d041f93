{#-
X21 监测类别不一致: monitored in both, under another class.

table: crosscheck_x21
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import the_case, the_household %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where b11_monitor_class <> '0' and case_is_open and case_class <> b11_monitor_class
)
{{ the_case() }}
union all
{{ the_household() }}
