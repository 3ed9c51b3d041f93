{#-
From when to when a lamp stood as it was: a row per household and unbroken level, held or not. Open
while it stands; carried from day to day, so that past lamps are known without their days.

table: lamp_span
kept: flags
grain: household
key: household_id, from_on
order: household_id, from_on
same day: warning_flag
earlier day: lamp_span as previous_lamp_span
parameters: as_of, support
-#}
with still as (
    select household_id, level, is_held, from_on, _as_of
    from previous_lamp_span
    where until_on is null
)
select household_id, level, is_held, from_on, until_on
from previous_lamp_span
where until_on >= {{ support.span_since }}
union all
select
    s.household_id,
    s.level,
    s.is_held,
    s.from_on,
    case when f.household_id is null then s._as_of end as until_on
from still as s
left join warning_flag as f
    on f.household_id = s.household_id and f.level = s.level and f.is_held = s.is_held
union all
select f.household_id, f.level, f.is_held, {{ as_of }} as from_on, cast(null as date) as until_on
from warning_flag as f
left join still as s
    on s.household_id = f.household_id and s.level = f.level and s.is_held = f.is_held
where s.household_id is null
