{#-
X17 小额信贷对象不符: a microcredit of a household that is not entitled to one.

table: crosscheck_x17
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import the_household %}
with held as (
    select household_id
    from crosscheck_home
    where microcredit in ('1', '2') and household_type = '1' and monitor_class = '0'
)
{{ the_household() }}
