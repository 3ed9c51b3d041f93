{#-
X49 死亡后医保结算: a bill settled long after the death: a stay in hospital may be settled
late.

table: crosscheck_x49
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_member, linked_death, netted_original
parameters: crosscheck
-#}
{% from "crosscheck/rows.jinja" import named_of_member, of_member %}
with held as (
    select m.household_id, m.member_id, n.record_id as settlement_id
    from crosscheck_member as m
    inner join netted_original as n on n.member_id = m.member_id
    where n.total_fee > 0
        and date_diff('day', m.died_on, n.settled_on) > case
            when n.medical_type in ('21', '52')
                then {{ crosscheck.X49.settle_inpatient_days }}
            else {{ crosscheck.X49.settle_outpatient_days }}
        end
)
{{ named_of_member("settlements", "settlement_id") }}
union all
{{ of_member("deaths", "linked_death") }}
