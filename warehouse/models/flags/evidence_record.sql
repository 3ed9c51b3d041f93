{#-
Every record behind a point: of who has the point, what the indicator counts, as the heads of the
models say. `sort_key` puts them in order: the first listed source first, then the others, then by
record id.

table: evidence_record
grain: record
key: household_id, code, record_id
as: view
same day: active_member, any_member, casualty, chronic_followup, counted_loss, counted_retrofit,
    death_record, enrolment_record, entitling_certificate, household_record, known_enrolment,
    lived_in_dwelling, open_report, relief_in_force, schooling, scheme_in_force, scored_point,
    serious_illness, settlement_record, subsidy_record, valid_certificate
reference: indicator_source
parameters: counting
-#}
with counted as (
{% for model in counting %}
    select p.household_id, p.code, '{{ model.records }}' as records, c.record_id, c._arrived_on
    from scored_point as p
    inner join {{ model.table }} as c on c.household_id = p.household_id
    where p.code in ('{{ model.counted_by | map(attribute="code") | join("', '") }}')
{% for one in model.counted_by if one.column %}
        and (p.code <> '{{ one.code }}' or {{ one.condition("c") }})
{% endfor %}
    {{ "union all" if not loop.last }}
{% endfor %}
)
select o.household_id, o.code, concat(i.place, ':', o.record_id) as sort_key, o._arrived_on
from counted as o
inner join indicator_source as i on i.code = o.code and i.records = o.records
