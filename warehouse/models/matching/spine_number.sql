-- Who has a number today: one row per number; nobody (null) where two people claim it.
select number, member_id, household_id, person_key, name, false as is_conflict
from spine
where is_holder
union all
select number, null, null, null, null, true
from spine
where is_conflict
group by number
