{#-
X23 已录入未标注: recorded by the monitors, and not marked in the register.

table: crosscheck_x23
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import the_case, the_household %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_open and case_is_recorded and monitor_class = '0'
)
{{ the_case() }}
union all
{{ the_household() }}
