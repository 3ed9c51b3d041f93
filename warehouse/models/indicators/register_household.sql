{#-
Every household of the register, and a shell for each whose register row is out of force while members are there.

table: register_household
grain: household
key: household_id
same day: active_member, matched_rural_revitalisation__households,
    matched_rural_revitalisation__members
-#}
with active as (
    select household_id, cast(count(*) as integer) as active_count
    from active_member
    group by household_id
)
select
    h.household_id,
    h.record_id,
    h._arrived_on,
    h.area_code,
    false as is_shell,
    coalesce(a.active_count, 0) as active_count
from matched_rural_revitalisation__households as h
left join active as a on a.household_id = h.household_id
union all
select distinct
    m.household_id,
    cast(null as varchar) as record_id,
    cast(null as date) as _arrived_on,
    cast(null as varchar) as area_code,
    true as is_shell,
    0 as active_count
from matched_rural_revitalisation__members as m
left join matched_rural_revitalisation__households as h on h.household_id = m.household_id
where h.household_id is null and m.household_id is not null
