{#-
Schemes in force: any for the threshold of R04, dibao where it entitles to a subsidy.

table: evidence_assistance
grain: record
key: household_id, code, record_id
as: view
same day: scheme_in_force, scored_point
-#}
select p.household_id, p.code, 'assistance' as records, a.record_id, a._arrived_on
from scored_point as p
inner join scheme_in_force as a on a.household_id = p.household_id
where p.code = 'R04'
    or (p.code in ('R13', 'S10') and a.scheme = 'dibao')
    or (p.code in ('R27', 'R28') and a.scheme in ('edge', 'rigid'))
    or (p.code = 'S06' and a.scheme in ('dibao', 'tekun'))
