-- The records that the plain join leaves open, each with its number and name as delivered. Holds identities: never in the lake.
select v.{{ record_key }}, coalesce(v.{{ number }}, '') as raw_number, coalesce({{ name_value }}, '') as raw_name
from {{ valid }} as v
left join spine_number as s on s.number = v.{{ number }}
where not {{ at_once }}
