{#-
Who changed level since the last release, and which reasons came and went. A household that is new
comes from level none, one that left the register goes to none. On a first day there is nothing to
change from. The last release is the newest earlier day that was not held back: what readers saw.

table: flag_change
kept: flags
publishes: flag_change
grain: household
key: household_id
order: household_id
same day: warning_flag, warning_reason
released day: warning_flag as released_warning_flag, warning_reason as released_warning_reason
parameters: has_released
-#}
with changed as (
    select
        coalesce(t.household_id, b.household_id) as household_id,
        coalesce(t.area_code, b.area_code) as area_code,
        coalesce(b.level, 'none') as from_level,
        coalesce(t.level, 'none') as to_level,
        b.score as from_score,
        t.score as to_score
    from warning_flag as t
    full join released_warning_flag as b on b.household_id = t.household_id
    where coalesce(b.level, 'none') <> coalesce(t.level, 'none')
        and {{ has_released }}
),
-- What caps, offset, floor and limit changed is no reason of its own.
reason_now as (
    select r.household_id, r.code
    from warning_reason as r
    inner join changed as c on c.household_id = r.household_id
    where substr(r.code, 1, 1) in ('R', 'S')
),
reason_before as (
    select r.household_id, r.code
    from released_warning_reason as r
    inner join changed as c on c.household_id = r.household_id
    where substr(r.code, 1, 1) in ('R', 'S')
),
moved as (
    select
        coalesce(n.household_id, b.household_id) as household_id,
        case when b.code is null then n.code end as came,
        case when n.code is null then b.code end as went
    from reason_now as n
    full join reason_before as b on b.household_id = n.household_id and b.code = n.code
    where b.code is null or n.code is null
),
collected as (
    select
        household_id,
        list_sort(list(came) filter (where came is not null)) as added,
        list_sort(list(went) filter (where went is not null)) as removed
    from moved
    group by household_id
)
select
    c.household_id,
    c.area_code,
    substr(c.area_code, 1, 9) as town_code,
    c.from_level,
    c.to_level,
    c.from_score,
    c.to_score,
    coalesce(m.added, cast([] as varchar[])) as added,
    coalesce(m.removed, cast([] as varchar[])) as removed
from changed as c
left join collected as m on m.household_id = c.household_id
