{#-
X41 住房风险无据: monitored for housing, and the dwellings are safe.

table: crosscheck_x41
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home, lived_in_dwelling
-#}
{% from "crosscheck/rows.jinja" import of, the_case %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_new and list_contains(case_risk_types, 'housing')
        and r14_dangerous_house in ('A', 'B') and r16_house_damage in ('0', '1')
)
{{ the_case() }}
union all
{{ of("dwellings", "lived_in_dwelling") }}
