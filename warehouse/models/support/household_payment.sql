{#-
Payments that reached a household in W.

table: household_payment
grain: record
key: record_id
as: view
same day: past_payment
parameters: window_start
-#}
select record_id, household_id, member_id, scheme, amount, paid_on
from past_payment
where paid_on > {{ window_start }}
