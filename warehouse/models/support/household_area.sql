{#-
Every area in which a household counts: its village, town and county, where a register has several
counties its prefecture too. Without a known village it counts under …000000 and …000.

table: household_area
grain: all
key: household_id, area_code
same day: household_place
parameters: area_levels, prefecture_digits
-#}
with county as (
    select count(distinct substr(village, 1, 6)) as counties
    from household_place
    where is_in_county
),
placed as (
    select
        p.household_id,
        p.village,
        p.member_count > 0 as is_counted,
        p.is_in_county,
        p.is_in_county and right(p.village, 6) <> '000000' as is_placed
    from household_place as p
)
{% for level, digits in area_levels %}
select household_id, substr(village, 1, {{ digits }}) as area_code, is_counted, is_placed
from placed
union all
{% endfor %}
select
    p.household_id,
    substr(p.village, 1, {{ prefecture_digits }}) as area_code,
    p.is_counted,
    p.is_placed
from placed as p
cross join county as c
where c.counties > 1 and p.is_in_county
