{#-
X25 消除后饮水不安全: cleared, and the water is not safe.

table: crosscheck_x25
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import the_case, the_household %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_cleared_in_window and r17_unsafe_water
)
{{ the_case() }}
union all
{{ the_household() }}
