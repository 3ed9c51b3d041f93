{#-
Assignments in force on the day, of the households of the register.

table: assignment_in_force
grain: record
key: record_id
as: view
optional: matched_rural_revitalisation__assignments
parameters: as_of
-#}
select record_id, household_id, officer_id, duty, started_on
from matched_rural_revitalisation__assignments
where outcome = 'linked' and started_on <= {{ as_of }}
    and (ended_on is null or ended_on >= {{ as_of }})
