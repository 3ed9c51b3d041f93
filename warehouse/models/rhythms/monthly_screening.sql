-- Monthly screening (月筛查): the departments' lists at the end of the month; new is what was not on them a month before.
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
left join previous_verify_item as b on b.household_id = v.household_id and b.department = v.department and b.code = v.code
