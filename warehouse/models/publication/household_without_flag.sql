{#-
Households that the release has no lamp for.

grain: all
given: release_household, release_warning_flag
-#}
select count(*)
from release_household as h
left join release_warning_flag as f on f.household_id = h.household_id
where f.household_id is null
