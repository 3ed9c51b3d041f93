{#-
R14 to R17: a dangerous house, a late retrofit, damage by disaster, unsafe water.

table: indicators_housing
grain: household
key: household_id
as: view
same day: counted_loss, counted_retrofit, household_record, lived_in_dwelling, register_household
-#}
with dwelling as (
    select household_id, max(grade) filter (where is_worst) as worst_grade
    from lived_in_dwelling
    group by household_id
),
late as (
    select household_id, cast(count(*) as integer) as projects
    from counted_retrofit
    where is_overdue
    group by household_id
),
damage as (
    select household_id, max(house_damage) as worst_damage
    from counted_loss
    where is_worst
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
left join household_record as h on h.household_id = r.household_id
