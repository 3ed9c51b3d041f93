{#-
Counts per county, town and village. What is counted by household is counted once, in its village,
and added up.

table: area_ledger
kept: flags
publishes: area_ledger
grain: area
key: area_code
order: area_code
same day: case_progress, flag_change, household_indicator, household_place, warning_flag,
    warning_reason
reference: area, risk_domain
parameters: cleared, counts, domains, area_levels
-#}
with lamp as (
    select
        p.village,
        cast(count(*) as bigint) as households,
        sum(p.member_count) as persons,
        count(*) filter (where f.level = 'red') as red,
        count(*) filter (where f.level = 'yellow') as yellow,
        count(*) filter (where f.level = 'green') as green,
        count(*) filter (where f.is_held) as held,
        count(*) filter (where i.b11_monitor_class <> '0') as monitored_households,
        sum(
            case when i.b11_monitor_class <> '0' then p.member_count else 0 end
        ) as monitored_persons
    from household_place as p
    left join warning_flag as f on f.household_id = p.household_id
    left join household_indicator as i on i.household_id = p.household_id
    group by p.village
),
change as (
    select
        coalesce(p.village, c.area_code) as village,
        count(*) filter (where c.to_level = 'red') as newly_red,
        count(*) filter (where c.from_level = 'red') as no_longer_red
    from flag_change as c
    left join household_place as p on p.household_id = c.household_id
    where c.to_level = 'red' or c.from_level = 'red'
    group by coalesce(p.village, c.area_code)
),
risk as (
    select distinct r.household_id, d.domain
    from warning_reason as r
    inner join risk_domain as d on d.code = r.code
    where r.points > 0
),
risk_count as (
    select
        p.village,
{% for domain in domains %}
        count(*) filter (where r.domain = '{{ domain }}') as {{ domain }}{{ "," if not loop.last }}
{% endfor %}
    from risk as r
    inner join household_place as p on p.household_id = r.household_id
    group by p.village
),
cleared as (
    select p.village, count(*) as cleared_households, sum(p.member_count) as cleared_persons
    from household_place as p
    where p.household_id in (
        select c.household_id from case_progress as c where c.stage = {{ cleared }}
    )
    group by p.village
),
village as (
    select village from lamp
    union
    select village from change where village is not null
),
counted as (
    select
        v.village,
        coalesce(l.households, 0) as households,
        coalesce(l.persons, 0) as persons,
        coalesce(l.red, 0) as red,
        coalesce(l.yellow, 0) as yellow,
        coalesce(l.green, 0) as green,
        coalesce(l.held, 0) as held,
        coalesce(c.newly_red, 0) as newly_red,
        coalesce(c.no_longer_red, 0) as no_longer_red,
{% for domain in domains %}
        coalesce(r.{{ domain }}, 0) as {{ domain }},
{% endfor %}
        coalesce(l.monitored_households, 0) as monitored_households,
        coalesce(l.monitored_persons, 0) as monitored_persons,
        coalesce(d.cleared_households, 0) as cleared_households,
        coalesce(d.cleared_persons, 0) as cleared_persons
    from village as v
    left join lamp as l on l.village = v.village
    left join change as c on c.village = v.village
    left join risk_count as r on r.village = v.village
    left join cleared as d on d.village = v.village
),
levelled as (
{% for level, digits in area_levels %}
    select substr(village, 1, {{ digits }}) as code, '{{ level }}' as area_level, * from counted
    {{ "union all" if not loop.last }}
{% endfor %}
)
select
    l.code as area_code,
    case when length(l.code) >= 9 then substr(l.code, 1, 9) end as town_code,
    l.area_level,
    coalesce(max(a.area_name), l.code) as area_name,
{% for column in counts %}
    cast(sum(l.{{ column }}) as integer) as {{ column }}{{ "," if not loop.last }}
{% endfor %}
from levelled as l
left join area as a on a.area_code = l.code
group by l.code, l.area_level
