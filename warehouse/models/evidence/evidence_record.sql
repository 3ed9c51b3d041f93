-- Every record behind a point, in its place: the first listed source first, then the others, then by record id.
with counted as (
{% for records in record_types %}
    select household_id, code, records, record_id, _arrived_on from evidence_{{ records }}
    {{ "union all" if not loop.last }}
{% endfor %}
),
placed as (
    select
        o.household_id,
        o.code,
        o.record_id,
        o._arrived_on,
        row_number() over (partition by o.household_id, o.code order by coalesce(i.place, 9), o.records, o.record_id) as place
    from counted as o
    left join indicator_source as i on i.code = o.code and i.records = o.records
)
select
    household_id,
    code,
    place,
    concat(lpad(cast(place as varchar), 2, '0'), ':', record_id) as sort_key,
    _arrived_on
from placed
