{#-
R14 to R17: a dangerous house, a late retrofit, damage by disaster, unsafe water.

table: indicators_housing
grain: household
key: household_id
as: view
same day: counted_loss, counted_retrofit, lived_in_dwelling,
    matched_rural_revitalisation__households, register_household
parameters: as_of
-#}
with dwelling as (
    select household_id, max(grade) as worst_grade
    from lived_in_dwelling
    group by household_id
),
late as (
    select household_id, cast(count(*) as integer) as projects
    from counted_retrofit
    where finished_on is null and date_diff('day', approved_on, {{ as_of }}) > 180
    group by household_id
),
damage as (
    select household_id, max(house_damage) as worst_damage
    from counted_loss
    where is_unresolved
    group by household_id
)
select
    r.household_id,
    d.worst_grade as r14_dangerous_house,
    case when d.household_id is null then 'not_applicable' else 'ok' end as r14_state,
    coalesce(l.projects, 0) as r15_retrofit_overdue_count,
    coalesce(g.worst_damage, '0') as r16_house_damage,
    not h.water_safe as r17_unsafe_water
from register_household as r
left join dwelling as d on d.household_id = r.household_id
left join late as l on l.household_id = r.household_id
left join damage as g on g.household_id = r.household_id
left join matched_rural_revitalisation__households as h on h.household_id = r.household_id
