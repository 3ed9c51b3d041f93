{#-
The household's row of the register.

table: evidence_households
grain: record
key: household_id, code, record_id
as: view
same day: indicator_state, register_household, scored_point
-#}
select p.household_id, p.code, 'households' as records, r.record_id, r._arrived_on
from scored_point as p
inner join register_household as r on r.household_id = p.household_id
inner join indicator_state as s on s.household_id = p.household_id
where p.code in ('R01', 'R02', 'R03', 'R04', 'R05', 'R17', 'R22', 'R23', 'R24', 'R28', 'S04', 'S05', 'S15', 'S16', 'S17', 'S18')
    or (p.code = 'S13' and s.b12_relocated)
