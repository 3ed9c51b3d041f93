{#-
R15: approved and not finished in time; S13: finished.

table: evidence_retrofits
grain: record
key: household_id, code, record_id
as: view
same day: counted_retrofit, scored_point
parameters: as_of
-#}
select p.household_id, p.code, 'retrofits' as records, r.record_id, r._arrived_on
from scored_point as p
inner join counted_retrofit as r on r.household_id = p.household_id
where (p.code = 'R15' and r.finished_on is null and date_diff('day', r.approved_on, {{ as_of }}) > 180)
    or (p.code = 'S13' and r.finished_on is not null)
