{#-
What stands in each row of a contradiction, as a hash: what it says, not when it was written.

table: crosscheck_content
grain: record
key: code, household_id, member_id, records, record_id
same day: crosscheck_found, matched_citizen_reports__reports, matched_civil_affairs__assistance,
    matched_civil_affairs__deaths, matched_civil_affairs__disability_subsidies,
    matched_disability_federation__certificates, matched_emergency_management__casualties,
    matched_emergency_management__losses, matched_health_insurance__enrolments,
    matched_health_insurance__settlements, matched_housing__dwellings, matched_housing__retrofits,
    matched_monitoring__cases, matched_rural_revitalisation__households,
    matched_rural_revitalisation__members
optional: matched_finance__payments, matched_human_resources__employment,
    matched_rural_revitalisation__loans, matched_rural_revitalisation__measures
parameters: evidence_types
-#}
{% for type in evidence_types %}
select
    f.code,
    f.household_id,
    f.member_id,
    concat('{{ type.department }}.{{ type.records }}|', f.record_id) as evidence,
    '{{ type.department }}' as department,
    f.record_id,
    r.record_id is not null as is_there,
    sha256(concat_ws(
        '|'{% for field in type.fields %},
        coalesce(cast(r.{{ field }} as varchar), '~'){% endfor %}
    )) as content
from crosscheck_found as f
left join {{ type.table }} as r on r.record_id = f.record_id
where f.records = '{{ type.records }}'
{{ "union all" if not loop.last }}
{% endfor %}
