{#-
R26: the relief lists in force.

table: evidence_relief
grain: record
key: household_id, code, record_id
as: view
same day: any_member, matched_emergency_management__relief, scored_point
parameters: as_of
-#}
select p.household_id, p.code, 'relief' as records, r.record_id, r._arrived_on
from scored_point as p
inner join any_member as m on m.household_id = p.household_id
inner join matched_emergency_management__relief as r on r.member_id = m.member_id
where p.code = 'R26' and r.outcome = 'linked' and r.listed_on <= {{ as_of }} and (r.ended_on is null or r.ended_on >= {{ as_of }})
