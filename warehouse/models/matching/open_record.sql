{#-
The records of all types that the plain join leaves open, each with its number and name as
delivered. Holds identities: never in the lake.

table: open_record
grain: record
key: record_type, record_key
holds: identities
same day: spine_number
if there: valid_*
parameters: at_once, types
-#}
with delivered as (
{% for d in types %}
    select
        '{{ d.table }}' as record_type, '{{ d.department }}' as department,
        '{{ d.records }}' as records,
        cast({{ d.record_key }} as varchar) as record_key,
        v.{{ d.number }} as number, {{ d.name_value }} as name
    from {{ d.valid }} as v
    {{ "union all" if not loop.last }}
{% endfor %}
)
select
    d.record_type,
    d.department,
    d.records,
    d.record_key,
    coalesce(d.number, '') as raw_number,
    coalesce(d.name, '') as raw_name
from delivered as d
left join spine_number as s on s.number = d.number
where not {{ at_once }}
