{#-
Lamps whose reasons do not sum to their score, and reasons without a lamp.

grain: all
given: release_warning_reason, release_warning_flag
-#}
with summed as (
  select household_id, sum(points) as points from release_warning_reason group by household_id
)
select count(*)
from release_warning_flag as f
full join summed as s on s.household_id = f.household_id
where f.household_id is null or coalesce(s.points, 0) <> f.score
