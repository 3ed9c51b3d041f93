-- R30: the open reports; the oldest gives the age.
select p.household_id, p.code, 'reports' as records, r.record_id, r._arrived_on
from scored_point as p
inner join open_report as r on r.household_id = p.household_id
where p.code = 'R30'
