{#-
Net settlements of W that count: something is left of them, and they are an active member's, or
one's who died in W.

table: net_settlement
grain: record
key: record_id
same day: any_member, netted_original
-#}
select n.*, m.household_id
from netted_original as n
inner join any_member as m on m.member_id = n.member_id
where n.total_fee > 0 and (m.is_active or m.died_in_window)
