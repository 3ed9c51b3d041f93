{#-
One row per household: what an officer sees first. Names of villages and towns fall back to their
codes; a shell lies in none.

table: household
kept: household
publishes: household
grain: household
key: household_id
order: household_id
same day: matched_rural_revitalisation__households, matched_rural_revitalisation__members,
    person, register_household
reference: area
laid over: household_id
-#}
with head as (
    select
        m.household_id,
        p.name_masked,
        row_number() over (partition by m.household_id order by m.status, m.member_id) as place
    from matched_rural_revitalisation__members as m
    inner join person as p on p.member_id = m.member_id
    where m.relation = '01' and m.status in ('1', '3')
),
conflict as (
    select distinct m.household_id
    from matched_rural_revitalisation__members as m
    inner join person as p on p.member_id = m.member_id
    where m.status = '1' and p.id_state = 'conflict'
)
select
    r.household_id,
    r.area_code,
    substr(r.area_code, 1, 9) as town_code,
    t.name_masked as head_name_masked,
    h.household_type,
    case when h.monitor_cleared then '0' else h.monitor_class end as monitor_class,
    h.relocated,
    r.active_count as member_count,
    coalesce(village.area_name, case when not r.is_shell then r.area_code end, '') as village_name,
    coalesce(
        town.area_name, case when not r.is_shell then substr(r.area_code, 1, 9) end, ''
    ) as town_name,
    c.household_id is not null as has_conflict,
    r.is_shell
from register_household as r
left join matched_rural_revitalisation__households as h on h.household_id = r.household_id
left join head as t on t.household_id = r.household_id and t.place = 1
left join conflict as c on c.household_id = r.household_id
left join area as village on village.area_code = r.area_code
left join area as town on town.area_code = substr(r.area_code, 1, 9)
