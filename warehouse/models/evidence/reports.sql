{#-
R30: the open reports; the oldest gives the age.

table: evidence_reports
grain: record
key: household_id, code, record_id
as: view
same day: open_report, scored_point
-#}
select p.household_id, p.code, 'reports' as records, r.record_id, r._arrived_on
from scored_point as p
inner join open_report as r on r.household_id = p.household_id
where p.code = 'R30'
