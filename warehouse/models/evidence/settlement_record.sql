{#-
The records behind the net settlements: each original and the reversals that it was netted with.

table: settlement_record
grain: record
key: original_id, record_id
same day: net_settlement, settlement_reversal
parameters: as_of
-#}
select household_id, member_id, record_id as original_id, record_id, _arrived_on
from net_settlement
union all
select n.household_id, n.member_id, n.record_id as original_id, r.record_id, r._arrived_on
from net_settlement as n
inner join settlement_reversal as r on r.original_id = n.record_id
where r.settled_on <= {{ as_of }}
