{#-
The settlements that a value counts, with their reversals; for R04 those of the one member who paid most.

table: evidence_settlements
grain: record
key: household_id, code, record_id
as: view
same day: net_settlement, scored_point, settlement_record
-#}
with by_member as (
    select household_id, member_id, sum(personal_paid) as personal_paid
    from net_settlement
    group by household_id, member_id
),
most as (
    select household_id, member_id, row_number() over (partition by household_id order by personal_paid desc, member_id) = 1 as is_most
    from by_member
)
select p.household_id, p.code, 'settlements' as records, r.record_id, r._arrived_on
from scored_point as p
inner join settlement_record as r on r.household_id = p.household_id
inner join net_settlement as n on n.record_id = r.original_id
inner join most as m on m.member_id = r.member_id and m.household_id = r.household_id
where p.code in ('R01', 'R05', 'S05', 'S07', 'S15')
    or (p.code = 'R04' and m.is_most)
    or (p.code = 'R09' and n.medical_type = '21')
    or (p.code = 'S09' and n.critical_illness_paid <> 0)
