-- R07: the cases under treatment.
select p.household_id, p.code, 'serious_illnesses' as records, s.record_id, s._arrived_on
from scored_point as p
inner join active_member as m on m.household_id = p.household_id
inner join matched_health_commission__serious_illnesses as s on s.member_id = m.member_id
where p.code = 'R07' and s.outcome = 'linked' and s.status = '1' and s.diagnosed_on <= {{ as_of }}
