{#-
Which share of the households was seen in a week or a half-year, and where something was found, by
area and kind of visit.

table: visit_coverage
kept: flags
publishes: visit_coverage
grain: all
key: area_code, period, kind
order: area_code, period, kind
same day: household_area, past_visit, support_area, support_household
asked: source_state
parameters: read, support
-#}
with period as (
    select name, first_on, last_on
    from (values
{% for p in support.periods %}
        ('{{ p.name }}', {{ p.first }}, {{ p.last }}){{ "," if not loop.last }}
{% endfor %}
    ) as entry(name, first_on, last_on)
),
kind as (
    select kind
    from (values ('all'){% for k in support.kinds %}, ('{{ k }}'){% endfor %}) as entry(kind)
),
seen as (
    select
        v.household_id,
        p.name as period,
        v.kind,
        max(case when v.has_found then 1 else 0 end) as has_found
    from past_visit as v
    inner join support_household as h on h.household_id = v.household_id
    inner join period as p on v.visited_on >= p.first_on and v.visited_on <= p.last_on
    group by v.household_id, p.name, v.kind
),
of_kinds as (
    select household_id, period, kind, has_found from seen
    union all
    select household_id, period, 'all' as kind, max(has_found) as has_found
    from seen
    group by household_id, period
),
counted as (
    select a.area_code, s.period, s.kind, count(*) as visited, sum(s.has_found) as found
    from of_kinds as s
    inner join household_area as a on a.household_id = s.household_id
    group by a.area_code, s.period, s.kind
)
select
    a.area_code,
    case when length(a.area_code) >= 9 then substr(a.area_code, 1, 9) end as town_code,
    p.name as period,
    k.kind,
    cast(a.households as integer) as households,
    cast(coalesce(c.visited, 0) as integer) as visited,
    cast(coalesce(c.found, 0) as integer) as found
from support_area as a
cross join period as p
cross join kind as k
left join counted as c on c.area_code = a.area_code and c.period = p.name and c.kind = k.kind
where {{ "true" if "visits" in read else "false" }}
