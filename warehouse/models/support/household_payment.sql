{#-
Payments that reached a card of any member's, in W and of state paid.

table: household_payment
grain: record
key: record_id
same day: any_member
optional: matched_finance__payments
parameters: as_of, window_start
-#}
select p.record_id, m.household_id, m.member_id, p.scheme, p.amount, p.paid_on
from matched_finance__payments as p
inner join any_member as m on m.member_id = p.member_id
where p.outcome = 'linked' and p.state = 'paid' and p.paid_on > {{ window_start }}
    and p.paid_on <= {{ as_of }}
