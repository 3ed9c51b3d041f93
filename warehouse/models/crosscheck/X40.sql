{#-
X40 缺劳力不缺: monitored for want of labour, and most can work.

table: crosscheck_x40
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import the_case, the_household %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_new and list_contains(case_risk_types, 'labour')
        and 2 * b03_labour_count > b01_household_size
)
{{ the_case() }}
union all
{{ the_household() }}
