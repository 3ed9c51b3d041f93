{#-
R29: the deaths in W of who earned.

table: evidence_deaths
grain: record
key: household_id, code, record_id
as: view
same day: any_member, matched_civil_affairs__deaths, scored_point
parameters: as_of, year_ago
-#}
select p.household_id, p.code, 'deaths' as records, d.record_id, d._arrived_on
from scored_point as p
inner join any_member as m on m.household_id = p.household_id
inner join matched_civil_affairs__deaths as d on d.member_id = m.member_id
where p.code = 'R29' and m.labour_class in ('1', '2') and d.outcome = 'linked' and d.died_on > {{ year_ago }} and d.died_on <= {{ as_of }}
