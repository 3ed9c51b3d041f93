{#-
X22 消除状态不一致: cleared in one, and not in the other.

table: crosscheck_x22
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import the_case, the_household %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where (case_is_cleared and b11_monitor_class <> '0')
        or (monitor_cleared and case_is_open and case_is_recorded)
)
{{ the_case() }}
union all
{{ the_household() }}
