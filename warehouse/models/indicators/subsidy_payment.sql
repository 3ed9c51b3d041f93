{#-
Disability subsidies paid for the last months, the month of the day among them.

table: subsidy_payment
grain: record
key: record_id
as: view
same day: matched_civil_affairs__disability_subsidies
parameters: paid_months
changes on: matched_civil_affairs__disability_subsidies.month at month
-#}
select member_id, subsidy, month, amount, record_id, _arrived_on
from matched_civil_affairs__disability_subsidies
where outcome = 'linked' and month in ({{ paid_months }})
