{#-
R16: the worst damage that stands; R24: what was lost in W.

table: evidence_losses
grain: record
key: household_id, code, record_id
as: view
same day: counted_loss, scored_point
-#}
select p.household_id, p.code, 'losses' as records, l.record_id, l._arrived_on
from scored_point as p
inner join counted_loss as l on l.household_id = p.household_id
where (p.code = 'R16' and l.is_unresolved and l.house_damage = p.value)
    or (p.code = 'R24' and l.is_in_year)
