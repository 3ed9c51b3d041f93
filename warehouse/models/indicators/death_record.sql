{#-
The deaths in W of who earned.

table: death_record
grain: record
key: record_id
as: view
same day: any_member, linked_death
records: deaths
counted by: R29
-#}
select m.household_id, d.record_id, d._arrived_on
from linked_death as d
inner join any_member as m on m.member_id = d.member_id
where d.is_in_window and m.is_lost_earner
