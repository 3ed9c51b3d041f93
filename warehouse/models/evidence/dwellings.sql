{#-
R14: the dwellings of the worst grade; S12: all that are lived in.

table: evidence_dwellings
grain: record
key: household_id, code, record_id
as: view
same day: lived_in_dwelling, scored_point
-#}
select p.household_id, p.code, 'dwellings' as records, d.record_id, d._arrived_on
from scored_point as p
inner join lived_in_dwelling as d on d.household_id = p.household_id
where p.code = 'S12' or (p.code = 'R14' and d.grade = p.value)
