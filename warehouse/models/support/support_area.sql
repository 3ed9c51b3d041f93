{#-
The areas that have a row: every one of the register, and of no known town or village where somebody
lives there.

table: support_area
grain: all
key: area_code
same day: household_area
-#}
select area_code, count(*) filter (where is_counted) as households
from household_area
where is_counted or is_placed
group by area_code
