{#-
Monthly accounting of incomes (月核算): net income per head by county and town and household type, its
growth against the month before, and against the county's of the same type. Households whose net
income is known.

table: income_accounting
publishes: income_accounting
grain: all
key: month_on, area_code, household_type
same day: household_indicator
earlier day: household_indicator as previous_household_indicator
parameters: as_of, compared_on, period_on
-#}
{% from "indicators/exact.jinja" import ratio %}
with now_known as (
    select
        substr(area_code, 1, 9) as town,
        b10_household_type as household_type,
        b19_net_income as net_income,
        b01_household_size as persons
    from household_indicator
    where b19_net_income is not null
        and b01_household_size > 0
        and b10_household_type is not null
        and area_code is not null
),
earlier_known as (
    select
        substr(area_code, 1, 9) as town,
        b10_household_type as household_type,
        b19_net_income as net_income,
        b01_household_size as persons
    from previous_household_indicator
    where b19_net_income is not null
        and b01_household_size > 0
        and b10_household_type is not null
        and area_code is not null
),
by_town as (
    select
        'now' as moment,
        town,
        household_type,
        count(*) as households,
        sum(persons) as persons,
        sum(net_income) as net_income
    from now_known
    group by town, household_type
    union all
    select
        'earlier' as moment,
        town,
        household_type,
        count(*) as households,
        sum(persons) as persons,
        sum(net_income) as net_income
    from earlier_known
    group by town, household_type
),
by_area as (
    select moment, town as area_code, household_type, households, persons, net_income from by_town
    union all
    select moment, substr(town, 1, 6) as area_code, household_type, households, persons, net_income
    from by_town
),
by_type as (
    select moment, area_code, household_type, households, persons, net_income from by_area
    union all
    select moment, area_code, 'all' as household_type, households, persons, net_income from by_area
),
summed as (
    select
        moment,
        area_code,
        household_type,
        sum(households) as households,
        sum(persons) as persons,
        sum(net_income) as net_income
    from by_type
    group by moment, area_code, household_type
),
per_head as (
    select *, {{ ratio("net_income", "persons", 2) }} as income_per_head
    from summed
),
grown as (
    select
        n.area_code,
        n.household_type,
        n.households,
        n.persons,
        n.net_income,
        n.income_per_head,
        e.income_per_head as previous_income_per_head,
        case
            when e.income_per_head > 0
                then {{ ratio("n.income_per_head - e.income_per_head", "e.income_per_head") }}
        end as growth_rate
    from per_head as n
    left join per_head as e
        on e.moment = 'earlier'
            and e.area_code = n.area_code
            and e.household_type = n.household_type
    where n.moment = 'now'
)
select
    {{ period_on }} as month_on,
    g.area_code,
    case when length(g.area_code) = 9 then g.area_code end as town_code,
    case when length(g.area_code) = 9 then 'town' else 'county' end as area_level,
    g.household_type,
    {{ as_of }} as counted_on,
    {{ compared_on }} as compared_on,
    cast(g.households as integer) as households,
    cast(g.persons as integer) as persons,
    cast(g.net_income as decimal(18,2)) as net_income,
    g.income_per_head,
    g.previous_income_per_head,
    g.growth_rate,
    c.growth_rate as county_growth_rate,
    cast(g.growth_rate - c.growth_rate as decimal(12,4)) as growth_against_county,
    case
        when c.income_per_head > 0 then {{ ratio("g.income_per_head", "c.income_per_head") }}
    end as share_of_county
from grown as g
inner join grown as c
    on c.area_code = substr(g.area_code, 1, 6) and c.household_type = g.household_type
