{#-
Flags whose household is not in the release.

grain: all
given: release_warning_flag, release_household
-#}
select count(*)
from release_warning_flag as f
left join release_household as h on h.household_id = f.household_id
where h.household_id is null
