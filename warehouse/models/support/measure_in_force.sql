{#-
Measures in force on the day: of status in_force, begun and not ended.

table: measure_in_force
grain: record
key: record_id
as: view
optional: matched_rural_revitalisation__measures
parameters: as_of
-#}
select record_id, household_id, kind
from matched_rural_revitalisation__measures
where outcome = 'linked' and status = 'in_force' and started_on <= {{ as_of }}
    and (ended_on is null or ended_on >= {{ as_of }})
