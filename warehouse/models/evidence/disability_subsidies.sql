{#-
The payments of the three months: of who has a gap (R13), of who is entitled (S10).

table: evidence_disability_subsidies
grain: record
key: household_id, code, record_id
as: view
same day: matched_civil_affairs__disability_subsidies, scored_point, subsidy_entitlement
parameters: subsidy_months
-#}
select p.household_id, p.code, 'disability_subsidies' as records, s.record_id, s._arrived_on
from scored_point as p
inner join subsidy_entitlement as e on e.household_id = p.household_id
inner join matched_civil_affairs__disability_subsidies as s on s.member_id = e.member_id and s.subsidy = e.subsidy
where s.outcome = 'linked' and s.month in ({{ subsidy_months }})
    and (p.code = 'S10' or (p.code = 'R13' and e.paid_amount <= 0))
