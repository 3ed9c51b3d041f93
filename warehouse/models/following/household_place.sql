{#-
The village of each household, for what is counted by area. A household whose register row is out of
force has none: it counts under the county, in no known town or village (000).

table: household_place
grain: household
key: household_id
same day: household
parameters: no_county
-#}
with county as (
    select
        case
            when count(distinct substr(area_code, 1, 6)) = 1 then max(substr(area_code, 1, 6))
            else '{{ no_county }}'
        end as county
    from household
    where area_code is not null
)
select
    h.household_id,
    coalesce(h.area_code, concat(c.county, '000000')) as village,
    coalesce(substr(h.area_code, 1, 6) <> '{{ no_county }}', false) as is_in_county,
    h.member_count
from household as h
cross join county as c
