{#-
The county of each household: the first six digits of its area. Where its register row is out of
force: that of the day before, where shells are computed; else none (000000).

table: household_county
grain: household
key: household_id
same day: valid_rural_revitalisation__households, valid_rural_revitalisation__members
earlier day: household as household_before
parameters: no_county, shells_are_computed
-#}
with shell as (
    select distinct m.household_id
    from valid_rural_revitalisation__members as m
    left join valid_rural_revitalisation__households as h on h.household_id = m.household_id
    where h.household_id is null and m.household_id is not null
)
select household_id, coalesce(substr(area_code, 1, 6), '{{ no_county }}') as county
from valid_rural_revitalisation__households
union all
select
    s.household_id,
    coalesce(
        case when {{ shells_are_computed }} then substr(b.area_code, 1, 6) end, '{{ no_county }}'
    ) as county
from shell as s
left join household_before as b on b.household_id = s.household_id
