{#-
X62 死亡未注销残疾证: a certificate that is valid long after the death.

table: crosscheck_x62
grain: record
key: household_id, member_id, records, record_id
as: view
same day: crosscheck_member, linked_death, matched_disability_federation__certificates
parameters: as_of, crosscheck
-#}
{% from "crosscheck/rows.jinja" import named_of_member, of_member %}
with held as (
    select m.household_id, m.member_id, c.record_id as certificate_id
    from crosscheck_member as m
    inner join matched_disability_federation__certificates as c on c.member_id = m.member_id
    where c.outcome = 'linked' and c.status = '1' and c.issued_on <= {{ as_of }}
        and (c.expires_on is null or c.expires_on >= {{ as_of }})
        and date_diff('day', m.died_on, {{ as_of }}) > {{ crosscheck.X62.certificate_days }}
)
{{ named_of_member("certificates", "certificate_id") }}
union all
{{ of_member("deaths", "linked_death") }}
