{#-
Of the households that should have rows in a record type, how many have: nothing on record is not
nothing wrong.

table: known_gap_share
kept: flags
publishes: known_gap_share
grain: all
key: area_code, records
order: area_code, records
same day: household_area, known_gap_due, support_area
asked: source_state
parameters: gap_records
-#}
{% from "indicators/exact.jinja" import ratio %}
with counted as (
    select
        a.area_code,
        d.records,
        count(*) as due,
        count(*) filter (where d.is_there) as there
    from known_gap_due as d
    inner join household_area as a on a.household_id = d.household_id
    group by a.area_code, d.records
),
type as (
{% for records in gap_records %}
    select '{{ records }}' as records
    {{ "union all" if not loop.last }}
{% endfor %}
),
filled as (
    select
        a.area_code,
        t.records,
        coalesce(c.due, 0) as due,
        coalesce(c.there, 0) as there
    from support_area as a
    cross join type as t
    left join counted as c on c.area_code = a.area_code and c.records = t.records
)
select
    area_code,
    case when length(area_code) >= 9 then substr(area_code, 1, 9) end as town_code,
    records,
    cast(due as integer) as due,
    cast(there as integer) as there,
    {{ ratio("there", "due") }} as share
from filled
