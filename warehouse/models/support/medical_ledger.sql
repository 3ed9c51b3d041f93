{#-
What treatment cost, by fund, for each population and area: net settlements of W.

table: medical_ledger
kept: flags
publishes: medical_ledger
grain: all
key: area_code, population
order: area_code, population
same day: household_area, household_medical, household_population, support_area
asked: source_state
parameters: medical_sums, populations, read
-#}
{% from "indicators/exact.jinja" import ratio %}
with population as (
    select population
    from (values {% for p in populations %}{{ ", " if not loop.first }}('{{ p.code }}')
{%- endfor %}) as entry(population)
),
spent as (
    select
        a.area_code,
        p.population,
        sum(m.persons) as persons,
        sum(m.inpatient_times) as inpatient_times,
{% for column in medical_sums %}
        sum(m.{{ column }}) as {{ column }}{{ "," if not loop.last }}
{% endfor %}
    from household_medical as m
    inner join household_population as p on p.household_id = m.household_id
    inner join household_area as a on a.household_id = m.household_id
    group by a.area_code, p.population
),
counted as (
    select
        a.area_code,
        p.population,
        cast(coalesce(s.persons, 0) as integer) as persons,
        cast(coalesce(s.inpatient_times, 0) as integer) as inpatient_times,
{% for column in medical_sums %}
        cast(
            case when s.area_code is null then 0 else s.{{ column }} end as decimal(18,2)
        ) as {{ column }}{{ "," if not loop.last }}
{% endfor %}
    from support_area as a
    cross join population as p
    left join spent as s on s.area_code = a.area_code and s.population = p.population
)
select
    area_code,
    case when length(area_code) >= 9 then substr(area_code, 1, 9) end as town_code,
    population,
    persons,
    inpatient_times,
{% for column in medical_sums %}
    {{ column }},
{% endfor %}
    cast({{ ratio("inpatient_fund_paid", "inpatient_in_scope") }} as decimal(12,4)) as in_scope_rate
from counted
where {{ "true" if "settlements" in read else "false" }}
