{#-
R07: the cases under treatment.

table: evidence_serious_illnesses
grain: record
key: household_id, code, record_id
as: view
same day: active_member, matched_health_commission__serious_illnesses, scored_point
parameters: as_of
-#}
select p.household_id, p.code, 'serious_illnesses' as records, s.record_id, s._arrived_on
from scored_point as p
inner join active_member as m on m.household_id = p.household_id
inner join matched_health_commission__serious_illnesses as s on s.member_id = m.member_id
where p.code = 'R07' and s.outcome = 'linked' and s.status = '1' and s.diagnosed_on <= {{ as_of }}
