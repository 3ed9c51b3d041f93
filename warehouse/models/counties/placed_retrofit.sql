{#-
Retrofits, each with the county in which it counts: its dwelling's, or its owner's where the
dwelling is not known.

table: placed_retrofit
grain: record
key: record_id
same day: household_county, matched_housing__dwellings, matched_housing__retrofits
parameters: no_county
-#}
with dwelling as (
    select record_id, household_id
    from matched_housing__dwellings
    where outcome = 'linked'
),
placed as (
    select r.*, coalesce(d.household_id, r.household_id) as placed_in
    from matched_housing__retrofits as r
    left join dwelling as d on d.record_id = r.dwelling_id
)
select p.*, coalesce(c.county, '{{ no_county }}') as county
from placed as p
left join household_county as c on c.household_id = p.placed_in
