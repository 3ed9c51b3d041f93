{#-
Monitored households whose measures are not enough, and since when.

table: measure_gap
kept: flags
publishes: measure_gap
grain: household
key: household_id, gap
order: household_id, gap
same day: support_household, support_standing
-#}
select
    h.household_id,
    h.area_code,
    substr(h.area_code, 1, 9) as town_code,
    s.item as gap,
    s.since
from support_standing as s
inner join support_household as h on h.household_id = s.household_id
where s.list_name = 'measure_gap' and s.is_standing
