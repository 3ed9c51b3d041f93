{#-
X18 监测类别与户类型: a class that is not for households of this type.

table: crosscheck_x18
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import the_household %}
with held as (
    select household_id
    from crosscheck_home
    where (b11_monitor_class = '1' and household_type = '1')
        or (b11_monitor_class = '2' and household_type in ('2', '3'))
)
{{ the_household() }}
