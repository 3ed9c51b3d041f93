{#-
Households without a helper, and helpers with more of them than the rules allow, by area.

table: responsibility_gap
kept: flags
publishes: responsibility_gap
grain: all
key: area_code
order: area_code
same day: household_area, responsibility, support_area
asked: source_state
parameters: read, support
-#}
with helper as (
    select officer_id, count(distinct household_id) as households
    from responsibility
    where duty = 'helper'
    group by officer_id
),
assigned as (
    select
        r.household_id,
        r.officer_id,
        r.duty = 'helper' as helps,
        coalesce(r.duty = 'helper' and h.households > {{ support.helper_limit }}, false)
            as is_above_limit
    from responsibility as r
    left join helper as h on h.officer_id = r.officer_id
),
counted as (
    select
        a.area_code,
        count(distinct case when r.helps then r.household_id end) as with_helper,
        count(distinct r.officer_id) as officers,
        count(distinct case when r.is_above_limit then r.officer_id end) as officers_above_limit
    from household_area as a
    inner join assigned as r on r.household_id = a.household_id
    group by a.area_code
)
select
    a.area_code,
    case when length(a.area_code) >= 9 then substr(a.area_code, 1, 9) end as town_code,
    cast(a.households as integer) as households,
    cast(a.households - coalesce(c.with_helper, 0) as integer) as without_helper,
    cast(coalesce(c.officers, 0) as integer) as officers,
    cast(coalesce(c.officers_above_limit, 0) as integer) as officers_above_limit
from support_area as a
left join counted as c on c.area_code = a.area_code
where {{ "true" if "assignments" in read else "false" }}
