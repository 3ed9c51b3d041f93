{#-
Who has a number today: one row per number; none where two people claim it.

table: spine_number
grain: member
key: number
as: view
holds: identities
same day: spine
-#}
select number, member_id, household_id, person_key, name
from spine
where is_holder
