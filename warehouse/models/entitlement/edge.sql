{#-
Households just above a line: their income is at least the line and under a tenth more.

table: entitlement_edge
kept: flags
publishes: entitlement_edge
grain: all
key: area_code, scheme
order: area_code, scheme
same day: entitlement_household, household_area, support_area
parameters: entitlement
-#}
with near as (
{% for scheme, low, high, value in (
    ("dibao", "h.standard", entitlement.near ~ " * h.standard", "h.income"),
    (
        "edge", entitlement.edge_factor ~ " * h.standard",
        entitlement.near ~ " * " ~ entitlement.edge_factor ~ " * h.standard", "h.income"
    ),
    ("line", "1", entitlement.near, "h.line_ratio"),
) %}
    select
        '{{ scheme }}' as scheme,
        h.household_id,
        coalesce({{ value }} >= {{ low }} and {{ value }} < {{ high }}, false) as is_near
    from entitlement_household as h
    {{ "union all" if not loop.last }}
{% endfor %}
),
counted as (
    select a.area_code, n.scheme, count(*) filter (where n.is_near) as households
    from near as n
    inner join household_area as a on a.household_id = n.household_id
    group by a.area_code, n.scheme
),
scheme as (
    select 'dibao' as scheme
    union all
    select 'edge' as scheme
    union all
    select 'line' as scheme
)
select
    a.area_code,
    case when length(a.area_code) >= 9 then substr(a.area_code, 1, 9) end as town_code,
    s.scheme,
    cast(coalesce(c.households, 0) as integer) as households
from support_area as a
cross join scheme as s
left join counted as c on c.area_code = a.area_code and c.scheme = s.scheme
