{#-
R08: the diseases with a gap; R10: severe mental disorder; S11: every row.

table: evidence_chronic_followups
grain: record
key: household_id, code, record_id
as: view
same day: chronic_followup, scored_point
-#}
select p.household_id, p.code, 'chronic_followups' as records, f.record_id, f._arrived_on
from scored_point as p
inner join chronic_followup as f on f.household_id = p.household_id
where p.code = 'S11' or (p.code = 'R08' and f.has_gap) or (p.code = 'R10' and f.disease = 'severe_mental')
