{#-
Who of any members was killed, missing or badly hurt on or before the day.

table: casualty
grain: record
key: record_id
same day: any_member, matched_emergency_management__casualties
parameters: as_of, window_start
records: casualties
counted by: R25 where is_in_window
changes on: matched_emergency_management__casualties.occurred_on at day,
    matched_emergency_management__casualties.occurred_on at window
-#}
select
    m.household_id,
    c.member_id,
    c.record_id,
    c.occurred_on,
    c.delivered_outcome = 'death' as is_death,
    c.occurred_on > {{ window_start }} as is_in_window,
    c._arrived_on
from matched_emergency_management__casualties as c
inner join any_member as m on m.member_id = c.member_id
where c.outcome = 'linked' and c.occurred_on <= {{ as_of }}
