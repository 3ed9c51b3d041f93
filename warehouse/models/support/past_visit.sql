{#-
Visits of the households of the register, up to the day.

table: past_visit
grain: record
key: record_id
as: view
optional: matched_rural_revitalisation__visits
parameters: as_of
-#}
select record_id, household_id, officer_id, visited_on, kind, found <> 'none' as has_found
from matched_rural_revitalisation__visits
where outcome = 'linked' and visited_on <= {{ as_of }}
