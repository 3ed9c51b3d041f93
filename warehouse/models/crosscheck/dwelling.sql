{#-
Dwellings of any member, lived in or not.

table: crosscheck_dwelling
grain: record
key: record_id
as: view
same day: any_member, matched_housing__dwellings
parameters: as_of
-#}
select m.household_id, d.record_id, d.grade, d.appraised_on, d.occupied
from matched_housing__dwellings as d
inner join any_member as m on m.member_id = d.member_id
where d.outcome = 'linked' and d.appraised_on <= {{ as_of }}
