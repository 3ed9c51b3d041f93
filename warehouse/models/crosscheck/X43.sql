{#-
X43 因灾无灾: monitored for a disaster, and none is known.

table: crosscheck_x43
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_home
-#}
{% from "crosscheck/rows.jinja" import the_case %}
with held as (
    select household_id, case_id
    from crosscheck_home
    where case_is_new and list_contains(case_risk_types, 'disaster')
        and r24_disaster_loss_share = 0 and r25_casualty_count = 0 and r16_house_damage = '0'
        and not r26_needs_relief
)
{{ the_case() }}
