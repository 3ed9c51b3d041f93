{#-
Disaster losses of the household of any member, in yuan; which do the worst damage that is not
resolved.

table: counted_loss
grain: record
key: record_id
same day: any_member, matched_emergency_management__losses
parameters: as_of, window_start
records: losses
counted by: R16 where is_worst, R24 where is_in_window
changes on: matched_emergency_management__losses.occurred_on at day,
    matched_emergency_management__losses.occurred_on at window,
    matched_emergency_management__losses.resolved_on at end
-#}
with loss as (
    select
        m.household_id,
        l.record_id,
        l.house_damage,
        l.occurred_on,
        l.resolved_on is null or l.resolved_on >= {{ as_of }} as is_unresolved,
        l.occurred_on > {{ window_start }} as is_in_window,
        l.loss_yuan,
        l._arrived_on
    from matched_emergency_management__losses as l
    inner join any_member as m on m.member_id = l.member_id
    where l.outcome = 'linked' and l.occurred_on <= {{ as_of }}
),
worst as (
    select household_id, max(house_damage) as house_damage
    from loss
    where is_unresolved
    group by household_id
)
select l.*, l.is_unresolved and l.house_damage = w.house_damage as is_worst
from loss as l
left join worst as w on w.household_id = l.household_id
