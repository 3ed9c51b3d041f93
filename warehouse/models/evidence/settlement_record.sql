-- The records behind the net settlements: each original and the reversals that it was netted with.
select household_id, member_id, record_id as original_id, record_id, _arrived_on
from net_settlement
union all
select n.household_id, n.member_id, n.record_id as original_id, r.record_id, r._arrived_on
from net_settlement as n
inner join settlement_reversal as r on r.original_id = n.record_id
where r.settled_on <= {{ as_of }}
