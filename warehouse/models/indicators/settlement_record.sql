{#-
The records behind the net settlements: each original and the reversals that it was netted with.

table: settlement_record
grain: record
key: record_id
as: view
same day: member_payment, net_settlement, settlement_reversal
records: settlements
counted by: R01, R04 where is_of_largest, R05, R09 where is_inpatient, S05, S07,
    S09 where is_critical, S15
-#}
with original as (
    select
        n.household_id,
        n.record_id,
        n.is_inpatient,
        n.critical_illness_paid <> 0 as is_critical,
        p.is_largest as is_of_largest,
        n._arrived_on
    from net_settlement as n
    inner join member_payment as p on p.member_id = n.member_id
)
select household_id, record_id, is_inpatient, is_critical, is_of_largest, _arrived_on
from original
union all
select o.household_id, r.record_id, o.is_inpatient, o.is_critical, o.is_of_largest, r._arrived_on
from original as o
inner join settlement_reversal as r on r.original_id = o.record_id
where r.is_counted
