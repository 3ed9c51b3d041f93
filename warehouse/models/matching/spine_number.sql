-- Who has a number today: one row per number; none where two people claim it.
select number, member_id, household_id, person_key, name
from spine
where is_holder
