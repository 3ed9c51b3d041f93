{#-
Every record behind a point. `sort_key` puts them in order: the first listed source first, then the others, then by record id.

table: evidence_record
grain: record
key: household_id, code, record_id
as: view
same day: evidence_assistance, evidence_casualties, evidence_certificates,
    evidence_chronic_followups, evidence_deaths, evidence_disability_subsidies,
    evidence_dwellings, evidence_enrolments, evidence_households, evidence_losses,
    evidence_members, evidence_relief, evidence_reports, evidence_retrofits,
    evidence_serious_illnesses, evidence_settlements
reference: indicator_source
parameters: record_types
-#}
with counted as (
{% for records in record_types %}
    select household_id, code, records, record_id, _arrived_on from evidence_{{ records }}
    {{ "union all" if not loop.last }}
{% endfor %}
)
select o.household_id, o.code, concat(i.place, ':', o.record_id) as sort_key, o._arrived_on
from counted as o
inner join indicator_source as i on i.code = o.code and i.records = o.records
