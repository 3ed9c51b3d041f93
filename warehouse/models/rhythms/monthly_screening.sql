{#-
Monthly screening (月筛查): the departments' lists at the end of the month; new is what was not on them
a month before.

table: monthly_screening
publishes: monthly_screening
grain: all
key: month_on, household_id, department, code
same day: verify_item
earlier day: verify_item as previous_verify_item
parameters: as_of, period_on
-#}
select
    {{ period_on }} as month_on,
    v.household_id,
    v.area_code,
    v.town_code,
    v.department,
    v.code,
    {{ as_of }} as counted_on,
    v.value,
    v.since,
    b.household_id is null as is_new
from verify_item as v
left join previous_verify_item as b
    on b.household_id = v.household_id and b.department = v.department and b.code = v.code
