{#-
The county of each household: the first six digits of its area; none (000000) where its register row is out of force.

table: household_county
grain: household
key: household_id
same day: valid_rural_revitalisation__households, valid_rural_revitalisation__members
parameters: no_county
-#}
select household_id, coalesce(substr(area_code, 1, 6), '{{ no_county }}') as county
from valid_rural_revitalisation__households
union all
select distinct m.household_id, '{{ no_county }}' as county
from valid_rural_revitalisation__members as m
left join valid_rural_revitalisation__households as h on h.household_id = m.household_id
where h.household_id is null and m.household_id is not null
