{#-
Households with an active member, and what is asked of them again and again: are they lifted,
monitored, relocated, red, assisted.

table: support_household
grain: household
key: household_id
same day: household, household_indicator, scheme_in_force, warning_flag
-#}
with assisted as (
    select distinct household_id
    from scheme_in_force
)
select
    h.household_id,
    h.area_code,
    h.member_count,
    coalesce(i.b10_household_type in ('2', '3'), false) as is_lifted,
    coalesce(i.b11_monitor_class <> '0', false) as is_monitored,
    coalesce(i.b12_relocated, false) as is_relocated,
    coalesce(f.level = 'red', false) as is_red,
    a.household_id is not null as is_assisted
from household as h
left join household_indicator as i on i.household_id = h.household_id
left join warning_flag as f on f.household_id = h.household_id
left join assisted as a on a.household_id = h.household_id
where h.member_count > 0
