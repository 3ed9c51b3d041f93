{#-
Payments of state paid that reached a card of any member's, up to the day, with the month that they
are for: as told, else that of the day.

table: past_payment
grain: record
key: record_id
same day: any_member
optional: matched_finance__payments
parameters: as_of
-#}
select
    p.record_id,
    m.household_id,
    m.member_id,
    p.scheme,
    p.month,
    coalesce(p.month, replace(substr(cast(p.paid_on as varchar), 1, 7), '-', '')) as of_month,
    p.amount,
    p.paid_on
from matched_finance__payments as p
inner join any_member as m on m.member_id = p.member_id
where p.outcome = 'linked' and p.state = 'paid' and p.paid_on <= {{ as_of }}
