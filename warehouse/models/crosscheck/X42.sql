{#-
X42 饮水风险无据: monitored for water, and it is safe.

table: crosscheck_x42
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import the_case, the_household %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_new and list_contains(case_risk_types, 'water')
        and not r17_unsafe_water
)
{{ the_case() }}
union all
{{ the_household() }}
