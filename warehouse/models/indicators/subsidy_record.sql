{#-
What was paid of the subsidies to which somebody is entitled.

table: subsidy_record
grain: record
key: record_id
as: view
same day: subsidy_entitlement, subsidy_payment
records: disability_subsidies
counted by: R13 where is_unpaid, S10
-#}
select e.household_id, p.record_id, e.is_unpaid, p._arrived_on
from subsidy_entitlement as e
inner join subsidy_payment as p on p.member_id = e.member_id and p.subsidy = e.subsidy
