{#-
R25: who was killed, missing or badly hurt in W.

table: evidence_casualties
grain: record
key: household_id, code, record_id
as: view
same day: any_member, matched_emergency_management__casualties, scored_point
parameters: as_of, year_ago
-#}
select p.household_id, p.code, 'casualties' as records, c.record_id, c._arrived_on
from scored_point as p
inner join any_member as m on m.household_id = p.household_id
inner join matched_emergency_management__casualties as c on c.member_id = m.member_id
where p.code = 'R25' and c.outcome = 'linked' and c.occurred_on > {{ year_ago }} and c.occurred_on <= {{ as_of }}
