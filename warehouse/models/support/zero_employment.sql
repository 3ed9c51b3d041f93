{#-
Households with somebody who is able to work and nobody who does (零就业家庭), and since when.

table: zero_employment
kept: flags
publishes: zero_employment
grain: household
key: household_id
order: household_id
same day: idle_today, support_household, support_standing
-#}
select
    h.household_id,
    h.area_code,
    substr(h.area_code, 1, 9) as town_code,
    t.able_members,
    t.is_relocated,
    s.since
from idle_today as t
inner join support_household as h on h.household_id = t.household_id
inner join support_standing as s
    on s.household_id = t.household_id and s.list_name = 'zero_employment' and s.is_standing
