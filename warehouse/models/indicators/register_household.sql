{#-
Every household of the register, and a shell for each whose register row is out of force while
members are there: in the county that it was last known in, or the register's only one, and in no
village; where shells are not computed, without members and nowhere.

table: register_household
grain: household
key: household_id
same day: active_member, matched_rural_revitalisation__households,
    matched_rural_revitalisation__members, register_county
earlier day: household as household_before
parameters: no_county, shells_are_computed
-#}
with active as (
    select household_id, cast(count(*) as integer) as active_count
    from active_member
    group by household_id
),
shell as (
    select distinct m.household_id
    from matched_rural_revitalisation__members as m
    left join matched_rural_revitalisation__households as h on h.household_id = m.household_id
    where h.household_id is null and m.household_id is not null
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
select
    s.household_id,
    cast(null as varchar) as record_id,
    cast(null as date) as _arrived_on,
    case when {{ shells_are_computed }} then concat(
        coalesce(nullif(substr(b.area_code, 1, 6), '{{ no_county }}'), c.code), '000000'
    ) end as area_code,
    true as is_shell,
    case when {{ shells_are_computed }} then coalesce(a.active_count, 0) else 0 end as active_count
from shell as s
cross join register_county as c
left join household_before as b on b.household_id = s.household_id
left join active as a on a.household_id = s.household_id
